//! What people and levels did to an incident: one line of its timeline.

use std::fmt;

use chrono::serde::ts_microseconds as micros;
use chrono::{DateTime, Utc};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::unknown::{self, Unknown};
use super::{Contact, KeyName, Level, Note, Person, Severity, Standing, TeamName};

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When it happened.
    #[serde(with = "micros")]
    pub at: DateTime<Utc>,
    /// What happened.
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

    /// What it says, as it was stored.
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
            // What happened is no reason to leave an incident alone: the incident itself says what is to be done.
            Err(_) => Self::new(at, Event::Unknown(UnknownEvent(fields)), key),
        }
    }

    /// About how many bytes it takes at most in a stored record, where a quote takes two.
    pub(super) fn size(&self) -> usize {
        let text = |text: &str| 2 * text.len();
        let event = match &self.event {
            Event::LevelBegan { contacts, .. } => contacts.iter().map(|c| c.as_str().len() + 3).sum(),
            Event::Noted { by, note } => text(by.as_str()) + text(note.as_str()),
            Event::HandedOver { by, to, from } => {
                text(by.as_str()) + text(to.as_str()) + from.as_ref().map_or(0, |p| text(p.as_str()))
            }
            Event::HandedToTeam { by, from, to } => {
                text(by.as_str()) + text(from.as_str()) + text(to.as_str())
            }
            Event::TeamChanged { from, to, .. } => text(from.as_str()) + text(to.as_str()),
            Event::TeamGone { team, .. } => text(team.as_str()),
            Event::Claimed { by, from } => text(by.as_str()) + from.as_ref().map_or(0, |p| text(p.as_str())),
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

/// Something that a newer version of this program wrote in a timeline, kept as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct UnknownEvent(Map<String, Value>);

impl UnknownEvent {
    /// Its name in that version.
    pub fn name(&self) -> &str {
        self.0.get("event").and_then(Value::as_str).unwrap_or_default()
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "event")]
#[non_exhaustive]
pub enum Event {
    /// The incident was reported.
    Opened {
        /// Its reported severity.
        severity: Severity,
    },
    /// A round began: its matrix was frozen.
    RoundBegan {
        /// Which.
        round: u32,
    },
    /// A level began: its first send was leased, or no sending slot was free for it.
    LevelBegan {
        /// In which round.
        round: u32,
        /// Which.
        level: Level,
        /// Who is alerted.
        contacts: Vec<Contact>,
    },
    /// A level began again: the process that began it had died before it recorded anything, or had let it wait for a
    /// sending slot.
    #[serde(rename = "levelBeganAnew")]
    LevelBeganAgain {
        /// In which round.
        round: u32,
        /// Which.
        level: Level,
    },
    /// A level had no contacts, so the next one is due at once.
    LevelEmpty {
        /// In which round.
        round: u32,
        /// Which.
        level: Level,
    },
    /// Every contact of a level turned out to be dead, so the next one is due at once.
    LevelDead {
        /// In which round.
        round: u32,
        /// Which.
        level: Level,
    },
    /// Everybody was alerted and nobody claimed.
    Unclaimed,
    /// Somebody took it.
    Claimed {
        /// Who.
        by: Person,
        /// The previous holder, if it was a take-over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Person>,
    },
    /// Somebody handed it to somebody else, who has it now.
    HandedOver {
        /// Who gave it.
        by: Person,
        /// Who has it.
        to: Person,
        /// Who had it, where somebody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Person>,
    },
    /// The new holder could not be notified.
    HandoverUnconfirmed {
        /// Who has it.
        to: Person,
    },
    /// The new holder did not answer in time: a new round begins.
    HandoverUnanswered {
        /// Who had it.
        to: Person,
    },
    /// Somebody handed it to another team: a new round begins there.
    HandedToTeam {
        /// Who gave it.
        by: Person,
        /// The team that had it.
        from: TeamName,
        /// The team that has it.
        to: TeamName,
    },
    /// A new round is another team's than the last one.
    TeamChanged {
        /// The team that had it.
        from: TeamName,
        /// The team that has it.
        to: TeamName,
        /// Why that team.
        why: TeamChange,
    },
    /// The team of a new round was deleted, and no other team replaces it.
    TeamGone {
        /// The team that is gone.
        team: TeamName,
        /// Who is alerted instead.
        alerted: StandIn,
    },
    /// Somebody asked to alert the next level without waiting.
    Escalated {
        /// Who.
        by: Person,
    },
    /// It was released: a new round begins.
    Released {
        /// By whom.
        by: Person,
    },
    /// It was resolved.
    Resolved {
        /// By whom.
        by: Person,
    },
    /// Its severity changed.
    SeverityChanged {
        /// From what.
        from: Severity,
        /// To what.
        to: Severity,
        /// Who changed it; absent if a report raised it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Person>,
    },
    /// A report with its key was less severe; noted once for each severity.
    ReportedLower {
        /// The severity of that report.
        severity: Severity,
    },
    /// Somebody wrote something.
    Noted {
        /// Who.
        by: Person,
        /// What.
        note: Note,
    },
    /// The clock had gone back, so due times were corrected.
    ClockWentBack {
        /// By how many seconds.
        seconds: i64,
    },
    /// A summary of entries, because the record would have become too large.
    Folded {
        /// How many they were.
        entries: u32,
        /// Where the incident stood after the last of them.
        standing: Standing,
    },
    /// Something that this version does not know. It changes nothing of where the incident stands: what does is written
    /// in a newer [`FORMAT`](super::FORMAT).
    #[serde(untagged, skip_deserializing)]
    Unknown(UnknownEvent),
}

impl Event {
    /// The names of its fields in a stored record.
    fn fields(&self) -> &'static [&'static str] {
        match self {
            Event::Opened { .. } | Event::ReportedLower { .. } => &["event", "severity"],
            Event::RoundBegan { .. } => &["event", "round"],
            Event::LevelBegan { .. } => &["event", "round", "level", "contacts"],
            Event::LevelBeganAgain { .. } | Event::LevelEmpty { .. } | Event::LevelDead { .. } => {
                &["event", "round", "level"]
            }
            Event::Unclaimed => &["event"],
            Event::Claimed { .. } => &["event", "by", "from"],
            Event::HandedOver { .. } | Event::HandedToTeam { .. } | Event::SeverityChanged { .. } => {
                &["event", "by", "from", "to"]
            }
            Event::HandoverUnconfirmed { .. } | Event::HandoverUnanswered { .. } => &["event", "to"],
            Event::TeamChanged { .. } => &["event", "from", "to", "why"],
            Event::TeamGone { .. } => &["event", "team", "alerted"],
            Event::Escalated { .. } | Event::Released { .. } | Event::Resolved { .. } => &["event", "by"],
            Event::Noted { .. } => &["event", "by", "note"],
            Event::ClockWentBack { .. } => &["event", "seconds"],
            Event::Folded { .. } => &["event", "entries", "standing"],
            Event::Unknown(_) => &[],
        }
    }
}

/// Why a new round is another team's than the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TeamChange {
    /// It owns the service now.
    OwnsService,
    /// A person handed it the incident, and it is there again.
    HandedTo,
    /// The team whose round it was to be is gone, and this is the catch-all team.
    CatchAll,
}

impl TeamChange {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            TeamChange::OwnsService => "ownsService",
            TeamChange::HandedTo => "handedTo",
            TeamChange::CatchAll => "catchAll",
        }
    }
}

/// Who is alerted if a team was deleted and no other team replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StandIn {
    /// The deployment's fallback.
    DeploymentFallback,
    /// The people of the last round: the deployment names nobody else.
    LastRound,
}

impl StandIn {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            StandIn::DeploymentFallback => "deploymentFallback",
            StandIn::LastRound => "lastRound",
        }
    }
}
