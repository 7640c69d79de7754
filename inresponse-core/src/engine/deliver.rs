//! Makes one attempt and records its outcome.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};

use super::Engine;
use super::lease::{LeasedSend, report_transitions};
use crate::error::{Outage, OutageKind};
use crate::model::{DeliveryKey, DeliveryStatus, Incident, Level, OutcomeKind, State, Version};
use crate::notify::{Alert, Notifier, Outcome};
use crate::plan::{self, Decision, Input};
use crate::planted::planted;
use crate::store::Committed;

/// A send begins at most this long after its lease, or the record is looked at once more (promise 11).
const BEGIN_WITHIN: Duration = Duration::from_secs(1);
/// How long a notifier may overrun its deadline before it is dropped.
const GRACE: Duration = Duration::from_millis(500);
/// Pauses between attempts to record an outcome.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(2);

impl Engine {
    /// Makes the attempt that a lease allows, and records how it ended, however long the store takes for that.
    ///
    /// Dropping the future is like a crash: the delivery is due again when its lease ends.
    pub(super) async fn deliver(&self, leased: LeasedSend) {
        let LeasedSend { alert, delivery, attempt, lease, incident, version, slot, mark } = leased;
        let outcome = match self.may_begin(&alert, delivery, attempt, lease).await {
            Ok(()) => {
                if planted!(AcceptedBeforeSend) {
                    self.record(&incident, version, delivery, attempt, &Outcome::Accepted).await;
                }
                self.attempt(&alert).await
            }
            Err(reason) => Outcome::NotBegun { reason: reason.to_owned() },
        };
        drop(slot);
        self.inner.wake.slot_freed();
        report_outcome(&alert, &outcome);
        self.record(&incident, version, delivery, attempt, &outcome).await;
        drop(mark);
    }

    /// Whether a send may begin under its lease; the reason if not.
    ///
    /// Not once two thirds of the lease are over by either clock: a server whose clock is a third of it ahead may have
    /// taken it over then (promise 14). Where the commit took so long that
    /// somebody may have claimed meanwhile, the record is asked once more (promise 11).
    async fn may_begin(
        &self,
        alert: &Alert,
        delivery: DeliveryKey,
        attempt: u32,
        lease: super::lease::LeaseTimes,
    ) -> Result<(), &'static str> {
        let clock = &self.inner.clock;
        let third = self.inner.lease / 3;
        let is_over = || {
            let by_wall = self.now() >= lease.until - third;
            let by_monotonic = clock.monotonic() >= lease.planned + third * 2;
            (by_wall || (by_monotonic && !planted!(OnlyTheWallClock))) && !planted!(LeaseNotChecked)
        };
        let mut known_since = lease.planned;
        loop {
            if is_over() {
                return Err("the lease was over before the send began");
            }
            let waited = clock.monotonic().saturating_sub(known_since);
            if waited < BEGIN_WITHIN || planted!(ClaimNotRechecked) {
                return Ok(());
            }
            tracing::debug!(
                delivery = %alert.delivery_id(),
                commit_took = ?lease.committed.saturating_sub(lease.planned),
                "a lease was slow, so its record is looked at once more"
            );
            // A look that is slow itself tells what was, so it is followed by another, until the lease is over.
            known_since = clock.monotonic();
            let number = alert.incident().number();
            let Ok(Some(record)) = self.inner.store.load(number).await else {
                return Err("the lease was slow and the incident could not be read again");
            };
            let holds = (record.incident.state() == State::Open || matches!(delivery.level, Level::News(_)))
                && record.incident.round() == delivery.round
                && record.incident.deliveries().iter().any(|d| {
                    d.key() == delivery
                        && d.attempts() == attempt
                        && matches!(d.status(), DeliveryStatus::InFlight { .. })
                });
            if !holds {
                return Err("the lease was slow and no longer held");
            }
        }
    }

    /// One attempt. A panic, or silence past the deadline, is an unknown outcome (promise 13).
    async fn attempt(&self, alert: &Alert) -> Outcome {
        let deadline = self.deadline();
        let attempt = AssertUnwindSafe(self.inner.notifiers.notify(alert, deadline)).catch_unwind();
        let patience = if planted!(HangsForEver) { Duration::MAX } else { deadline + GRACE };
        let expiry = self.inner.clock.sleep(patience);
        match select(Box::pin(attempt), Box::pin(expiry)).await {
            Either::Left((Ok(outcome), _)) => outcome,
            Either::Left((Err(panic), _)) if planted!(PanicNotCaught) => std::panic::resume_unwind(panic),
            Either::Left((Err(_panic), _)) => Outcome::unknown("the notifier panicked"),
            Either::Right(((), _)) => Outcome::unknown("the notifier did not answer in time"),
        }
    }

    /// Records an outcome by merging it into whatever the record has become.
    async fn record(
        &self,
        leased: &Incident,
        version: Version,
        delivery: DeliveryKey,
        attempt: u32,
        outcome: &Outcome,
    ) {
        let mut pause = FIRST_PAUSE;
        let mut current = Some((leased.clone(), version));
        loop {
            match self.try_record(&mut current, delivery, attempt, outcome, leased).await {
                Ok(Merge::Done) => return,
                Ok(Merge::Again) => {}
                Err(error) => {
                    tracing::warn!(
                        incident = leased.number().value(),
                        error = %error,
                        "an outcome could not be recorded yet"
                    );
                    if error.kind() == OutageKind::Permanent {
                        pause = MAX_PAUSE;
                    }
                    self.inner.clock.sleep(pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    async fn try_record(
        &self,
        current: &mut Option<(Incident, Version)>,
        delivery: DeliveryKey,
        attempt: u32,
        outcome: &Outcome,
        leased: &Incident,
    ) -> Result<Merge, Outage> {
        let (incident, version) = match current.take() {
            Some(current) => current,
            None => match self.inner.store.load(leased.number()).await? {
                Some(record) => (record.incident, record.version),
                None => return Ok(Merge::Done),
            },
        };
        let now = self.now();
        let plan = match plan::step(&incident, Input::Outcome { delivery, attempt, outcome }, now) {
            Decision::Change(plan) => plan,
            // Recorded already (by a commit whose answer was lost), or no longer of interest.
            Decision::Nothing | Decision::Refuse(_) | Decision::NeedsRound(_) => return Ok(Merge::Done),
        };
        let committed = self.commit(version, &plan.draft).await;
        self.notice_clock(now);
        match committed? {
            Committed::Stale if planted!(OutcomeDroppedOnStale) => Ok(Merge::Done),
            Committed::Stale => Ok(Merge::Again),
            Committed::At(version) => {
                let after = plan.draft.incident();
                report_transitions(&incident, after);
                if after.accepted == 1 && incident.accepted == 0 && after.round() == 1 {
                    let took = (now - after.created_at()).to_std().unwrap_or_default();
                    metrics::histogram!("inresponse_report_to_accepted_seconds").record(took.as_secs_f64());
                }
                self.inner.wake.due(after.number(), version, plan.draft.due_at());
                Ok(Merge::Done)
            }
        }
    }
}

enum Merge {
    Done,
    Again,
}

/// Counts an outcome, and says in the log what an operator should see.
fn report_outcome(alert: &Alert, outcome: &Outcome) {
    let (kind, reason) = match outcome {
        Outcome::Accepted => (OutcomeKind::Accepted, ""),
        Outcome::Rejected { reason } => (OutcomeKind::Rejected, reason.as_str()),
        Outcome::Throttled { reason, .. } => (OutcomeKind::Throttled, reason.as_str()),
        Outcome::Unavailable { reason } => (OutcomeKind::Unavailable, reason.as_str()),
        Outcome::Unknown { reason } => (OutcomeKind::Unknown, reason.as_str()),
        Outcome::NotBegun { reason } => (OutcomeKind::NotBegun, reason.as_str()),
    };
    metrics::counter!("inresponse_deliveries_total", "outcome" => kind.as_str()).increment(1);
    let (delivery, contact, attempt) = (alert.delivery_id().as_str(), alert.contact(), alert.attempt());
    let level = match alert.level() {
        Level::At(n) => n,
        Level::Fallback | Level::News(_) => 0,
    };
    match kind {
        OutcomeKind::Accepted => {
            tracing::info!(delivery, level, %contact, attempt, "alert accepted");
        }
        OutcomeKind::Rejected | OutcomeKind::Bounced => {
            tracing::error!(delivery, level, %contact, attempt, reason, "alert rejected for good");
        }
        OutcomeKind::Throttled
        | OutcomeKind::Unavailable
        | OutcomeKind::Unknown
        | OutcomeKind::Expired
        | OutcomeKind::NotBegun => {
            tracing::warn!(delivery, level, %contact, attempt, outcome = kind.as_str(), reason, "alert to be tried again");
        }
    }
}
