//! Counts the instructions of the released server for one report, under valgrind. A busy machine changes them little.

mod load;
mod mails;
mod record;

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::Args;

use crate::tools::{Failure, cargo, root, run, target_dir, valgrind};
use load::report_all;
use mails::MailServer;
use record::{Record, Replace};

/// The settings of the counts.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Counts {
    /// The number of reports that are counted.
    #[arg(long, default_value_t = REPORTS)]
    pub(crate) reports: u32,
    /// Replace the recorded counts of this kind of processor by the new ones.
    #[arg(long)]
    pub(crate) record: bool,
}

/// The usual number of reports.
const REPORTS: u32 = 5_000;

impl Default for Counts {
    fn default() -> Self {
        Self { reports: REPORTS, record: false }
    }
}

/// The number of reports before those that are counted. A second server gets only these, so that the difference contains
/// neither the start nor the end of a server.
const BEFORE: u32 = 500;
/// The number of connections that report.
const CONNECTIONS: u32 = 64;
/// The number of waits of 100 ms for the server to listen, and for all mails.
const PATIENCE: u32 = 6_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// Reports that alert nobody.
    Records,
    /// Reports with a mail each, until it was accepted.
    Mails,
}

impl Counted {
    /// The name in the record.
    fn name(self) -> &'static str {
        match self {
            Self::Records => "a report that alerts nobody",
            Self::Mails => "a report with its mail, until accepted",
        }
    }

    /// The service that is reported.
    fn service(self) -> &'static str {
        match self {
            Self::Records => "quiet",
            Self::Mails => "alerting",
        }
    }
}

/// Counts, and compares with the recorded counts.
pub(crate) fn count(counts: Counts) -> Result<(), Failure> {
    run(cargo().args(["build", "--release", "--bins", "-p", "inresponse-server", "--locked"]))?;
    let file = root().join("benches/counts.json");
    let mut counted = Vec::new();
    for what in [Counted::Records, Counted::Mails] {
        let before = total_of(what, BEFORE)?;
        let with = total_of(what, BEFORE + counts.reports)?;
        let each = with.saturating_sub(before) / u64::from(counts.reports.max(1));
        println!("{}: {each} instructions", what.name());
        counted.push((what.name(), each));
    }
    if counts.reports != REPORTS {
        println!("nothing is compared, because the recorded counts are those of {REPORTS} reports");
        return Ok(());
    }
    let replace = if counts.record { Replace::Yes } else { Replace::No };
    Record::read(&file)?.judge(&counted, replace, &file)
}

/// The instructions of a new server from its start to its end, with that many reports in between.
fn total_of(what: Counted, reports: u32) -> Result<u64, Failure> {
    let work = target_dir().join("counts");
    let (data, profile) = (work.join("data"), work.join(format!("{}-{reports}.callgrind", what.service())));
    let _none = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&data)?;
    let mails = MailServer::start()?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut server = start(&work, &profile, mails.address, address)?;
    let reported = report_all(address, what.service(), reports, CONNECTIONS).and_then(|()| match what {
        Counted::Mails => mails.until(reports, PATIENCE),
        Counted::Records => Ok(()),
    });
    // The profile is written when the server ends by itself.
    run(Command::new("kill").arg("-TERM").arg(server.id().to_string()))?;
    let ended = server.wait()?;
    reported.map_err(|error| format!("{error}; the server's log is in {}", work.display()))?;
    if !ended.success() {
        return Err(
            format!("the server ended with {ended}, see {}", work.join("server.log").display()).into()
        );
    }
    total_in(&profile)
}

/// Starts the server under valgrind, and waits until it listens.
fn start(work: &Path, profile: &Path, mails: SocketAddr, address: SocketAddr) -> Result<Child, Failure> {
    let config = work.join("data/config.toml");
    std::fs::write(&config, CONFIG)?;
    let log = File::create(work.join("server.log"))?;
    let mut command: Command = valgrind()?;
    command.args(["--tool=callgrind", "--fair-sched=yes"]);
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    command.arg(target_dir().join("release/inresponse")).arg("--listen").arg(address.to_string());
    command.arg("--config").arg(config).arg("--db").arg(work.join("data/inresponse.db"));
    // A mail for each incident.
    command.arg("--smtp-url").arg(format!("smtp://{mails}")).args(["--singles-per-minute", "0"]);
    let mut server = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    for _ in 0..PATIENCE {
        if TcpStream::connect(address).is_ok() {
            return Ok(server);
        }
        if let Some(status) = server.try_wait()? {
            return Err(format!("the server ended at once ({status}), see {}", work.display()).into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    server.kill()?;
    Err(format!("the server does not listen, see {}", work.display()).into())
}

/// The configuration: a team with somebody on call and an escalation, and one that is never alerted.
const CONFIG: &str = r#"
[[keys]]
name = "monitoring"
key = "monitoring-key-monitoring-key"
scopes = ["report"]
[roster.services]
alerting = "alerting"
quiet = "quiet"
[roster.people]
jo = { methods = { mail = "jo@example.org" } }
kim = { methods = { mail = "kim@example.org" } }
[roster.teams.alerting]
fallback = ["ops@example.org"]
levels = [{ notify = ["person:jo"] }, { notify = ["person:kim"] }]
[roster.teams.quiet]
fallback = ["ops@example.org"]
alert-levels = { CRIT = [], ERR = [], WARN = [] }
"#;

/// The number of instructions in a profile.
fn total_in(profile: &Path) -> Result<u64, Failure> {
    let text = std::fs::read_to_string(profile)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.ok_or_else(|| format!("{} has no total", profile.display()))?;
    Ok(total.trim().parse()?)
}
