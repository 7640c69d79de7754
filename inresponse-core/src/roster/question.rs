//! The questions that must be answered before edits are made, and the reasons to refuse edits.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{EntryKey, Was};
use crate::model::{MethodName, PersonId, TeamName};

/// A question about the roster that [`judge`](super::judge) asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Which entry has this key?
    Entry(EntryKey),
    /// Which entries use this entry, by [`Entry::uses`](super::Entry::uses)? The answer must contain all of them,
    /// because the call may delete any number of them together with their team.
    Users(EntryKey),
    /// Which schedules does this team have, or which overrides does this schedule have?
    Parts(EntryKey),
    /// Which schedules and teams do the on-call lists of a team's calendar name, on all days?
    OnCallOfDays {
        /// The team.
        team: TeamName,
        /// The days to leave out, because the call edits them.
        apart_from: Vec<NaiveDate>,
    },
}

/// A roster's answers to the questions of [`judge`](super::judge). All answers of one call come from the same state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    entries: BTreeMap<EntryKey, Was>,
    keys: BTreeMap<Question, Vec<EntryKey>>,
}

impl Answers {
    /// Adds the entry under a key.
    pub fn entry(&mut self, key: EntryKey, was: Was) {
        self.entries.insert(key, was);
    }

    /// Adds the keys that answer a question.
    pub fn keys(&mut self, question: Question, keys: Vec<EntryKey>) {
        self.keys.insert(question, keys);
    }

    pub(super) fn found(&self, key: &EntryKey) -> Option<&Was> {
        self.entries.get(key)
    }

    pub(super) fn listed(&self, question: &Question) -> Option<&[EntryKey]> {
        self.keys.get(question).map(Vec::as_slice)
    }
}

/// The reason for which no edit of a call was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Another entry uses an entry that the call would delete.
    InUse {
        /// The entry that the call would delete.
        key: EntryKey,
        /// An entry that uses it. There may be more.
        by: EntryKey,
    },
    /// Two edits of the call concern the same entry, or an entry and the team that is deleted with it.
    Twice(EntryKey),
    /// More than [`MAX_EDITS`](super::MAX_EDITS) edits.
    TooMany(usize),
    /// An entry names something that is not in the roster.
    Unknown {
        /// The missing entry.
        key: EntryKey,
        /// The entry that names it.
        by: EntryKey,
    },
    /// Entries would form a circle: each names the next one, and the last names the first.
    Circle(Vec<EntryKey>),
    /// A team's fallback would reach nobody: it needs a contact, or a person with a method.
    NoFallback(TeamName),
    /// A person's rules use a phone number that the person has not verified, and the deployment requires that.
    UnverifiedPhone {
        /// The field of the person that uses it.
        field: String,
        /// The method.
        method: MethodName,
    },
    /// A person would lose their last method, and a team's fallback would then reach nobody.
    LastMethod {
        /// The person.
        person: PersonId,
        /// The team.
        team: TeamName,
    },
}
