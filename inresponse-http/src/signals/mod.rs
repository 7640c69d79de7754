//! Handles the messages of other monitoring systems: their alerts become reports, recoveries and acknowledgements.
//!
//! [`inresponse_intake`] translates the messages; this module executes the results.
//!
//! | file | does |
//! |---|---|
//! | `body` | reads a message, with limits on its size and its time |
//! | `room` | shares the memory for large messages among senders |
//! | `carry_out` | executes each alert: reports, resolves, claims, releases or notes |
//! | `answer` | answers a sender with one result for each alert |
//! | `refused` | counts and logs messages that were refused as a whole |
//! | `amazon` | fetches certificates and confirmations from Amazon SNS |

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

/// The handling of other monitoring systems' messages. Cloning is cheap.
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
    /// Handles messages, with service and severity chosen by that rule.
    pub fn new(rule: Rule) -> Self {
        Self { rule: Arc::new(rule), ..Self::default() }
    }

    /// Adds mappings for `/intake/generic/{name}`, by their names.
    #[must_use]
    pub fn mappings(mut self, mappings: BTreeMap<String, Mapping>) -> Self {
        self.mappings = Arc::new(mappings);
        self
    }

    /// Adds a way to fetch from Amazon. Without a fetcher, `/intake/sns` answers 501.
    #[must_use]
    pub fn amazon_by(mut self, fetcher: impl FetchFromAmazon) -> Self {
        self.amazon = Some(Amazon::new(fetcher));
        self
    }

    /// Sets the handler of a mail carrier's reports that arrive at `/intake/sns`. Without a handler, these reports are
    /// treated as alerts.
    #[must_use]
    pub fn notices_by(mut self, notices: impl TakeNotices) -> Self {
        self.notices = Some(Arc::new(notices));
        self
    }

    /// The context in which a sender's message is translated.
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

    /// The memory for large messages of senders with a known key.
    pub(crate) fn room(&self) -> &Room {
        &self.room
    }

    /// The memory for requests without a known key in their headers. PagerDuty's clients are among them: their key is
    /// inside the message.
    pub(crate) fn strangers_room(&self) -> &Room {
        &self.strangers_room
    }

    /// Waits for a turn to search for recently resolved incidents.
    async fn look_back(&self) -> Result<SemaphorePermit<'_>, Outage> {
        self.look_backs
            .0
            .acquire()
            .await
            .map_err(|e| Outage::retryable("the search for resolved incidents was closed").because(e))
    }

    /// The remembered recoveries of this sender, and of other keys that are restricted to the same service. A recovery
    /// of another sender does not end this sender's problem.
    fn recoveries<T>(&self, sender: &Caller, ask: impl FnOnce(&mut Recoveries) -> T) -> T {
        let owner = match &sender.service {
            Some(service) => Owner::Service(service.clone()),
            None => Owner::Key(sender.key.clone()),
        };
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        let mut all = self.recoveries.lock().unwrap_or_else(PoisonError::into_inner);
        ask(all.entry(owner).or_default())
    }
}

/// The owner of remembered recoveries: a key, or all keys of one restricted service. So there are no more owners than
/// keys.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Owner {
    Key(KeyName),
    Service(ServiceName),
}
