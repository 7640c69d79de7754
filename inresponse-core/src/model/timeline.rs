//! What people and levels did to an incident, in order.

use std::fmt;

use chrono::serde::ts_microseconds as micros;
use chrono::{DateTime, Utc};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::unknown::{self, Unknown};
use super::{Contact, Level, Note, Person, Severity, State, TeamName};
use crate::planted::planted;

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
    #[serde(flatten)]
    unknown: Unknown,
}

impl Entry {
    /// What it says, as it was stored.
    fn read(at: DateTime<Utc>, fields: Map<String, Value>) -> Self {
        match Event::deserialize(&fields) {
            Ok(event) => {
                let known = event.fields();
                Self { at, event, unknown: Unknown::besides(known, fields) }
            }
            // What happened is no reason to leave an incident alone: the incident itself says what is to be done.
            Err(_) => Self { at, event: Event::Unknown(UnknownEvent(fields)), unknown: Unknown::default() },
        }
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
    /// What that version calls it.
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
        /// How bad it was said to be.
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
    LevelBeganAnew {
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
        /// From whom, where it was a take-over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Person>,
    },
    /// Somebody gave it to somebody else, who has it now.
    HandedOver {
        /// Who gave it.
        by: Person,
        /// Who has it.
        to: Person,
        /// Who had it, where somebody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Person>,
    },
    /// Nobody could tell whom it was handed to that they have it.
    HandoverUnconfirmed {
        /// Who has it.
        to: Person,
    },
    /// Whom it was handed to has not answered in time: a new round begins.
    HandoverUnanswered {
        /// Who had it.
        to: Person,
    },
    /// Somebody gave it to another team: a new round begins there.
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
    /// The team of a new round is gone, and no other takes its place.
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
    /// It was given back: a new round begins.
    Released {
        /// By whom.
        by: Person,
    },
    /// It was ended.
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
        /// By whom; absent where a report raised it.
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
    /// The clock had gone back, and what was due was brought back with it.
    ClockWentBack {
        /// By how many seconds.
        seconds: i64,
    },
    /// The oldest entries, folded together because the record would have become too large.
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
            Event::LevelBeganAnew { .. } | Event::LevelEmpty { .. } | Event::LevelDead { .. } => {
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

/// Who is alerted if a team is gone and no other takes its place.
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

/// Where an incident stands: what its timeline folds to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// Its severity.
    pub severity: Severity,
    /// Who has claimed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<Person>,
    /// Its round.
    pub round: u32,
}

/// The append-only record of what people and levels did.
///
/// Attempts and repeats are not in it; they are counters. When it grows past its bounds, the oldest entries
/// are folded into one that says where the incident stood, so that the fold stays the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeline {
    entries: Vec<Entry>,
}

impl Timeline {
    /// The most entries that are kept apart.
    pub const MAX_ENTRIES: usize = 64;
    /// About the most bytes that the entries may take together.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// The entries, the oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Promise 7: where the incident stands, by nothing but its timeline.
    ///
    /// `None` for a timeline without an opening, which no incident has.
    pub fn fold(&self) -> Option<Standing> {
        fold(&self.entries)
    }

    /// The team that a person handed the incident to last, as far as entries are kept apart.
    pub(crate) fn handed_to(&self) -> Option<&TeamName> {
        self.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::HandedToTeam { to, .. } => Some(to),
            _ => None,
        })
    }

    pub(crate) fn push(&mut self, at: DateTime<Utc>, event: Event) {
        self.entries.push(Entry { at, event, unknown: Unknown::default() });
        if planted!(TimelineUnbounded) {
            return;
        }
        if self.entries.len() > Self::MAX_ENTRIES || self.size() > Self::MAX_BYTES {
            self.fold_oldest();
        }
    }

    /// Folds the older half, and more while the rest is still too large.
    fn fold_oldest(&mut self) {
        let mut keep = Self::MAX_ENTRIES / 2;
        while keep > 1 && size(&self.entries[self.entries.len().saturating_sub(keep)..]) > Self::MAX_BYTES / 2
        {
            keep /= 2;
        }
        let cut = self.entries.len().saturating_sub(keep);
        let (Some(standing), Some(last)) = (fold(&self.entries[..cut]), self.entries[..cut].last()) else {
            return;
        };
        let entries = self.entries[..cut]
            .iter()
            .map(|entry| match &entry.event {
                Event::Folded { entries, .. } => *entries,
                _ => 1,
            })
            .sum();
        let event = Event::Folded { entries, standing };
        let folded = Entry { at: last.at, event, unknown: Unknown::default() };
        self.entries.splice(..cut, [folded]);
    }

    fn size(&self) -> usize {
        size(&self.entries)
    }
}

/// About how many bytes the entries take at most in a stored record, where a quote takes two.
fn size(entries: &[Entry]) -> usize {
    let of = |entry: &Entry| match &entry.event {
        Event::LevelBegan { contacts, .. } => contacts.iter().map(|c| c.as_str().len() + 3).sum(),
        Event::Noted { by, note } => 2 * (by.as_str().len() + note.as_str().len()),
        Event::HandedOver { by, to, from } => {
            2 * (by.as_str().len() + to.as_str().len() + from.as_ref().map_or(0, |p| p.as_str().len()))
        }
        Event::HandedToTeam { by, from, to } => {
            2 * (by.as_str().len() + from.as_str().len() + to.as_str().len())
        }
        Event::TeamChanged { from, to, .. } => 2 * (from.as_str().len() + to.as_str().len()),
        Event::TeamGone { team, .. } => 2 * team.as_str().len(),
        Event::Claimed { by, from } => {
            2 * (by.as_str().len() + from.as_ref().map_or(0, |p| p.as_str().len()))
        }
        Event::Unknown(UnknownEvent(fields)) => unknown::size(fields),
        _ => 2 * Person::MAX_BYTES,
    };
    entries.iter().map(|entry| 80 + of(entry) + entry.unknown.size()).sum()
}

fn fold(entries: &[Entry]) -> Option<Standing> {
    let mut standing: Option<Standing> = None;
    for entry in entries {
        match &entry.event {
            Event::Opened { severity } => {
                standing =
                    Some(Standing { state: State::Open, severity: *severity, claimed_by: None, round: 1 });
            }
            Event::Folded { standing: folded, .. } => standing = Some(folded.clone()),
            event => standing.as_mut()?.apply(event),
        }
    }
    standing
}

impl Standing {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::Claimed { by, .. } => {
                self.state = State::Claimed;
                self.claimed_by = Some(by.clone());
            }
            Event::HandedOver { to, .. } => {
                self.state = State::Claimed;
                self.claimed_by = Some(to.clone());
            }
            Event::Released { .. } | Event::HandedToTeam { .. } | Event::HandoverUnanswered { .. } => {
                self.state = State::Open;
                self.claimed_by = None;
            }
            Event::Resolved { .. } => self.state = State::Resolved,
            Event::SeverityChanged { to, .. } => self.severity = *to,
            Event::RoundBegan { round } => self.round = *round,
            Event::Opened { .. }
            | Event::Folded { .. }
            | Event::LevelBegan { .. }
            | Event::LevelBeganAnew { .. }
            | Event::LevelEmpty { .. }
            | Event::LevelDead { .. }
            | Event::Unclaimed
            | Event::TeamChanged { .. }
            | Event::TeamGone { .. }
            | Event::Escalated { .. }
            | Event::HandoverUnconfirmed { .. }
            | Event::ReportedLower { .. }
            | Event::Noted { .. }
            | Event::ClockWentBack { .. }
            | Event::Unknown(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn p07_folding_old_entries_keeps_the_standing_and_the_size() {
        let mut timeline = Timeline::default();
        timeline.push(at(0), Event::Opened { severity: Severity::Err });
        let jo = Person::new("j".repeat(100)).unwrap();
        let note = Note::new("\"".repeat(2000)).unwrap();
        for i in 1..2000 {
            let event = match i % 4 {
                0 => Event::Claimed { by: jo.clone(), from: None },
                1 => Event::Noted { by: jo.clone(), note: note.clone() },
                2 => Event::Released { by: jo.clone() },
                _ => Event::RoundBegan { round: i },
            };
            timeline.push(at(i.into()), event);
            assert!(timeline.entries().len() <= Timeline::MAX_ENTRIES);
            assert!(serde_json::to_string(&timeline).unwrap().len() < 24 * 1024);
        }
        let standing = timeline.fold().unwrap();
        assert_eq!((standing.state, standing.round), (State::Open, 1999));
        let Event::Folded { entries, .. } = timeline.entries()[0].event else { panic!("nothing folded") };
        assert_eq!(entries as usize + timeline.entries().len() - 1, 2000);
    }
}
