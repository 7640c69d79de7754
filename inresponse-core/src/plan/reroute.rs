//! Decides what follows if a routing rule, or none, decides otherwise about a repeated report than about the one before.
//!
//! Only two things follow from a repeat. What was only recorded alerts its team if the repeat is not only to be recorded.
//! And a raise that another rule gives to another team begins a new round of that team. A team that is being alerted at
//! the same severity keeps the incident, and an incident that alerts is never changed into one that is only recorded.

use chrono::{DateTime, Utc};

use super::round::{NextRound, RoundOf, begin_again, begin_late, next_of};
use crate::model::{Event, Incident, Routed, State, TeamName};

/// How severe the repeated report is, next to the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raises {
    Yes,
    No,
}

/// Whether the repeat changes how the incident is routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rerouted {
    /// The incident stays with its team.
    No,
    /// Another team is alerted, or somebody is alerted for the first time.
    Yes,
}

/// Decides whether a repeat changes how the incident is routed.
pub(super) fn judge(incident: &Incident, repeat: Option<&Routed>, raises: Raises) -> Rerouted {
    if repeat.is_some_and(|routed| routed.record_only) {
        return Rerouted::No;
    }
    if incident.is_recorded_by_rule() {
        return Rerouted::Yes;
    }
    // A person's decision about the team counts more than a rule.
    if raises == Raises::No || incident.handed_to().is_some() || team(repeat) == team(incident.routed()) {
        Rerouted::No
    } else {
        Rerouted::Yes
    }
}

fn team(routed: Option<&Routed>) -> Option<&TeamName> {
    routed.and_then(|routed| routed.team.as_ref())
}

/// Routes the incident as the repeat is routed. If it is open, the people who are on call now are alerted.
///
/// # Errors
/// The round that must be given.
pub(super) fn apply(
    incident: &mut Incident,
    repeat: Option<&Routed>,
    round: Option<NextRound>,
    now: DateTime<Utc>,
) -> Result<(), RoundOf> {
    incident.timeline.push(now, repeat.cloned().map_or(Event::Unrouted, Event::Routed));
    incident.routed = repeat.cloned();
    begin_if_open(incident, round, now)
}

/// A person wants the incident to alert, whatever the rule says. Returns whether it was only recorded.
pub(super) fn overrule(incident: &mut Incident) -> bool {
    match &mut incident.routed {
        Some(routed) => std::mem::take(&mut routed.record_only),
        None => false,
    }
}

/// Alerts the people who are on call now, if nobody has the incident.
///
/// # Errors
/// The round that must be given.
pub(super) fn begin_if_open(
    incident: &mut Incident,
    round: Option<NextRound>,
    now: DateTime<Utc>,
) -> Result<(), RoundOf> {
    if incident.state != State::Open {
        return Ok(());
    }
    let Some(round) = round else { return Err(next_of(incident)) };
    if incident.begun.is_empty() {
        begin_late(incident, round, now);
    } else {
        let is_overruled = incident.quiet_overruled;
        begin_again(incident, round, now);
        incident.quiet_overruled = is_overruled;
    }
    Ok(())
}
