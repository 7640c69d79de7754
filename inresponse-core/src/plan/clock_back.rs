//! What a clock that went back does to stored times.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Decision, change};
use crate::model::{DeliveryStatus, Event, Incident, State};

/// Smaller steps than this are not worth a write; servers' clocks differ by as much.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// Promise 14: what was written under a clock that has gone back since is due as long after now as it was after
/// that writing, and not at a time that may be years away.
///
/// Nothing for an incident whose last change is at most a second in the future.
pub(super) fn clock_went_back(incident: &Incident, now: DateTime<Utc>) -> Decision {
    let by = incident.updated_at - now;
    if incident.state != State::Open || by <= TOLERANCE {
        return Decision::Nothing;
    }
    let back = |at: &mut DateTime<Utc>| *at = at.checked_sub_signed(by).unwrap_or(*at);
    let mut next = incident.clone();
    back(&mut next.round_began_at);
    next.begun.iter_mut().for_each(|begun| back(&mut begun.at));
    for delivery in &mut next.deliveries {
        back(&mut delivery.since);
        match &mut delivery.status {
            DeliveryStatus::Pending { due_at } => back(due_at),
            DeliveryStatus::InFlight { until } => back(until),
            DeliveryStatus::Dead { at } => back(at),
            DeliveryStatus::Accepted { .. } | DeliveryStatus::Stopped { .. } => {}
        }
    }
    next.timeline.push(now, Event::ClockWentBack { seconds: by.num_seconds() });
    change(next, Vec::new(), now)
}
