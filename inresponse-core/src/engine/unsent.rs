//! Leases whose commit stayed unknown, under which nothing was sent.
//!
//! If such a commit did happen, the record shows a send that nobody makes. Only attempts that may have been sent count
//! towards the death of a delivery (promise 9), so the process that took the lease corrects the record as soon as it
//! sees it again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::model::{DeliveryKey, DeliveryStatus, Incident, IncidentNumber, Version};
use crate::plan::Dispatch;
use crate::store::Record;

/// The maximum number of incidents that are remembered, and of leases of each. A forgotten lease counts as a dead
/// process.
const MOST: usize = 16_384;
const EACH: usize = 64;

/// The leases that this process did not use, by incident.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    leases: Mutex<HashMap<IncidentNumber, Vec<Lease>>>,
}

/// A lease under which nothing was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    /// The version that the commit would have replaced.
    replaced: Version,
    pub(super) delivery: DeliveryKey,
    pub(super) attempt: u32,
    /// The end of the leases. Two processes that take leases in the same microsecond have different ends, because of
    /// their marks.
    until: DateTime<Utc>,
}

impl Unsent {
    /// Remembers the leases of a commit whose result is unknown.
    pub(super) fn remember(&self, number: IncidentNumber, replaced: Version, sends: &[Dispatch]) {
        if sends.is_empty() {
            return;
        }
        let mut leases = self.leases();
        // An incident that somebody claimed in the meantime never comes back.
        if leases.len() >= MOST
            && !leases.contains_key(&number)
            && let Some(another) = leases.keys().next().copied()
        {
            leases.remove(&another);
        }
        let lease = |send: &Dispatch| Lease {
            replaced,
            delivery: send.delivery,
            attempt: send.attempt,
            until: send.lease_until,
        };
        let of_incident = leases.entry(number).or_default();
        of_incident.extend(sends.iter().map(lease));
        let surplus = of_incident.len().saturating_sub(EACH);
        of_incident.drain(..surplus);
    }

    /// The leases of a record that their process did not use. Each is returned once.
    pub(super) fn take(&self, record: &Record) -> Vec<Lease> {
        let mut leases = self.leases();
        let Some(of_incident) = leases.get_mut(&record.number()) else { return Vec::new() };
        // A record that was read before the commit does not show its result yet.
        let settled = of_incident.extract_if(.., |lease| record.version > lease.replaced);
        let unused = settled.filter(|lease| lease.is_in(&record.incident)).collect();
        if of_incident.is_empty() {
            leases.remove(&record.number());
        }
        unused
    }

    /// They are still to be made due again.
    pub(super) fn put_back(&self, number: IncidentNumber, unused: Vec<Lease>) {
        self.leases().entry(number).or_default().extend(unused);
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<IncidentNumber, Vec<Lease>>> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    fn is_in(&self, incident: &Incident) -> bool {
        incident.deliveries().iter().any(|delivery| {
            delivery.key() == self.delivery
                && delivery.attempts() == self.attempt
                && matches!(delivery.status(), DeliveryStatus::InFlight { until } if until == self.until)
        })
    }
}
