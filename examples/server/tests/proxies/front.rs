//! A proxy from Debian's packages, with the configuration of the docs: only host, ports and certificate are others.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Process, run};

/// What stands in for `alerts.example.org`.
pub(crate) const HOST: &str = "localhost";

#[derive(Debug, Clone, Copy)]
pub(crate) enum Proxy {
    Nginx,
    Caddy,
}

/// A proxy that runs; it ends with this.
pub(crate) struct Front {
    pub(crate) url: String,
    pub(crate) http: u16,
    log: PathBuf,
    _process: Process,
}

impl Front {
    /// Starts it in front of the server that listens there, with the certificate that [`self_signed`] has made.
    pub(crate) fn start(proxy: Proxy, dir: &Path, [http, https]: [u16; 2], server: &str) -> Self {
        let at = format!("{HOST}:{https}");
        let shown = dir.display();
        let (command, config) = match proxy {
            Proxy::Nginx => {
                let documented = include_str!("../../../../docs/operations/proxies/nginx.conf");
                let config = with(
                    documented,
                    &[
                        ("listen 80;", &format!("listen 127.0.0.1:{http};")),
                        ("listen 443 ssl;", &format!("listen 127.0.0.1:{https} ssl;")),
                        ("https://alerts.example.org$request_uri", &format!("https://{at}$request_uri")),
                        ("server_name alerts.example.org", &format!("server_name {HOST}")),
                        ("/etc/ssl/alerts.example.org.pem", &format!("{shown}/server.pem")),
                        ("/etc/ssl/private/alerts.example.org.key", &format!("{shown}/server.key")),
                        ("http://127.0.0.1:8080", &format!("http://{server}")),
                    ],
                );
                // One process, and nothing outside of its folder.
                let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
                let folders: String =
                    kinds.iter().map(|kind| format!("{kind}_temp_path {shown}/{kind}; ")).collect();
                let whole = format!(
                    "daemon off; master_process off; pid {shown}/nginx.pid; error_log stderr; events {{}}\n\
                     http {{ access_log off; {folders}\n{config}\n}}\n"
                );
                let file = dir.join("nginx.conf");
                let mut command = Command::new(unpacked("usr/sbin/nginx"));
                command.args(["-e", "stderr", "-p"]).arg(dir).arg("-c").arg(&file);
                (command, (file, whole))
            }
            Proxy::Caddy => {
                let documented = include_str!("../../../../docs/operations/proxies/Caddyfile");
                let tls = format!("{HOST} {{\n    tls {shown}/server.pem {shown}/server.key\n");
                let config = with(
                    documented,
                    &[("\nalerts.example.org {\n", &format!("\n{tls}")), ("127.0.0.1:8080", server)],
                );
                let options = format!(
                    "{{\n  admin off\n  grace_period 1s\n  default_bind 127.0.0.1\n  http_port {http}\n  https_port {https}\n  \
                     storage file_system {shown}/caddy\n}}\n"
                );
                let file = dir.join("Caddyfile");
                let mut command = Command::new(unpacked("usr/bin/caddy"));
                command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file).env("HOME", dir);
                (command, (file, options + &config))
            }
        };
        std::fs::write(config.0, config.1).unwrap();
        let log = dir.join("proxy.log");
        Self { url: format!("https://{at}"), http, _process: Process::start(command, &log), log }
    }

    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

/// The text with all of that in the place of what is documented.
fn with(documented: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(documented.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in\n{text}");
        text.replace(from, to)
    })
}

/// A program of Debian's, which `cargo xtask proxies` unpacks.
fn unpacked(program: &str) -> PathBuf {
    let folder = std::env::var("INRESPONSE_TEST_PROXIES")
        .expect("this test runs proxies that `cargo xtask proxies` unpacks: run it with that");
    let program = Path::new(&folder).join(program);
    assert!(program.exists(), "{} is missing", program.display());
    program
}

/// Makes a certificate for this machine, and answers which one is to be trusted.
pub(crate) fn self_signed(dir: &Path) -> PathBuf {
    let python = std::env::var("INRESPONSE_TEST_PYTHON").expect("run this with `cargo xtask proxies`");
    let mut made = Command::new(python);
    let (done, told) = run(made.args(["-m", "trustme", "--quiet", "-i", HOST, "-d"]).arg(dir));
    assert!(done, "{told}");
    dir.join("client.pem")
}
