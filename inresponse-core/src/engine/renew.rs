//! Keeps the lease of a long send.
//!
//! Leases are short, so that the sends of a dead process are taken over soon, but a carrier may be slow. So a send in
//! progress renews its lease again and again. A send whose lease cannot be renewed is given up before another server's
//! clock can consider the lease over (promise 14).

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};

use super::clocks::Clocks;
use super::leased::{LeaseLength, LeaseTimes};
use super::swap::{Changed, Swap};
use crate::error::{Chain, Outage};
use crate::model::{DeliveryKey, DeliveryStatus, IncidentNumber};
use crate::plan::Input;
use crate::store::{Record, Store};

/// The first pause between attempts to renew.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Renews leases.
#[derive(Debug)]
pub(super) struct Renewals {
    pub(super) store: Arc<dyn Store>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) swap: Arc<Swap>,
    pub(super) length: LeaseLength,
    /// Whether the runner finishes what it began.
    pub(super) stopping: Arc<AtomicBool>,
}

/// One attempt to send, under its lease.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    pub(super) incident: IncidentNumber,
    pub(super) delivery: DeliveryKey,
    pub(super) number: u32,
}

/// The state of an attempt in its record.
#[derive(Debug)]
pub(super) enum Standing {
    /// The attempt is in flight, with that lease of that record.
    InFlight(LeaseTimes, Box<Record>),
    /// Nobody is alerted for the incident now, so no other process begins this delivery.
    Closed,
    /// Another process has the delivery, or the attempt has ended.
    Lost,
}

impl Attempt {
    /// The state of the attempt in a record whose lease was taken no earlier than `planned`.
    pub(super) fn standing(&self, record: Record, planned: Duration) -> Standing {
        let incident = &record.incident;
        let delivery = incident.deliveries().iter().find(|d| d.key() == self.delivery);
        let until = delivery.and_then(|d| match d.status() {
            DeliveryStatus::InFlight { until } if d.attempts() == self.number => Some(until),
            DeliveryStatus::InFlight { .. }
            | DeliveryStatus::Pending { .. }
            | DeliveryStatus::Accepted { .. }
            | DeliveryStatus::Dead { .. }
            | DeliveryStatus::Limited { .. }
            | DeliveryStatus::Stopped { .. } => None,
        });
        let is_wanted = delivery.is_some_and(|delivery| incident.wants(delivery));
        match until {
            None => Standing::Lost,
            Some(_) if !is_wanted => Standing::Closed,
            Some(until) => Standing::InFlight(LeaseTimes { until, planned }, Box::new(record)),
        }
    }
}

impl Renewals {
    /// Renews the lease of an attempt as long as this future is polled. Ends when the attempt must be given up.
    pub(super) async fn keep(&self, attempt: Attempt, lease: LeaseTimes) {
        let (clock, third) = (&self.clocks, self.length.plain / 3);
        let mut lease = lease;
        loop {
            let since = |planned: Duration| clock.monotonic().saturating_sub(planned);
            clock.sleep(third.saturating_sub(since(lease.planned))).await;
            let renewal = pin!(self.renew_until_known(attempt));
            let patience = pin!(clock.sleep((third * 2).saturating_sub(since(lease.planned))));
            match select(renewal, patience).await {
                Either::Left((Standing::InFlight(renewed, _), _)) => lease = renewed,
                Either::Left((Standing::Closed, _)) => return std::future::pending().await,
                Either::Left((Standing::Lost, _)) | Either::Right(_) => return,
            }
        }
    }

    async fn renew_until_known(&self, attempt: Attempt) -> Standing {
        let mut pause = FIRST_PAUSE;
        loop {
            // An engine that stops finishes what its leases allow, and no more.
            if self.stopping.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            match self.renew(attempt).await {
                Ok(standing) => return standing,
                Err(error) => {
                    tracing::debug!(
                        incident = attempt.incident.value(),
                        error = %Chain::of(&error),
                        "a lease could not be renewed yet"
                    );
                    self.clocks.sleep(pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    /// Reads the record again, and extends the lease if the attempt is still in flight.
    pub(super) async fn renew(&self, attempt: Attempt) -> Result<Standing, Outage> {
        let planned = self.clocks.monotonic();
        let Some(record) = self.store.load(attempt.incident).await? else { return Ok(Standing::Lost) };
        let (delivery, lease) = (attempt.delivery, self.length.marked());
        let input = |_| Input::Renew { delivery, attempt: attempt.number, lease };
        Ok(match self.swap.change(record, input).await? {
            Changed::Done { record, .. } | Changed::Nothing(record) | Changed::Refused(record, _) => {
                attempt.standing(record, planned)
            }
            Changed::Gone => Standing::Lost,
        })
    }
}
