//! The command `inresponse report`: sends a report until its result is known.

use std::io::Read;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use clap::Args;
use inresponse_client::{Client, ClientError, ClientErrorKind as Kind, Report, Reported, Severity};
use inresponse_core::clock::{Clock, SystemClock};
use inresponse_core::roster::read_instant;

use super::connect::Connect;
use super::{Failure, output};

/// The time in which attempts may begin. With the last attempt the command takes less than the 30 s after which Nagios
/// ends a command.
const PATIENCE: Duration = Duration::from_secs(15);
/// The time limit of one attempt: a little longer than the server's own limit.
const ATTEMPT: Duration = Duration::from_secs(11);
/// The first pause between attempts, and the longest.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The affected service
    service: String,
    /// CRIT, ERR or WARN
    #[arg(value_parser = severity)]
    severity: Severity,
    /// The title of the incident, in one line
    title: String,
    /// What happened; - reads it from standard input
    #[arg(short, long, default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    message: String,
    /// The kind of monitoring system that reports
    #[arg(long)]
    source: Option<String>,
    /// The dedup key: while an incident with this key is not resolved, further reports with the key only add to its
    /// count (default: a random key, so that the report can be sent again safely)
    #[arg(long, value_name = "KEY")]
    dedup_key: Option<String>,
    /// A label; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    label: Vec<(String, String)>,
    /// A link, such as a runbook or a graph; may be repeated
    #[arg(long, value_name = "TEXT=URL", value_parser = pair)]
    link: Vec<(String, String)>,
    #[command(flatten)]
    connect: Connect,
}

pub(super) fn severity(text: &str) -> Result<Severity, String> {
    match text.to_ascii_uppercase().as_str() {
        "CRIT" | "CRITICAL" => Ok(Severity::Crit),
        "ERR" | "ERROR" => Ok(Severity::Err),
        "WARN" | "WARNING" => Ok(Severity::Warn),
        _ => Err("must be CRIT, ERR or WARN".to_owned()),
    }
}

/// An instant in RFC 3339, also without seconds.
pub(super) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let example = "must be a time with an offset, such as 2026-12-09T18:00+02:00 or 2026-12-09T16:00Z";
    read_instant(text.trim()).ok_or_else(|| example.to_owned())
}

/// A name and a value.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must have the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) async fn report(args: ReportArgs) -> Result<(), Failure> {
    let mut message = args.message;
    if message == "-" {
        message.clear();
        std::io::stdin().read_to_string(&mut message)?;
    }
    let key = match args.dedup_key {
        Some(key) => key,
        None => random_key()?,
    };
    let mut report = Report::new(args.service, args.severity, args.title, message).dedup_key(key);
    report = args.source.into_iter().fold(report, Report::source);
    report = args.label.into_iter().fold(report, |report, (name, value)| report.label(name, value));
    report = args.link.into_iter().fold(report, |report, (text, url)| report.link(text, url));
    let client = args.connect.client_within(ATTEMPT)?;
    let incident = match until_known(&client, &report).await? {
        Reported::New(incident) | Reported::Repeat(incident) => incident,
        Reported::Pinged(pinged) => {
            if args.connect.json {
                output::json(&pinged)?;
            } else {
                output::say(&format!("ping of heartbeat {}", output::line(&pinged.heartbeat)))?;
            }
            return Ok(());
        }
    };
    if args.connect.json {
        output::json(&incident)?;
    } else {
        output::say(&incident.incident_id.to_string())?;
    }
    Ok(())
}

fn random_key() -> Result<String, Failure> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|e| Failure::Given(format!("no random numbers: {e}")))?;
    Ok(format!("report-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Sends a report until its result is known. The dedup key makes that safe.
async fn until_known(client: &Client, report: &Report) -> Result<Reported, ClientError> {
    let clock = SystemClock::new();
    let mut pause = PAUSE;
    // After a report may have been recorded, only a success makes its result known.
    let mut unknown: Option<ClientError> = None;
    loop {
        let error = match client.report(report).await {
            Ok(reported) => return Ok(reported),
            Err(error) => error,
        };
        let again = matches!(error.kind(), Kind::UnknownCommit | Kind::Overloaded | Kind::Transport);
        let wait = error.retry_after().unwrap_or(pause).min(LONGEST_PAUSE);
        let last = match unknown.take() {
            Some(unknown) => unknown,
            None => error,
        };
        if !again || clock.monotonic() >= PATIENCE {
            return Err(last);
        }
        unknown = last.may_have_been_recorded().then_some(last);
        tokio::time::sleep(wait).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
