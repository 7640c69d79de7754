//! Which part of the planner decides about an input.

use chrono::{DateTime, Utc};

use super::decision::{Decision, Plan};
use super::draft::{self, Draft};
use super::input::Input;
use super::request::Refusal;
use super::{answer, bounce, clock_back, due, judge_quiet, open, outcome, people};
use crate::clock::to_micros;
use crate::model::Incident;

/// Decides what `input` does to `incident` at `now`.
///
/// Pure: the same arguments give the same decision. `now` is wall time in UTC; stored times have whole
/// microseconds.
pub fn step(incident: &Incident, input: Input<'_>, now: DateTime<Utc>) -> Decision {
    let now = to_micros(now);
    if let Some(decision) = left_to_newer(incident, &input) {
        return decision;
    }
    let decision = match input {
        Input::Due { lease, hold, round } => return due::due(incident, lease, hold, round, now),
        Input::Renew { delivery, attempt, lease } => {
            return due::renew(incident, delivery, attempt, lease, now);
        }
        Input::Outcome { delivery, attempt, outcome } => {
            return outcome::outcome(incident, delivery, attempt, outcome, now);
        }
        Input::NotBegun { delivery, attempt, reason } => {
            return outcome::not_begun(incident, delivery, attempt, reason, now);
        }
        Input::Woken { wake } => return woken(incident, wake),
        Input::Bounced { delivery, reason } => bounce::bounced(incident, delivery, reason, now),
        Input::Undelivered { delivery, attempt, reason } => {
            bounce::undelivered(incident, delivery, attempt, reason, now)
        }
        Input::Repeat { severity, key, routed, round } => {
            let again = open::Again { severity, key, routed };
            open::repeat(incident, again, round, now)
        }
        Input::Update { update, round } => people::update(incident, update, round, now),
        Input::Answer { answer, round } => answer::answer(incident, answer, round, now),
        Input::Judge { rules, round } => judge_quiet::judge(incident, rules, round.as_ref(), now),
        Input::ClockWentBack { lease } => clock_back::clock_went_back(incident, lease, now),
    };
    sooner(incident, decision)
}

/// This version does nothing on time to an incident in a newer format, because it would do it wrongly. It records
/// people's updates and outcomes as far as it can read the record.
fn left_to_newer(incident: &Incident, input: &Input<'_>) -> Option<Decision> {
    if !incident.is_left_to_newer() {
        return None;
    }
    match input {
        Input::Due { .. } | Input::Woken { .. } | Input::Judge { .. } | Input::ClockWentBack { .. } => {
            Some(Decision::Nothing)
        }
        Input::Update { .. } | Input::Answer { .. } => {
            incident.in_part.then_some(Decision::Refuse(Refusal::NewerFormat))
        }
        // A send in progress may continue.
        Input::Renew { .. }
        | Input::Outcome { .. }
        | Input::NotBegun { .. }
        | Input::Bounced { .. }
        | Input::Undelivered { .. }
        | Input::Repeat { .. } => incident.in_part.then_some(Decision::Nothing),
    }
}

/// If somebody's update made the incident due sooner, its scheduler must be woken: nothing else would do that.
///
/// Changes caused by time itself (leases and their outcomes) are made by an execution of the scheduler, which then
/// knows the next due time.
fn sooner(before: &Incident, mut decision: Decision) -> Decision {
    if let Decision::Change(plan) = &mut decision
        && let Some(due_at) = plan.draft.due_at
        && draft::due_at(before).is_none_or(|before| due_at < before)
    {
        plan.draft.incident.wake = before.wake.saturating_add(1);
    }
    decision
}

/// The count only rises, and only where there is time to keep.
fn woken(incident: &Incident, wake: u32) -> Decision {
    if wake <= incident.wake || draft::due_at(incident).is_none() {
        return Decision::Nothing;
    }
    let next = Incident { wake, ..incident.clone() };
    Decision::Change(Box::new(Plan { draft: Draft::new(next), sends: Vec::new() }))
}
