//! Decides about people who are called in, without a change of who has the incident.
//!
//! Whom somebody calls in is alerted by deliveries of their own, as people's rules say. A claim that begins after a call
//! stops it, as it stops all alerts (promise 11). A call while somebody has the incident ends when the person answers,
//! or when the incident is resolved. A new round goes on with the calls that nobody has answered.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::past::MAX_LEASE;
use super::request::Refusal;
use super::{backoff, personal, status_updates};
use crate::clock::later;
use crate::model::{
    Called, Contact, Delivery, DeliveryKey, DeliveryStatus, Incident, Level, Matrix, Origin, Person,
    PersonId, Purpose, Recipient, Signature, State,
};

/// The maximum number of deliveries of a round to people who were called in, and of people who answered (promise 7).
pub const MAX_CALLED: usize = 20;

/// One alert of a call: the contact, how long after the call it is due, and whom it reaches.
struct Alert<'a> {
    contact: &'a Contact,
    after: Duration,
    recipients: Vec<&'a Recipient>,
}

impl Alert<'_> {
    /// The people who are called, or the address if nobody is known to have it.
    fn people(&self) -> Vec<Person> {
        if self.recipients.is_empty() {
            return named(self.contact).into_iter().collect();
        }
        self.recipients.iter().map(|one| Person::from(&one.person)).collect()
    }
}

/// An address as a name.
pub(super) fn named(contact: &Contact) -> Option<Person> {
    let address = contact.address();
    Person::new(&address[..address.floor_char_boundary(Person::MAX_BYTES)]).ok()
}

/// Calls in the people of a matrix's level. Returns who is called in; nobody if all of them are here, or are being
/// called already.
///
/// If there is too little room for all alerts, the latest are left out. A call that would leave a person out is refused.
pub(super) fn call(
    incident: &mut Incident,
    by: &Person,
    (matrix, level): (&Matrix, Level),
    now: DateTime<Utc>,
) -> Result<Vec<Person>, Refusal> {
    let mut alerts = first_of_each(new_alerts(incident, matrix, level));
    let wanted = people_of(&alerts);
    let room = MAX_CALLED.saturating_sub(calls(incident).count());
    let left_out = alerts.len().saturating_sub(room);
    alerts.truncate(room);
    if people_of(&alerts).len() < wanted.len() {
        return Err(Refusal::TooManyCalled);
    }
    if alerts.is_empty() {
        return Ok(Vec::new());
    }
    incident.call_ins.count = incident.call_ins.count.saturating_add(1);
    let (round, purpose) = (incident.round, Purpose::CallIn(incident.call_ins.count));
    for (place, Alert { contact, after, recipients }) in (0..).zip(alerts) {
        let due_at = crate::clock::later(now, after);
        let people = recipients.iter().map(|one| one.person.clone()).collect();
        let delivery =
            Delivery::pending(DeliveryKey { round, purpose, place }, contact.clone(), due_at, due_at);
        let called = Called { by: by.clone(), people };
        incident.deliveries.push(delivery.that_late(after).calling(called));
        let known = incident.matrix.recipients();
        let is_known =
            |one: &Recipient| known.iter().any(|k| k.contact == one.contact && k.person == one.person);
        let unknown: Vec<Recipient> = recipients.into_iter().filter(|one| !is_known(one)).cloned().collect();
        incident.matrix.know(unknown.into_iter().map(|one| Recipient { level: None, ..one }));
    }
    personal::note_cut(incident, u32::try_from(left_out).unwrap_or(u32::MAX), now);
    Ok(wanted)
}

/// The alerts of a level, in the order of their times, without people who are here or are being called.
fn new_alerts<'a>(incident: &Incident, matrix: &'a Matrix, level: Level) -> Vec<Alert<'a>> {
    let is_being_called = |person: Option<&Person>, contact: &Contact| {
        calls(incident).any(|d| d.is_unsettled() && calls_in(d, person, contact))
    };
    let is_new = |person: &Person, contact: &Contact| {
        !incident.is_here(person) && !is_being_called(Some(person), contact)
    };
    let steps = matrix.steps(level, incident.severity).into_iter();
    let alert = |(contact, after): (&'a Contact, Duration)| {
        let mut recipients = matrix.recipients_after(level, contact, after);
        if recipients.is_empty() {
            let is_over = incident.is_here_by_address(contact) || is_being_called(None, contact);
            return (!is_over).then_some(Alert { contact, after, recipients });
        }
        recipients.retain(|one| is_new(&Person::from(&one.person), contact));
        (!recipients.is_empty()).then_some(Alert { contact, after, recipients })
    };
    steps.filter_map(alert).collect()
}

/// The same alerts: first the first one of each person, then the others in the order of their times.
fn first_of_each(alerts: Vec<Alert<'_>>) -> Vec<Alert<'_>> {
    let mut seen: Vec<Person> = Vec::new();
    let (first, others): (Vec<_>, Vec<_>) = alerts.into_iter().partition(|alert| {
        let new: Vec<Person> = alert.people().into_iter().filter(|person| !seen.contains(person)).collect();
        let is_first = !new.is_empty();
        seen.extend(new);
        is_first
    });
    first.into_iter().chain(others).collect()
}

fn people_of(alerts: &[Alert<'_>]) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for person in alerts.iter().flat_map(Alert::people) {
        if !people.contains(&person) {
            people.push(person);
        }
    }
    people
}

/// The calls of the current round.
fn calls(incident: &Incident) -> impl Iterator<Item = &Delivery> {
    incident.current_deliveries().filter(|d| d.purpose.is_call_in())
}

/// Whether a delivery calls that person in, or somebody at that address if either names no person.
fn calls_in(delivery: &Delivery, person: Option<&Person>, contact: &Contact) -> bool {
    match (&delivery.called, person) {
        (Some(Called { people, .. }), Some(person)) if !people.is_empty() => {
            people.iter().any(|one| is(one, person))
        }
        (Some(_) | None, _) => delivery.contact == *contact,
    }
}

fn is(one: &PersonId, person: &Person) -> bool {
    Person::from(one).is(person)
}

/// Whether an answer of that person counts as one of somebody who was called in during this round. `asked_at` is the
/// address of the message that they answer, if it is known.
pub(super) fn is_called(incident: &Incident, person: &Person, asked_at: Option<&Contact>) -> bool {
    calls(incident).any(|d| match &d.called {
        Some(Called { people, .. }) if !people.is_empty() => people.iter().any(|one| is(one, person)),
        Some(_) | None => asked_at == Some(&d.contact) || person.is_named_by(&d.contact),
    })
}

/// Whether the person helps the claimant already.
pub(super) fn is_responder(incident: &Incident, person: &Person) -> bool {
    incident.call_ins.responders.iter().any(|one| one.by.is(person))
}

/// Whether there is room for one more who answers.
pub(super) fn has_room_for_responder(incident: &Incident) -> bool {
    incident.call_ins.responders.len() < MAX_CALLED
}

/// A person who was called in answers while somebody else has the incident: the rest of their alerts is stopped.
pub(super) fn respond(
    incident: &mut Incident,
    person: &Person,
    asked_at: Option<&Contact>,
    now: DateTime<Utc>,
) {
    incident.call_ins.responders.push(Signature::new(person.clone(), now));
    stop_unwanted(incident, now);
    let is_theirs = |d: &&Delivery| match &d.called {
        Some(Called { people, .. }) if !people.is_empty() => people.iter().any(|one| is(one, person)),
        Some(_) | None => asked_at == Some(&d.contact) || person.is_named_by(&d.contact),
    };
    // A message that shows a state or rings until it is withdrawn is changed.
    let shown: Vec<Contact> = calls(incident)
        .filter(is_theirs)
        .filter(|d| d.receipt.is_some() && !incident.has_live_call(&d.contact))
        .map(|d| d.contact.clone())
        .collect();
    for contact in shown {
        status_updates::catch_up(incident, &contact, now);
    }
}

/// The incident is claimed, handed over or resolved: its holder is no responder. If nobody had it, the claim
/// stops all calls that were made before it.
pub(super) fn claimed(incident: &mut Incident, before: State, now: DateTime<Utc>) {
    if before == State::Open {
        incident.call_ins.over = incident.call_ins.count;
    }
    if let Some(claimed) = &incident.claimed {
        let holder = claimed.by.clone();
        incident.call_ins.responders.retain(|one| !one.by.is(&holder));
    }
    stop_unwanted(incident, now);
}

/// Stops what was pending and may not be sent any more.
fn stop_unwanted(incident: &mut Incident, now: DateTime<Utc>) {
    let is_over = |d: &Delivery| {
        d.purpose.is_call_in() && matches!(d.status, DeliveryStatus::Pending { .. }) && !incident.wants(d)
    };
    let over: Vec<usize> =
        (0..).zip(&incident.deliveries).filter(|(_, d)| is_over(d)).map(|(i, _)| i).collect();
    for i in over {
        incident.deliveries[i].status = DeliveryStatus::Stopped { at: now };
    }
}

/// The calls that a new round goes on with: those that are not settled. One that is being sent now is due again when
/// its lease ends, unless it is accepted first.
pub(super) fn unanswered(incident: &Incident, now: DateTime<Utc>) -> Vec<Delivery> {
    let (round, purpose) = (incident.round.saturating_add(1), Purpose::CallIn(1));
    let left = calls(incident).filter(|d| d.is_unsettled() && incident.wants(d));
    let again = |(place, d): (u16, &Delivery)| {
        let key = DeliveryKey { round, purpose, place };
        // A clock that was far ahead may have set the due time, and the new round does not show it (promise 14).
        let is_sent = matches!(d.status, DeliveryStatus::InFlight { .. });
        let latest = if is_sent { MAX_LEASE } else { d.after.max(backoff::MAX_DELAY) };
        let due_at = d.due_at()?.min(later(now, latest));
        let delivery = Delivery::pending(key, d.contact.clone(), due_at, d.since).that_late(d.after);
        Some(delivery.calling(d.called.clone()?))
    };
    (0..).zip(left).filter_map(again).collect()
}

/// A call of an earlier round was accepted after all, so it is not repeated in this round.
pub(super) fn accepted_before(incident: &mut Incident, earlier: DeliveryKey, now: DateTime<Utc>) {
    if !earlier.purpose.is_call_in() || earlier.round == incident.round {
        return;
    }
    let Some(before) = incident.deliveries.iter().find(|d| d.key() == earlier) else { return };
    let (contact, after, called) = (before.contact.clone(), before.after, before.called.clone());
    let round = incident.round;
    let is_it = |d: &&mut Delivery| {
        let is_same = d.contact == contact && d.after == after && d.called == called;
        is_same && d.round == round && d.purpose.is_call_in() && d.attempts == 0
    };
    for delivery in incident.deliveries.iter_mut().filter(is_it) {
        if matches!(delivery.status, DeliveryStatus::Pending { .. }) {
            delivery.status = DeliveryStatus::Stopped { at: now };
        }
    }
}

/// If all alerts so far of a person who was called in are dead, their next one is due at once (promise 19).
pub(super) fn hasten(incident: &mut Incident, purpose: Purpose, now: DateTime<Utc>) {
    let of_call = |d: &&Delivery| d.purpose == purpose;
    let people = calls(incident).filter(of_call).filter_map(|d| d.called.as_ref()).flat_map(|c| &c.people);
    let mut people: Vec<PersonId> = people.cloned().collect();
    people.sort_unstable();
    people.dedup();
    for person in people {
        let is_theirs = |d: &Delivery| {
            let called = d.called.as_ref().is_some_and(|called| called.people.contains(&person));
            called && d.round == incident.round && d.purpose == purpose
        };
        let theirs = (0..).zip(&incident.deliveries).filter(|(_, d)| is_theirs(d));
        let (ahead, so_far): (Vec<(usize, &Delivery)>, Vec<_>) =
            theirs.partition(|(_, d)| personal::is_ahead(d, now));
        if so_far.is_empty() || !so_far.iter().all(|(_, d)| d.is_dead()) {
            continue;
        }
        let next = ahead.iter().filter_map(|(_, d)| d.due_at()).min();
        let first: Vec<usize> = ahead.iter().filter(|(_, d)| d.due_at() == next).map(|(i, _)| *i).collect();
        for i in first {
            incident.deliveries[i].since = now;
            incident.deliveries[i].status = DeliveryStatus::Pending { due_at: now };
        }
    }
}

/// The next level of a claimed incident whose people somebody can call in: the lowest one that has not begun and has
/// somebody who is not here; `None` if there is no such level.
pub(super) fn next_level(incident: &Incident) -> Option<Level> {
    let matrix = &incident.matrix;
    if matrix.records_only(incident.severity) {
        return None;
    }
    // If the calendar is empty, level 1 is the fallback.
    let is_again = |level: Level| level == Level::Fallback && matrix.origin() == Origin::Fallback;
    let had_its_turn = |level: Level| {
        incident.begun.iter().any(|begun| begun.level == level) || incident.call_ins.levels.contains(&level)
    };
    let levels = matrix.alerted_levels(incident.severity).map(Level::At).chain([Level::Fallback]);
    let mut left = levels.filter(|level| !is_again(*level) && !had_its_turn(*level));
    left.find(|level| !new_alerts(incident, matrix, *level).is_empty())
}
