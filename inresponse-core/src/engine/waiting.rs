//! The levels that wait for a sending slot.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Incident, IncidentNumber, Level};

/// The levels that began in this process without a free slot, by incident.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    levels: Mutex<HashMap<IncidentNumber, (u32, Level)>>,
}

impl Waiting {
    /// The maximum number of levels that are remembered. A forgotten level begins again with its first send.
    const MOST: usize = 65_536;

    /// Records that the incident's latest level waits for a slot.
    pub(super) fn note(&self, incident: &Incident) {
        let Some(begun) = incident.begun().last() else { return };
        let mut levels = self.levels();
        if levels.len() >= Self::MOST
            && !levels.contains_key(&incident.number())
            && let Some(another) = levels.keys().next().copied()
        {
            levels.remove(&another);
        }
        levels.insert(incident.number(), (incident.round(), begun.level));
    }

    /// Records that the incident no longer waits for a slot.
    pub(super) fn forget(&self, number: IncidentNumber) {
        self.levels().remove(&number);
    }

    /// Whether the incident's latest level has waited in this process since it began.
    pub(super) fn has(&self, incident: &Incident) -> bool {
        let latest = incident.begun().last().map(|begun| (incident.round(), begun.level));
        latest.is_some() && self.levels().get(&incident.number()).copied() == latest
    }

    fn levels(&self) -> MutexGuard<'_, HashMap<IncidentNumber, (u32, Level)>> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
