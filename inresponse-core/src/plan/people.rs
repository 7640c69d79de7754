//! Decides about people's updates: claim, release, resolve, hand over, escalate, call in, change the severity, note.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::clock_back::began_by;
use super::decision::{Decision, change};
use super::ladder::{self, Rung};
use super::request::{Refusal, StateChange, TakeOver, Update};
use super::round::{Alerted, NextRound, RoundOf, begin_again, next_of, stop_pending};
use super::{call_in, claim_end, claim_notice, defer, handover, limited, personal, reroute, status_updates};
use crate::model::{
    Contact, Edge, Ended, Event, Incident, KeyName, Level, Matrix, MethodName, Person, Signature, State,
};

/// Does what a person asks for, or refuses it.
pub(super) fn update(
    incident: &Incident,
    update: &Update,
    round: Option<NextRound>,
    now: DateTime<Utc>,
) -> Decision {
    let mut next = incident.clone();
    let (mut changed, mut begins) = (false, false);
    let who = Who { by: &update.by, key: update.key.as_ref() };

    if let Some(severity) = update.severity.filter(|s| *s != incident.severity) {
        if incident.state == State::Resolved {
            return Decision::Refuse(Refusal::Over);
        }
        began_by(&mut next, now);
        next.severity = severity;
        let by = Some(update.by.clone());
        who.notes(&mut next, Event::SeverityChanged { from: incident.severity, to: severity, by }, now);
        if severity > incident.severity {
            begins = reroute::overrule(&mut next);
            limited::raised(&mut next, now);
            personal::raise(&mut next, now);
        }
        defer::severity_changed(&mut next, now);
        changed = true;
    }
    if let Some(request) = &update.state {
        match grant(&next, update, request, now) {
            Grant::Refuse(refusal) => return Decision::Refuse(refusal),
            Grant::Nothing => {}
            Grant::Respond => {
                respond(&mut next, who, update.asked_at.as_ref(), now);
                changed = true;
            }
            Grant::Change => {
                match request {
                    StateChange::Claim(_) => claim(&mut next, who, &update.reach, now),
                    StateChange::Resolve => resolve(&mut next, who, None, now),
                    StateChange::End(ended) => resolve(&mut next, who, Some(*ended), now),
                    StateChange::Release(_) => match round.clone() {
                        Some(round) => release(&mut next, who, round, now),
                        None => return Decision::NeedsRound(next_of(incident)),
                    },
                    StateChange::HandTo(to) => hand_over(&mut next, who, to, &update.reach, now),
                    StateChange::HandToTeam(team) => match round.clone() {
                        None => return Decision::NeedsRound(RoundOf::Team(team.clone())),
                        Some(round) if round.alerted == Alerted::Team => {
                            hand_to_team(&mut next, who, round, now);
                        }
                        // Nobody hands an incident to a team that is not there.
                        Some(_) => return Decision::Refuse(Refusal::UnknownTeam(team.clone())),
                    },
                    StateChange::Escalate if next.quiet().is_some() => match round.clone() {
                        Some(round) => wake_anyway(&mut next, who, round, now),
                        None => return Decision::NeedsRound(next_of(incident)),
                    },
                    StateChange::Escalate => {
                        if let Err(refusal) = escalate(&mut next, who, now) {
                            return Decision::Refuse(refusal);
                        }
                    }
                    StateChange::Snooze(time) => {
                        if next.is_claimed_by(&update.by) {
                            claim_notice::remember(&mut next, &update.by, &update.reach);
                        }
                        snooze(&mut next, who, *time, now);
                    }
                }
                changed = true;
            }
        }
    }
    if begins
        && next.round == incident.round
        && let Err(of) = reroute::begin_if_open(&mut next, round, now)
    {
        return Decision::NeedsRound(of);
    }
    if let Some(people) = &update.call_in {
        match call_in(&mut next, who, (people, Level::At(1)), None, now) {
            Ok(is_new) => changed |= is_new,
            Err(refusal) => return Decision::Refuse(refusal),
        }
    }
    if let Some(note) = &update.note {
        who.notes(&mut next, Event::Noted { by: update.by.clone(), note: note.clone() }, now);
        changed = true;
    }
    // Any action of the person shows that they know of the hand-over. An action that leaves no trace in the timeline is
    // recorded as a claim.
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

/// The person who makes an update, and their key.
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
    /// Somebody else has it, and the person who was called in helps.
    Respond,
    Nothing,
    Refuse(Refusal),
}

/// Decides whether a change of state is allowed (promises 5 and 6): the allowed transitions, and one claimant.
fn grant(incident: &Incident, update: &Update, request: &StateChange, now: DateTime<Utc>) -> Grant {
    let by = &update.by;
    if *request == StateChange::Escalate {
        return grant_escalation(incident, now);
    }
    if let StateChange::Snooze(_) = request {
        return match incident.state {
            State::Claimed => Grant::Change,
            State::Open | State::Resolved => Grant::Refuse(Refusal::NotSnoozing(incident.state)),
        };
    }
    let claimed_by_another = match (incident.state, &incident.claimed) {
        (State::Claimed, Some(claimed)) if !claimed.by.is(by) => Some(&claimed.by),
        _ => None,
    };
    // Handing an incident to oneself is a claim, and handing it to its own team is a release.
    let request = match request {
        StateChange::HandTo(to) if to.is(by) => &StateChange::Claim(TakeOver::No),
        StateChange::HandToTeam(to) if *to == incident.team => &StateChange::Release(TakeOver::No),
        request => request,
    };
    match (incident.state.edge_to(request.to()), request, claimed_by_another) {
        (Edge::Forbidden, _, _) => {
            Grant::Refuse(Refusal::Forbidden { from: incident.state, to: request.to() })
        }
        (_, StateChange::Claim(TakeOver::No), Some(other)) => {
            if call_in::is_responder(incident, by) {
                return Grant::Nothing;
            }
            let is_called = call_in::is_called(incident, by, update.asked_at.as_ref());
            if is_called && call_in::has_room_for_responder(incident) {
                Grant::Respond
            } else {
                Grant::Refuse(Refusal::ClaimedBy(other.clone()))
            }
        }
        (_, StateChange::Release(TakeOver::No), Some(other)) => {
            Grant::Refuse(Refusal::ClaimedBy(other.clone()))
        }
        (Edge::Same, StateChange::Claim(TakeOver::Yes), Some(_)) => Grant::Change,
        (Edge::Same, StateChange::HandTo(to), _) if !incident.is_claimed_by(to) => Grant::Change,
        (Edge::Same, StateChange::HandToTeam(to), _) if incident.team != *to => Grant::Change,
        (Edge::Same, _, _) => Grant::Nothing,
        (Edge::Allowed, _, _) => Grant::Change,
    }
}

/// Decides whether a request to escalate is granted: somebody is left to alert, and not already due.
fn grant_escalation(incident: &Incident, now: DateTime<Utc>) -> Grant {
    match (incident.state, escalates_at(incident)) {
        (State::Open, Ok(at)) if at <= now && incident.quiet.is_none() => Grant::Nothing,
        (State::Open | State::Claimed | State::Resolved, Ok(_)) => Grant::Change,
        (State::Open | State::Claimed | State::Resolved, Err(refusal)) => Grant::Refuse(refusal),
    }
}

/// When the next level of an open incident is due, which a manual escalation would alert at once; any time if the
/// incident is claimed and the next level can be called in, or if it is quiet, since a new round follows. The refusal if
/// nobody is left.
pub(super) fn escalates_at(incident: &Incident) -> Result<DateTime<Utc>, Refusal> {
    match incident.state {
        State::Resolved => Err(Refusal::NotEscalating(incident.state)),
        State::Claimed => {
            call_in::next_level(incident).map(|_| incident.updated_at).ok_or(Refusal::NobodyLeft)
        }
        State::Open if incident.quiet.is_some() && !incident.records_only() => Ok(incident.updated_at),
        State::Open => {
            let next = ladder::next(incident).filter(|next| next.rung != Rung::Over);
            next.map(|next| next.at).ok_or(Refusal::NobodyLeft)
        }
    }
}

/// Claims the incident, which stops the alerts (promise 11). Only a message in flight may still arrive.
fn claim(incident: &mut Incident, who: Who<'_>, reach: &[(MethodName, Contact)], now: DateTime<Utc>) {
    let from = own(incident, who.by, now);
    status_updates::create(incident, who.by, &[], now);
    claim_notice::remember(incident, who.by, reach);
    claim_notice::plan(incident, now);
    who.notes(incident, Event::Claimed { by: who.by.clone(), from }, now);
}

/// Makes `owner` the claimant. Returns the previous one.
fn own(incident: &mut Incident, owner: &Person, now: DateTime<Utc>) -> Option<Person> {
    let from = incident.claimed.take().map(|claimed| claimed.by);
    let before = std::mem::replace(&mut incident.state, State::Claimed);
    incident.claimed = Some(Signature::new(owner.clone(), now));
    incident.handover = None;
    incident.quiet = None;
    claim_end::fix(incident, now);
    if before == State::Open {
        stop_pending(incident, now);
    }
    call_in::claimed(incident, before, now);
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
    claim_notice::know(incident, to, reach);
    let mut owner: Vec<Contact> = reach.iter().map(|(_, contact)| contact.clone()).collect();
    if owner.is_empty() {
        owner.extend(to.contact());
    }
    status_updates::create(incident, by, if to.is(by) { &[] } else { &owner }, now);
    claim_notice::plan(incident, now);
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
    incident.claim_end = None;
    incident.quiet = None;
    stop_pending(incident, now);
    status_updates::create(incident, who.by, &[], now);
    who.notes(incident, Event::Resolved { by: who.by.clone() }, now);
}

/// Releases the incident: a new round begins at level 1, at once (promise 5).
fn release(incident: &mut Incident, who: Who<'_>, round: NextRound, now: DateTime<Utc>) {
    who.notes(incident, Event::Released { by: who.by.clone() }, now);
    begin_again(incident, round, now);
}

fn hand_to_team(incident: &mut Incident, who: Who<'_>, round: NextRound, now: DateTime<Utc>) {
    let to = round.team.clone();
    let from = std::mem::replace(&mut incident.team, to.clone());
    incident.handed_to = Some(to.clone());
    let _was_recorded = reroute::overrule(incident);
    who.notes(incident, Event::HandedToTeam { by: who.by.clone(), from, to }, now);
    begin_again(incident, round, now);
}

/// Sets the end of the claim.
fn snooze(incident: &mut Incident, who: Who<'_>, time: Duration, now: DateTime<Utc>) {
    claim_end::snooze(incident, time, now);
    claim_notice::plan(incident, now);
    who.notes(incident, Event::Snoozed { by: who.by.clone(), seconds: time.as_secs() }, now);
}

/// Ends quiet early: a new round begins, and nothing makes the incident quiet again in it.
fn wake_anyway(incident: &mut Incident, who: Who<'_>, round: NextRound, now: DateTime<Utc>) {
    who.notes(incident, Event::Escalated { by: who.by.clone() }, now);
    defer::end(incident, round, now);
    incident.quiet_overruled = true;
}

/// Makes the next level due now, without waiting for the levels that have begun. If the incident is claimed, the people
/// of the next level are called in.
fn escalate(incident: &mut Incident, who: Who<'_>, now: DateTime<Utc>) -> Result<(), Refusal> {
    who.notes(incident, Event::Escalated { by: who.by.clone() }, now);
    if let Some(level) = call_in::next_level(incident).filter(|_| incident.state == State::Claimed) {
        let matrix = incident.matrix.clone();
        call_in(incident, who, (&matrix, level), Some(level), now)?;
        incident.call_ins.levels.push(level);
        return Ok(());
    }
    for begun in &mut incident.begun {
        begun.passed_at.get_or_insert(now);
    }
    Ok(())
}

/// Calls more people in, also if somebody has the incident. Returns whether there is anybody who is not here and not being called
/// already.
fn call_in(
    incident: &mut Incident,
    who: Who<'_>,
    people: (&Matrix, Level),
    level: Option<Level>,
    now: DateTime<Utc>,
) -> Result<bool, Refusal> {
    if incident.state == State::Resolved {
        return Err(Refusal::NotCalling(incident.state));
    }
    let people = call_in::call(incident, who.by, people, now)?;
    if people.is_empty() {
        return Ok(false);
    }
    who.notes(incident, Event::CalledIn { by: who.by.clone(), people, level }, now);
    Ok(true)
}

/// A person who was called in says that they help.
fn respond(incident: &mut Incident, who: Who<'_>, asked_at: Option<&Contact>, now: DateTime<Utc>) {
    call_in::respond(incident, who.by, asked_at, now);
    who.notes(incident, Event::Responded { by: who.by.clone() }, now);
}
