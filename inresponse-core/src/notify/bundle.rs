//! Many alerts to one contact in one message.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::{Alert, Outcome};
use crate::model::{Contact, DeliveryId, ServiceName, Severity};

/// Many alerts to one contact, which go out in one message (promise 23). The worst come first.
#[derive(Clone)]
pub struct Bundle {
    contact: Contact,
    alerts: Vec<Alert>,
    claim_all_url: Option<String>,
}

/// The number of alerts of one service in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfService<'a> {
    /// The service.
    pub service: &'a ServiceName,
    /// The number of alerts of each severity, the worst first. Severities without alerts are left out.
    pub severities: Vec<(Severity, usize)>,
}

impl OfService<'_> {
    /// The number of alerts.
    pub fn alerts(&self) -> usize {
        self.severities.iter().map(|(_, alerts)| alerts).sum()
    }
}

/// Sends bundles: a part of a [`Notifier`](super::Notifier).
///
/// The outcome applies to every alert of the bundle, with the promises that [`Notifier`](super::Notifier) lists:
/// [`Rejected`](Outcome::Rejected) only if the carrier refused the recipient. Everything else makes the engine try again in
/// smaller bundles.
#[async_trait]
pub trait NotifyBundle: fmt::Debug + Send + Sync {
    /// Makes **one** attempt to send all alerts of the bundle in one message.
    ///
    /// The message contains the [id of every delivery](Bundle::delivery_ids). The rules for the deadline and for panics are
    /// those of [`Notifier::notify`](super::Notifier::notify).
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome;
}

impl Bundle {
    /// The maximum number of alerts in a bundle.
    pub const MOST: usize = 500;
    /// The number of alerts that a message shows in full.
    pub const IN_FULL: usize = 10;

    /// A bundle of these alerts. `None` if there are none, if there are more than [`MOST`](Self::MOST), or if they are for
    /// different contacts.
    ///
    /// Engines make bundles; this function is public so that notifiers can be tested.
    pub fn new(mut alerts: Vec<Alert>) -> Option<Self> {
        let contact = alerts.first()?.contact().clone();
        if alerts.len() > Self::MOST || alerts.iter().any(|alert| *alert.contact() != contact) {
            return None;
        }
        alerts.sort_by(|a, b| {
            let key = |alert: &Alert| (Reverse(alert.incident().severity()), alert.incident().number());
            key(a).cmp(&key(b)).then_with(|| a.delivery_id().as_str().cmp(b.delivery_id().as_str()))
        });
        Some(Self { contact, alerts, claim_all_url: None })
    }

    /// Adds a link to a page with all incidents, where the recipient can claim them.
    #[must_use]
    pub fn with_claim_all_url(mut self, url: String) -> Self {
        self.claim_all_url = Some(url);
        self
    }

    /// The contact to reach.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// All alerts, the worst first.
    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// The worst alerts, which a message shows in full.
    pub fn worst(&self) -> &[Alert] {
        &self.alerts[..self.alerts.len().min(Self::IN_FULL)]
    }

    /// The other alerts, of which a message shows the numbers.
    pub fn others(&self) -> &[Alert] {
        &self.alerts[self.worst().len()..]
    }

    /// The ids of the deliveries that the message makes.
    pub fn delivery_ids(&self) -> impl Iterator<Item = &DeliveryId> {
        self.alerts.iter().map(Alert::delivery_id)
    }

    /// The id of the message: the same for every attempt with the same deliveries. It consists of letters, digits and
    /// hyphens.
    pub fn id(&self) -> String {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325; // FNV-1a, 64 bits
        for byte in self.delivery_ids().flat_map(|id| id.as_str().bytes().chain([0])) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        format!("bundle-{}-{hash:016x}", self.alerts.len())
    }

    /// The number of alerts of each severity, the worst first. Severities without alerts are left out.
    pub fn severities(&self) -> Vec<(Severity, usize)> {
        counted(self.alerts.iter().map(|alert| alert.incident().severity()))
    }

    /// The services with their numbers of alerts: those with the worst alerts first, then those with the most.
    pub fn services(&self) -> Vec<OfService<'_>> {
        let mut by_service: BTreeMap<&ServiceName, Vec<Severity>> = BTreeMap::new();
        for incident in self.alerts.iter().map(Alert::incident) {
            by_service.entry(incident.service()).or_default().push(incident.severity());
        }
        let counts = |(service, of): (_, Vec<_>)| OfService { service, severities: counted(of.into_iter()) };
        let mut services: Vec<_> = by_service.into_iter().map(counts).collect();
        services.sort_by(|a, b| b.severities.cmp(&a.severities).then_with(|| a.service.cmp(b.service)));
        services
    }

    /// The secret link to a page with all incidents, where the recipient can claim them.
    pub fn claim_all_url(&self) -> Option<&str> {
        self.claim_all_url.as_deref()
    }

    /// Tells in one line how many alerts of which severities there are, and of which services: `37 CRIT, 2 WARN: checkout
    /// and 11 other services`.
    pub fn headline(&self) -> String {
        let severities =
            self.severities().into_iter().map(|(severity, alerts)| format!("{alerts} {severity}"));
        format!("{}: {}", severities.collect::<Vec<_>>().join(", "), self.services_in_words())
    }

    /// The first service, and how many others there are: `checkout and 11 other services`.
    pub fn services_in_words(&self) -> String {
        let services = self.services();
        let first = services.first().map_or("", |of| of.service.as_str());
        match services.len().saturating_sub(1) {
            0 => first.to_owned(),
            1 => format!("{first} and 1 other service"),
            others => format!("{first} and {others} other services"),
        }
    }
}

impl fmt::Debug for Bundle {
    /// Shows everything except the links, which are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("contact", &self.contact)
            .field("alerts", &self.alerts)
            .finish_non_exhaustive()
    }
}

fn counted(severities: impl Iterator<Item = Severity>) -> Vec<(Severity, usize)> {
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for severity in severities {
        *counts.entry(severity).or_default() += 1;
    }
    counts.into_iter().rev().collect()
}
