//! The differences between a file and the roster of a server.

use std::fmt;

use anstyle::{AnsiColor, Style};
use chrono::NaiveDate;
use inresponse_client::{
    Client, ClientError, ClientErrorKind as Kind, Contacts, DayEntry, Levels, TeamLevel, TeamSettings,
};
use serde::{Serialize, Serializer};

use super::super::output;

/// A service, team or day as the file describes it.
#[derive(Debug)]
pub(super) enum Wanted {
    Team(String, TeamSettings),
    Day(String, NaiveDate, DayEntry),
    Service(String, String),
}

/// A difference: the entry of the file, and the server's current value in words (`None` if the server has none).
#[derive(Debug)]
pub(super) struct Change {
    pub(super) wanted: Wanted,
    now: Option<String>,
}

fn levels(entry: &DayEntry) -> String {
    let oncall = entry.oncall.iter().map(Contacts::texts);
    let levels = oncall.chain(entry.escalation.iter().flat_map(Levels::texts));
    levels.map(output::together).collect::<Vec<_>>().join(" → ")
}

/// A team's settings in one line, with defaults filled in.
fn settings(team: &TeamSettings) -> String {
    let TeamSettings { timezone, escalate_after_seconds, fallback, repeat, alert_levels, levels } = team;
    let (zone, wait) = (timezone.as_deref().unwrap_or("UTC"), escalate_after_seconds.unwrap_or(600));
    let masks =
        alert_levels.iter().flatten().map(|(severity, levels)| format!(", {severity} alerts {levels:?}"));
    let fallback = output::together(fallback.as_ref().map(Contacts::texts).unwrap_or_default());
    let repeat = repeat.unwrap_or_default();
    let level = |level: &TeamLevel| {
        let wait = level.wait_seconds.map(|wait| format!(" ({wait} s)")).unwrap_or_default();
        format!(", level {}{wait}", output::together(level.notify.texts()))
    };
    let levels: String = levels.iter().flatten().map(level).collect();
    format!("{zone}, {wait} s, repeat {repeat}, fallback {fallback}{levels}{}", masks.collect::<String>())
}

/// Turns the server's answer 404 into `None`.
fn found<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Wanted {
    /// The name of the service, team or day.
    pub(super) fn name(&self) -> String {
        output::line(&match self {
            Wanted::Team(name, _) => format!("team {name}"),
            Wanted::Day(team, day, _) => format!("{team} {day}"),
            Wanted::Service(name, _) => format!("service {name}"),
        })
    }

    fn told(&self) -> String {
        match self {
            Wanted::Team(_, team) => settings(team),
            Wanted::Day(_, _, entry) => levels(entry),
            Wanted::Service(_, team) => output::line(team),
        }
    }

    /// Asks the server for the current value and compares.
    pub(super) async fn compared(self, client: &Client) -> Result<Change, ClientError> {
        let now = match &self {
            Wanted::Team(name, _) => found(client.team(name).await)?.map(|team| {
                settings(&TeamSettings {
                    timezone: Some(team.timezone),
                    escalate_after_seconds: Some(team.escalate_after_seconds),
                    fallback: Some(Contacts::Many(team.fallback)),
                    repeat: Some(team.repeat),
                    alert_levels: Some(team.alert_levels),
                    levels: Some(team.levels),
                })
            }),
            Wanted::Day(team, day, _) => found(client.day(team, *day).await)?
                .map(|day| levels(&DayEntry::new(day.oncall, day.escalation))),
            Wanted::Service(name, _) => {
                found(client.service(name).await)?.map(|service| output::line(&service.team))
            }
        };
        Ok(Change { wanted: self, now })
    }

    /// Writes the entry to the server.
    pub(super) async fn put(&self, client: &Client) -> Result<(), ClientError> {
        match self {
            Wanted::Team(name, settings) => client.put_team(name, settings).await.map(drop),
            Wanted::Day(team, day, entry) => client.put_day(team, *day, entry).await.map(drop),
            Wanted::Service(name, team) => client.put_service(name, team).await.map(drop),
        }
    }
}

impl Change {
    pub(super) fn is_needed(&self) -> bool {
        self.now.as_ref() != Some(&self.wanted.told())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        let (name, told) = (self.wanted.name(), self.wanted.told());
        match &self.now {
            None => write!(f, "{0}+ {name}: {told}{0:#}", colour(AnsiColor::Green)),
            Some(now) => write!(f, "{0}~ {name}: {told}{0:#}\n    now: {now}", colour(AnsiColor::Yellow)),
        }
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct View {
            name: String,
            wanted: String,
            now: Option<String>,
        }
        View { name: self.wanted.name(), wanted: self.wanted.told(), now: self.now.clone() }
            .serialize(serializer)
    }
}
