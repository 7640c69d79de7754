//! What it means that a mail which a carrier had accepted came back.

use chrono::{DateTime, Utc};

use super::due::note_dead_level;
use super::{Decision, change, last_outcome};
use crate::model::{DeliveryId, DeliveryStatus, Incident, OutcomeKind, State};

/// Promise 12: a delivery that came back is dead, and so nobody waits for it any longer.
///
/// It may come back before its acceptance is recorded, and where that answer was lost; it is not sent again then.
/// What comes back of an incident that is not open, or from before a release, changes nothing any more.
pub(super) fn bounced(
    incident: &Incident,
    delivery: &DeliveryId,
    reason: &str,
    now: DateTime<Utc>,
) -> Decision {
    // Repeat rounds go on with what was begun; a release begins anew.
    let first_round = incident.round.saturating_sub(incident.repeats_done);
    let position = incident
        .deliveries
        .iter()
        .position(|d| d.round >= first_round && incident.delivery_id(d.key()) == *delivery);
    let Some(i) = position.filter(|_| incident.state == State::Open) else { return Decision::Nothing };
    let was_accepted = match incident.deliveries[i].status {
        DeliveryStatus::Accepted { .. } => true,
        DeliveryStatus::Pending { .. } | DeliveryStatus::InFlight { .. } => false,
        DeliveryStatus::Dead { .. } | DeliveryStatus::Stopped { .. } => return Decision::Nothing,
    };
    // What was never tried cannot come back.
    if incident.deliveries[i].attempts == 0 {
        return Decision::Nothing;
    }

    let mut next = incident.clone();
    next.accepted = next.accepted.saturating_sub(u32::from(was_accepted));
    next.deliveries[i].last = last_outcome(OutcomeKind::Bounced, reason, now);
    next.deliveries[i].status = DeliveryStatus::Dead { at: now };
    if next.deliveries[i].round == next.round {
        note_dead_level(&mut next, incident.deliveries[i].level, now);
    }
    change(next, Vec::new(), now)
}
