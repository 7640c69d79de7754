//! A notifier that records the alerts that it gets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::model::{Contact, DeliveryId, IncidentNumber, Purpose};
use crate::notify::{Alert, Bundle, Notifier, NotifyBundle, Outcome};

/// A recorded attempt.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
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
    /// The place of its message among all messages, from 0. The alerts of a bundle have the same message.
    pub message: usize,
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
    sends: Sends,
}

/// Whether a recording notifier sends bundles.
#[derive(Debug, Clone, Copy, Default)]
enum Sends {
    #[default]
    Each,
    Bundles,
}

#[derive(Debug, Default)]
struct Inner {
    attempts: Vec<Recorded>,
    messages: usize,
    scripted: VecDeque<(Option<Contact>, Outcome)>,
}

impl RecordingNotifier {
    /// A notifier that accepts everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// A notifier that accepts everything, and sends bundles.
    pub fn of_bundles() -> Self {
        Self { sends: Sends::Bundles, ..Self::default() }
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

impl Inner {
    /// Records a message with these alerts to a contact.
    fn send<'a>(&mut self, contact: &Contact, alerts: impl IntoIterator<Item = &'a Alert>) -> Outcome {
        let message = self.messages;
        self.messages += 1;
        self.attempts.extend(alerts.into_iter().map(|alert| Recorded {
            incident: alert.incident().number(),
            delivery: alert.delivery_id().clone(),
            attempt: alert.attempt(),
            contact: alert.contact().clone(),
            purpose: alert.purpose(),
            round: alert.round(),
            claim_url: alert.claim_url().map(str::to_owned),
            message,
        }));
        let applies =
            |(other, _): &(Option<Contact>, Outcome)| other.as_ref().is_none_or(|other| other == contact);
        let scripted = self.scripted.iter().position(applies).and_then(|i| self.scripted.remove(i));
        scripted.map_or(Outcome::Accepted, |(_, outcome)| outcome)
    }
}

#[async_trait]
impl Notifier for RecordingNotifier {
    async fn notify(&self, alert: &Alert, _deadline: Duration) -> Outcome {
        self.inner().send(alert.contact(), [alert])
    }

    fn bundler(&self, _contact: &Contact) -> Option<&dyn NotifyBundle> {
        match self.sends {
            Sends::Each => None,
            Sends::Bundles => Some(self),
        }
    }
}

#[async_trait]
impl NotifyBundle for RecordingNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, _deadline: Duration) -> Outcome {
        self.inner().send(bundle.contact(), bundle.alerts())
    }
}
