//! The seats of a bundle, which deliveries take before their leases.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::slots::{Blamed, MOST, Urgency};
use crate::model::{Contact, Delivery, DeliveryKey, Incident, IncidentNumber};

/// By how much the bundles of a delivery become smaller with each lost attempt.
const SPLIT: usize = 8;

/// The seats of one bundle.
#[derive(Debug)]
pub(super) struct Seats {
    contact: Contact,
    /// The deliveries that may be the reason that bundles failed.
    blamed: Blamed,
    taken: Mutex<Taken>,
}

#[derive(Debug)]
struct Taken {
    /// The maximum number of deliveries, less if one of them may be the reason that a process died.
    most: usize,
    by: BTreeSet<(IncidentNumber, String)>,
    was_full: bool,
}

impl Seats {
    /// The seats for deliveries to `contact`.
    pub(super) fn new(contact: Contact, blamed: Blamed) -> Self {
        let taken = Taken { most: MOST, by: BTreeSet::new(), was_full: false };
        Self { contact, blamed, taken: Mutex::new(taken) }
    }

    /// Whether a delivery to that contact may have a seat.
    pub(super) fn are_for(&self, contact: &Contact, urgency: Urgency) -> bool {
        matches!(urgency, Urgency::Alert(_)) && self.contact == *contact
    }

    /// Takes a seat for a delivery, if one is left. A delivery that asks again keeps its seat.
    ///
    /// A delivery of which `k` attempts were lost takes a seat only in a bundle of at most 500 / 8ᵏ: its process died, or the
    /// bundle failed otherwise. So one poisoned incident cannot end the others.
    pub(super) fn take(&self, incident: &Incident, delivery: DeliveryKey) -> bool {
        let expired = incident.deliveries().iter().find(|d| d.key() == delivery).map_or(0, Delivery::expired);
        let id = incident.delivery_id(delivery).as_str().to_owned();
        let lost = expired.saturating_add(self.blamed.get(&id).copied().unwrap_or_default());
        let seat = (incident.number(), id);
        let mut taken = self.taken();
        if taken.by.contains(&seat) {
            return true;
        }
        let most = taken.most.min(most_after(lost));
        if taken.by.len() >= most {
            taken.was_full = true;
            return false;
        }
        taken.most = most;
        taken.by.insert(seat);
        true
    }

    /// Whether somebody found no seat, or the last seat is taken.
    pub(super) fn were_full(&self) -> bool {
        let taken = self.taken();
        taken.was_full || taken.by.len() >= taken.most
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The maximum size of the bundles of a delivery of which that many attempts were lost.
fn most_after(lost: u32) -> usize {
    let shrunk = SPLIT.checked_pow(lost).map_or(0, |by| MOST / by);
    shrunk.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p23_a_delivery_with_lost_attempts_has_few_or_no_companions() {
        assert_eq!([0, 1, 2, 3, 4, 5, 99].map(most_after), [500, 62, 7, 1, 1, 1, 1]);
    }
}
