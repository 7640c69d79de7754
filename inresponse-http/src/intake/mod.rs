//! Takes what other monitoring systems send: their alerts become reports, recoveries and acknowledgements.
//!
//! What their messages mean is translated by [`inresponse_intake`]; here it is done.

mod amazon;
mod answer;
mod batch;
mod notices;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use inresponse_intake::generic::Mapping;
use inresponse_intake::{Context, Recoveries, Rule};

pub(crate) use amazon::Amazon;
pub use amazon::FetchFromAmazon;
pub(crate) use answer::{AlertsView, answer, take_one};
pub(crate) use batch::{Taken, take};
pub use notices::{Noticed, TakeNotices};

use crate::keys::Sender;

/// How other monitoring systems' messages are taken. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Intake {
    rule: Arc<Rule>,
    mappings: Arc<BTreeMap<String, Mapping>>,
    amazon: Option<Amazon>,
    notices: Option<Arc<dyn TakeNotices>>,
    recoveries: Arc<Mutex<Recoveries>>,
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

    /// What translation needs besides the bytes.
    pub(crate) fn context<'a>(&'a self, sender: &'a Sender, now: DateTime<Utc>) -> Context<'a> {
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

    fn recoveries(&self) -> MutexGuard<'_, Recoveries> {
        // Nothing panics while it holds the lock, so what a poisoned lock guards is whole.
        self.recoveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
