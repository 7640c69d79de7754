//! What the outcome of an attempt means.

use chrono::{DateTime, Utc};

use super::due::note_dead_level;
use super::{Decision, backoff, change, handover, last_outcome, later, news};
use crate::model::{DeliveryKey, DeliveryStatus, Incident, Outcome, OutcomeKind, State};

/// Merges an outcome by (delivery, attempt).
///
/// An outcome is a fact: an acceptance is recorded whatever the incident's state is by then, and only a bounce takes it
/// back. Every other outcome counts only for the attempt in flight. For an attempt that was taken over it shows that
/// its process had not died.
pub(super) fn outcome(
    incident: &Incident,
    key: DeliveryKey,
    attempt: u32,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Decision {
    let id = incident.delivery_id(key);
    let wait = incident.matrix.wait_of(key.level);
    let again = |after| DeliveryStatus::Pending { due_at: later(now, after) };
    let status = match outcome {
        Outcome::Accepted => DeliveryStatus::Accepted { at: now },
        Outcome::Rejected { .. } => DeliveryStatus::Dead { at: now },
        Outcome::Throttled { after, .. } => again(backoff::throttled(&id, attempt, *after)),
        Outcome::Unavailable { .. } => again(backoff::unavailable(&id, attempt)),
        Outcome::Unknown { .. } => again(backoff::unknown(&id, attempt, wait)),
    };
    let (kind, detail) = (outcome.kind(), outcome.reason());
    merge(incident, Ending { key, attempt, kind, detail, status }, now)
}

/// Merges that an attempt was not begun: it is due again at once.
pub(super) fn not_begun(
    incident: &Incident,
    key: DeliveryKey,
    attempt: u32,
    reason: &str,
    now: DateTime<Utc>,
) -> Decision {
    let status = DeliveryStatus::Pending { due_at: now };
    merge(incident, Ending { key, attempt, kind: OutcomeKind::NotBegun, detail: reason, status }, now)
}

/// What an attempt left its delivery in.
struct Ending<'a> {
    key: DeliveryKey,
    attempt: u32,
    kind: OutcomeKind,
    detail: &'a str,
    status: DeliveryStatus,
}

fn merge(incident: &Incident, ended: Ending<'_>, now: DateTime<Utc>) -> Decision {
    let Ending { key, attempt, kind, detail, status } = ended;
    let Some(i) = incident.deliveries.iter().position(|d| d.key() == key) else { return Decision::Nothing };
    let delivery = &incident.deliveries[i];
    let in_flight =
        matches!(delivery.status, DeliveryStatus::InFlight { .. }) && delivery.attempts == attempt;
    let accepted = kind == OutcomeKind::Accepted;
    if delivery.is_accepted() || delivery.has_bounced() || !(accepted || in_flight) {
        return lived(incident, i, attempt, now);
    }
    let mut next = incident.clone();
    let of_this_round = key.round == incident.round;
    next.deliveries[i].last = last_outcome(kind, detail, now);
    next.deliveries[i].status = match status {
        // Nobody is alerted any more in a round that is over or an incident that is not open.
        DeliveryStatus::Pending { .. }
            if !of_this_round || (incident.state != State::Open && !delivery.is_news()) =>
        {
            DeliveryStatus::Stopped { at: now }
        }
        // The person who has it and has answered need not be told.
        DeliveryStatus::Pending { .. }
            if incident.handover.is_none() && incident.holder_at(&delivery.contact).is_some() =>
        {
            DeliveryStatus::Stopped { at: now }
        }
        DeliveryStatus::Pending { .. }
            if delivery.is_news()
                && attempt >= news::MAX_ATTEMPTS
                && !handover::is_notice(incident, delivery) =>
        {
            DeliveryStatus::Dead { at: now }
        }
        status => status,
    };
    // What was sent before a release alerts nobody of what it begins.
    let since_release = key.round + incident.repeats_done >= incident.round;
    next.accepted += u32::from(accepted && since_release && !delivery.is_news());
    if next.deliveries[i].is_dead() && of_this_round {
        note_dead_level(&mut next, key.level, now);
    }
    handover::learn(&mut next, now);
    change(next, Vec::new(), now)
}

/// Promise 9: where an attempt was taken over by a clock that is ahead, its process lives; the attempt does not
/// count towards the death of a delivery that ends its processes.
fn lived(incident: &Incident, i: usize, attempt: u32, now: DateTime<Utc>) -> Decision {
    let delivery = &incident.deliveries[i];
    if !delivery.is_unsettled() || !delivery.expired.contains(&attempt) {
        return Decision::Nothing;
    }
    let mut next = incident.clone();
    next.deliveries[i].expired.retain(|expired| *expired != attempt);
    change(next, Vec::new(), now)
}
