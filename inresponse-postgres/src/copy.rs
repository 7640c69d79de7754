//! The copy of the roster in memory.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::Person;
use inresponse_core::roster::{
    Answers, Effect, EntryKey, Judged, Question, RosterEdit, Snapshot, Was, judge_by,
};

/// The roster as it was at a version.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Held {
    pub(crate) version: i64,
    pub(crate) entries: Snapshot,
    /// The keys of stored entries that cannot be read.
    pub(crate) unreadable: BTreeSet<EntryKey>,
}

impl Held {
    /// Judges edits by this roster.
    pub(crate) fn judge(
        &self,
        by: &Person,
        at: DateTime<Utc>,
        edits: &[RosterEdit],
    ) -> Result<Judged, Outage> {
        judge_by(by, at, edits, |question, answers: &mut Answers| {
            match question {
                Question::Entry(key) if self.unreadable.contains(key) => {
                    answers.entry(key.clone(), Was::Unreadable);
                }
                question => self.entries.answer(question, answers),
            }
            Ok(())
        })
    }

    /// Forgets the unreadable entries that an edit replaces or deletes.
    fn forget_unreadable(&mut self, edit: &RosterEdit) {
        let edited = edit.key();
        match edit {
            RosterEdit::Put(_) => self.unreadable.retain(|key| *key != edited),
            RosterEdit::Delete(_) => {
                self.unreadable.retain(|key| *key != edited && !key.is_inside(&edited));
            }
        }
    }
}

/// The copy of the roster in memory.
#[derive(Debug, Default)]
pub(crate) struct Copy {
    held: RwLock<Held>,
    /// The start of the last look that found the copy current, in microseconds of the monotonic clock.
    current_at: AtomicU64,
}

impl Copy {
    pub(crate) fn current(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the last look began that found the copy current.
    pub(crate) fn current_at(&self) -> Duration {
        Duration::from_micros(self.current_at.load(Ordering::Acquire))
    }

    /// Notes that a look that began at that time found the copy current.
    pub(crate) fn is_current(&self, began: Duration) {
        let began = u64::try_from(began.as_micros()).unwrap_or(u64::MAX);
        self.current_at.fetch_max(began, Ordering::AcqRel);
    }

    /// Replaces the copy, which had the version `seen` and was not that of the database. If the copy has changed since
    /// then, it is replaced only by a newer one: an older one lost a race and is dropped.
    pub(crate) fn replace(&self, read: Held, seen: i64) {
        let mut held = self.changing();
        if held.version == seen || read.version > held.version {
            let old = std::mem::replace(&mut *held, read);
            drop(held);
            drop(old);
        }
    }

    /// Applies edits that were made at the version `before`, unless the copy contains them already.
    pub(crate) fn follow(&self, edits: &[RosterEdit], effects: &[Effect], before: i64) {
        let mut held = self.changing();
        if held.version == before {
            held.entries.apply(edits, effects);
            for (edit, _) in edits.iter().zip(effects).filter(|(_, effect)| effect.changes()) {
                held.forget_unreadable(edit);
            }
            held.version = before + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p17_the_copy_follows_a_database_whose_version_went_back_and_no_read_that_lost_a_race() {
        for (held, seen, read, expected) in [
            // A change by another server.
            (40, 40, 41, 41),
            // A failover to a standby that was behind.
            (41, 41, 40, 40),
            // This server has made a change while the roster was read.
            (41, 40, 40, 41),
            (42, 40, 41, 42),
            (41, 40, 42, 42),
        ] {
            let copy = Copy::default();
            copy.replace(Held { version: held, ..Held::default() }, 0);
            copy.replace(Held { version: read, ..Held::default() }, seen);
            assert_eq!(copy.current().version, expected, "{held}, {seen}, {read}");
        }
    }
}
