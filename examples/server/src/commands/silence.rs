//! The commands about silences.

use clap::{Args, Subcommand};
use inresponse_client::{Silence, SilenceEntry, Time};
use inresponse_core::clock::{Clock, SystemClock};
use inresponse_core::roster;

use super::connect::Connect;
use super::paged::pages;
use super::{Failure, output, snooze};
use crate::config::{matcher, matcher_text};

/// The longest silence, in seconds.
const LONGEST: u64 = 400 * 24 * 3600;

#[derive(Debug, Subcommand)]
pub(crate) enum SilenceCommand {
    /// Make a silence: incidents that it matches are recorded, but nobody is alerted until it ends.
    ///
    /// Matchers are matcher_text as in Alertmanager: name=value, name!=value, name=~regex, name!~regex. The names service,
    /// team and severity mean the incident's field or a label of that name. All matchers must match.
    ///
    /// Example: inresponse silence add service=checkout --for 2h --comment "new database"
    #[command(verbatim_doc_comment)]
    Add(AddArgs),
    /// List the silences.
    ///
    /// Example: inresponse silence list
    #[command(verbatim_doc_comment)]
    List(ListArgs),
    /// Lift a silence: what it held is alerted now.
    ///
    /// Example: inresponse silence lift deploy
    #[command(verbatim_doc_comment)]
    Lift(LiftArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Conditions such as service=checkout or instance=~"db-.*"
    #[arg(value_name = "MATCHER", required = true)]
    matchers: Vec<roster::Matcher>,
    /// The name of the silence (default: made of the time)
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// When the silence begins, such as 2026-12-07T22:00:00Z (default: now)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// When the silence ends
    #[arg(long, value_name = "TIME", required_unless_present = "time")]
    to: Option<String>,
    /// How long the silence lasts from its beginning: 30m, 2h, 7d; at most 400d
    #[arg(long = "for", value_name = "TIME", value_parser = seconds, conflicts_with = "to")]
    time: Option<u64>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct LiftArgs {
    /// The name of the silence
    #[arg(value_name = "NAME")]
    id: String,
    #[command(flatten)]
    connect: Connect,
}

fn seconds(text: &str) -> Result<u64, String> {
    match snooze::time(text)? {
        seconds @ 1..=LONGEST => Ok(seconds),
        _ => Err("must be from 1s to 400d".to_owned()),
    }
}

pub(super) async fn run(command: SilenceCommand) -> Result<(), Failure> {
    match command {
        SilenceCommand::Add(args) => add(args).await,
        SilenceCommand::List(args) => list(args).await,
        SilenceCommand::Lift(args) => lift(args).await,
    }
}

async fn add(args: AddArgs) -> Result<(), Failure> {
    let client = args.connect.client()?;
    let now = SystemClock::new().now();
    let from = match &args.from {
        Some(text) => roster::read_instant(text).ok_or_else(|| {
            Failure::Given(format!(
                "--from `{}` must be a time like 2026-12-07T22:00:00Z",
                output::line(text)
            ))
        })?,
        None => now,
    };
    let to = match args.time {
        Some(seconds) => {
            let time = chrono::TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
            from.checked_add_signed(time).map(|to| to.to_rfc3339())
        }
        None => args.to,
    };
    let id = args.id.unwrap_or_else(|| now.format("%Y%m%d-%H%M%S").to_string());
    let entry = SilenceEntry {
        matchers: Some(args.matchers.iter().map(matcher).collect()),
        from: Some(Time::Text(from.to_rfc3339())),
        to: to.map(Time::Text),
        comment: args.comment,
        ..SilenceEntry::default()
    };
    let made = client.put_silence(&id, &entry).await?;
    if args.connect.json {
        output::json(&made)?;
    } else {
        output::say(&row(&made))?;
    }
    Ok(())
}

async fn list(args: ListArgs) -> Result<(), Failure> {
    let client = args.connect.client()?;
    let all = pages!(silences, |cursor| client.silences(cursor));
    if args.connect.json {
        output::json(&all)?;
        return Ok(());
    }
    for silence in &all {
        output::say(&row(silence))?;
    }
    Ok(())
}

async fn lift(args: LiftArgs) -> Result<(), Failure> {
    let client = args.connect.client()?;
    client.delete_silence(&args.id).await?;
    if !args.connect.json {
        output::say(&format!("silence {} is lifted", output::line(&args.id)))?;
    }
    Ok(())
}

/// A silence in one line.
fn row(silence: &Silence) -> String {
    let matchers: Vec<String> = silence.matchers.iter().map(matcher_text).collect();
    let mut parts = vec![
        silence.id.clone(),
        matchers.join(", "),
        format!("{} to {}", output::time(silence.from), output::time(silence.to)),
    ];
    if let Some(weekly) = &silence.weekly {
        let zone = weekly.timezone.as_deref().unwrap_or("UTC");
        parts.push(format!("{} {} to {} {zone}", weekly.days.join(", "), weekly.from, weekly.to));
    }
    parts.extend(silence.by.as_ref().map(|by| format!("by {by}")));
    parts.extend(silence.waiting.filter(|n| *n > 0).map(|n| format!("{n} waiting")));
    parts.extend(Some(silence.comment.clone()).filter(|comment| !comment.is_empty()));
    output::line(&parts.join("; "))
}
