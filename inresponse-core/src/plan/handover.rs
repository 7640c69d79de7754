//! Handles an incident that was handed to a person who has not answered yet.
//!
//! The person may never learn of the hand-over: the name may be mistyped, or they cannot be notified. So the incident
//! is flagged if the notice is not accepted in time. The incident is open again if the person does not answer within
//! the wait of a level.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::round::{NextRound, RoundOf, begin_again, next_of};
use crate::clock::later;
use crate::model::{Delivery, DeliveryStatus, Event, Handover, Incident, Person, State};

/// The time within which the notice should be accepted.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// Records that the current holder was handed the incident by somebody else.
pub(super) fn begin(incident: &mut Incident, now: DateTime<Utc>) {
    incident.handover = Some(Handover { at: now, unconfirmed_at: None });
}

/// The time by which the holder must answer; `None` if no answer is expected.
pub(super) fn answer_by(incident: &Incident) -> Option<DateTime<Utc>> {
    pending(incident).map(|handover| later(handover.at, incident.matrix.wait()))
}

/// When the incident is flagged, or open again.
pub(super) fn due_at(incident: &Incident) -> Option<DateTime<Utc>> {
    flag_at(incident).into_iter().chain(answer_by(incident)).min()
}

fn flag_at(incident: &Incident) -> Option<DateTime<Utc>> {
    let handover = pending(incident).filter(|handover| handover.unconfirmed_at.is_none())?;
    let is_told = notices(incident).any(Delivery::is_accepted);
    (!is_told).then(|| later(handover.at, TOLD_WITHIN))
}

fn pending(incident: &Incident) -> Option<Handover> {
    incident.handover.filter(|_| incident.state == State::Claimed)
}

/// What has happened to a hand-over because of time.
#[must_use]
pub(super) enum Matured {
    /// Nothing has happened.
    Nothing,
    /// The incident is flagged or open again.
    Changed,
    /// The incident must be open again, for which a new round is needed.
    NeedsRound(RoundOf),
}

/// Handles the due times of a hand-over.
pub(super) fn mature(incident: &mut Incident, round: Option<&NextRound>, now: DateTime<Utc>) -> Matured {
    let is_due = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
    if is_due(answer_by(incident)) {
        let Some(round) = round.cloned() else { return Matured::NeedsRound(next_of(incident)) };
        if let Some(claimed) = &incident.claimed {
            let to = claimed.by.clone();
            incident.timeline.push(now, Event::HandoverUnanswered { to });
        }
        begin_again(incident, round, now);
        return Matured::Changed;
    }
    if is_due(flag_at(incident)) {
        flag(incident, now);
        return Matured::Changed;
    }
    Matured::Nothing
}

/// Counts an update as the answer if the holder made it. Returns whether it was the answer.
pub(super) fn answer(incident: &mut Incident, by: &Person, now: DateTime<Utc>) -> bool {
    let is_holder = incident.claimed.as_ref().is_some_and(|claimed| claimed.by.is(by));
    if pending(incident).is_none() || !is_holder {
        return false;
    }
    // The person need not be notified any more.
    let places: Vec<usize> = notice_places(incident).collect();
    for i in places {
        if matches!(incident.deliveries[i].status, DeliveryStatus::Pending { .. }) {
            incident.deliveries[i].status = DeliveryStatus::Stopped { at: now };
        }
    }
    incident.handover = None;
    true
}

/// The notices to the new holder: one for each of the holder's addresses.
fn notices(incident: &Incident) -> impl Iterator<Item = &Delivery> {
    notice_places(incident).map(|i| &incident.deliveries[i])
}

pub(super) fn notice_places(incident: &Incident) -> impl Iterator<Item = usize> + '_ {
    // Those to earlier holders were replaced. A later status update may have been made for somebody else, whose carrier
    // answered late.
    let is_notice = |d: &Delivery| {
        let tells_them = d.is_status_update() && d.announces.is_none();
        d.round == incident.round && tells_them && incident.holder_at(&d.contact).is_some()
    };
    (0..).zip(&incident.deliveries).filter(move |(_, d)| is_notice(d)).map(|(i, _)| i)
}

/// Whether a delivery is the notice to a holder who has not answered yet. Such a notice is not a mere courtesy.
pub(super) fn is_notice(incident: &Incident, delivery: &Delivery) -> bool {
    pending(incident).is_some() && notices(incident).any(|notice| notice.key() == delivery.key())
}

/// Updates the hand-over when a delivery's result is known: the notice was accepted, or never will be.
pub(super) fn learn(incident: &mut Incident, now: DateTime<Utc>) {
    if pending(incident).is_none() {
        return;
    }
    let (mut is_told, mut are_dead, mut any) = (false, true, false);
    for notice in notices(incident) {
        any = true;
        is_told |= notice.is_accepted();
        are_dead &= notice.is_dead();
    }
    if is_told {
        if let Some(handover) = &mut incident.handover {
            handover.unconfirmed_at = None;
        }
    } else if any && are_dead {
        flag(incident, now);
    }
}

fn flag(incident: &mut Incident, now: DateTime<Utc>) {
    let (Some(handover), Some(claimed)) = (&mut incident.handover, &incident.claimed) else { return };
    if handover.unconfirmed_at.is_some() {
        return;
    }
    handover.unconfirmed_at = Some(now);
    incident.timeline.push(now, Event::HandoverUnconfirmed { to: claimed.by.clone() });
}
