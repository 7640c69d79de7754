//! Handles the messages of other monitoring systems: their alerts become reports, recoveries and acknowledgements.
//!
//! [`inresponse_intake`] translates the messages; this module executes the results.

mod amazon;
mod answer;
mod body;
mod carry_out;
mod refused;
mod room;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{KeyName, ServiceName};
use inresponse_core::notify::TakeNotices;
use inresponse_intake::generic::Mapping;
use inresponse_intake::{Context, Recoveries, Rule};

pub(crate) use amazon::Amazon;
pub use amazon::FetchFromAmazon;
pub(crate) use answer::{AlertsView, answer, take_one};
pub(crate) use body::Message;
pub(crate) use carry_out::{Taken, take};
pub(crate) use refused::{SENDERS, Watched};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::caller::Caller;
use room::Room;

/// How other monitoring systems' messages are taken. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Intake {
    rule: Arc<Rule>,
    mappings: Arc<BTreeMap<String, Mapping>>,
    amazon: Option<Amazon>,
    notices: Option<Arc<dyn TakeNotices>>,
    recoveries: Arc<Mutex<HashMap<Owner, Recoveries>>>,
    room: Room,
    strangers_room: Room,
    look_backs: Arc<LookBacks>,
}

/// Limits concurrent searches for recently resolved incidents, because each holds many records in memory.
#[derive(Debug)]
struct LookBacks(Semaphore);

impl Default for LookBacks {
    fn default() -> Self {
        Self(Semaphore::new(8))
    }
}

impl Intake {
    /// With service and severity by that rule.
    pub fn new(rule: Rule) -> Self {
        Self { rule: Arc::new(rule), ..Self::default() }
    }

    /// The same with mappings for `/intake/generic/{name}`, by their names.
    #[must_use]
    pub fn mappings(mut self, mappings: BTreeMap<String, Mapping>) -> Self {
        self.mappings = Arc::new(mappings);
        self
    }

    /// The same with a way to fetch from Amazon, without which `/intake/sns` answers 501.
    #[must_use]
    pub fn amazon_by(mut self, fetcher: impl FetchFromAmazon) -> Self {
        self.amazon = Some(Amazon::new(fetcher));
        self
    }

    /// The same with what a carrier of mail publishes to `/intake/sns` taken that way, rather than as alerts.
    #[must_use]
    pub fn notices_by(mut self, notices: impl TakeNotices) -> Self {
        self.notices = Some(Arc::new(notices));
        self
    }

    /// The input of translation besides the bytes.
    pub(crate) fn context<'a>(&'a self, sender: &'a Caller, now: DateTime<Utc>) -> Context<'a> {
        Context { rule: &self.rule, service: sender.service.as_ref(), now }
    }

    pub(crate) fn mapping(&self, name: &str) -> Option<&Mapping> {
        self.mappings.get(name)
    }

    pub(crate) fn notices(&self) -> Option<&dyn TakeNotices> {
        self.notices.as_deref()
    }

    pub(crate) fn amazon(&self) -> Option<&Amazon> {
        self.amazon.as_ref()
    }

    /// Room for large messages of those who showed a key that is known.
    pub(crate) fn room(&self) -> &Room {
        &self.room
    }

    /// Room for requests without a known key. PagerDuty's clients have their key in the message itself.
    pub(crate) fn strangers_room(&self) -> &Room {
        &self.strangers_room
    }

    /// A turn to look for recently resolved incidents.
    async fn look_back(&self) -> Result<SemaphorePermit<'_>, Outage> {
        self.look_backs
            .0
            .acquire()
            .await
            .map_err(|e| Outage::retryable("nobody looks back any more").because(e))
    }

    /// The remembered recoveries of this sender, or of another key of the same restricted service. No other sender's
    /// recovery ends its trouble.
    fn recoveries<T>(&self, sender: &Caller, ask: impl FnOnce(&mut Recoveries) -> T) -> T {
        let owner = match &sender.service {
            Some(service) => Owner::Service(service.clone()),
            None => Owner::Key(sender.key.clone()),
        };
        // Nothing panics while it holds the lock, so what a poisoned lock guards is whole.
        let mut all = self.recoveries.lock().unwrap_or_else(PoisonError::into_inner);
        ask(all.entry(owner).or_default())
    }
}

/// Whose recoveries are remembered together. There are no more of these than keys.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Owner {
    Key(KeyName),
    Service(ServiceName),
}
