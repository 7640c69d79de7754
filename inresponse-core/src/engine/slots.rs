//! Bounds how much is sent at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{Contact, Incident, IncidentNumber, Level};
use crate::planted::planted;

/// How many sends may be under way in all.
pub(super) const SLOTS: usize = 512;
/// How many sends to one contact a process has under way at once at the most, so that one who hangs leaves the others
/// theirs (promise 13).
pub const SENDS_PER_CONTACT: usize = 12;

/// The free sending slots. A slot is taken before the lease, so that a lease never waits for one.
#[derive(Debug, Default)]
pub(super) struct Slots {
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_contact: HashMap<Contact, usize>,
}

/// A slot, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    taken: Arc<Mutex<Taken>>,
    contact: Contact,
}

impl Slots {
    /// A slot for a send to `contact`, if one is free.
    pub(super) fn take(&self, contact: &Contact) -> Option<Slot> {
        let mut taken = lock(&self.taken);
        let few = planted!(SlotsForAnyone);
        if few {
            if taken.all >= SENDS_PER_CONTACT {
                return None;
            }
        } else if taken.all >= SLOTS || taken.by_contact.get(contact).is_some_and(|n| *n >= SENDS_PER_CONTACT)
        {
            return None;
        }
        taken.all += 1;
        *taken.by_contact.entry(contact.clone()).or_default() += 1;
        Some(Slot { taken: Arc::clone(&self.taken), contact: contact.clone() })
    }

    /// How many are free for a contact, as far as its own are concerned.
    #[cfg(feature = "runner")]
    pub(super) fn free_for(&self, contact: &Contact) -> usize {
        let taken = lock(&self.taken).by_contact.get(contact).copied().unwrap_or_default();
        SENDS_PER_CONTACT.saturating_sub(taken)
    }

    /// How many are free in all.
    #[cfg(feature = "runner")]
    pub(super) fn free(&self) -> usize {
        let all = if planted!(SlotsForAnyone) { SENDS_PER_CONTACT } else { SLOTS };
        all.saturating_sub(lock(&self.taken).all)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.all -= 1;
        if let Some(n) = taken.by_contact.get_mut(&self.contact) {
            *n -= 1;
            if *n == 0 {
                taken.by_contact.remove(&self.contact);
            }
        }
    }
}

/// The levels that began in this process without a free slot, by incident.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    levels: Mutex<HashMap<IncidentNumber, (u32, Level)>>,
}

impl Waiting {
    /// How many are remembered. One that is forgotten begins again with its first send.
    const MOST: usize = 65_536;

    /// Its latest level waits for a slot.
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

    /// Nothing of it waits for a slot.
    pub(super) fn forget(&self, number: IncidentNumber) {
        self.levels().remove(&number);
    }

    /// Whether its latest level has waited here since it began.
    pub(super) fn has(&self, incident: &Incident) -> bool {
        let latest = incident.begun().last().map(|begun| (incident.round(), begun.level));
        latest.is_some() && self.levels().get(&incident.number()).copied() == latest
    }

    fn levels(&self) -> MutexGuard<'_, HashMap<IncidentNumber, (u32, Level)>> {
        // Nothing panics while it holds the lock, so what a poisoned lock guards is whole.
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    // Nothing panics while it holds the lock, so what a poisoned lock guards is whole.
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p13_one_contact_cannot_take_all_slots() {
        let slots = Slots::default();
        let hanging = Contact::new("hangs@example.org").unwrap();
        let taken: Vec<_> = std::iter::from_fn(|| slots.take(&hanging)).collect();
        assert_eq!(taken.len(), SENDS_PER_CONTACT);
        assert!(slots.take(&Contact::new("other@example.org").unwrap()).is_some());
        drop(taken);
        assert!(slots.take(&hanging).is_some());
    }

    #[test]
    fn slots_are_bounded_in_all() {
        let slots = Slots::default();
        let contact = |i: usize| Contact::new(format!("c{i}@example.org")).unwrap();
        let taken: Vec<_> = (0..SLOTS + 10).map_while(|i| slots.take(&contact(i))).collect();
        assert_eq!(taken.len(), SLOTS);
    }
}
