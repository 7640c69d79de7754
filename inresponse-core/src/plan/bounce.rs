//! Decides what it means if a carrier reports later that it could not deliver what it had accepted.

use chrono::{DateTime, Utc};

use super::decision::{Decision, change};
use super::due::note_dead_level;
use super::{backoff, handover, limited};
use crate::clock::later;
use crate::model::{
    Delivery, DeliveryId, DeliveryStatus, Incident, LastOutcome, OutcomeKind, Purpose, State,
};

/// Makes a bounced delivery dead, so that nothing waits for it (promise 12).
///
/// A mail may bounce before its acceptance is recorded, or after that answer was lost; then it is not sent again. A bounce of a
/// delivery from before the incident was last released changes nothing. The bounce of a later delivery counts only while
/// the incident is open. The bounce of a notice to the holder counts while they have the incident.
pub(super) fn bounced(
    incident: &Incident,
    delivery: &DeliveryId,
    reason: &str,
    now: DateTime<Utc>,
) -> Decision {
    // Repeat rounds go on with what was begun; a release begins again.
    let first_round = incident.round.saturating_sub(incident.repeats_done);
    let position = incident
        .deliveries
        .iter()
        .position(|d| d.round >= first_round && incident.delivery_id(d.key()) == *delivery);
    // Nobody else would notify the person to whom it was handed, or who was called in.
    let counts = |i: &usize| {
        let found = &incident.deliveries[*i];
        let is_call = found.purpose.is_call_in() && incident.wants(found);
        incident.state == State::Open || is_call || is_for_the_holder(incident, found)
    };
    let Some(i) = position.filter(counts) else { return Decision::Nothing };
    let was_accepted = match incident.deliveries[i].status {
        DeliveryStatus::Accepted { .. } => true,
        DeliveryStatus::Pending { .. } | DeliveryStatus::InFlight { .. } => false,
        DeliveryStatus::Dead { .. } | DeliveryStatus::Limited { .. } | DeliveryStatus::Stopped { .. } => {
            return Decision::Nothing;
        }
    };
    // A delivery that was never attempted cannot bounce.
    if incident.deliveries[i].attempts == 0 {
        return Decision::Nothing;
    }

    let mut next = incident.clone();
    let was_alert = was_accepted && !incident.deliveries[i].is_status_update();
    next.accepted = next.accepted.saturating_sub(u32::from(was_alert));
    next.deliveries[i].last = Some(LastOutcome::new(OutcomeKind::Bounced, reason, now));
    next.deliveries[i].status = DeliveryStatus::Dead { at: now };
    if next.deliveries[i].round == next.round {
        note_dead_level(&mut next, incident.deliveries[i].purpose, now);
        limited::try_again(&mut next, now);
    }
    change(next, Vec::new(), now)
}

/// Whether a delivery tells the holder of something that nobody else tells them: the hand-over, or the claim's end.
fn is_for_the_holder(incident: &Incident, delivery: &Delivery) -> bool {
    let announces = incident.state == State::Claimed && delivery.announces.is_some();
    announces || handover::is_notice(incident, delivery)
}

/// Makes an accepted delivery due again, because its carrier reports that this attempt failed for now: a phone that is
/// switched off, or a network that lost the message.
///
/// Such a report does not prove that nothing arrived, and each attempt may cost money. So the pause is that of an unknown
/// outcome (promise 9). The report may come before the acceptance is recorded; that acceptance then changes nothing.
/// Only a report about the latest attempt counts, in the current round, and while somebody must be alerted.
pub(super) fn undelivered(
    incident: &Incident,
    delivery: &DeliveryId,
    attempt: u32,
    reason: &str,
    now: DateTime<Utc>,
) -> Decision {
    let is_it = |i: &usize| incident.delivery_id(incident.deliveries[*i].key()) == *delivery;
    let Some(i) = (0..incident.deliveries.len()).find(is_it) else { return Decision::Nothing };
    let found = &incident.deliveries[i];
    let counts = incident.wants(found) && !found.is_status_update();
    if !(counts || is_for_the_holder(incident, found)) || found.round != incident.round {
        return Decision::Nothing;
    }
    let was_accepted = match found.status {
        DeliveryStatus::Accepted { .. } => true,
        DeliveryStatus::InFlight { .. } => false,
        DeliveryStatus::Pending { .. }
        | DeliveryStatus::Dead { .. }
        | DeliveryStatus::Limited { .. }
        | DeliveryStatus::Stopped { .. } => return Decision::Nothing,
    };
    if found.attempts != attempt {
        return Decision::Nothing;
    }
    let wait = match found.purpose {
        Purpose::Alert(level) => incident.matrix.wait_of(level),
        Purpose::CallIn(_) | Purpose::StatusUpdate(_) => incident.matrix.wait(),
    };
    let due_at = later(now, backoff::unknown(delivery, attempt, wait));

    let mut next = incident.clone();
    let was_alert = was_accepted && !found.is_status_update();
    next.accepted = next.accepted.saturating_sub(u32::from(was_alert));
    next.deliveries[i].last = Some(LastOutcome::new(OutcomeKind::Bounced, reason, now));
    next.deliveries[i].status = DeliveryStatus::Pending { due_at };
    limited::try_again(&mut next, now);
    change(next, Vec::new(), now)
}
