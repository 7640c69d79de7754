//! The end of a claim (promise 22): by the team's claim timeout, or by a snooze.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::handover::Matured;
use super::round::{NextRound, begin_again, next_of};
use crate::clock::later;
use crate::model::{ClaimEnd, Event, Incident, State};

/// Fixes the end of a claim that was made now, if the team's claims end.
pub(super) fn fix(incident: &mut Incident, now: DateTime<Utc>) {
    incident.claim_end = incident.matrix.claim_timeout().map(|timeout| ClaimEnd::after(timeout, now));
}

/// The claim ends that long from now, earlier or later than before.
pub(super) fn snooze(incident: &mut Incident, time: Duration, now: DateTime<Utc>) {
    incident.claim_end = Some(ClaimEnd::after(time, now));
}

/// When the claim ends; `None` if nobody has the incident, or if the claim does not end.
pub(super) fn ends_at(incident: &Incident) -> Option<DateTime<Utc>> {
    incident.claim_end.filter(|_| incident.state == State::Claimed).map(|end| end.at)
}

/// Ends a claim whose time is over: the incident is open again in a new round. A late process does it late, once.
pub(super) fn mature(incident: &mut Incident, round: Option<&NextRound>, now: DateTime<Utc>) -> Matured {
    if ends_at(incident).is_none_or(|at| at > now) {
        return Matured::Nothing;
    }
    let Some(round) = round.cloned() else { return Matured::NeedsRound(next_of(incident)) };
    if let Some(claimed) = &incident.claimed {
        let by = claimed.by.clone();
        incident.timeline.push(now, Event::ClaimEnded { by });
    }
    begin_again(incident, round, now);
    Matured::Changed
}

/// After a clock went back, the end moves with its claim (promise 14).
pub(super) fn move_back(end: &mut ClaimEnd, now: DateTime<Utc>) {
    if end.since > now {
        let time = (end.at - end.since).to_std().unwrap_or_default();
        *end = ClaimEnd { at: later(now, time), since: now };
    }
}
