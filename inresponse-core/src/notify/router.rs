//! Chooses the notifier for each contact.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::limits::Limits;
use super::meter::{Meter, Passage};
use super::reached::{LastTest, Reached};
use super::{Alert, Bundle, Notifier, NotifyBundle, Outcome};
use crate::clock::Clock;
use crate::error::Outage;
use crate::model::{Contact, Scheme};
use crate::settings::Settings;

/// Sends each alert through the notifier for its contact's scheme. `Notifiers` is itself a [`Notifier`].
#[derive(Debug, Clone, Default)]
pub struct Notifiers {
    by_scheme: HashMap<String, Arc<dyn Notifier>>,
    reached: Option<Reached>,
    meter: Option<Meter>,
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

    /// Limits how many messages each address gets, and each channel carries. The settings keep the counts, so that they
    /// survive restarts and all servers of a database share them.
    ///
    /// A message that a limit holds back ends as [`Outcome::Limited`], without an attempt.
    #[must_use]
    pub fn limited(mut self, limits: Limits, settings: Arc<dyn Settings>, clock: impl Clock) -> Self {
        self.meter = Some(Meter::new(limits, settings, Arc::new(clock)));
        self
    }

    /// The schemes of the channels whose budget of today is spent.
    pub(crate) async fn spent(&self) -> Result<Vec<String>, Outage> {
        match &self.meter {
            Some(meter) => meter.spent().await,
            None => Ok(Vec::new()),
        }
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

    /// Keeps the result of a test message to the contact.
    pub(crate) async fn keep_test(&self, contact: &Contact, test: LastTest) {
        if let Some(reached) = &self.reached {
            reached.keep_test(contact, test).await;
        }
    }

    /// The result of the last test message to the contact; `None` if there was none, or if nothing is remembered.
    pub(crate) async fn last_test(&self, contact: &Contact) -> Result<Option<LastTest>, Outage> {
        match &self.reached {
            Some(reached) => reached.last_test(contact).await,
            None => Ok(None),
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
            Some(notifier) => match &self.meter {
                Some(meter) => counted(meter, alert, deadline, |left| notifier.notify(alert, left)).await,
                None => notifier.notify(alert, deadline).await,
            },
            None => Outcome::rejected(format!("no notifier for `{}:`", alert.contact().scheme())),
        }
    }

    fn reaches(&self, contact: &Contact) -> bool {
        self.reach(contact)
    }

    fn bundler(&self, contact: &Contact) -> Option<&dyn NotifyBundle> {
        self.by_scheme.get(contact.scheme())?.bundler(contact).is_some().then_some(self)
    }
}

#[async_trait]
impl NotifyBundle for Notifiers {
    /// A bundle counts as one message.
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        let contact = bundle.contact();
        let bundler = self.by_scheme.get(contact.scheme()).and_then(|notifier| notifier.bundler(contact));
        let Some(bundler) = bundler else {
            return Outcome::unavailable(format!("no notifier for bundles to `{}:`", contact.scheme()));
        };
        match (&self.meter, bundle.alerts().first()) {
            (Some(meter), Some(first)) => {
                counted(meter, first, deadline, |left| bundler.notify_bundle(bundle, left)).await
            }
            (_, _) => bundler.notify_bundle(bundle, deadline).await,
        }
    }
}

/// Makes an attempt unless a limit holds the message back. `attempt` gets the time that is left.
async fn counted<F: Future<Output = Outcome>>(
    meter: &Meter,
    alert: &Alert,
    deadline: Duration,
    attempt: impl FnOnce(Duration) -> F,
) -> Outcome {
    let began = meter.monotonic();
    let counted = match meter.pass(alert).await {
        Passage::Free(counted) => counted,
        Passage::Held(outcome) => return outcome,
    };
    let outcome = attempt(deadline.saturating_sub(meter.monotonic().saturating_sub(began))).await;
    if let Some(counted) = counted {
        meter.ended(alert, counted, &outcome).await;
    }
    outcome
}
