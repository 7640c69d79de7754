//! The timeline of an incident: what people and levels did, in order, with a limited size.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Entry, Event, KeyName, Standing, State, TeamName};

/// The append-only record of what people and levels did.
///
/// Attempts and repeats are not entries; they are counters. If the timeline exceeds its limits, entries are folded into
/// one that records state, severity, claimant and round, so that replaying gives the same result. The oldest notes are
/// folded first, so that nobody can use notes to hide who did what. Then the oldest entries of any kind follow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeline {
    entries: Vec<Entry>,
}

impl Timeline {
    /// The maximum number of entries that are not folded.
    pub const MAX_ENTRIES: usize = 64;
    /// The approximate maximum number of bytes of all entries together.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// The entries, the oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// State, severity, claimant and round, computed only from the timeline (promise 7).
    ///
    /// The result is `None` for a timeline without an opening, which no incident has.
    pub fn fold(&self) -> Option<Standing> {
        fold(&self.entries)
    }

    /// The team that a person last handed the incident to, as far as the entries are not folded.
    pub(crate) fn handed_to(&self) -> Option<&TeamName> {
        self.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::HandedToTeam { to, .. } => Some(to),
            _ => None,
        })
    }

    /// Adds an event that time caused.
    pub(crate) fn push(&mut self, at: DateTime<Utc>, event: Event) {
        self.push_by(at, event, None);
    }

    /// Adds an event that a person caused, with their API key.
    pub(crate) fn push_by(&mut self, at: DateTime<Utc>, event: Event, key: Option<&KeyName>) {
        self.entries.push(Entry::new(at, event, key.cloned()));
        if self.is_too_large() {
            self.fold_notes();
        }
        if self.is_too_large() {
            self.fold_oldest();
        }
    }

    fn is_too_large(&self) -> bool {
        self.entries.len() > Self::MAX_ENTRIES || size(&self.entries) > Self::MAX_BYTES
    }

    /// Folds the oldest notes into one entry until the timeline is at most half full. The newest entry always stays.
    fn fold_notes(&mut self) {
        let newest = self.entries.len().saturating_sub(1);
        let (mut left, mut bytes) = (self.entries.len(), size(&self.entries));
        let mut kept = Vec::with_capacity(left);
        // How many notes were folded, when the last of them was written, and its place among what is kept.
        let (mut folded, mut at, mut place) = (0u32, None, 0);
        for (i, entry) in std::mem::take(&mut self.entries).into_iter().enumerate() {
            let notes = match &entry.event {
                // Entries that were folded are at the beginning.
                Event::Folded { entries, .. } if i > 0 => *entries,
                Event::Noted { .. } if i > 0 => 1,
                _ => 0,
            };
            let is_enough = left <= Self::MAX_ENTRIES / 2 && bytes <= Self::MAX_BYTES / 2;
            if notes == 0 || is_enough || i == newest {
                kept.push(entry);
                continue;
            }
            (left, bytes) = (left - 1, bytes - entry.size());
            (folded, at, place) = (folded.saturating_add(notes), Some(entry.at), kept.len());
        }
        if let (Some(at), Some(standing)) = (at, fold(&kept[..place])) {
            kept.insert(place, Entry::new(at, Event::Folded { entries: folded, standing }, None));
        }
        self.entries = kept;
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
        let folded = Entry::new(last.at, event, None);
        self.entries.splice(..cut, [folded]);
    }
}

/// An upper estimate of the entries' bytes in a stored record.
fn size(entries: &[Entry]) -> usize {
    entries.iter().map(Entry::size).sum()
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
            Event::Released { .. }
            | Event::HandedToTeam { .. }
            | Event::HandoverUnanswered { .. }
            | Event::ClaimEnded { .. } => {
                self.state = State::Open;
                self.claimed_by = None;
            }
            Event::Resolved { .. } => self.state = State::Resolved,
            Event::SeverityChanged { to, .. } => self.severity = *to,
            Event::RoundBegan { round } => self.round = *round,
            Event::Opened { .. }
            | Event::Folded { .. }
            | Event::LevelBegan { .. }
            | Event::LevelBeganAgain { .. }
            | Event::LevelEmpty { .. }
            | Event::LevelDead { .. }
            | Event::Unclaimed
            | Event::TeamChanged { .. }
            | Event::TeamGone { .. }
            | Event::CalledIn { .. }
            | Event::Responded { .. }
            | Event::Escalated { .. }
            | Event::Snoozed { .. }
            | Event::HandoverUnconfirmed { .. }
            | Event::ReportedLower { .. }
            | Event::Noted { .. }
            | Event::ClockWentBack { .. }
            | Event::AlertsCut { .. }
            | Event::HeldBack { .. }
            | Event::BecameQuiet { .. }
            | Event::QuietEnded
            | Event::Routed(_)
            | Event::Unrouted
            | Event::Unknown(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Note, Person, Severity};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    /// How many entries are there or counted.
    fn count_of(timeline: &Timeline) -> u32 {
        let many = timeline.entries().iter().map(|entry| match entry.event {
            Event::Folded { entries, .. } => entries,
            _ => 1,
        });
        many.sum()
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
        assert!(matches!(timeline.entries()[0].event, Event::Folded { .. }));
        assert_eq!(count_of(&timeline), 2000);
    }

    #[test]
    fn p07_notes_are_folded_before_what_people_did_to_the_state() {
        let mut timeline = Timeline::default();
        timeline.push(at(0), Event::Opened { severity: Severity::Err });
        let (jo, key) = (Person::new("jo").unwrap(), KeyName::new("board").unwrap());
        let long = Note::new("\"".repeat(Note::MAX_BYTES)).unwrap();
        let changes = [
            Event::Claimed { by: jo.clone(), from: None },
            Event::Released { by: jo.clone() },
            Event::RoundBegan { round: 2 },
            Event::SeverityChanged { from: Severity::Err, to: Severity::Crit, by: Some(jo.clone()) },
            Event::Escalated { by: jo.clone() },
            Event::HandedOver { by: jo.clone(), to: Person::new("kim").unwrap(), from: None },
        ];
        let mut second = 0;
        for change in &changes {
            second += 1;
            timeline.push_by(at(second), change.clone(), Some(&key));
            for note in ["short", long.as_str()].repeat(40) {
                second += 1;
                let noted = Event::Noted { by: jo.clone(), note: Note::new(note).unwrap() };
                timeline.push_by(at(second), noted, Some(&key));
                assert!(timeline.entries().len() <= Timeline::MAX_ENTRIES);
                assert!(serde_json::to_string(&timeline).unwrap().len() < 24 * 1024);
                let newest = timeline.entries().last().unwrap();
                assert!(matches!(&newest.event, Event::Noted { note: kept, .. } if kept.as_str() == note));
            }
        }
        let others = |entry: &&Entry| !matches!(entry.event, Event::Noted { .. } | Event::Folded { .. });
        let told: Vec<_> =
            timeline.entries().iter().filter(others).map(|entry| entry.event.clone()).collect();
        assert_eq!(told[0], Event::Opened { severity: Severity::Err });
        assert_eq!(told[1..], changes);
        assert_eq!(i64::from(count_of(&timeline)), second + 1);
        let standing = timeline.fold().unwrap();
        assert_eq!((standing.state, standing.round, standing.severity), (State::Claimed, 2, Severity::Crit));
        assert_eq!(standing.claimed_by.unwrap().as_str(), "kim");
    }

    #[test]
    fn p07_an_entry_tells_the_key_and_one_of_before_tells_none() {
        let mut timeline = Timeline::default();
        let key = KeyName::new("monitoring").unwrap();
        timeline.push_by(at(0), Event::Opened { severity: Severity::Err }, Some(&key));
        timeline.push(at(1), Event::Unclaimed);
        let stored = serde_json::to_value(&timeline).unwrap();
        assert_eq!((&stored[0]["key"], stored[1].get("key")), (&"monitoring".into(), None));
        assert_eq!(serde_json::from_value::<Timeline>(stored.clone()).unwrap(), timeline);
        // A value that is not the name of a key is kept as it is.
        for odd in [serde_json::json!(7), serde_json::json!({ "a": [1] })] {
            let mut other = stored.clone();
            other[0]["key"] = odd.clone();
            let read: Timeline = serde_json::from_value(other.clone()).unwrap();
            assert_eq!(read.entries()[0].key, None);
            assert_eq!(serde_json::to_value(&read).unwrap(), other, "{odd}");
        }
    }
}
