//! What people do: claim, release, resolve, hand over, escalate, change the severity, note.

use std::fmt;

use chrono::{DateTime, Utc};

use super::clock_back::began_by;
use super::due::begin_round;
use super::ladder::{self, Rung};
use super::round::{Alerted, NextRound, RoundOf, next_of};
use super::{Decision, change, handover, news, stop_pending};
use crate::model::{
    Contact, Edge, Ended, Event, Incident, KeyName, MethodName, Note, Person, PersonId, Recipient, Severity,
    Signature, State, TeamName,
};

/// Whether a claim or release may be done over another person's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOver {
    /// It may.
    Yes,
    /// It is refused, naming who has it.
    No,
}

/// A request about an incident's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// Claim it: CLAIMED.
    Claim(TakeOver),
    /// Release it: OPEN, with a new round of alerts.
    Release(TakeOver),
    /// Resolve it: RESOLVED.
    Resolve,
    /// Resolve it because the reporting system says that it ended: RESOLVED.
    End(Ended),
    /// Hand it to somebody, no matter who had it before: CLAIMED. They are notified if their name is a contact. They
    /// must answer within the wait of a level: every update by them is an answer. Otherwise it is OPEN again in a new
    /// round.
    HandTo(Person),
    /// Hand it to another team: OPEN, with a new round of alerts there.
    HandToTeam(TeamName),
    /// Alert the next level without waiting. It must be OPEN and stays OPEN.
    Escalate,
}

impl StateChange {
    /// The requested state.
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
    /// The API key that they do it with; [`KeyName::LINK`] if it is the link in an alert.
    pub key: Option<KeyName>,
    /// A new severity.
    pub severity: Option<Severity>,
    /// A new state.
    pub state: Option<StateChange>,
    /// A note for the timeline.
    pub note: Option<Note>,
    /// The methods of the person to whom the incident is handed over. If empty, the person's name is used, if it is an
    /// address.
    pub reach: Vec<(MethodName, Contact)>,
}

impl Update {
    /// An update by `by` that only changes the state.
    pub fn state(by: Person, change: StateChange) -> Self {
        Self { by, key: None, severity: None, state: Some(change), note: None, reach: Vec::new() }
    }

    /// An update by `by` that only notes something.
    pub fn note(by: Person, note: Note) -> Self {
        Self { by, key: None, severity: None, state: None, note: Some(note), reach: Vec::new() }
    }

    /// The same, done with that key.
    #[must_use]
    pub fn with_key(mut self, key: KeyName) -> Self {
        self.key = Some(key);
        self
    }
}

/// Why a person's request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Refusal {
    /// There is no edge between these states.
    Forbidden {
        /// The state it has.
        from: State,
        /// The requested state.
        to: State,
    },
    /// Somebody else has it.
    ClaimedBy(Person),
    /// It is resolved, so its severity stays.
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
            Refusal::NobodyLeft => f.write_str("nobody is left to alert"),
            Refusal::UnknownTeam(team) => write!(f, "team `{team}` does not exist or has nobody to alert"),
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
    let who = Who { by: &update.by, key: update.key.as_ref() };

    if let Some(severity) = update.severity.filter(|s| *s != incident.severity) {
        if incident.state == State::Resolved {
            return Decision::Refuse(Refusal::Over);
        }
        began_by(&mut next, now);
        next.severity = severity;
        let by = Some(update.by.clone());
        who.notes(&mut next, Event::SeverityChanged { from: incident.severity, to: severity, by }, now);
        changed = true;
    }
    if let Some(request) = &update.state {
        match grant(&next, &update.by, request, now) {
            Grant::Refuse(refusal) => return Decision::Refuse(refusal),
            Grant::Nothing => {}
            Grant::Change => {
                match request {
                    StateChange::Claim(_) => claim(&mut next, who, now),
                    StateChange::Resolve => resolve(&mut next, who, None, now),
                    StateChange::End(ended) => resolve(&mut next, who, Some(*ended), now),
                    StateChange::Release(_) => match round {
                        Some(round) => release(&mut next, who, round, now),
                        None => return Decision::NeedsRound(next_of(incident)),
                    },
                    StateChange::HandTo(to) => hand_over(&mut next, who, to, &update.reach, now),
                    StateChange::HandToTeam(team) => match round {
                        None => return Decision::NeedsRound(RoundOf::Team(team.clone())),
                        Some(round) if round.alerted == Alerted::Team => {
                            hand_to_team(&mut next, who, round, now);
                        }
                        // Nobody hands an incident to a team that is not there.
                        Some(_) => return Decision::Refuse(Refusal::UnknownTeam(team.clone())),
                    },
                    StateChange::Escalate => escalate(&mut next, who, now),
                }
                changed = true;
            }
        }
    }
    if let Some(note) = &update.note {
        who.notes(&mut next, Event::Noted { by: update.by.clone(), note: note.clone() }, now);
        changed = true;
    }
    // Whatever they do, they know of it. What leaves no trace in the timeline is told as a claim.
    let was_handed = incident.handover.is_some() && next.handover == incident.handover;
    if was_handed && handover::answer(&mut next, &update.by, now) {
        if !changed && let Some(claimed) = &next.claimed {
            let event = Event::Claimed { by: claimed.by.clone(), from: None };
            who.notes(&mut next, event, now);
        }
        changed = true;
    }
    if changed { change(next, Vec::new(), now) } else { Decision::Nothing }
}

/// Who does something, and with which key.
#[derive(Clone, Copy)]
struct Who<'a> {
    by: &'a Person,
    key: Option<&'a KeyName>,
}

impl Who<'_> {
    fn notes(self, incident: &mut Incident, event: Event, now: DateTime<Utc>) {
        incident.timeline.push_by(now, event, self.key);
    }
}

enum Grant {
    Change,
    Nothing,
    Refuse(Refusal),
}

/// Promises 5 and 6: the state's edges, and one claimant.
fn grant(incident: &Incident, by: &Person, request: &StateChange, now: DateTime<Utc>) -> Grant {
    if *request == StateChange::Escalate {
        return grant_escalation(incident, now);
    }
    let claimed_by_another = match (incident.state, &incident.claimed) {
        (State::Claimed, Some(claimed)) if !claimed.by.is(by) => Some(&claimed.by),
        _ => None,
    };
    // To hand it to oneself is to claim it, and to one's own team to release it.
    let request = match request {
        StateChange::HandTo(to) if to.is(by) => &StateChange::Claim(TakeOver::No),
        StateChange::HandToTeam(to) if *to == incident.team => &StateChange::Release(TakeOver::No),
        request => request,
    };
    match (incident.state.edge_to(request.to()), request, claimed_by_another) {
        (Edge::Forbidden, _, _) => {
            Grant::Refuse(Refusal::Forbidden { from: incident.state, to: request.to() })
        }
        (_, StateChange::Claim(TakeOver::No) | StateChange::Release(TakeOver::No), Some(other)) => {
            Grant::Refuse(Refusal::ClaimedBy(other.clone()))
        }
        (Edge::Same, StateChange::Claim(TakeOver::Yes), Some(_)) => Grant::Change,
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

/// When the next level is due, which a manual escalation would alert at once; the refusal if there is nobody left.
pub(super) fn escalates_at(incident: &Incident) -> Result<DateTime<Utc>, Refusal> {
    if incident.state != State::Open {
        return Err(Refusal::NotEscalating(incident.state));
    }
    let next = ladder::next(incident).filter(|next| next.rung != Rung::Over);
    next.map(|next| next.at).ok_or(Refusal::NobodyLeft)
}

/// Promise 11: a claim stops the alerts; only what is in flight may still arrive.
fn claim(incident: &mut Incident, who: Who<'_>, now: DateTime<Utc>) {
    let from = own(incident, who.by, now);
    news::tell(incident, who.by, &[], now);
    who.notes(incident, Event::Claimed { by: who.by.clone(), from }, now);
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

fn hand_over(
    incident: &mut Incident,
    who: Who<'_>,
    to: &Person,
    reach: &[(MethodName, Contact)],
    now: DateTime<Utc>,
) {
    let by = who.by;
    let from = own(incident, to, now);
    if let Ok(person) = PersonId::new(to.as_str()) {
        let recipient = |(method, contact): &(MethodName, Contact)| Recipient {
            level: None,
            contact: contact.clone(),
            person: person.clone(),
            method: method.clone(),
        };
        incident.matrix.know(reach.iter().map(recipient));
    }
    let mut owner: Vec<Contact> = reach.iter().map(|(_, contact)| contact.clone()).collect();
    if owner.is_empty() {
        owner.extend(to.contact());
    }
    news::tell(incident, by, if to.is(by) { &[] } else { &owner }, now);
    who.notes(incident, Event::HandedOver { by: by.clone(), to: to.clone(), from }, now);
    if !to.is(by) {
        handover::begin(incident, now);
    }
}

fn resolve(incident: &mut Incident, who: Who<'_>, ended: Option<Ended>, now: DateTime<Utc>) {
    incident.state = State::Resolved;
    incident.ended = ended;
    incident.resolved = Some(Signature::new(who.by.clone(), now));
    incident.handover = None;
    stop_pending(incident, now);
    news::tell(incident, who.by, &[], now);
    who.notes(incident, Event::Resolved { by: who.by.clone() }, now);
}

/// Promise 5: a release begins a new round at level 1, at once.
fn release(incident: &mut Incident, who: Who<'_>, round: NextRound, now: DateTime<Utc>) {
    who.notes(incident, Event::Released { by: who.by.clone() }, now);
    begin_again(incident, round, now);
}

fn hand_to_team(incident: &mut Incident, who: Who<'_>, round: NextRound, now: DateTime<Utc>) {
    let to = round.team.clone();
    let from = std::mem::replace(&mut incident.team, to.clone());
    incident.handed_to = Some(to.clone());
    who.notes(incident, Event::HandedToTeam { by: who.by.clone(), from, to }, now);
    begin_again(incident, round, now);
}

/// Nobody has it any more, and its earlier alerts no longer count.
pub(super) fn begin_again(incident: &mut Incident, round: NextRound, now: DateTime<Utc>) {
    incident.state = State::Open;
    incident.claimed = None;
    incident.handover = None;
    incident.repeats_done = 0;
    incident.accepted = 0;
    incident.exhausted = false;
    begin_round(incident, round, now);
}

/// Nobody waits any longer for the levels that have begun.
fn escalate(incident: &mut Incident, who: Who<'_>, now: DateTime<Utc>) {
    for begun in &mut incident.begun {
        begun.passed_at.get_or_insert(now);
    }
    who.notes(incident, Event::Escalated { by: who.by.clone() }, now);
}
