//! What people do: claim, release, resolve, hand over, escalate, change the severity, note.

use std::fmt;

use chrono::{DateTime, Utc};

use super::clock_back::began_by;
use super::due::begin_round;
use super::ladder::{self, Rung};
use super::round::{Alerted, NextRound, RoundOf, next_of};
use super::{Decision, change, handover, news, stop_pending};
use crate::model::{Edge, Ended, Event, Incident, Note, Person, Severity, Signature, State, TeamName};
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// To have it: CLAIMED.
    Claim(TakeOver),
    /// To give it back: OPEN, with a new round of alerts.
    Release(TakeOver),
    /// To end it: RESOLVED.
    Resolve,
    /// To end it because the system that reported it says that it ended: RESOLVED.
    End(Ended),
    /// That somebody else have it, no matter who had it before: CLAIMED. They are told, if their name is a contact, and must
    /// answer within the wait of a level: any update by them is an answer. Otherwise it is OPEN again in a new round.
    HandTo(Person),
    /// That another team have it: OPEN, with a new round of alerts there.
    HandToTeam(TeamName),
    /// That the next level be alerted without waiting: OPEN, as it must be already.
    Escalate,
}

impl StateChange {
    /// The state that is wished for.
    pub fn to(&self) -> State {
        match self {
            StateChange::Claim(_) | StateChange::HandTo(_) => State::Claimed,
            StateChange::Release(_) | StateChange::HandToTeam(_) | StateChange::Escalate => State::Open,
            StateChange::Resolve | StateChange::End(_) => State::Resolved,
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
    /// It is not OPEN, so nobody is being alerted.
    NotEscalating(State),
    /// Everybody has been alerted.
    NobodyLeft,
    /// There is no such team, or nobody in it could be alerted.
    UnknownTeam(TeamName),
    /// A newer version of this program stored it, and this one cannot read all of it.
    NewerFormat,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Forbidden { from, to } => write!(f, "an incident that is {from} cannot become {to}"),
            Refusal::ClaimedBy(person) => write!(f, "it is claimed by {person}"),
            Refusal::NotEscalating(state) => write!(f, "it is {state}, so there is nothing to escalate"),
            Refusal::NobodyLeft => f.write_str("there is nobody left to be alerted"),
            Refusal::UnknownTeam(team) => write!(f, "there is no team `{team}` that could be alerted"),
            Refusal::NewerFormat => f.write_str(
                "a newer version of this program stored it: change it on a server of that version",
            ),
            Refusal::Over => f.write_str("it is resolved, so its severity cannot change"),
        }
    }
}

pub(super) fn update(
    incident: &Incident,
    update: &Update,
    round: Option<NextRound>,
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
    if let Some(wish) = &update.state {
        match grant(&next, &update.by, wish, now) {
            Grant::Refuse(refusal) => return Decision::Refuse(refusal),
            Grant::Nothing => {}
            Grant::Change => {
                match wish {
                    StateChange::Claim(_) => claim(&mut next, &update.by, now),
                    StateChange::Resolve => resolve(&mut next, &update.by, None, now),
                    StateChange::End(ended) => resolve(&mut next, &update.by, Some(*ended), now),
                    StateChange::Release(_) => match round {
                        Some(round) => release(&mut next, &update.by, round, now),
                        None => return Decision::NeedsRound(next_of(incident)),
                    },
                    StateChange::HandTo(to) => hand_over(&mut next, &update.by, to, now),
                    StateChange::HandToTeam(team) => match round {
                        None => return Decision::NeedsRound(RoundOf::Team(team.clone())),
                        Some(round) if round.alerted == Alerted::Team => {
                            hand_to_team(&mut next, &update.by, round, now);
                        }
                        // Nobody hands an incident to a team that is not there.
                        Some(_) => return Decision::Refuse(Refusal::UnknownTeam(team.clone())),
                    },
                    StateChange::Escalate => escalate(&mut next, &update.by, now),
                }
                changed = true;
            }
        }
    }
    if let Some(note) = &update.note {
        next.timeline.push(now, Event::Noted { by: update.by.clone(), note: note.clone() });
        changed = true;
    }
    // Whatever they do, they know of it. What leaves no trace in the timeline is told as a claim.
    let was_handed = incident.handover.is_some() && next.handover == incident.handover;
    if was_handed && handover::answer(&mut next, &update.by, now) {
        if !changed && let Some(claimed) = &next.claimed {
            next.timeline.push(now, Event::Claimed { by: claimed.by.clone(), from: None });
        }
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
fn grant(incident: &Incident, by: &Person, wish: &StateChange, now: DateTime<Utc>) -> Grant {
    if *wish == StateChange::Escalate {
        return grant_escalation(incident, now);
    }
    let claimed_by_another = match (incident.state, &incident.claimed) {
        (State::Claimed, Some(claimed)) if !claimed.by.is(by) && !planted!(ClaimTakesOver) => {
            Some(&claimed.by)
        }
        _ => None,
    };
    // To hand it to oneself is to claim it, and to one's own team to release it.
    let wish = match wish {
        StateChange::HandTo(to) if to.is(by) => &StateChange::Claim(TakeOver::No),
        StateChange::HandToTeam(to) if *to == incident.team => &StateChange::Release(TakeOver::No),
        wish => wish,
    };
    match (incident.state.edge_to(wish.to()), wish, claimed_by_another) {
        (Edge::Forbidden, _, _) => Grant::Refuse(Refusal::Forbidden { from: incident.state, to: wish.to() }),
        (_, StateChange::Claim(TakeOver::No) | StateChange::Release(TakeOver::No), Some(other)) => {
            Grant::Refuse(Refusal::ClaimedBy(other.clone()))
        }
        (Edge::Same, StateChange::Claim(TakeOver::Yes), Some(_)) => Grant::Change,
        (Edge::Same, StateChange::Claim(_), _) if planted!(ClaimTakesOver) => Grant::Change,
        (Edge::Same, StateChange::HandTo(to), _) if !incident.is_claimed_by(to) => Grant::Change,
        (Edge::Same, StateChange::HandToTeam(to), _) if incident.team != *to => Grant::Change,
        (Edge::Same, _, _) => Grant::Nothing,
        (Edge::Allowed, _, _) => Grant::Change,
    }
}

/// Where somebody is still to be alerted, and not at once anyway.
fn grant_escalation(incident: &Incident, now: DateTime<Utc>) -> Grant {
    match escalates_at(incident) {
        Ok(at) if at > now => Grant::Change,
        Ok(_) => Grant::Nothing,
        Err(refusal) => Grant::Refuse(refusal),
    }
}

/// When somebody is alerted whom an escalation by hand would alert at once; the refusal if there is nobody.
pub(super) fn escalates_at(incident: &Incident) -> Result<DateTime<Utc>, Refusal> {
    if incident.state != State::Open {
        return Err(Refusal::NotEscalating(incident.state));
    }
    let next = ladder::next(incident).filter(|next| next.rung != Rung::Over);
    next.map(|next| next.at).ok_or(Refusal::NobodyLeft)
}

/// Promise 11: a claim stops the alerts; only what is in flight may still arrive.
fn claim(incident: &mut Incident, by: &Person, now: DateTime<Utc>) {
    let from = own(incident, by, now);
    news::tell(incident, by, None, now);
    if planted!(ClaimNotInTimeline) {
        return;
    }
    incident.timeline.push(now, Event::Claimed { by: by.clone(), from });
}

/// Makes `owner` the one who has it. Answers who had it.
fn own(incident: &mut Incident, owner: &Person, now: DateTime<Utc>) -> Option<Person> {
    let from = incident.claimed.take().map(|claimed| claimed.by);
    incident.state = State::Claimed;
    incident.claimed = Some(Signature::new(owner.clone(), now));
    incident.handover = None;
    stop_pending(incident, now);
    from
}

fn hand_over(incident: &mut Incident, by: &Person, to: &Person, now: DateTime<Utc>) {
    let from = own(incident, to, now);
    news::tell(incident, by, Some(to).filter(|to| !to.is(by)), now);
    incident.timeline.push(now, Event::HandedOver { by: by.clone(), to: to.clone(), from });
    if !to.is(by) {
        handover::begin(incident, now);
    }
}

fn resolve(incident: &mut Incident, by: &Person, ended: Option<Ended>, now: DateTime<Utc>) {
    incident.state = State::Resolved;
    incident.ended = ended;
    incident.resolved = Some(Signature::new(by.clone(), now));
    incident.handover = None;
    stop_pending(incident, now);
    news::tell(incident, by, None, now);
    incident.timeline.push(now, Event::Resolved { by: by.clone() });
}

/// Promise 5: a release begins a new round at level 1, at once.
fn release(incident: &mut Incident, by: &Person, round: NextRound, now: DateTime<Utc>) {
    incident.timeline.push(now, Event::Released { by: by.clone() });
    begin_again(incident, round, now);
}

fn hand_to_team(incident: &mut Incident, by: &Person, round: NextRound, now: DateTime<Utc>) {
    let to = round.team.clone();
    let from = std::mem::replace(&mut incident.team, to.clone());
    incident.handed_to = Some(to.clone());
    incident.timeline.push(now, Event::HandedToTeam { by: by.clone(), from, to });
    begin_again(incident, round, now);
}

/// Nobody has it, and all that its alerts did so far is of the past.
pub(super) fn begin_again(incident: &mut Incident, round: NextRound, now: DateTime<Utc>) {
    incident.state = State::Open;
    incident.claimed = None;
    incident.handover = None;
    incident.repeats_done = 0;
    incident.accepted = 0;
    incident.exhausted = false;
    if !planted!(ReleaseKeepsTheRound) {
        begin_round(incident, round, now);
    }
}

/// Nobody waits any longer for the levels that have begun.
fn escalate(incident: &mut Incident, by: &Person, now: DateTime<Utc>) {
    for begun in &mut incident.begun {
        begun.passed_at.get_or_insert(now);
    }
    incident.timeline.push(now, Event::Escalated { by: by.clone() });
}
