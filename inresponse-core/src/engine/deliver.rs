//! Makes one attempt and records its outcome.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};

use super::clocks::Clocks;
use super::leased::{LeaseTimes, LeasedSend, Place};
use super::renew::{Attempt, Renewals, Standing};
use super::swap::{Changed, Swap};
use super::transitions::report_transitions;
use super::wake::Wake;
use crate::error::{Chain, Outage, OutageKind};
use crate::model::{Outcome, OutcomeKind, Purpose};
use crate::notify::{Alert, Notifier, Notifiers};
use crate::plan::Input;
use crate::store::{Record, Store};

/// A send begins at most this long after its lease; otherwise the record is read again first (promise 11).
pub(super) const BEGIN_WITHIN: Duration = Duration::from_secs(1);
/// The part of the lease by which a notifier may exceed its deadline before its future is dropped: half a second of 30.
pub(super) const GRACE: u32 = 60;
/// The number of times that the record is read again before an attempt is postponed.
const LOOKS: u32 = 8;
/// The first pause between attempts to record an outcome.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// Makes attempts.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) notifiers: Notifiers,
    pub(super) renewals: Renewals,
    pub(super) swap: Arc<Swap>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) wake: Arc<Wake>,
    /// How long leases last.
    pub(super) lease: Duration,
}

/// How long one attempt to send may take, with leases of that length.
pub(super) const fn send_deadline(lease: Duration) -> Duration {
    lease.saturating_mul(4)
}

impl Sender {
    /// Makes the attempt of a lease and records its outcome, however slow the store is.
    ///
    /// `give_up_at` is the latest time at which the attempt must have ended, by the monotonic clock. Dropping the
    /// future is like a crash: the delivery is due again when its lease ends.
    pub(super) async fn deliver(&self, leased: LeasedSend, give_up_at: Option<Duration>) {
        let LeasedSend {
            mut alert,
            delivery,
            attempt,
            lease,
            mut version,
            mut last_reported_at,
            place,
            mark,
        } = leased;
        let this = Attempt { incident: alert.incident().number(), delivery, number: attempt };
        let ended = match self.may_begin(&alert, this, lease).await {
            Ok(Begin { lease, read_again, .. }) => {
                if let Some(again) = read_again {
                    (version, last_reported_at) = (again.version, again.last_reported_at);
                    alert = alert.read_again(Arc::new(again.incident), again.count);
                }
                let began = self.clocks.monotonic();
                let outcome = self.attempt(&alert, this, lease, give_up_at).await;
                if let Place::Slot(slot) = place {
                    slot.sent(self.clocks.monotonic().saturating_sub(began));
                }
                Ending::Outcome(outcome)
            }
            Err(reason) => {
                drop(place);
                Ending::NotBegun(reason)
            }
        };
        self.wake.slot_freed();
        report_end(&alert, &ended);
        let (incident, count) = (alert.incident().clone(), alert.count());
        let is_accepted =
            matches!(&ended, Ending::Outcome(outcome) if outcome.kind() == OutcomeKind::Accepted);
        self.record(Record { incident, version, count, last_reported_at }, this, &ended).await;
        drop(mark);
        if is_accepted {
            self.notifiers.note_reached(alert.contact()).await;
        }
    }

    /// Whether a send may begin, and under which lease; the reason if not.
    ///
    /// If the commit of the lease was so slow that somebody may have claimed the incident in between, the record is
    /// read again (promise 11). If a third of the lease has passed by either clock, the lease is renewed first, so that
    /// the send has enough time. (A server whose clock is ahead could take the lease over soon: promise 14.)
    pub(super) async fn may_begin(
        &self,
        alert: &Alert,
        attempt: Attempt,
        lease: LeaseTimes,
    ) -> Result<Begin, &'static str> {
        let clock = &self.clocks;
        let third = self.lease / 3;
        let mut begin = Begin { lease, read_again: None, known_since: lease.planned };
        for _ in 0..LOOKS {
            let lease = begin.lease;
            let by_wall = self.clocks.now() >= lease.until - third * 2;
            let by_monotonic = clock.monotonic() >= lease.planned + third;
            let is_old = by_wall || by_monotonic;
            let waited = clock.monotonic().saturating_sub(begin.known_since);
            if !is_old && waited < BEGIN_WITHIN {
                return Ok(begin);
            }
            tracing::debug!(
                delivery = %alert.delivery_id(),
                ?waited,
                "the commit of a lease was slow: reading the record again"
            );
            // A slow read may return an old state, so it is followed by another read.
            let known_since = clock.monotonic();
            let standing = if is_old {
                self.renewals.renew(attempt).await
            } else {
                let record = self.store.load(attempt.incident).await;
                record.map(|record| record.map_or(Standing::Lost, |r| attempt.standing(r, lease.planned)))
            };
            match standing {
                Ok(Standing::InFlight(lease, record)) => {
                    begin = Begin { lease, read_again: Some(record), known_since };
                }
                Ok(Standing::Closed | Standing::Lost) => {
                    return Err("the commit of the lease was slow, and the lease is no longer valid");
                }
                Err(_) => {
                    return Err("the commit of the lease was slow, and the incident could not be read again");
                }
            }
        }
        Err("the store was too slow to begin the send")
    }

    /// Makes one attempt. A panic, a missing answer at the deadline, and an attempt that is given up because its lease
    /// cannot be kept are unknown outcomes (promise 13).
    async fn attempt(
        &self,
        alert: &Alert,
        attempt: Attempt,
        lease: LeaseTimes,
        give_up_at: Option<Duration>,
    ) -> Outcome {
        let clock = &self.clocks;
        let left = give_up_at.map_or(Duration::MAX, |at| at.saturating_sub(clock.monotonic()));
        let time = send_deadline(self.lease).min(left);
        // The notifier is dropped a little after its deadline: that moment is part of the time.
        let deadline = time.saturating_sub(self.lease / GRACE);
        let notifying = AssertUnwindSafe(self.notifiers.notify(alert, deadline)).catch_unwind();
        let over = select(Box::pin(clock.sleep(time)), Box::pin(self.renewals.keep(attempt, lease)));
        match select(Box::pin(notifying), over).await {
            Either::Left((Ok(outcome), _)) => outcome,
            Either::Left((Err(_panic), _)) => Outcome::unknown("the notifier panicked"),
            Either::Right((Either::Left(_), _)) => Outcome::unknown("the notifier did not answer in time"),
            Either::Right((Either::Right(_), _)) => {
                Outcome::unknown("the lease could not be renewed during the send")
            }
        }
    }

    /// Records how an attempt ended by merging the result into the current record.
    pub(super) async fn record(&self, leased: Record, attempt: Attempt, ended: &Ending) {
        let (mut pause, mut known) = (FIRST_PAUSE, Some(leased));
        while let Err(error) = self.try_record(known.take(), attempt, ended).await {
            tracing::warn!(
                incident = attempt.incident.value(),
                error = %Chain::of(&error),
                "an outcome could not be recorded yet"
            );
            if error.kind() == OutageKind::Permanent {
                pause = MAX_PAUSE;
            }
            self.clocks.sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    async fn try_record(
        &self,
        known: Option<Record>,
        attempt: Attempt,
        ended: &Ending,
    ) -> Result<(), Outage> {
        let record = match known {
            Some(record) => Some(record),
            None => self.store.load(attempt.incident).await?,
        };
        let Some(record) = record else { return Ok(()) };
        let Attempt { delivery, number, .. } = attempt;
        let input = |_| match ended {
            Ending::Outcome(outcome) => Input::Outcome { delivery, attempt: number, outcome },
            Ending::NotBegun(reason) => Input::NotBegun { delivery, attempt: number, reason },
        };
        match self.swap.change(record, input).await? {
            Changed::Done { before, record } => {
                let after = &record.incident;
                report_transitions(&before, after);
                if after.accepted == 1 && before.accepted == 0 && after.round() == 1 {
                    let took = (after.updated_at() - after.created_at()).to_std().unwrap_or_default();
                    metrics::histogram!("inresponse_report_to_accepted_seconds").record(took.as_secs_f64());
                }
            }
            // Recorded already (by a commit whose answer was lost), or no longer of interest.
            Changed::Nothing(_) | Changed::Refused(..) | Changed::Gone => {}
        }
        Ok(())
    }
}

/// The lease and the record with which a send begins.
pub(super) struct Begin {
    pub(super) lease: LeaseTimes,
    /// The record, if it was read again after the lease.
    pub(super) read_again: Option<Box<Record>>,
    /// The monotonic time since which the record may have changed.
    pub(super) known_since: Duration,
}

/// The result of an attempt.
pub(super) enum Ending {
    /// The attempt was begun and has this outcome. It is unknown if the notifier gave none.
    Outcome(Outcome),
    /// The attempt was not begun, for this reason.
    NotBegun(&'static str),
}

/// Counts the result of an attempt, and logs what an operator should see.
pub(super) fn report_end(alert: &Alert, ended: &Ending) {
    let (kind, reason) = match ended {
        Ending::NotBegun(reason) => (OutcomeKind::NotBegun, *reason),
        Ending::Outcome(outcome) => (outcome.kind(), outcome.reason()),
    };
    metrics::counter!("inresponse_deliveries_total", "outcome" => kind.as_str()).increment(1);
    let (delivery, contact, attempt) = (alert.delivery_id().as_str(), alert.contact(), alert.attempt());
    let (what, level) = match alert.purpose() {
        Purpose::Alert(level) => ("alert", level.to_string()),
        Purpose::CallIn(_) => ("call-in", "call-in".to_owned()),
        Purpose::StatusUpdate(_) => ("status update", "status-update".to_owned()),
    };
    match kind {
        OutcomeKind::Accepted => {
            tracing::info!(delivery, level, %contact, attempt, "{what} accepted");
        }
        OutcomeKind::Rejected | OutcomeKind::Bounced => {
            tracing::error!(delivery, level, %contact, attempt, reason, "{what} rejected permanently");
        }
        OutcomeKind::Limited => {
            tracing::warn!(delivery, level, %contact, attempt, reason, "{what} held back by a limit");
        }
        OutcomeKind::Throttled
        | OutcomeKind::Unavailable
        | OutcomeKind::Unknown
        | OutcomeKind::Expired
        | OutcomeKind::NotBegun => {
            tracing::warn!(delivery, level, %contact, attempt, outcome = kind.as_str(), reason, "{what} will be retried");
        }
    }
}
