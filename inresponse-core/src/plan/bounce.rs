//! Decides what a bounce of an accepted mail means.

use chrono::{DateTime, Utc};

use super::decision::{Decision, change};
use super::due::note_dead_level;
use super::handover;
use crate::model::{DeliveryId, DeliveryStatus, Incident, LastOutcome, OutcomeKind, State};

/// Makes a bounced delivery dead, so that nothing waits for it (promise 12).
///
/// A mail may bounce before its acceptance is recorded, or after that answer was lost; then it is not sent again. A bounce of a
/// delivery from before the incident was last released changes nothing. The bounce of a later delivery counts only while
/// the incident is open. The bounce of the notice to a new holder counts in every state.
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
    // Nobody else would notify the person to whom it was handed.
    let counts =
        |i: &usize| incident.state == State::Open || handover::is_notice(incident, &incident.deliveries[*i]);
    let Some(i) = position.filter(counts) else { return Decision::Nothing };
    let was_accepted = match incident.deliveries[i].status {
        DeliveryStatus::Accepted { .. } => true,
        DeliveryStatus::Pending { .. } | DeliveryStatus::InFlight { .. } => false,
        DeliveryStatus::Dead { .. } | DeliveryStatus::Stopped { .. } => return Decision::Nothing,
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
    }
    change(next, Vec::new(), now)
}
