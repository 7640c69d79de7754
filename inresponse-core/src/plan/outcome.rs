//! Decides the effect of an attempt's outcome.

use chrono::{DateTime, Utc};

use super::decision::{Decision, change};
use super::due::note_dead_level;
use super::{backoff, call_in, handover, limited, status_updates};
use crate::clock::later;
use crate::model::{
    DeliveryKey, DeliveryStatus, Incident, LastOutcome, Outcome, OutcomeKind, Purpose, Receipt, State,
};

/// Merges an outcome by (delivery, attempt).
///
/// An outcome is a fact: an acceptance is recorded whatever the incident's state is, and only a bounce removes it.
/// Every other outcome counts only for the attempt in flight. If another process took the attempt over, a late outcome
/// shows that the first process had not died.
pub(super) fn outcome(
    incident: &Incident,
    key: DeliveryKey,
    attempt: u32,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Decision {
    let id = incident.delivery_id(key);
    let wait = match key.purpose {
        Purpose::Alert(level) => incident.matrix.wait_of(level),
        Purpose::CallIn(_) | Purpose::StatusUpdate(_) => incident.matrix.wait(),
    };
    let again = |after| DeliveryStatus::Pending { due_at: later(now, after) };
    let status = match outcome {
        Outcome::Accepted | Outcome::AcceptedAs(_) => DeliveryStatus::Accepted { at: now },
        Outcome::Rejected { .. } => DeliveryStatus::Dead { at: now },
        Outcome::Limited { after, .. } => limited::held_back(incident, key, attempt, *after, now),
        Outcome::Throttled { after, .. } => again(backoff::throttled(&id, attempt, *after)),
        Outcome::Unavailable { .. } => again(backoff::unavailable(&id, attempt)),
        Outcome::Unknown { .. } => again(backoff::unknown(&id, attempt, wait)),
    };
    let (kind, detail) = (outcome.kind(), outcome.reason());
    let receipt = outcome.receipt().cloned();
    merge(incident, Ending { key, attempt, kind, detail, receipt, status }, now)
}

/// Merges the information that an attempt was not begun: the delivery is due again at once.
pub(super) fn not_begun(
    incident: &Incident,
    key: DeliveryKey,
    attempt: u32,
    reason: &str,
    now: DateTime<Utc>,
) -> Decision {
    let status = DeliveryStatus::Pending { due_at: now };
    let kind = OutcomeKind::NotBegun;
    merge(incident, Ending { key, attempt, kind, detail: reason, receipt: None, status }, now)
}

/// The state in which an attempt left its delivery.
struct Ending<'a> {
    key: DeliveryKey,
    attempt: u32,
    kind: OutcomeKind,
    detail: &'a str,
    receipt: Option<Receipt>,
    status: DeliveryStatus,
}

fn merge(incident: &Incident, ended: Ending<'_>, now: DateTime<Utc>) -> Decision {
    let Ending { key, attempt, kind, detail, receipt, status } = ended;
    let Some(i) = incident.deliveries.iter().position(|d| d.key() == key) else { return Decision::Nothing };
    let delivery = &incident.deliveries[i];
    let in_flight =
        matches!(delivery.status, DeliveryStatus::InFlight { .. }) && delivery.attempts == attempt;
    let accepted = kind == OutcomeKind::Accepted;
    // The carrier has reported since that it could not deliver what it had accepted.
    if delivery.is_sent_again_after(attempt) {
        return Decision::Nothing;
    }
    if delivery.is_accepted() || delivery.has_bounced() || !(accepted || in_flight) {
        return lived(incident, i, attempt, now);
    }
    let mut next = incident.clone();
    let of_this_round = key.round == incident.round;
    next.deliveries[i].last = Some(LastOutcome::new(kind, detail, now));
    let is_named = receipt.is_some();
    if is_named {
        next.deliveries[i].receipt = receipt;
    }
    next.deliveries[i].status = match status {
        // Nobody is alerted any more in a round that is over or an incident that is not open, except those who were
        // called in since and have not answered.
        DeliveryStatus::Pending { .. } if !incident.wants(delivery) => DeliveryStatus::Stopped { at: now },
        // The person who has the incident and has answered need not be notified.
        DeliveryStatus::Pending { .. }
            if delivery.is_status_update()
                && incident.handover.is_none()
                && delivery.announces.is_none()
                && incident.holder_at(&delivery.contact).is_some() =>
        {
            DeliveryStatus::Stopped { at: now }
        }
        DeliveryStatus::Pending { .. }
            if delivery.is_status_update()
                && attempt >= status_updates::MAX_ATTEMPTS
                && delivery.announces.is_none()
                && !handover::is_notice(incident, delivery) =>
        {
            DeliveryStatus::Dead { at: now }
        }
        status => status,
    };
    // An alert that was sent before a release does not count for the round that the release begins.
    let since_release = key.round + incident.repeats_done >= incident.round;
    next.accepted += u32::from(accepted && since_release && !delivery.is_status_update());
    if next.deliveries[i].is_dead() && of_this_round {
        note_dead_level(&mut next, key.purpose, now);
    }
    if kind == OutcomeKind::Limited {
        limited::note(&mut next, incident, i, now);
    }
    limited::try_again(&mut next, now);
    if is_named
        && incident.state != State::Open
        && !delivery.is_status_update()
        && !incident.wants(delivery)
        && !incident.has_live_call(delivery.contact())
    {
        status_updates::catch_up(&mut next, delivery.contact(), now);
    }
    if accepted {
        call_in::accepted_before(&mut next, key, now);
    }
    handover::learn(&mut next, now);
    change(next, Vec::new(), now)
}

/// Handles an attempt that a server with a clock ahead took over (promise 9): its process lives, so the attempt does
/// not count as one whose process died.
fn lived(incident: &Incident, i: usize, attempt: u32, now: DateTime<Utc>) -> Decision {
    let delivery = &incident.deliveries[i];
    if !delivery.is_unsettled() || !delivery.expired.contains(&attempt) {
        return Decision::Nothing;
    }
    let mut next = incident.clone();
    next.deliveries[i].expired.retain(|expired| *expired != attempt);
    change(next, Vec::new(), now)
}
