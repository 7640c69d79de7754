//! The roster in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::Outage;
use crate::model::{Person, ServiceName, TeamName};
use crate::roster::{
    Answers, ChangeMark, Directory, Edited, Entry, EntryKey, EntryKind, Judged, Listed, Question, QuietRules,
    Roster, RosterChange, RosterEdit, Snapshot, days_of, judge_by,
};

/// The number of changes that are kept.
const CHANGES_KEPT: usize = 10_000;

/// The roster in memory, and the audit records of its newest 10,000 changes.
#[derive(Debug, Default)]
pub struct MemoryRoster {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: Snapshot,
    changes: BTreeMap<u64, RosterChange>,
}

impl MemoryRoster {
    /// An empty roster.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Roster for MemoryRoster {
    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage> {
        let mut state = self.state();
        let answer = |question: &Question, answers: &mut Answers| {
            state.entries.answer(question, answers);
            Ok(())
        };
        match judge_by(by, at, edits, answer)? {
            Judged::Ask(_) => Err(Outage::permanent("a question about the roster was not answered")),
            Judged::Refused(refusal) => Ok(Edited::Refused(refusal)),
            Judged::Write { effects, changes } => {
                state.entries.apply(edits, &effects);
                let next = state.changes.last_key_value().map_or(1, |(last, _)| last + 1);
                state.changes.extend((next..).zip(changes));
                while state.changes.len() > CHANGES_KEPT {
                    state.changes.pop_first();
                }
                Ok(Edited::Done(effects))
            }
        }
    }

    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        Ok(self.state().entries.service(service).cloned())
    }

    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage> {
        let (first, last) = days_of(from, to);
        Ok(Arc::new(self.state().entries.directory(team, first, last)))
    }

    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage> {
        Ok(self.state().entries.entries(kind, after, limit))
    }

    async fn entry(&self, key: &EntryKey) -> Result<Option<Entry>, Outage> {
        Ok(self.state().entries.entry(key))
    }

    async fn quiet(&self) -> Result<Arc<QuietRules>, Outage> {
        Ok(Arc::clone(self.state().entries.quiet()))
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        let end = before.map_or(Bound::Unbounded, |mark| Bound::Excluded(mark.number().unwrap_or(0)));
        let state = self.state();
        let newest_first = state.changes.range((Bound::Unbounded, end)).rev().take(limit);
        Ok(newest_first.map(|(number, change)| (ChangeMark::numbered(*number), change.clone())).collect())
    }
}
