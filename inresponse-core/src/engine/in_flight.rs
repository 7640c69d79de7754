//! The deliveries that this process is sending.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::DeliveryId;

/// The deliveries that this process is sending or recording. Until that has ended it never sends them a second time,
/// whatever a clock says about their leases (promise 14).
#[derive(Debug, Default)]
pub(super) struct InFlight {
    deliveries: Arc<Mutex<HashMap<DeliveryId, usize>>>,
}

/// A delivery in flight, until it is dropped.
#[derive(Debug)]
pub(super) struct InFlightMark {
    deliveries: Arc<Mutex<HashMap<DeliveryId, usize>>>,
    delivery: DeliveryId,
}

impl InFlight {
    pub(super) fn contains(&self, delivery: &DeliveryId) -> bool {
        lock(&self.deliveries).contains_key(delivery)
    }

    /// Marks a delivery as in flight, unless this process is sending it already.
    pub(super) fn mark_first(&self, delivery: DeliveryId) -> Option<InFlightMark> {
        match lock(&self.deliveries).entry(delivery.clone()) {
            Entry::Occupied(_) => return None,
            Entry::Vacant(free) => _ = free.insert(1),
        }
        Some(InFlightMark { deliveries: Arc::clone(&self.deliveries), delivery })
    }

    /// Marks a delivery as in flight in this process. Counted, since two tasks may race for the same lease and only one of them gets it.
    pub(super) fn mark(&self, delivery: DeliveryId) -> InFlightMark {
        *lock(&self.deliveries).entry(delivery.clone()).or_default() += 1;
        InFlightMark { deliveries: Arc::clone(&self.deliveries), delivery }
    }
}

impl Drop for InFlightMark {
    fn drop(&mut self) {
        let mut deliveries = lock(&self.deliveries);
        if let Some(n) = deliveries.get_mut(&self.delivery) {
            *n -= 1;
            if *n == 0 {
                deliveries.remove(&self.delivery);
            }
        }
    }
}

fn lock(deliveries: &Mutex<HashMap<DeliveryId, usize>>) -> MutexGuard<'_, HashMap<DeliveryId, usize>> {
    // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
    deliveries.lock().unwrap_or_else(PoisonError::into_inner)
}
