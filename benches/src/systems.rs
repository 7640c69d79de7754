//! The measured systems: the command that starts each, and the requests for it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use chrono::{TimeDelta, Utc};
use inresponse_testkit::postgres::Postgres;

use crate::process::{Process, free_address};
use crate::wrk::{self, NUMBER, Shot};
use crate::{Failure, Site};

/// The key with which incidents are reported.
pub(crate) const MONITORING: &str = "monitoring-key-monitoring-key";
/// The key with which people respond.
pub(crate) const PEOPLE: &str = "people-key-people-key-people-key";

/// A measured system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum System {
    /// A server on the same libraries that does nothing.
    Empty,
    Alertmanager,
    InResponse,
    /// InResponse with a team that is never alerted: measures the cost of receiving alone.
    RecordsOnly,
    /// InResponse on PostgreSQL, which runs on the same machine.
    OnPostgres,
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            System::Empty => "empty axum server",
            System::Alertmanager => "Alertmanager",
            System::InResponse => "InResponse",
            System::RecordsOnly => "InResponse, alerting nobody",
            System::OnPostgres => "InResponse on PostgreSQL",
        })
    }
}

/// How Alertmanager handles an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mails {
    /// The cheapest way: all alerts in one group, for a receiver that sends nothing.
    None,
    /// A mail for each alert, at once, with text and HTML.
    Each,
}

/// A running system. Dropping it kills the process.
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// The server of the database, if the system needs one. It ends after the system.
    _database: Option<Postgres>,
}

/// Starts a new system, which sends its mails to `sink`.
pub(crate) fn start(site: &Site, system: System, mails: Mails, sink: SocketAddr) -> Result<Running, Failure> {
    empty_folder(site)?;
    restart(site, system, mails, sink)
}

/// Starts a system on its existing data.
pub(crate) fn restart(
    site: &Site,
    system: System,
    mails: Mails,
    sink: SocketAddr,
) -> Result<Running, Failure> {
    let folder = site.data();
    let address = free_address()?;
    let database = (system == System::OnPostgres).then(|| Postgres::start_with(&["shared_buffers=256MB"]));
    let (command, name) = match system {
        System::Empty => {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["empty", &address.to_string()]);
            (command, "empty")
        }
        System::Alertmanager => {
            let config = folder.join("alertmanager.yml");
            std::fs::write(&config, alertmanager_config(mails, sink))?;
            let mut command = with_files(site, "bin/prometheus-alertmanager");
            command.arg(format!("--config.file={}", config.display()));
            command.arg(format!("--storage.path={}", folder.join("data").display()));
            command.arg(format!("--web.listen-address={address}")).arg("--cluster.listen-address=");
            (command, "alertmanager")
        }
        System::InResponse | System::RecordsOnly | System::OnPostgres => {
            // The other systems send a mail for each alert too.
            let mut command = inresponse(site, &inresponse_config(), 0, sink, address)?;
            match &database {
                Some(database) => command.arg("--postgres-url").arg(database.url()),
                None => command.arg("--db").arg(folder.join("inresponse.db")),
            };
            (command, "inresponse")
        }
    };
    let log = site.work.join(format!("{name}.log"));
    let process = Process::start(command, &log, address)?;
    Ok(Running { process, address, _database: database })
}

/// Starts a new InResponse on SQLite with that configuration. `singles` is the number of single alerts a minute.
pub(crate) fn start_inresponse(
    site: &Site,
    config: &str,
    singles: u32,
    sink: SocketAddr,
) -> Result<Running, Failure> {
    let address = free_address()?;
    let mut command = inresponse(site, config, singles, sink, address)?;
    command.arg("--db").arg(site.data().join("inresponse.db"));
    let process = Process::start(command, &site.work.join("inresponse.log"), address)?;
    Ok(Running { process, address, _database: None })
}

/// The command for a server, which still lacks its database.
fn inresponse(
    site: &Site,
    config: &str,
    singles: u32,
    sink: SocketAddr,
    address: SocketAddr,
) -> Result<Command, Failure> {
    let path = site.data().join("config.toml");
    std::fs::write(&path, config)?;
    let mut command = Command::new(&site.server);
    command.arg("--listen").arg(address.to_string()).arg("--config").arg(path);
    command.arg("--smtp-url").arg(format!("smtp://{sink}"));
    command.arg("--singles-per-minute").arg(singles.to_string());
    Ok(command)
}

/// Deletes everything that a system has left behind.
pub(crate) fn empty_folder(site: &Site) -> Result<PathBuf, Failure> {
    let folder = site.data();
    let _none = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A command for a program that looks for its own files in `/usr/share`. A private view of the file system, which only
/// the program has, shows them there.
fn with_files(site: &Site, program: &str) -> Command {
    const VIEW: &str =
        r#"mount -t overlay -o "lowerdir=$1:/usr/share" overlay /usr/share && shift && exec "$@""#;
    let usr = site.debian.join("usr");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", VIEW, "sh"]).arg(usr.join("share"));
    command.arg(usr.join(program));
    command
}

fn alertmanager_config(mails: Mails, sink: SocketAddr) -> String {
    match mails {
        Mails::None => "route: { receiver: none }\nreceivers: [{ name: none }]\n".to_owned(),
        // Its own template is HTML; the text says as much as ours.
        Mails::Each => format!(
            r#"
global:
  smtp_smarthost: "{sink}"
  smtp_from: "alertmanager@example.org"
  smtp_require_tls: false
route:
  receiver: mail
  group_by: ["..."]
  group_wait: 0s
receivers:
  - name: mail
    email_configs:
      - to: "jo@example.org"
        text: |
          {{{{ range .Alerts }}}}{{{{ .Labels.severity }}}} {{{{ .Labels.service }}}}: {{{{ .Annotations.summary }}}}
          {{{{ .Annotations.description }}}}
          {{{{ range .Labels.SortedPairs }}}}{{{{ .Name }}}}: {{{{ .Value }}}}
          {{{{ end }}}}{{{{ .GeneratorURL }}}}{{{{ end }}}}
"#
        ),
    }
}

/// The configuration with two teams: one with somebody on call and an escalation, and one that is never alerted.
fn inresponse_config() -> String {
    let days = [-1, 0, 1].map(|day| (Utc::now() + TimeDelta::days(day)).date_naive());
    let calendar = days.map(|day| {
        format!(
            "calendar.\"{day}\" = {{ oncall = \"jo@example.org\", escalation = [\"kim@example.org\"] }}\n"
        )
    });
    format!(
        "[[keys]]\nname = \"monitoring\"\nkey = \"{MONITORING}\"\nscopes = [\"report\"]\n\
         [[keys]]\nname = \"people\"\nkey = \"{PEOPLE}\"\nscopes = [\"respond\", \"admin\"]\n\
         [roster.services]\nalerting = \"alerting\"\nquiet = \"quiet\"\n\
         [roster.teams.alerting]\nfallback = [\"ops@example.org\"]\n{}\
         [roster.teams.quiet]\nfallback = [\"ops@example.org\"]\n\
         alert-levels = {{ CRIT = [], ERR = [], WARN = [] }}\n",
        calendar.concat()
    )
}

const TITLE: &str = "5xx error spike @@";

/// The message of every report. With this message, the body of a report is about 400 bytes.
pub(crate) const TEXT: &str = "More than 12 % of the requests of the last five minutes were answered with 5xx. If many services \
                    say so, look at the network first, then at the database that they share, then at what was \
                    deployed in the last hour.";

/// The title of the report with that number.
pub(crate) fn title(number: u64) -> String {
    TITLE.replace(NUMBER, &wrk::digits(number))
}

/// One report of an incident, in the system's own format.
pub(crate) fn report(system: System, severity: &str) -> Shot {
    match system {
        System::Alertmanager => Shot { items: 1, ..batch(system) },
        System::Empty | System::InResponse | System::RecordsOnly | System::OnPostgres => Shot {
            method: "PUT",
            path: "/incidents",
            headers: format!("x-api-key: {MONITORING}\r\n"),
            open: String::new(),
            item: format!(
                r#"{{"service":"{}","severity":"{severity}","title":"{TITLE}","message":"{TEXT}","source":"bench","labels":{{"instance":"web-7","job":"web"}}}}"#,
                service(system)
            ),
            close: "",
            items: 1,
        },
    }
}

/// A hundred alerts in one message: for Alertmanager in the format of its API, for InResponse in that of Alertmanager's
/// webhook.
pub(crate) fn batch(system: System) -> Shot {
    let alert = |more: &str| {
        format!(
            r#"{{{more}"labels":{{"alertname":"5xx error spike {NUMBER}","service":"{}","severity":"critical","instance":"web-7","job":"web"}},"annotations":{{"summary":"5xx error spike","description":"{TEXT}"}},"generatorURL":"http://prometheus.example.org:9090/graph"}}"#,
            service(system)
        )
    };
    match system {
        System::Alertmanager => Shot {
            method: "POST",
            path: "/api/v2/alerts",
            headers: String::new(),
            open: "[".to_owned(),
            item: alert(""),
            close: "]",
            items: 100,
        },
        System::Empty | System::InResponse | System::RecordsOnly | System::OnPostgres => Shot {
            method: "POST",
            path: "/intake/alertmanager",
            headers: format!("authorization: Bearer {MONITORING}\r\n"),
            open: r#"{"version":"4","status":"firing","receiver":"inresponse","alerts":["#.to_owned(),
            item: alert(&format!(r#""status":"firing","fingerprint":"{NUMBER}","#)),
            close: "]}",
            items: 100,
        },
    }
}

fn service(system: System) -> &'static str {
    match system {
        System::RecordsOnly => "quiet",
        System::Empty | System::Alertmanager | System::InResponse | System::OnPostgres => "alerting",
    }
}

/// The version of Alertmanager.
pub(crate) fn alertmanager_version(site: &Site) -> Result<String, Failure> {
    let output = with_files(site, "bin/prometheus-alertmanager").arg("--version").output()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    Ok(text.split_whitespace().skip_while(|word| *word != "version").nth(1).unwrap_or("?").to_owned())
}
