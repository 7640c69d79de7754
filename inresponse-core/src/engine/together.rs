//! Sends a bundle: many leases and one message (promise 23).

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, join_all, select, select_all};

use super::deliver::{BEGIN_WITHIN, Ending, GRACE, Sender, report_end, send_deadline};
use super::in_flight::InFlightMark;
use super::leased::{LeaseTimes, LeasedSend};
use super::links::Links;
use super::renew::Attempt;
use super::slots::{Fate, Filled, Slot};
use crate::model::{Outcome, OutcomeKind};
use crate::notify::{Alert, Bundle, Notifier, NotifyBundle};
use crate::store::Record;

/// A delivery that is sent together with others.
struct Rider {
    alert: Alert,
    attempt: Attempt,
    lease: LeaseTimes,
    record: Record,
    _mark: InFlightMark,
    known_since: Duration,
}

impl Sender {
    /// Makes one attempt for all these leases, and records the outcome of each.
    ///
    /// A delivery that may not begin any more drops out. If one is left, it goes out on its own.
    pub(super) async fn deliver_together(
        &self,
        leased: Vec<LeasedSend>,
        slot: Slot,
        filled: Filled,
        links: &Links,
    ) {
        let judged = join_all(leased.into_iter().map(|send| self.judge(send))).await;
        let now = self.clocks.monotonic();
        let (mut riders, mut dropped) = (Vec::new(), Vec::new());
        for (rider, refusal) in judged {
            let is_old = now.saturating_sub(rider.known_since) >= BEGIN_WITHIN;
            let slow = is_old.then_some("other deliveries of the bundle were slow to begin");
            match refusal.or(slow) {
                Some(reason) => dropped.push((rider, reason)),
                None => riders.push(rider),
            }
        }
        let dropping =
            join_all(dropped.into_iter().map(|(rider, reason)| self.end_of(rider, Ending::NotBegun(reason))));
        let sending = async {
            if riders.is_empty() {
                drop(slot);
                return self.wake.slot_freed();
            }
            let began = self.clocks.monotonic();
            let outcome = self.attempt_together(&riders, links).await;
            let took = self.clocks.monotonic().saturating_sub(began);
            let ids: Vec<_> =
                riders.iter().map(|rider| rider.alert.delivery_id().as_str().to_owned()).collect();
            slot.sent_together(took, &ids, fate_of(&outcome), filled);
            self.wake.slot_freed();
            let accepted = riders.first().filter(|_| outcome.kind() == OutcomeKind::Accepted);
            let reached = accepted.map(|rider| rider.alert.contact().clone());
            join_all(riders.into_iter().map(|rider| self.end_of(rider, Ending::Outcome(outcome.clone()))))
                .await;
            if let Some(contact) = reached {
                self.notifiers.note_reached(&contact).await;
            }
        };
        futures_util::future::join(dropping, sending).await;
    }

    /// Records that a delivery whose lease came too late for its bundle was not begun.
    pub(super) async fn give_back(&self, leased: LeasedSend) {
        let reason = "the lease came too late for its bundle";
        self.end_of(rider_of(leased), Ending::NotBegun(reason)).await;
    }

    /// Whether the delivery may begin; the reason if not.
    async fn judge(&self, leased: LeasedSend) -> (Rider, Option<&'static str>) {
        let mut rider = rider_of(leased);
        match self.may_begin(&rider.alert, rider.attempt, rider.lease).await {
            Ok(begin) => {
                rider.lease = begin.lease;
                rider.known_since = begin.known_since;
                if let Some(again) = begin.read_again {
                    rider.alert = rider.alert.read_again(Arc::new(again.incident.clone()), again.count);
                    rider.record = *again;
                }
                (rider, None)
            }
            Err(reason) => (rider, Some(reason)),
        }
    }

    /// Makes the attempt. Its deadline comes from the earliest lease. If one lease cannot be kept, the whole message is
    /// given up as unknown: nobody knows for which deliveries it arrived.
    async fn attempt_together(&self, riders: &[Rider], links: &Links) -> Outcome {
        let clocks = &self.clocks;
        let earliest = riders.iter().map(|rider| rider.lease.planned).min().unwrap_or_default();
        let time = send_deadline(self.lease).saturating_sub(clocks.monotonic().saturating_sub(earliest));
        let deadline = time.saturating_sub(self.lease / GRACE);
        let notifying = pin!(AssertUnwindSafe(self.notify_together(riders, links, deadline)).catch_unwind());
        let keeping = riders.iter().map(|rider| Box::pin(self.renewals.keep(rider.attempt, rider.lease)));
        let over = select(Box::pin(clocks.sleep(time)), select_all(keeping));
        match select(notifying, over).await {
            Either::Left((Ok(outcome), _)) => outcome,
            Either::Left((Err(_panic), _)) => Outcome::unknown("the notifier panicked"),
            Either::Right((Either::Left(_), _)) => Outcome::unknown("the notifier did not answer in time"),
            Either::Right((Either::Right(_), _)) => {
                Outcome::unknown("a lease of the bundle could not be renewed during the send")
            }
        }
    }

    async fn notify_together(&self, riders: &[Rider], links: &Links, deadline: Duration) -> Outcome {
        if let [only] = riders {
            return self.notifiers.notify(&only.alert, deadline).await;
        }
        let alerts = riders.iter().map(|rider| rider.alert.clone()).collect();
        let Some(bundle) = Bundle::new(alerts) else {
            return Outcome::unavailable("the deliveries of the bundle do not fit together");
        };
        let numbers = bundle.alerts().iter().map(|alert| alert.incident().number());
        let url = links.claim_all_url(numbers, bundle.contact(), &self.clocks);
        let bundle = match url {
            Some(url) => bundle.with_claim_all_url(url),
            None => bundle,
        };
        match self.notifiers.notify_bundle(&bundle, deadline).await {
            // A message about many incidents must not be withdrawn because of one of them.
            Outcome::AcceptedAs(_) => Outcome::Accepted,
            outcome => outcome,
        }
    }

    async fn end_of(&self, rider: Rider, ended: Ending) {
        report_end(&rider.alert, &ended);
        self.record(rider.record, rider.attempt, &ended).await;
    }
}

fn rider_of(leased: LeasedSend) -> Rider {
    let LeasedSend { alert, delivery, attempt, lease, version, last_reported_at, place: _, mark } = leased;
    let attempt = Attempt { incident: alert.incident().number(), delivery, number: attempt };
    let (incident, count) = (alert.incident().clone(), alert.count());
    let record = Record { incident, version, count, last_reported_at };
    Rider { alert, attempt, lease, record, _mark: mark, known_since: lease.planned }
}

fn fate_of(outcome: &Outcome) -> Fate {
    match outcome {
        Outcome::Accepted | Outcome::AcceptedAs(_) | Outcome::Rejected { .. } => Fate::Settled,
        Outcome::Throttled { .. } | Outcome::Limited { .. } => Fate::Paused,
        Outcome::Unavailable { .. } | Outcome::Unknown { .. } => Fate::Failed,
    }
}
