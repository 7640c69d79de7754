//! Corrects stored times after a clock went back.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::backoff;
use super::decision::{Decision, change};
use super::draft::due_at;
use super::past::{happened, leases};
use super::{claim_end, claim_notice};
use crate::clock::later;
use crate::model::{DeliveryStatus, Event, Incident, RulesId, State};

/// The minimum step that is corrected. Smaller steps are not worth a write, and servers' clocks differ by as much.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// After a clock went back, corrects stored times (promise 14): no past event is in the future, and no due time is
/// later than if it had been decided now. Otherwise it could be years away.
///
/// The correction also applies if the corrected clock has changed the incident since. Nothing is changed if no event of
/// the incident is more than a second in the future. The end of a lease shows when the lease was taken.
pub(super) fn clock_went_back(incident: &Incident, lease: Duration, now: DateTime<Utc>) -> Decision {
    let lease_began = |until: DateTime<Utc>| until.checked_sub_signed(TimeDelta::from_std(lease).ok()?);
    let happened = happened(incident).chain(leases(incident).filter_map(lease_began));
    let latest = happened.max().unwrap_or(now);
    let by = latest - now;
    let is_over = incident.state != State::Open && due_at(incident).is_none();
    if is_over || by <= TOLERANCE {
        return Decision::Nothing;
    }
    let within = |at: &mut DateTime<Utc>, time: Duration| *at = (*at).min(later(now, time));
    let has_come = |at: &mut DateTime<Utc>| within(at, Duration::ZERO);
    let mut next = incident.clone();
    has_come(&mut next.round_began_at);
    for begun in &mut next.begun {
        has_come(&mut begun.at);
        begun.passed_at.iter_mut().for_each(has_come);
    }
    if let Some(handover) = &mut next.handover {
        has_come(&mut handover.at);
        handover.unconfirmed_at.iter_mut().for_each(has_come);
    }
    if let Some(end) = &mut next.claim_end {
        let was = end.at;
        claim_end::move_back(end, now);
        let is = end.at;
        claim_notice::move_back(&mut next, was, is);
    }
    // The end of quiet keeps its wall-clock time, but by this clock the incident may not be quiet.
    if let Some(quiet) = &mut next.quiet {
        quiet.judged_by = RulesId::JUDGE_AGAIN;
    }
    for delivery in &mut next.deliveries {
        // A later step may have come before its time, since the person's steps before it failed.
        let is_ahead = delivery.is_later_step() && delivery.since > latest;
        let ahead = if is_ahead { delivery.after } else { Duration::ZERO };
        let is_first = delivery.purpose.level().is_some() && delivery.attempts == 0;
        within(&mut delivery.since, ahead);
        delivery.last.iter_mut().for_each(|last| has_come(&mut last.at));
        match &mut delivery.status {
            // A step moves with its level.
            DeliveryStatus::Pending { due_at } if is_ahead => within(due_at, ahead),
            DeliveryStatus::Pending { due_at } if is_first => has_come(due_at),
            DeliveryStatus::Pending { due_at } => within(due_at, backoff::MAX_DELAY),
            DeliveryStatus::InFlight { until } => within(until, lease),
            DeliveryStatus::Dead { at } | DeliveryStatus::Limited { at } => has_come(at),
            DeliveryStatus::Accepted { .. } | DeliveryStatus::Stopped { .. } => {}
        }
    }
    next.timeline.push(now, Event::ClockWentBack { seconds: by.num_seconds() });
    change(next, Vec::new(), now)
}

/// If nothing is due, makes the levels that have begun have begun by now (promise 14). The search for times too far
/// ahead does not find such an incident, and a raised severity continues from these times.
pub(super) fn began_by(incident: &mut Incident, now: DateTime<Utc>) {
    if due_at(incident).is_some() {
        return;
    }
    incident.round_began_at = incident.round_began_at.min(now);
    incident.begun.iter_mut().for_each(|begun| begun.at = begun.at.min(now));
}
