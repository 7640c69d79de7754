//! What people do: claim, release, resolve, change the severity, note.

use std::fmt;

use chrono::{DateTime, Utc};

use super::clock_back::began_by;
use super::due::begin_round;
use super::{Decision, change, stop_pending};
use crate::model::{Edge, Event, Incident, Matrix, Note, Person, Severity, Signature, State};
use crate::planted::planted;

/// Whether a claim or release may be done over another person's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOver {
    /// It may.
    Yes,
    /// It is refused, naming who has it.
    No,
}

/// A wish about an incident's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateChange {
    /// To have it: CLAIMED.
    Claim(TakeOver),
    /// To give it back: OPEN, with a new round of alerts.
    Release(TakeOver),
    /// To end it: RESOLVED.
    Resolve,
}

impl StateChange {
    /// The state that is wished for.
    pub fn to(self) -> State {
        match self {
            StateChange::Claim(_) => State::Claimed,
            StateChange::Release(_) => State::Open,
            StateChange::Resolve => State::Resolved,
        }
    }
}

/// What a person does to an incident; all of it, or nothing if one part is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Who does it.
    pub by: Person,
    /// A new severity.
    pub severity: Option<Severity>,
    /// A new state.
    pub state: Option<StateChange>,
    /// A note for the timeline.
    pub note: Option<Note>,
}

impl Update {
    /// An update by `by` that only changes the state.
    pub fn state(by: Person, change: StateChange) -> Self {
        Self { by, severity: None, state: Some(change), note: None }
    }
}

/// Why a person's wish was not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Refusal {
    /// There is no edge between these states.
    Forbidden {
        /// The state it has.
        from: State,
        /// The state that was wished for.
        to: State,
    },
    /// Somebody else has it.
    ClaimedBy(Person),
    /// It is over, so its severity stays.
    Over,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Forbidden { from, to } => write!(f, "an incident that is {from} cannot become {to}"),
            Refusal::ClaimedBy(person) => write!(f, "it is claimed by {person}"),
            Refusal::Over => f.write_str("it is resolved, so its severity cannot change"),
        }
    }
}

pub(super) fn update(
    incident: &Incident,
    update: &Update,
    matrix: Option<Matrix>,
    now: DateTime<Utc>,
) -> Decision {
    let mut next = incident.clone();
    let mut changed = false;

    if let Some(severity) = update.severity.filter(|s| *s != incident.severity) {
        if incident.state == State::Resolved {
            return Decision::Refuse(Refusal::Over);
        }
        began_by(&mut next, now);
        next.severity = severity;
        let by = Some(update.by.clone());
        next.timeline.push(now, Event::SeverityChanged { from: incident.severity, to: severity, by });
        changed = true;
    }
    if let Some(wish) = update.state {
        match grant(incident, &update.by, wish) {
            Grant::Refuse(refusal) => return Decision::Refuse(refusal),
            Grant::Nothing => {}
            Grant::Change => {
                match wish {
                    StateChange::Claim(_) => claim(&mut next, &update.by, now),
                    StateChange::Resolve => resolve(&mut next, &update.by, now),
                    StateChange::Release(_) => match matrix {
                        Some(matrix) => release(&mut next, &update.by, matrix, now),
                        None => return Decision::NeedsMatrix,
                    },
                }
                changed = true;
            }
        }
    }
    if let Some(note) = &update.note {
        next.timeline.push(now, Event::Noted { by: update.by.clone(), note: note.clone() });
        changed = true;
    }
    if changed { change(next, Vec::new(), now) } else { Decision::Nothing }
}

enum Grant {
    Change,
    Nothing,
    Refuse(Refusal),
}

/// Promises 5 and 6: the state's edges, and one claimant.
fn grant(incident: &Incident, by: &Person, wish: StateChange) -> Grant {
    let claimed_by_another = match (incident.state, &incident.claimed) {
        (State::Claimed, Some(claimed)) if claimed.by != *by && !planted!(ClaimTakesOver) => {
            Some(&claimed.by)
        }
        _ => None,
    };
    match (incident.state.edge_to(wish.to()), wish, claimed_by_another) {
        (Edge::Forbidden, _, _) => Grant::Refuse(Refusal::Forbidden { from: incident.state, to: wish.to() }),
        (_, StateChange::Claim(TakeOver::No) | StateChange::Release(TakeOver::No), Some(other)) => {
            Grant::Refuse(Refusal::ClaimedBy(other.clone()))
        }
        (Edge::Same, StateChange::Claim(TakeOver::Yes), Some(_)) => Grant::Change,
        (Edge::Same, StateChange::Claim(_), _) if planted!(ClaimTakesOver) => Grant::Change,
        (Edge::Same, _, _) => Grant::Nothing,
        (Edge::Allowed, _, _) => Grant::Change,
    }
}

/// Promise 11: a claim stops the alerts; only what is in flight may still arrive.
fn claim(incident: &mut Incident, by: &Person, now: DateTime<Utc>) {
    let from = incident.claimed.take().map(|claimed| claimed.by);
    incident.state = State::Claimed;
    incident.claimed = Some(Signature { by: by.clone(), at: now });
    stop_pending(incident, now);
    if planted!(ClaimNotInTimeline) {
        return;
    }
    incident.timeline.push(now, Event::Claimed { by: by.clone(), from });
}

fn resolve(incident: &mut Incident, by: &Person, now: DateTime<Utc>) {
    incident.state = State::Resolved;
    incident.resolved = Some(Signature { by: by.clone(), at: now });
    stop_pending(incident, now);
    incident.timeline.push(now, Event::Resolved { by: by.clone() });
}

/// Promise 5: a release begins a new round at level 1, at once.
fn release(incident: &mut Incident, by: &Person, matrix: Matrix, now: DateTime<Utc>) {
    incident.state = State::Open;
    incident.claimed = None;
    incident.repeats_done = 0;
    incident.accepted = 0;
    incident.exhausted = false;
    incident.timeline.push(now, Event::Released { by: by.clone() });
    if !planted!(ReleaseKeepsTheRound) {
        begin_round(incident, matrix, now);
    }
}
