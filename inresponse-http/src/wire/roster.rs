//! Services, teams and calendars over the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::engine::OnCall;
use inresponse_core::model::{Contact, Level, Severity, TeamName};
use inresponse_core::roster::{RosterChange, Rota, Team, Zone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A service's owner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "team": "devops" }))]
pub(crate) struct PutService {
    /// The team that owns it.
    #[schema(required, nullable = false)]
    pub(crate) team: Option<String>,
}

/// A service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceView {
    pub(crate) service: String,
    pub(crate) team: String,
}

/// One contact, or several that are alerted together.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged, expecting = "must be a contact or a list of contacts")]
pub(crate) enum Contacts {
    One(String),
    Many(Vec<String>),
}

/// One contact, or a list of levels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged, expecting = "must be a contact or a list of contacts and lists of contacts")]
pub(crate) enum Levels {
    One(String),
    Many(Vec<Contacts>),
}

impl Contacts {
    fn texts(&self) -> &[String] {
        match self {
            Contacts::One(text) => std::slice::from_ref(text),
            Contacts::Many(texts) => texts,
        }
    }
}

/// A contact with the name of its field, so that an error can name it.
pub(crate) type Named = (String, Contact);

/// Reads contacts; errors are named `field[i]`, or `field` for a single one.
fn read(field: &str, contacts: &Contacts, invalid: &mut InvalidInput) -> Vec<Named> {
    let name = |i: usize| match contacts {
        Contacts::One(_) => field.to_owned(),
        Contacts::Many(_) => format!("{field}[{i}]"),
    };
    let mut read = Vec::new();
    for (i, text) in contacts.texts().iter().enumerate() {
        match Contact::new(text) {
            Ok(contact) => read.push((name(i), contact)),
            Err(error) => error.errors().iter().for_each(|e| invalid.push(name(i), e.message())),
        }
    }
    read
}

/// A team's settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({ "timezone": "Europe/Athens", "fallback": ["ops@example.org"], "alertLevels": { "WARN": [1] } }))]
pub(crate) struct PutTeam {
    /// An IANA time zone, in which the calendar's days begin and end; UTC unless given.
    timezone: Option<String>,
    /// How long a level is given before the next one is alerted; 600 unless given.
    escalate_after_seconds: Option<u64>,
    /// Who is alerted when nobody else can be, or nobody else has claimed.
    #[schema(required, nullable = false)]
    fallback: Option<Contacts>,
    /// Further rounds before the fallback; 0 unless given.
    repeat: Option<u32>,
    /// Which levels a severity alerts; all unless given, and nobody for an empty list.
    alert_levels: Option<BTreeMap<String, Vec<u16>>>,
}

impl PutTeam {
    pub(crate) fn into_team(self) -> Result<(Team, Vec<Named>), InvalidInput> {
        let mut invalid = InvalidInput::default();
        let fallback = match &self.fallback {
            Some(contacts) => read("fallback", contacts, &mut invalid),
            None => Vec::new(),
        };
        let refused_contacts = !invalid.is_empty();
        let mut team = Team::builder(fallback.iter().map(|(_, contact)| contact.clone()).collect());
        if let Some(zone) = self.timezone.and_then(|name| invalid.keep(Zone::new(&name))) {
            team = team.timezone(zone);
        }
        if let Some(seconds) = self.escalate_after_seconds {
            team = team.escalate_after(Duration::from_secs(seconds));
        }
        if let Some(rounds) = self.repeat {
            team = team.repeat(rounds);
        }
        for (severity, levels) in self.alert_levels.unwrap_or_default() {
            match severity.parse::<Severity>() {
                Ok(severity) => team = team.alert_levels(severity, levels),
                Err(_) => invalid.push(format!("alertLevels.{severity}"), "must be CRIT, ERR or WARN"),
            }
        }
        match team.build() {
            Ok(team) if invalid.is_empty() => Ok((team, fallback)),
            Ok(_) => Err(invalid),
            Err(error) => {
                // A contact that was refused is not also a missing one.
                for e in error.errors().iter().filter(|e| !(refused_contacts && e.field() == "fallback")) {
                    invalid.push(e.field().to_owned(), e.message());
                }
                Err(invalid)
            }
        }
    }
}

/// A team.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TeamView {
    team: String,
    timezone: String,
    escalate_after_seconds: u64,
    fallback: Vec<String>,
    repeat: u32,
    alert_levels: BTreeMap<&'static str, Vec<u16>>,
}

impl TeamView {
    pub(crate) fn new(name: &TeamName, team: &Team) -> Self {
        Self {
            team: name.to_string(),
            timezone: team.timezone().name().to_owned(),
            escalate_after_seconds: team.escalate_after().as_secs(),
            fallback: texts(team.fallback()),
            repeat: team.repeat(),
            alert_levels: team.alert_levels().iter().map(|(s, l)| (s.as_str(), l.clone())).collect(),
        }
    }
}

/// A day's entry of a calendar.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "oncall": "jo@example.org", "escalation": ["kim@example.org", ["lee@example.org"]] }))]
pub(crate) struct PutDay {
    /// Who is on call: level 1.
    #[schema(required, nullable = false)]
    oncall: Option<Contacts>,
    /// To whom it escalates: level 2 and so on.
    escalation: Option<Levels>,
}

impl PutDay {
    pub(crate) fn into_rota(self) -> Result<(Rota, Vec<Named>), InvalidInput> {
        let mut invalid = InvalidInput::default();
        let Some(oncall) = &self.oncall else { return Err(InvalidInput::field("oncall", "is missing")) };
        let oncall = read("oncall", oncall, &mut invalid);
        let escalation: Vec<Vec<Named>> = match &self.escalation {
            None => Vec::new(),
            Some(Levels::One(text)) => vec![read("escalation", &Contacts::One(text.clone()), &mut invalid)],
            Some(Levels::Many(levels)) => levels
                .iter()
                .enumerate()
                .map(|(i, level)| read(&format!("escalation[{i}]"), level, &mut invalid))
                .collect(),
        };
        let bare = |level: &Vec<Named>| level.iter().map(|(_, contact)| contact.clone()).collect::<Vec<_>>();
        let rota = invalid.keep(Rota::new(bare(&oncall), escalation.iter().map(bare).collect()));
        match rota {
            Some(rota) if invalid.is_empty() => {
                Ok((rota, oncall.into_iter().chain(escalation.into_iter().flatten()).collect()))
            }
            _ => Err(invalid),
        }
    }
}

/// A day of a team's calendar.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayView {
    team: String,
    day: NaiveDate,
    oncall: Vec<String>,
    escalation: Vec<Vec<String>>,
}

impl DayView {
    pub(crate) fn new(team: &TeamName, day: NaiveDate, rota: &Rota) -> Self {
        Self {
            team: team.to_string(),
            day,
            oncall: texts(rota.oncall()),
            escalation: rota.escalation().iter().map(|level| texts(level)).collect(),
        }
    }
}

/// Who is on call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OnCallView {
    team: String,
    at: DateTime<Utc>,
    /// The calendar day in the team's time zone.
    day: NaiveDate,
    /// Level 1; the fallback where the calendar has no entry.
    oncall: Vec<String>,
    /// All levels in order.
    levels: Vec<Vec<String>>,
    fallback: Vec<String>,
}

impl OnCallView {
    pub(crate) fn new(team: &TeamName, at: DateTime<Utc>, on_call: &OnCall) -> Self {
        let level = |n| texts(on_call.matrix.contacts(Level::At(n)));
        Self {
            team: team.to_string(),
            at,
            day: on_call.day,
            oncall: level(1),
            levels: (1..=on_call.matrix.height()).map(level).collect(),
            fallback: texts(on_call.matrix.contacts(Level::Fallback)),
        }
    }
}

/// A page of changes, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangesView {
    pub(crate) changes: Vec<ChangeView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

/// A change of the roster.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "at": "2026-11-28T07:20:00Z", "by": "admin", "what": "service athens: assigned to devops (was ops)" }))]
pub(crate) struct ChangeView {
    at: DateTime<Utc>,
    /// The name of the API key that changed it, or `config`.
    by: String,
    /// In one line, cut at 500 characters; addresses are masked.
    what: String,
}

impl From<&RosterChange> for ChangeView {
    fn from(change: &RosterChange) -> Self {
        Self { at: change.at(), by: change.by().to_string(), what: change.description() }
    }
}

fn texts(contacts: &[Contact]) -> Vec<String> {
    contacts.iter().map(Contact::to_string).collect()
}
