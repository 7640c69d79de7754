//! The differences between a file and the roster of a server.

use std::fmt;

use anstyle::{AnsiColor, Style};
use inresponse_client::{Client, ClientError};
use inresponse_core::model::{MethodName, Severity, StatusUpdates};
use inresponse_core::roster::{
    self, ClockTime, DayAhead, Entry, EntryKey, Heartbeat, Layer, Member, Override, Profile, Rota, Routes,
    Rule, RuleStep, Schedule, Silence, Target, Team, TeamLevel, Turn, TurnUnit, WeeklyTest,
};
use serde::{Serialize, Serializer};

use super::super::output;
use super::called::name;
use super::hands::Hours;
use crate::config::Given;

/// An entry that changes. If no new value is given, the entry is deleted.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) key: EntryKey,
    pub(super) wanted: Option<Entry>,
    pub(super) now: Option<Entry>,
}

/// An entry in one line.
pub(super) fn told(entry: &Entry) -> String {
    let text = match entry {
        Entry::Service { team, .. } => team.to_string(),
        Entry::Team { settings, .. } => team(settings),
        Entry::Day { rota, .. } => day(rota),
        Entry::Person { profile, .. } => person(profile),
        Entry::Schedule { schedule, .. } => self::schedule(schedule),
        Entry::Override { stand_in, .. } => self::stand_in(stand_in),
        Entry::Feed { .. } => String::new(),
        Entry::Heartbeat { heartbeat, .. } => self::heartbeat(heartbeat),
        Entry::Silence { silence, .. } => self::silence(silence),
        Entry::Routes(routes) => self::routes(routes),
    };
    let owner = entry.owner().map(|owner| format!(" [owner {owner}]")).unwrap_or_default();
    output::line(&format!("{text}{owner}"))
}

fn heartbeat(one: &Heartbeat) -> String {
    let title = one.title().map(|title| format!(": {title}")).unwrap_or_default();
    let (every, grace) = (one.every().as_secs(), one.grace().as_secs());
    format!("{} {}, every {every} s, grace {grace} s{title}", one.severity(), one.service())
}

/// A silence: its matchers, and from when to when.
fn silence(silence: &Silence) -> String {
    let matchers: Vec<String> = silence.matchers().iter().map(ToString::to_string).collect();
    let span = format!("{} to {}", output::time(silence.from()), output::time(silence.to()));
    format!("{}; {span}", matchers.join(", "))
}

/// Routing rules: each with its matchers and what it does.
fn routes(routes: &Routes) -> String {
    let rule = |rule: &Rule| {
        let matchers: Vec<String> = rule.matchers.iter().map(ToString::to_string).collect();
        let does = [
            rule.team.as_ref().map(|team| format!("team {team}")),
            rule.severity.map(|severity| severity.to_string()),
            rule.record_only.then(|| "record only".to_owned()),
            rule.heartbeat.as_ref().map(|name| format!("ping of {name}")),
        ];
        let does: Vec<String> = does.into_iter().flatten().collect();
        let does = if does.is_empty() { "as it is".to_owned() } else { does.join(", ") };
        format!("{} ({}): {does}", rule.name, matchers.join(", "))
    };
    let rules: Vec<String> = routes.rules().iter().map(rule).collect();
    if rules.is_empty() { "none".to_owned() } else { rules.join("; ") }
}

fn together(targets: &[Target]) -> String {
    let texts: Vec<String> = targets.iter().map(Target::to_string).collect();
    if texts.is_empty() { "nobody".to_owned() } else { texts.join(", ") }
}

fn day(rota: &Rota) -> String {
    let levels = [rota.oncall()].into_iter().chain(rota.escalation().iter().map(Vec::as_slice));
    levels.map(together).collect::<Vec<_>>().join(" → ")
}

/// A team's settings in one line.
fn team(team: &Team) -> String {
    let level = |level: &TeamLevel| {
        let wait = level.wait.map(|wait| format!(" ({} s)", wait.as_secs())).unwrap_or_default();
        format!(", level {}{wait}", together(&level.notify))
    };
    let levels: String = team.levels().iter().map(level).collect();
    let masks = team.alert_levels().iter();
    let masks: String = masks.map(|(severity, levels)| format!(", {severity} alerts {levels:?}")).collect();
    let hours = |(severity, hours): (&Severity, &Vec<roster::Hours>)| {
        let span = |hours: &roster::Hours| {
            format!("{} {} to {}", hours.days, ClockTime(hours.from), ClockTime(hours.to))
        };
        format!(", {severity} in {}", hours.iter().map(span).collect::<Vec<_>>().join(" and "))
    };
    let hours: String = team.alert_hours().iter().map(hours).collect();
    let (zone, wait) = (team.timezone().name(), team.escalate_after().as_secs());
    let (repeat, fallback) = (team.repeat(), together(team.fallback()));
    let notices = match team.shift_notices().map(|notices| &notices.channel) {
        None => String::new(),
        Some(None) => ", shift notices".to_owned(),
        Some(Some(channel)) => format!(", shift notices and {channel}"),
    };
    let timeout = team.claim_timeout().map(|time| format!(", claims end after {} s", time.as_secs()));
    let timeout = timeout.unwrap_or_default();
    format!("{zone}, {wait} s, repeat {repeat}, fallback {fallback}{levels}{masks}{hours}{timeout}{notices}")
}

fn person(person: &Profile) -> String {
    let names = |names: &[MethodName]| names.iter().map(MethodName::as_str).collect::<Vec<_>>().join(" ");
    let step = |step: &RuleStep| format!("{} s {}", step.after.as_secs(), names(&step.methods));
    let mut parts: Vec<String> = person.name().map(str::to_owned).into_iter().collect();
    parts.push(person.timezone().name().to_owned());
    parts.extend(person.methods().iter().map(|(name, contact)| format!("{name} {contact}")));
    parts.extend(
        person.rules().iter().map(|(rule, steps)| {
            format!("{rule}: {}", steps.iter().map(step).collect::<Vec<_>>().join(" → "))
        }),
    );
    parts.extend(person.absences().iter().map(|away| format!("away {} to {}", away.from, away.to)));
    if person.day_ahead_notice() == DayAhead::Asked {
        parts.push("told a day ahead".to_owned());
    }
    parts.extend(person.status_updates().map(|choice| match choice {
        StatusUpdates::On => "gets status updates".to_owned(),
        StatusUpdates::Off => "gets no status updates".to_owned(),
    }));
    if person.weekly_test() == WeeklyTest::Asked {
        parts.push("tested weekly".to_owned());
    }
    parts.join(", ")
}

fn schedule(schedule: &Schedule) -> String {
    let mut parts = vec![schedule.timezone().name().to_owned()];
    parts.extend(schedule.layers().iter().map(layer));
    let feeds = schedule.feeds().iter();
    parts.extend(feeds.map(|feed| format!("{:?} feed {}", feed.role, feed.masked()).to_lowercase()));
    parts.join("; ")
}

fn layer(layer: &Layer) -> String {
    let members = layer.members.iter().map(member).collect::<Vec<_>>().join(" → ");
    let Turn { every, unit, count } = layer.turn;
    let unit = match unit {
        TurnUnit::Hour => "h",
        TurnUnit::Day => "d",
        TurnUnit::Week => "w",
        TurnUnit::Month => "months",
    };
    let mut text = format!("layer {}: {members}, {every} {unit} from {}", layer.name, layer.from);
    if count == inresponse_core::roster::Counting::Worked {
        text.push_str(", turns worked");
    }
    if let Some(rank) = layer.rank {
        text.push_str(&format!(", rank {rank}"));
    }
    if let Some(begins) = layer.begins {
        text.push_str(&format!(", begins {begins}"));
    }
    if let Some(until) = layer.until {
        text.push_str(&format!(", until {until}"));
    }
    for hours in &layer.hours {
        let clock = inresponse_core::roster::ClockTime;
        text.push_str(&format!(", {} {}-{}", hours.days, clock(hours.from), clock(hours.to)));
    }
    text
}

fn member(member: &Member) -> String {
    let who = match member.who.as_slice() {
        [] => "off".to_owned(),
        [one] => one.to_string(),
        many => format!("({})", together(many)),
    };
    let from = member.from.map(|from| format!(" from {from}")).unwrap_or_default();
    let until = member.until.map(|until| format!(" until {until}")).unwrap_or_default();
    format!("{who}{from}{until}")
}

fn stand_in(one: &Override) -> String {
    let instead = match one.instead_of() {
        None => String::new(),
        Some([]) => " in addition".to_owned(),
        Some(replaced) => format!(" instead of {}", together(replaced)),
    };
    let note = one.note().map(|note| format!(" ({note})")).unwrap_or_default();
    format!("{} to {}: {}{instead}{note}", one.from(), one.to(), together(one.oncall()))
}

/// Puts an entry.
pub(super) async fn put(client: &Client, key: &EntryKey, given: &Given) -> Result<(), ClientError> {
    match (key, given) {
        (EntryKey::Service(service), Given::Service(owner)) => {
            client.put_owned_service(service.as_str(), owner).await.map(drop)
        }
        (EntryKey::Team(team), Given::Team(settings)) => {
            client.put_team(team.as_str(), settings).await.map(drop)
        }
        (EntryKey::Day(team, day), Given::Day(entry)) => {
            client.put_day(team.as_str(), *day, entry).await.map(drop)
        }
        (EntryKey::Person(person), Given::Person(entry)) => {
            client.put_person(person.as_str(), entry).await.map(drop)
        }
        (EntryKey::Schedule(team, name), Given::Schedule(entry)) => {
            client.put_schedule(team.as_str(), name.as_str(), entry).await.map(drop)
        }
        (EntryKey::Silence(id), Given::Silence(entry)) => {
            client.put_silence(id.as_str(), entry).await.map(drop)
        }
        (EntryKey::Override(team, schedule, id), Given::Override(entry)) => {
            client.put_override(team.as_str(), schedule.as_str(), id.as_str(), entry).await.map(drop)
        }
        (EntryKey::Routes, Given::Routes(entry)) => client.put_routes(entry).await.map(drop),
        (EntryKey::Heartbeat(name), Given::Heartbeat(entry)) => {
            client.put_heartbeat(name.as_str(), entry).await.map(drop)
        }
        // These cases do not occur: a file has no copies of feeds, and each key has a value of its kind.
        (
            EntryKey::Service(_)
            | EntryKey::Team(_)
            | EntryKey::Day(..)
            | EntryKey::Person(_)
            | EntryKey::Schedule(..)
            | EntryKey::Override(..)
            | EntryKey::Feed(..)
            | EntryKey::Heartbeat(_)
            | EntryKey::Silence(_)
            | EntryKey::Routes,
            _,
        ) => Ok(()),
    }
}

/// Deletes an entry.
pub(super) async fn delete(client: &Client, key: &EntryKey) -> Result<(), ClientError> {
    match key {
        EntryKey::Service(service) => client.delete_service(service.as_str()).await,
        EntryKey::Team(team) => client.delete_team(team.as_str()).await,
        EntryKey::Day(team, day) => client.delete_day(team.as_str(), *day).await,
        EntryKey::Person(person) => client.delete_person(person.as_str()).await,
        EntryKey::Schedule(team, name) => client.delete_schedule(team.as_str(), name.as_str()).await,
        EntryKey::Override(team, schedule, id) => {
            client.delete_override(team.as_str(), schedule.as_str(), id.as_str()).await
        }
        EntryKey::Silence(id) => client.delete_silence(id.as_str()).await,
        EntryKey::Routes => client.delete_routes().await,
        // Copies of feeds are deleted with their schedules.
        EntryKey::Feed(..) => Ok(()),
        EntryKey::Heartbeat(name) => client.delete_heartbeat(name.as_str()).await,
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        let name = name(&self.key);
        match (&self.wanted, &self.now) {
            (Some(wanted), None) => {
                write!(f, "{0}+ {name}: {1}{0:#}", colour(AnsiColor::Green), told(wanted))
            }
            (Some(wanted), Some(now)) => {
                let (wanted, now) = (told(wanted), told(now));
                write!(f, "{0}~ {name}: {wanted}{0:#}\n    now: {now}", colour(AnsiColor::Yellow))
            }
            (None, now) => {
                let now = now.as_ref().map(told).unwrap_or_default();
                write!(f, "{0}- {name}: {now}{0:#}", colour(AnsiColor::Red))
            }
        }
    }
}

/// A change as JSON, or a schedule whose hours change hands although its entry does not change.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) change: Option<&'a Change>,
    pub(super) hours: Option<&'a Hours>,
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Plain<'a> {
            name: Option<String>,
            wanted: Option<String>,
            now: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none", flatten)]
            hours: Option<&'a Hours>,
        }
        let key = self.change.map(|change| &change.key).or(self.hours.map(|hours| &hours.key));
        Plain {
            name: key.map(name),
            wanted: self.change.and_then(|change| change.wanted.as_ref()).map(told),
            now: self.change.and_then(|change| change.now.as_ref()).map(told),
            hours: self.hours,
        }
        .serialize(serializer)
    }
}
