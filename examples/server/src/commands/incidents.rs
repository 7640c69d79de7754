//! The commands that change or show incidents: claim, release, resolve, hand over, escalate, call in, note, show.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use chrono::{DateTime, Utc};
use clap::Args;
use inresponse_client::{
    Delivery, DeliveryStatus, Details, Entry, EventKind, Incident, Level, LevelWord, Reached, TeamReason,
    Upcoming, UpcomingAlert, Update,
};

use super::connect::Connect;
use super::route::decided;
use super::{Failure, output};

/// The arguments of every command that changes one incident.
#[derive(Debug, Args)]
pub(crate) struct Act {
    /// The incident's number
    #[arg(value_parser = number)]
    number: u64,
    /// Who does it (default: the key's name)
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    connect: Connect,
}

/// The arguments of a command that changes several incidents in the same way.
#[derive(Debug, Args)]
pub(crate) struct Acts {
    /// The numbers of the incidents; `#10000` is also a number
    #[arg(required = true, value_name = "NUMBER", value_parser = number)]
    numbers: Vec<u64>,
    /// Who does it (default: the key's name)
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct TakeArgs {
    #[command(flatten)]
    acts: Acts,
    /// Do it even if somebody else has it
    #[arg(long)]
    take_over: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    #[command(flatten)]
    acts: Acts,
    /// A note for the timeline
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct HandOverArgs {
    #[command(flatten)]
    act: Act,
    #[command(flatten)]
    to: Receiver,
    /// A note for the timeline
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Do not ask, even if the roster does not know the person
    #[arg(long, short)]
    yes: bool,
}

/// The receiver of a hand-over: a person or a team.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Receiver {
    /// The person to hand it to; an email address is notified. They must answer, or the alerts begin again
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// The team to hand it to: its on-call engineer is alerted at once
    #[arg(long, value_name = "TEAM")]
    to_team: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CallInArgs {
    /// The incident's number
    #[arg(value_parser = number)]
    number: u64,
    /// Whom to call in: person:NAME, team:NAME (who is on call there now), schedule:NAME or an address
    #[arg(required = true, value_name = "WHOM")]
    whom: Vec<String>,
    /// A note for the timeline
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Who does it (default: the key's name)
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct NoteArgs {
    /// The incident's number
    #[arg(value_parser = number)]
    number: u64,
    /// The note
    text: String,
    /// Who writes it (default: the key's name)
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The incident's number
    #[arg(value_parser = number)]
    number: u64,
    #[command(flatten)]
    connect: Connect,
}

/// The number of an incident, also as people write it: `#10000`.
pub(super) fn number(text: &str) -> Result<u64, String> {
    let digits = text.trim().trim_start_matches('#');
    digits.parse().map_err(|_| "must be the number of an incident, such as 10000".to_owned())
}

pub(super) async fn update(act: Act, change: Update) -> Result<(), Failure> {
    let Act { number, by, connect } = act;
    let change = by.into_iter().fold(change, Update::by);
    let details = connect.client()?.update(number, &change).await?;
    if connect.json {
        output::json(&details)?;
    } else {
        output::say(&output::row(&details.incident))?;
    }
    Ok(())
}

/// Makes the same change to several incidents, one after the other. A failure stops none of the others.
async fn update_all(acts: Acts, change: Update) -> Result<(), Failure> {
    let Acts { mut numbers, by, connect } = acts;
    if let &[number] = &*numbers {
        return update(Act { number, by, connect }, change).await;
    }
    let mut seen = BTreeSet::new();
    numbers.retain(|number| seen.insert(*number));
    let (client, change) = (connect.client()?, by.into_iter().fold(change, Update::by));
    let mut failed = Vec::new();
    for number in &numbers {
        match client.update(*number, &change).await {
            Ok(details) if connect.json => output::json(&details)?,
            Ok(details) => output::say(&output::row(&details.incident))?,
            Err(error) => failed.push((*number, error)),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::some(failed, numbers.len())) }
}

/// Warns if the person may never learn of the hand-over. At a terminal the command asks for confirmation. Elsewhere the
/// command continues, because the incident is open again if the person does not answer.
async fn may_be_given(act: &Act, person: &str, yes: bool) -> Result<bool, Failure> {
    let details = act.connect.client()?.before_hand_over(act.number, person, act.by.as_deref()).await?;
    for warning in &details.warnings {
        output::warn(&format!("warning: {}", warning.message))?;
    }
    let is_sure = details.warnings.is_empty() || yes || !std::io::stdin().is_terminal();
    Ok(is_sure || output::agreed("Hand it over?")?)
}

async fn take(args: TakeArgs, change: Update) -> Result<(), Failure> {
    let change = if args.take_over { change.take_over() } else { change };
    update_all(args.acts, change).await
}

pub(super) async fn claim(args: TakeArgs) -> Result<(), Failure> {
    take(args, Update::claim()).await
}

pub(super) async fn release(args: TakeArgs) -> Result<(), Failure> {
    take(args, Update::release()).await
}

pub(super) async fn resolve(args: ResolveArgs) -> Result<(), Failure> {
    let change = args.note.into_iter().fold(Update::resolve(), Update::with_note);
    update_all(args.acts, change).await
}

pub(super) async fn hand_over(args: HandOverArgs) -> Result<(), Failure> {
    let change = match (args.to.to, args.to.to_team) {
        (Some(person), _) => {
            if !may_be_given(&args.act, &person, args.yes).await? {
                return Err(Failure::Given("nothing was changed".to_owned()));
            }
            Update::hand_to(person)
        }
        (None, Some(team)) => Update::hand_to_team(team),
        (None, None) => return Err(Failure::Given("give --to or --to-team".to_owned())),
    };
    let change = args.note.into_iter().fold(change, Update::with_note);
    update(args.act, change).await
}

pub(super) async fn escalate(acts: Acts) -> Result<(), Failure> {
    update_all(acts, Update::escalate()).await
}

pub(super) async fn call_in(args: CallInArgs) -> Result<(), Failure> {
    let change = args.note.into_iter().fold(Update::call_in(args.whom), Update::with_note);
    update(Act { number: args.number, by: args.by, connect: args.connect }, change).await
}

pub(super) async fn note(args: NoteArgs) -> Result<(), Failure> {
    update(Act { number: args.number, by: args.by, connect: args.connect }, Update::note(args.text)).await
}

pub(super) async fn show(args: ShowArgs) -> Result<(), Failure> {
    let details = args.connect.client()?.incident(args.number).await?;
    if args.connect.json {
        output::json(&details)?
    } else {
        output::say(&shown(&details))?
    }
    Ok(())
}

/// The text of an incident for the terminal.
fn shown(details: &Details) -> String {
    let incident = &details.incident;
    let mut lines = vec![output::header(), output::row(incident), String::new()];
    lines.extend(output::plain(&incident.message).lines().map(|line| format!("  {line}")));
    let mut field = |name: &str, value: String| lines.push(format!("{name:<12} {value}"));
    field("team", output::line(&incident.team));
    field("detected", output::time(incident.detected_at));
    field("reported", first_and_last(incident));
    let by = |who: &Option<String>| who.as_deref().map_or_else(String::new, |who| format!(" by {who}"));
    if let Some(at) = incident.claimed_at {
        field("claimed", output::line(&format!("{}{}", output::time(at), by(&incident.claimed_by))));
    }
    if let Some(at) = incident.resolved_at {
        field("resolved", output::line(&format!("{}{}", output::time(at), by(&incident.resolved_by))));
    }
    for (name, value) in [("source", &incident.source), ("dedup key", &incident.dedup_key)] {
        if let Some(value) = value {
            field(name, output::line(value));
        }
    }
    for (name, value) in &incident.labels {
        field("label", output::line(&format!("{name}={value}")));
    }
    for link in &incident.links {
        field("link", output::line(&format!("{}: {}", link.text, link.url)));
    }
    if !incident.responders.is_empty() {
        let names: Vec<_> = incident.responders.iter().map(|one| one.by.as_str()).collect();
        field("helping", output::line(&names.join(", ")));
    }
    if let Some(at) = incident.next_alert_at {
        field("next alert", output::time(at));
    }
    if let Some(at) = incident.claim_ends_at {
        field("claim ends", format!("{}, then the alerts begin again", output::time(at)));
    }
    if let Some(rule) = &incident.routed_by {
        let effect = if incident.record_only { ": recorded only, nobody is alerted" } else { "" };
        field("routed by", format!("{}{effect}", output::line(rule)));
    }
    if let Some(until) = incident.quiet_until {
        let why = output::line(&incident.quiet_by.join(", "));
        field("quiet", format!("nobody is alerted until {}: {why}", output::time(until)));
    }
    if let Some(warning) = warning(incident) {
        field("warning", output::line(&warning));
    }
    if !details.upcoming.is_empty() {
        lines.push("\nunless somebody claims it".to_owned());
        lines.extend(details.upcoming.iter().map(|next| format!("  {}", output::line(&upcoming(next)))));
    }
    lines.push("\ndeliveries".to_owned());
    for delivery in &details.deliveries {
        let (round, level, contact) = (delivery.round, &delivery.level, &delivery.contact);
        let level = level_name(level).replace("the fallback", "fallback");
        let (at, status) = (output::time(when(delivery)), status(delivery));
        let mut text = format!("{at}  round {round} {level} {contact} {status}");
        if delivery.attempts != 1 {
            text.push_str(&format!(", {} attempts", delivery.attempts));
        }
        if let Some(last) =
            delivery.last_outcome.as_ref().filter(|last| last.kind.as_str() != delivery.status.as_str())
        {
            text.push_str(&format!(", the last {}", words(last.kind.as_str())));
            text.push_str(&if last.detail.is_empty() { String::new() } else { format!(": {}", last.detail) });
        }
        lines.push(format!("  {}", output::line(&text)));
    }
    lines.push("\ntimeline".to_owned());
    lines.extend(details.timeline.iter().map(|entry| {
        let with = entry.key.as_deref().map_or_else(String::new, |key| match key {
            "link" => ", with the link in an alert".to_owned(),
            key => format!(", with the key {}", output::line(key)),
        });
        format!("  {}  {}{with}", output::time(entry.at), told(entry))
    }));
    lines.join("\n")
}

/// When an incident was first reported, and how often.
fn first_and_last(incident: &Incident) -> String {
    let at = output::time(incident.created_at);
    match incident.count {
        0 | 1 => at,
        count => format!("{at}, {count} times"),
    }
}

/// When the last thing happened to a delivery, or when it will be due.
fn when(delivery: &Delivery) -> DateTime<Utc> {
    let last = delivery.last_outcome.as_ref().map(|last| last.at);
    delivery.settled_at.or(last).or(delivery.due_at).unwrap_or(delivery.since)
}

/// A warning if nobody could be reached, or if the receiver of a hand-over could not be notified.
fn warning(incident: &Incident) -> Option<String> {
    if let Some(who) = &incident.reached {
        return Some(reached(who));
    }
    if incident.undelivered {
        return Some("nobody could be reached".to_owned());
    }
    let holder = incident.claimed_by.as_deref().filter(|_| incident.handover_unconfirmed)?;
    Some(format!("{holder} could not be notified of the hand-over"))
}

fn reached(reached: &Reached) -> String {
    let text = match reached {
        Reached::Everybody => "everybody was alerted, and nobody claimed it",
        Reached::Somebody => "not everybody was reached, and nobody claimed it",
        Reached::NobodyYet => "nobody has been reached yet",
        Reached::Nobody => "nobody could be reached",
        Reached::Other(word) => return words(word),
    };
    text.to_owned()
}

fn upcoming(next: &Upcoming) -> String {
    match next {
        Upcoming::Level { at, level, contacts, alerts, .. } => {
            let who = if alerts.is_empty() { contacts.clone() } else { alerts.iter().map(alerted).collect() };
            format!("{}  {}: {}", output::time(*at), level_name(level), who.join(", "))
        }
        Upcoming::Round { at, round } => {
            format!("{}  round {round}: the people on call then", output::time(*at))
        }
    }
}

/// A contact, and its method if it is a person's.
fn alerted(alert: &UpcomingAlert) -> String {
    match (&alert.person, &alert.method) {
        (Some(person), Some(method)) => format!("{person} ({method})"),
        (_, _) => alert.contact.clone(),
    }
}

fn level_name(level: &Level) -> String {
    match level {
        Level::Word(LevelWord::Fallback) => "the fallback".to_owned(),
        Level::Word(LevelWord::CallIn) => "called in".to_owned(),
        other => other.to_string(),
    }
}

/// The state of a delivery, in the words that the board uses.
fn status(delivery: &Delivery) -> String {
    let is_update = delivery.level == Level::Word(LevelWord::StatusUpdate);
    match (&delivery.status, is_update) {
        (DeliveryStatus::Pending, false) if delivery.last_outcome.is_some() => {
            "has not been reached yet".to_owned()
        }
        (DeliveryStatus::Pending, false) => "will be alerted".to_owned(),
        (DeliveryStatus::Pending, true) => "will be notified".to_owned(),
        (DeliveryStatus::InFlight, false) => "is being alerted".to_owned(),
        (DeliveryStatus::InFlight, true) => "is being notified".to_owned(),
        (DeliveryStatus::Accepted, false) => "alerted".to_owned(),
        (DeliveryStatus::Accepted, true) => "notified".to_owned(),
        (DeliveryStatus::Dead, _) => "could not be reached".to_owned(),
        (DeliveryStatus::Limited, _) => "held back by a limit".to_owned(),
        (DeliveryStatus::Stopped, _) => "no longer needed".to_owned(),
        (DeliveryStatus::Other(word), _) => words(word),
    }
}

/// A camel-case name of the API as words: `levelBegan` becomes "level began".
fn words(name: &str) -> String {
    let words = name.chars().flat_map(|c| {
        let space = c.is_uppercase().then_some(' ');
        space.into_iter().chain(c.to_lowercase())
    });
    words.collect()
}

/// One line of the timeline.
fn told(entry: &Entry) -> String {
    let level = || entry.level.as_ref().map_or_else(|| "a level".to_owned(), level_name);
    let to = || entry.to.as_deref().unwrap_or("somebody");
    let then = if entry.next_at_once == Some(true) { ", so the next level was due at once" } else { "" };
    let special = match &entry.event {
        EventKind::LevelBegan => {
            format!("alerting {}: {}", level(), entry.contacts.as_deref().unwrap_or_default().join(", "))
        }
        EventKind::LevelEmpty => format!("{} has nobody{then}", level()),
        EventKind::LevelDead => format!("{} could not be reached{then}", level()),
        EventKind::AlertsCut => format!(
            "{} alerts were left out, because the round has too many",
            entry.alerts.map_or_else(|| "some".to_owned(), |alerts| alerts.to_string())
        ),
        EventKind::HeldBack => format!(
            "a limit of the deployment held back the alert to {} of {}",
            entry.contacts.as_deref().unwrap_or_default().join(", "),
            level()
        ),
        EventKind::Unclaimed => match &entry.reached {
            Some(Reached::NobodyYet) => "every level had its turn, and nobody had been reached".to_owned(),
            Some(who) => reached(who),
            None => "nobody was left to alert".to_owned(),
        },
        EventKind::HandoverUnconfirmed => format!("{} could not be notified of the hand-over", to()),
        EventKind::HandoverUnanswered => {
            format!("{} did not answer in time, so the incident is open again", to())
        }
        EventKind::Routed => decided(entry),
        EventKind::Unrouted => {
            "no routing rule matched the last report, so the team of the service is alerted".to_owned()
        }
        EventKind::BecameQuiet => {
            let why = entry.quiet_by.as_deref().unwrap_or_default().join(", ");
            match entry.until {
                Some(until) => format!("nobody is alerted until {}: {why}", output::time(until)),
                None => format!("nobody is alerted for now: {why}"),
            }
        }
        EventKind::QuietEnded => "quiet ended, so the people on call are alerted".to_owned(),
        EventKind::ClaimEnded => {
            let by = entry.by.as_deref().unwrap_or("somebody");
            format!("the claim of {by} ended, so the incident is open again")
        }
        EventKind::CalledIn => {
            let by = entry.by.as_deref().unwrap_or("somebody");
            format!("{by} called in {}", entry.people.as_deref().unwrap_or_default().join(", "))
        }
        EventKind::Responded => format!("{} is on it too", entry.by.as_deref().unwrap_or("somebody")),
        EventKind::Snoozed => {
            let (by, seconds) =
                (entry.by.as_deref().unwrap_or("somebody"), entry.seconds.unwrap_or_default());
            format!("{by} set the claim to end after {seconds} s")
        }
        EventKind::Opened
        | EventKind::RoundBegan
        | EventKind::LevelBeganAgain
        | EventKind::Claimed
        | EventKind::Released
        | EventKind::Resolved
        | EventKind::HandedOver
        | EventKind::HandedToTeam
        | EventKind::TeamChanged
        | EventKind::TeamGone
        | EventKind::Escalated
        | EventKind::SeverityChanged
        | EventKind::ReportedLower
        | EventKind::Noted
        | EventKind::ClockWentBack
        | EventKind::Folded
        | EventKind::Unknown
        | EventKind::Other(_) => String::new(),
    };
    if !special.is_empty() {
        return output::line(&special);
    }
    let mut text = words(entry.event.as_str());
    if let Some(level) = &entry.level {
        text = text.replacen("level", &level.to_string(), 1);
    } else if let Some(round) = entry.round {
        text = text.replacen("round", &format!("round {round}"), 1);
    }
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!(" {name}{value}"));
        }
    };
    add("", entry.severity.as_ref().map(ToString::to_string));
    add("by ", entry.by.clone());
    add("to ", entry.to.clone());
    let before = if entry.event == EventKind::TeamGone { "" } else { "before " };
    add(before, entry.from.clone());
    add("– ", entry.note.clone());
    add("– ", entry.why.as_ref().map(reason));
    output::line(&text)
}

/// Why another team has the incident, or who is alerted instead of a deleted team.
fn reason(why: &TeamReason) -> String {
    match why {
        TeamReason::OwnsService => "the service is theirs".to_owned(),
        TeamReason::HandedTo => "it was handed to them".to_owned(),
        TeamReason::Routed => "a routing rule gives it to them".to_owned(),
        TeamReason::CatchAll => "the team that should have it is gone".to_owned(),
        TeamReason::DeploymentFallback => "the deployment's fallback is alerted".to_owned(),
        TeamReason::LastRound => "the people of the last round are alerted".to_owned(),
        TeamReason::Other(word) => words(word),
    }
}

#[cfg(test)]
mod tests;
