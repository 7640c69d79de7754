//! Decides when an open incident is quiet, and what follows (promise 21).
//!
//! Quiet only defers: it stops the alerts that are pending, and its end begins a new round with the people who are on
//! call at that instant. If no level of the current round has begun, the round itself begins then.

use chrono::{DateTime, Utc};

use super::handover::Matured;
use super::ladder::{self, Rung};
use super::round::{NextRound, begin_again, begin_late, next_of};
use crate::model::{Delivery, DeliveryStatus, Event, Incident, Quiet, RulesId, State};
use crate::roster::{QuietRules, Subject};

/// Makes an incident quiet if an alert or a level is due, and something holds the incident. Returns whether it is quiet
/// now and was not before.
#[must_use]
pub(super) fn before_alerting(incident: &mut Incident, rules: &QuietRules, now: DateTime<Utc>) -> bool {
    !rules.is_empty() && is_about_to_alert(incident, now) && begin(incident, rules, now)
}

pub(super) fn begin(incident: &mut Incident, rules: &QuietRules, now: DateTime<Utc>) -> bool {
    let may_be_quiet = incident.state == State::Open && incident.quiet.is_none() && !incident.quiet_overruled;
    if !may_be_quiet {
        return false;
    }
    let Some(quiet) = rules.judge(&Subject::of(incident), now) else { return false };
    let round = incident.round;
    let is_alert = |d: &&mut Delivery| d.round == round && d.purpose.level().is_some();
    for delivery in incident.deliveries.iter_mut().filter(is_alert) {
        if matches!(delivery.status, DeliveryStatus::Pending { .. }) {
            delivery.status = DeliveryStatus::Stopped { at: now };
        }
    }
    // The new round alerts everybody again.
    incident.exhausted = false;
    set(incident, quiet, now);
    true
}

fn set(incident: &mut Incident, quiet: Quiet, now: DateTime<Utc>) {
    let event = Event::BecameQuiet { until: quiet.until, why: quiet.why.clone() };
    incident.timeline.push(now, event);
    incident.quiet = Some(quiet);
}

/// Whether an alert may be leased, or a level or round begins, at this time.
fn is_about_to_alert(incident: &Incident, now: DateTime<Utc>) -> bool {
    let alerts = incident.current_deliveries().filter(|d| d.purpose.level().is_some());
    let is_due = alerts.filter_map(Delivery::due_at).any(|at| at <= now);
    is_due || next_rung_at(incident).is_some_and(|at| at <= now)
}

/// Whether somebody is still to be alerted.
pub(super) fn has_more_to_send(incident: &Incident) -> bool {
    let is_pending = |d: &Delivery| matches!(d.status, DeliveryStatus::Pending { .. });
    let mut alerts = incident.current_deliveries().filter(|d| d.purpose.level().is_some());
    next_rung_at(incident).is_some() || alerts.any(is_pending)
}

fn next_rung_at(incident: &Incident) -> Option<DateTime<Utc>> {
    ladder::next(incident).filter(|next| next.rung != Rung::Over).map(|next| next.at)
}

/// When a quiet incident is judged again.
pub(super) fn ends_at(incident: &Incident) -> Option<DateTime<Utc>> {
    incident.quiet.as_ref().filter(|_| incident.state == State::Open).map(|quiet| quiet.until)
}

/// The rules by which an incident was judged quiet; `None` if it is not quiet.
pub fn judged_by(incident: &Incident) -> Option<RulesId> {
    incident.quiet.as_ref().filter(|_| incident.state == State::Open).map(|quiet| quiet.judged_by)
}

/// Judges a quiet incident again if its time is over, or if the rules are others now.
pub(super) fn mature(
    incident: &mut Incident,
    rules: &QuietRules,
    round: Option<&NextRound>,
    now: DateTime<Utc>,
) -> Matured {
    let Some(quiet) = incident.quiet.as_ref().filter(|_| incident.state == State::Open) else {
        return Matured::Nothing;
    };
    if quiet.until > now && quiet.judged_by == rules.id() {
        return Matured::Nothing;
    }
    match rules.judge(&Subject::of(incident), now) {
        Some(judged) if (judged.until, &judged.why) == (quiet.until, &quiet.why) => {
            incident.quiet = Some(judged);
        }
        Some(judged) => set(incident, judged, now),
        None => {
            let Some(round) = round.cloned() else { return Matured::NeedsRound(next_of(incident)) };
            end(incident, round, now);
        }
    }
    Matured::Changed
}

/// Ends quiet: the people who are on call now are alerted.
pub(super) fn end(incident: &mut Incident, round: NextRound, now: DateTime<Utc>) {
    incident.quiet = None;
    incident.timeline.push(now, Event::QuietEnded);
    if incident.begun.is_empty() {
        begin_late(incident, round, now);
    } else {
        begin_again(incident, round, now);
    }
}

/// The severity changed, so a quiet incident is judged again at once.
pub(super) fn severity_changed(incident: &mut Incident, now: DateTime<Utc>) {
    if let Some(quiet) = &mut incident.quiet {
        quiet.until = quiet.until.min(now);
    }
}
