//! The commands about heartbeats.

use clap::{Args, Subcommand};
use inresponse_client::{Heartbeat, HeartbeatEntry, HeartbeatState, Severity};

use super::connect::Connect;
use super::exit_codes::EXIT;
use super::paged::pages;
use super::snooze::time;
use super::{Failure, output};

#[derive(Debug, Subcommand)]
pub(crate) enum BeatCommand {
    /// List the heartbeats with their states.
    ///
    /// Example: inresponse heartbeat list
    #[command(verbatim_doc_comment, after_help = EXIT)]
    List(ListArgs),
    /// Ping a heartbeat. A key with the scope `report` is enough.
    ///
    /// Example: inresponse heartbeat ping nightly-backup
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Ping(NameArgs),
    /// Create or replace a heartbeat.
    ///
    /// Example: inresponse heartbeat set nightly-backup --service athens --severity ERR --every 1d --grace 1h
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Set(SetArgs),
    /// Delete a heartbeat. An incident that is open because of it stays open.
    ///
    /// Example: inresponse heartbeat rm nightly-backup
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Rm(NameArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The heartbeat's name
    heartbeat: String,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The heartbeat's name
    heartbeat: String,
    /// The service for which an incident opens
    #[arg(long)]
    service: String,
    /// The severity of the incident: CRIT, ERR or WARN
    #[arg(long, value_parser = |text: &str| Ok::<_, String>(Severity::from(text)))]
    severity: Severity,
    /// The interval between two pings: 30s, 5min, 1d
    #[arg(long, value_name = "TIME", value_parser = time)]
    every: u64,
    /// How late a ping may be
    #[arg(long, value_name = "TIME", value_parser = time)]
    grace: Option<u64>,
    /// The title of the incident (default: one that contains the heartbeat's name)
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn run(command: BeatCommand) -> Result<(), Failure> {
    match command {
        BeatCommand::List(args) => list(args).await,
        BeatCommand::Ping(args) => ping(args).await,
        BeatCommand::Set(args) => set(args).await,
        BeatCommand::Rm(args) => {
            args.connect.client()?.delete_heartbeat(&args.heartbeat).await?;
            Ok(())
        }
    }
}

async fn list(args: ListArgs) -> Result<(), Failure> {
    let client = args.connect.client()?;
    let all = pages!(heartbeats, |cursor| client.heartbeats(cursor));
    if args.connect.json {
        output::json(&all)?;
        return Ok(());
    }
    for heartbeat in &all {
        output::say(&row(heartbeat))?;
    }
    Ok(())
}

async fn ping(args: NameArgs) -> Result<(), Failure> {
    let ping = args.connect.client()?.ping(&args.heartbeat).await?;
    if args.connect.json {
        output::json(&ping)?;
    } else {
        let due = ping.due_at.map(|at| format!(", the next ping is due by {}", output::time(at)));
        output::say(&format!("{}{}", output::line(&ping.ping), due.unwrap_or_default()))?;
    }
    Ok(())
}

async fn set(args: SetArgs) -> Result<(), Failure> {
    let entry = HeartbeatEntry {
        service: Some(args.service),
        severity: Some(args.severity),
        every_seconds: Some(args.every),
        grace_seconds: args.grace,
        title: args.title,
        owner: None,
    };
    let heartbeat = args.connect.client()?.put_heartbeat(&args.heartbeat, &entry).await?;
    if args.connect.json {
        output::json(&heartbeat)?;
    } else {
        output::say(&row(&heartbeat))?;
    }
    Ok(())
}

/// A heartbeat in one line.
fn row(heartbeat: &Heartbeat) -> String {
    let last = heartbeat
        .last_ping_at
        .map_or_else(|| "no ping yet".to_owned(), |at| format!("last {}", output::time(at)));
    let next = match (&heartbeat.state, heartbeat.incident_id, heartbeat.due_at) {
        (HeartbeatState::Missed, Some(incident), _) => format!("incident {incident}"),
        (_, _, Some(due)) => format!("due by {}", output::time(due)),
        (_, _, None) => String::new(),
    };
    let (name, service) = (output::line(&heartbeat.heartbeat), output::line(&heartbeat.service));
    let (state, severity, every) = (&heartbeat.state, &heartbeat.severity, heartbeat.every_seconds);
    format!("{name:<32}  {state:<8}  {severity:<4}  {service:<20}  every {every} s  {last}  {next}")
        .trim_end()
        .to_owned()
}
