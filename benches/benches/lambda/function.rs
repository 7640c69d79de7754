//! The two functions, each as a process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

use crate::Failure;

pub(crate) const KEY: &str = "bench-key-bench-key-bench-key";

/// The paths of everything that is needed.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) bootstrap: PathBuf,
    pub(crate) archive: PathBuf,
    python: PathBuf,
    /// The folder of `handler.py`.
    peers: PathBuf,
    dynamodb: String,
    prefix: String,
}

impl Site {
    /// Reads the paths that `cargo xtask lambda-bench` sets.
    pub(crate) fn from_environment() -> Result<Self, Failure> {
        let variable = |name: &str| {
            std::env::var(name).map_err(|_| format!("{name} is not set: run `cargo xtask lambda-bench`"))
        };
        Ok(Self {
            bootstrap: variable("INRESPONSE_BENCH_BOOTSTRAP")?.into(),
            archive: variable("INRESPONSE_BENCH_ARCHIVE")?.into(),
            python: variable("INRESPONSE_BENCH_PYTHON")?.into(),
            peers: variable("INRESPONSE_BENCH_PEERS")?.into(),
            dynamodb: variable("INRESPONSE_BENCH_DYNAMODB")?,
            prefix: variable("INRESPONSE_BENCH_PREFIX")?,
        })
    }

    /// The names and versions of Python and its packages.
    pub(crate) fn python_versions(&self) -> Result<String, Failure> {
        let script = "import platform, importlib.metadata as m\n\
                      print('Python', platform.python_version(), end='')\n\
                      for name in ('boto3', 'awslambdaric'): print(',', name, m.version(name), end='')";
        let output = Command::new(&self.python).args(["-c", script]).output()?;
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The command that starts a function.
#[derive(Debug)]
pub(crate) struct Function<'a> {
    site: &'a Site,
    program: &'a PathBuf,
    arguments: &'static [&'static str],
    handler: &'static str,
}

impl<'a> Function<'a> {
    pub(crate) fn ours(site: &'a Site) -> Self {
        Self { site, program: &site.bootstrap, arguments: &[], handler: "processor" }
    }

    /// The Python function, started as Amazon's own runtime for Python starts a handler.
    pub(crate) fn peer(site: &'a Site) -> Self {
        let handler = "handler.put_incident";
        Self {
            site,
            program: &site.python,
            arguments: &["-m", "awslambdaric", "handler.put_incident"],
            handler,
        }
    }
}

/// A function's process. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// Starts a function with only the environment of Lambda and of the template.
    pub(crate) fn start(function: &Function<'_>, runtime_api: SocketAddr) -> Result<Self, Failure> {
        let site = function.site;
        let mut command = Command::new(function.program);
        command.args(function.arguments).current_dir(&site.peers).env_clear();
        command.envs([
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("LANG", "en_US.UTF-8"),
            ("TZ", ":UTC"),
            ("_HANDLER", function.handler),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
            ("AWS_LAMBDA_FUNCTION_NAME", "inresponse-processor"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/inresponse-processor"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/24/[$LATEST]0123456789abcdef0123456789abcdef"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_DEFAULT_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "bench"),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("AWS_SESSION_TOKEN", "bench"),
            ("AWS_ENDPOINT_URL_DYNAMODB", site.dynamodb.as_str()),
            ("INRESPONSE_TABLE_PREFIX", site.prefix.as_str()),
            ("INRESPONSE_MAIL_FROM", "InResponse <alerts@example.org>"),
            ("INRESPONSE_CONFIGURATION_SET", "inresponse"),
            ("INRESPONSE_PUBLIC_URL", "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"),
            ("INRESPONSE_TOKEN_SECRET", "0123456789abcdef0123456789abcdef"),
            ("INRESPONSE_API_KEY", KEY),
            ("INRESPONSE_FALLBACK", ""),
            ("INRESPONSE_CATCH_ALL", ""),
            ("INRESPONSE_KEEP_RESOLVED_DAYS", "0"),
            (
                "INRESPONSE_STATE_MACHINE",
                "arn:aws:states:eu-central-1:123456789012:stateMachine:inresponse-escalation",
            ),
            ("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true"),
        ]);
        command.env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string());
        command.env("AWS_ENDPOINT_URL_SFN", format!("http://{runtime_api}"));
        command.env("LAMBDA_TASK_ROOT", &site.peers);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    /// The processor time of all threads so far, including those that have ended.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(self.0.id())?))?;
        Ok(clock.now()?.into())
    }

    /// The maximum memory that the process has used.
    pub(crate) fn peak_memory_kib(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Lambda does the same.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}
