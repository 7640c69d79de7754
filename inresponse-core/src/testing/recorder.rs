//! A notifier that records the alerts that it gets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::model::{Contact, DeliveryId, IncidentNumber, Purpose};
use crate::notify::{Alert, Notifier, Outcome};

/// A recorded attempt.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The number of the incident.
    pub incident: IncidentNumber,
    /// The id of the delivery.
    pub delivery: DeliveryId,
    /// The number of the attempt.
    pub attempt: u32,
    /// The contact that was alerted.
    pub contact: Contact,
    /// What it is for.
    pub purpose: Purpose,
    /// In which round.
    pub round: u32,
    /// The claim link.
    pub claim_url: Option<String>,
}

impl std::fmt::Debug for Recorded {
    /// Hides the claim link, which is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorded")
            .field("delivery", &self.delivery)
            .field("attempt", &self.attempt)
            .field("contact", &self.contact)
            .finish_non_exhaustive()
    }
}

/// Records every attempt. Accepts each, unless the next outcomes were set before. Clones share the records.
#[derive(Debug, Clone, Default)]
pub struct RecordingNotifier {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    attempts: Vec<Recorded>,
    scripted: VecDeque<(Option<Contact>, Outcome)>,
}

impl RecordingNotifier {
    /// A notifier that accepts everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the outcome of the next attempt to any recipient.
    pub fn then(&self, outcome: Outcome) {
        self.inner().scripted.push_back((None, outcome));
    }

    /// Sets the outcome of the next attempt to `contact`.
    pub fn then_for(&self, contact: Contact, outcome: Outcome) {
        self.inner().scripted.push_back((Some(contact), outcome));
    }

    /// All attempts so far, in order.
    pub fn attempts(&self) -> Vec<Recorded> {
        self.inner().attempts.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Notifier for RecordingNotifier {
    async fn notify(&self, alert: &Alert, _deadline: Duration) -> Outcome {
        let mut inner = self.inner();
        inner.attempts.push(Recorded {
            incident: alert.incident().number(),
            delivery: alert.delivery_id().clone(),
            attempt: alert.attempt(),
            contact: alert.contact().clone(),
            purpose: alert.purpose(),
            round: alert.round(),
            claim_url: alert.claim_url().map(str::to_owned),
        });
        let applies = |(contact, _): &(Option<Contact>, Outcome)| {
            contact.as_ref().is_none_or(|contact| contact == alert.contact())
        };
        let scripted = inner.scripted.iter().position(applies).and_then(|i| inner.scripted.remove(i));
        scripted.map_or(Outcome::Accepted, |(_, outcome)| outcome)
    }
}
