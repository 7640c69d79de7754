//! Chooses the notifier for each contact.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::reached::Reached;
use super::{Alert, Notifier, Outcome};
use crate::error::Outage;
use crate::model::{Contact, Scheme};
use crate::settings::Settings;

/// Sends each alert through the notifier for its contact's scheme. `Notifiers` is itself a [`Notifier`].
#[derive(Debug, Clone, Default)]
pub struct Notifiers {
    by_scheme: HashMap<String, Arc<dyn Notifier>>,
    reached: Option<Reached>,
}

impl Notifiers {
    /// Has no notifiers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a notifier for e-mail addresses.
    #[must_use]
    pub fn mail(self, notifier: impl Notifier) -> Self {
        self.with(Scheme::mailto(), notifier)
    }

    /// Adds a notifier for contacts of that scheme. It replaces an earlier one.
    #[must_use]
    pub fn with(mut self, scheme: Scheme, notifier: impl Notifier) -> Self {
        self.by_scheme.insert(scheme.as_str().to_owned(), Arc::new(notifier));
        self
    }

    /// Remembers in the settings at which addresses a carrier has accepted a message, so that the coverage check finds
    /// methods that were never proved.
    #[must_use]
    pub fn remembering(mut self, settings: Arc<dyn Settings>) -> Self {
        self.reached = Some(Reached::new(settings));
        self
    }

    /// Remembers that a carrier accepted a message for the contact.
    pub(crate) async fn note_reached(&self, contact: &Contact) {
        if let Some(reached) = &self.reached {
            reached.note(contact).await;
        }
    }

    /// Whether a carrier has ever accepted a message for the contact; `true` if nothing is remembered.
    pub(crate) async fn has_reached(&self, contact: &Contact) -> Result<bool, Outage> {
        match &self.reached {
            Some(reached) => reached.has(contact).await,
            None => Ok(true),
        }
    }

    /// Whether a notifier can try to reach the contact.
    pub fn reach(&self, contact: &Contact) -> bool {
        self.by_scheme.get(contact.scheme()).is_some_and(|notifier| notifier.reaches(contact))
    }
}

#[async_trait]
impl Notifier for Notifiers {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        match self.by_scheme.get(alert.contact().scheme()) {
            Some(notifier) => notifier.notify(alert, deadline).await,
            None => Outcome::rejected(format!("no notifier for `{}:`", alert.contact().scheme())),
        }
    }

    fn reaches(&self, contact: &Contact) -> bool {
        self.reach(contact)
    }
}
