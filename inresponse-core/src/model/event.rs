//! Timeline entries: what people and levels did to an incident.

use std::fmt;

use chrono::serde::ts_microseconds as micros;
use chrono::{DateTime, Utc};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::unknown::{self, Unknown};
use super::{Contact, KeyName, Level, Note, Person, QuietWhy, Routed, Severity, Standing, TeamName};

/// One entry of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When the event happened.
    #[serde(with = "micros")]
    pub at: DateTime<Utc>,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// The API key that was used; [`KeyName::LINK`] for the link in an alert. `None` for events that time caused, and
    /// for events stored before keys were recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyName>,
    #[serde(flatten)]
    unknown: Unknown,
}

impl Entry {
    pub(super) fn new(at: DateTime<Utc>, event: Event, key: Option<KeyName>) -> Self {
        Self { at, event, key, unknown: Unknown::default() }
    }

    /// Reads an entry as it was stored.
    fn read(at: DateTime<Utc>, mut fields: Map<String, Value>) -> Self {
        let key = fields.get("key").and_then(|key| KeyName::deserialize(key).ok());
        if key.is_some() {
            fields.remove("key");
        }
        match Event::deserialize(&fields) {
            Ok(event) => {
                let known = event.fields();
                Self { at, event, key, unknown: Unknown::besides(known, fields) }
            }
            // An unknown past event is no reason to leave an incident alone: the incident itself says what must be
            // done.
            Err(_) => Self::new(at, Event::Unknown(UnknownEvent(fields)), key),
        }
    }

    /// An upper estimate of the entry's bytes in a stored record, in which a quote takes two.
    pub(super) fn size(&self) -> usize {
        let text = |text: &str| 2 * text.len();
        let event = match &self.event {
            Event::LevelBegan { contacts, .. } => contacts.iter().map(|c| c.as_str().len() + 3).sum(),
            Event::HeldBack { contact, .. } => text(contact.as_str()),
            Event::Noted { by, note } => text(by.as_str()) + text(note.as_str()),
            Event::HandedOver { by, to, from } => {
                text(by.as_str()) + text(to.as_str()) + from.as_ref().map_or(0, |p| text(p.as_str()))
            }
            Event::HandedToTeam { by, from, to } => {
                text(by.as_str()) + text(from.as_str()) + text(to.as_str())
            }
            Event::TeamChanged { from, to, .. } => text(from.as_str()) + text(to.as_str()),
            Event::TeamGone { team, .. } => text(team.as_str()),
            Event::CalledIn { by, people, .. } => {
                text(by.as_str()) + people.iter().map(|p| text(p.as_str()) + 3).sum::<usize>()
            }
            Event::BecameQuiet { why, .. } => why.iter().map(|why| text(&why.to_string()) + 40).sum(),
            Event::Claimed { by, from } => text(by.as_str()) + from.as_ref().map_or(0, |p| text(p.as_str())),
            Event::Routed(routed) => {
                let names = [routed.rule.as_str(), routed.team.as_ref().map_or("", |team| team.as_str())];
                let ignored = if routed.ignored.is_some() { 2 * 128 + 30 } else { 0 };
                names.map(text).iter().sum::<usize>() + ignored + 80
            }
            Event::Unknown(UnknownEvent(fields)) => unknown::size(fields),
            _ => 2 * Person::MAX_BYTES,
        };
        let key = self.key.as_ref().map_or(0, |key| 9 + text(key.as_str()));
        80 + event + key + self.unknown.size()
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an entry of a timeline")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
                let (mut at, mut fields) = (None, Map::new());
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "at" => at = DateTime::from_timestamp_micros(map.next_value()?),
                        _ => _ = fields.insert(name, map.next_value()?),
                    }
                }
                let at = at.ok_or_else(|| A::Error::custom("an entry of a timeline has no time"))?;
                Ok(Entry::read(at, fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// An event that a newer version of this program wrote. It is kept unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct UnknownEvent(Map<String, Value>);

impl UnknownEvent {
    /// The name of the event in that version.
    pub fn name(&self) -> &str {
        self.0.get("event").and_then(Value::as_str).unwrap_or_default()
    }
}

/// An event in the life of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "event")]
#[non_exhaustive]
pub enum Event {
    /// The incident was reported.
    Opened {
        /// The reported severity.
        severity: Severity,
    },
    /// The first routing rule that matched decided about a report.
    Routed(Routed),
    /// No routing rule matched a repeated report, unlike the report before, so the owner of the service is alerted.
    Unrouted,
    /// A round began: its matrix was frozen.
    RoundBegan {
        /// The number of the round.
        round: u32,
    },
    /// A level began: its first send was leased, or no sending slot was free for it.
    LevelBegan {
        /// The round of the level.
        round: u32,
        /// The level that began.
        level: Level,
        /// The contacts that are alerted.
        contacts: Vec<Contact>,
    },
    /// A level began again, because the process that began it had died before it recorded anything, or had let it wait
    /// for a sending slot.
    #[serde(rename = "levelBeganAnew")]
    LevelBeganAgain {
        /// The round of the level.
        round: u32,
        /// The level that began again.
        level: Level,
    },
    /// A level had no contacts, so the next one is due at once.
    LevelEmpty {
        /// The round of the level.
        round: u32,
        /// The level without contacts.
        level: Level,
    },
    /// Every contact of a level is dead, so the next level is due at once.
    LevelDead {
        /// The round of the level.
        round: u32,
        /// The level that is dead.
        level: Level,
    },
    /// Alerts of a round were left out, the latest first, because it would have had too many (promise 7).
    AlertsCut {
        /// The round.
        round: u32,
        /// The number of alerts that were left out.
        alerts: u32,
    },
    /// A limit of this deployment held an alert back.
    HeldBack {
        /// The round of the alert.
        round: u32,
        /// The level of the alert.
        level: Level,
        /// Whom it was for.
        contact: Contact,
    },
    /// Silences or alert hours hold the incident: nobody is alerted until then.
    BecameQuiet {
        /// When the incident is judged again.
        #[serde(with = "micros")]
        until: DateTime<Utc>,
        /// What holds it.
        why: Vec<QuietWhy>,
    },
    /// Nothing holds the incident any more, or a person escalated, so a new round begins.
    QuietEnded,
    /// Everybody was alerted, and nobody claimed.
    Unclaimed,
    /// A person claimed the incident.
    Claimed {
        /// The person who claimed.
        by: Person,
        /// The previous claimant, if the person took the incident over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Person>,
    },
    /// A person handed the incident to another person, who has it now.
    HandedOver {
        /// The person who handed it over.
        by: Person,
        /// The person who has the incident now.
        to: Person,
        /// The previous claimant, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Person>,
    },
    /// The new holder could not be notified.
    HandoverUnconfirmed {
        /// The person who has the incident.
        to: Person,
    },
    /// The new holder did not answer in time, so a new round begins.
    HandoverUnanswered {
        /// The person who had the incident.
        to: Person,
    },
    /// The time of a claim was over, so a new round begins.
    ClaimEnded {
        /// The person who had the incident.
        by: Person,
    },
    /// A person set the end of the claim.
    Snoozed {
        /// The person who made the request.
        by: Person,
        /// How many seconds later the claim ends.
        seconds: u64,
    },
    /// A person handed the incident to another team, so a new round begins for that team.
    HandedToTeam {
        /// The person who handed it over.
        by: Person,
        /// The team that had the incident.
        from: TeamName,
        /// The team that has the incident now.
        to: TeamName,
    },
    /// A new round alerts another team than the last one.
    TeamChanged {
        /// The team that had the incident.
        from: TeamName,
        /// The team that has the incident now.
        to: TeamName,
        /// Why that team has the incident.
        why: TeamChange,
    },
    /// The team of a new round was deleted, and no other team replaces it.
    TeamGone {
        /// The team that was deleted.
        team: TeamName,
        /// Who is alerted instead.
        alerted: StandIn,
    },
    /// A person called more people in.
    CalledIn {
        /// The person who called them in.
        by: Person,
        /// The people who are alerted; an address that belongs to no single person is named itself.
        people: Vec<Person>,
        /// The level to which the people belong, if somebody escalated a claimed incident.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<Level>,
    },
    /// A person who was called in answered: they help the claimant.
    Responded {
        /// The person who answered.
        by: Person,
    },
    /// A person requested to alert the next level without waiting.
    Escalated {
        /// The person who made the request.
        by: Person,
    },
    /// The incident was released, so a new round begins.
    Released {
        /// The person who released the incident.
        by: Person,
    },
    /// The incident was resolved.
    Resolved {
        /// The person who resolved the incident.
        by: Person,
    },
    /// The severity of the incident changed.
    SeverityChanged {
        /// The previous severity.
        from: Severity,
        /// The new severity.
        to: Severity,
        /// The person who changed the severity; absent if a report raised it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Person>,
    },
    /// A report with the incident's dedup key was less severe. This is noted once for each severity.
    ReportedLower {
        /// The severity of the report.
        severity: Severity,
    },
    /// A person added a note.
    Noted {
        /// The person who added the note.
        by: Person,
        /// The note.
        note: Note,
    },
    /// The clock had gone back, so stored times were corrected.
    ClockWentBack {
        /// How many seconds the clock had gone back.
        seconds: i64,
    },
    /// A summary of older entries, because the record would have become too large.
    Folded {
        /// The number of entries in the summary.
        entries: u32,
        /// State, severity, claimant and round after the last of these entries.
        standing: Standing,
    },
    /// An event that this version does not know. It does not change state, severity, claimant or round: an event that
    /// does is written in a newer [`FORMAT`](super::FORMAT).
    #[serde(untagged, skip_deserializing)]
    Unknown(UnknownEvent),
}

impl Event {
    /// The names of the event's fields in a stored record.
    fn fields(&self) -> &'static [&'static str] {
        match self {
            Event::Opened { .. } | Event::ReportedLower { .. } => &["event", "severity"],
            Event::RoundBegan { .. } => &["event", "round"],
            Event::LevelBegan { .. } => &["event", "round", "level", "contacts"],
            Event::LevelBeganAgain { .. } | Event::LevelEmpty { .. } | Event::LevelDead { .. } => {
                &["event", "round", "level"]
            }
            Event::AlertsCut { .. } => &["event", "round", "alerts"],
            Event::HeldBack { .. } => &["event", "round", "level", "contact"],
            Event::BecameQuiet { .. } => &["event", "until", "why"],
            Event::Routed(_) => &["event", "rule", "team", "severity", "reported", "recordOnly", "ignored"],
            Event::Unclaimed | Event::QuietEnded | Event::Unrouted => &["event"],
            Event::Claimed { .. } => &["event", "by", "from"],
            Event::HandedOver { .. } | Event::HandedToTeam { .. } | Event::SeverityChanged { .. } => {
                &["event", "by", "from", "to"]
            }
            Event::HandoverUnconfirmed { .. } | Event::HandoverUnanswered { .. } => &["event", "to"],
            Event::TeamChanged { .. } => &["event", "from", "to", "why"],
            Event::TeamGone { .. } => &["event", "team", "alerted"],
            Event::CalledIn { .. } => &["event", "by", "people", "level"],
            Event::Escalated { .. }
            | Event::Responded { .. }
            | Event::Released { .. }
            | Event::Resolved { .. }
            | Event::ClaimEnded { .. } => &["event", "by"],
            Event::Snoozed { .. } => &["event", "by", "seconds"],
            Event::Noted { .. } => &["event", "by", "note"],
            Event::ClockWentBack { .. } => &["event", "seconds"],
            Event::Folded { .. } => &["event", "entries", "standing"],
            Event::Unknown(_) => &[],
        }
    }
}

/// Why a new round alerts another team than the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TeamChange {
    /// The team owns the service now.
    OwnsService,
    /// A person handed the incident to the team, which exists again.
    HandedTo,
    /// A routing rule gives the incident to the team.
    Routed,
    /// The team that should be alerted was deleted, and this is the catch-all team.
    CatchAll,
}

impl TeamChange {
    /// The name of the reason on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            TeamChange::OwnsService => "ownsService",
            TeamChange::HandedTo => "handedTo",
            TeamChange::Routed => "routed",
            TeamChange::CatchAll => "catchAll",
        }
    }
}

/// Who is alerted if a team was deleted and no other team replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StandIn {
    /// The deployment's fallback is alerted.
    DeploymentFallback,
    /// The people of the last round are alerted, because the deployment names nobody else.
    LastRound,
}

impl StandIn {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            StandIn::DeploymentFallback => "deploymentFallback",
            StandIn::LastRound => "lastRound",
        }
    }
}
