//! The notice to a claimant before their claim ends (promise 22). It is a delivery that is due later.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::{earlier, later};
use crate::model::{
    Contact, Delivery, DeliveryKey, DeliveryStatus, Incident, Level, MethodName, Person, PersonId, Purpose,
    Recipient,
};

/// How long before its end the claimant is told.
const AHEAD: Duration = Duration::from_secs(10 * 60);
/// The end of a claim that lasts less is not announced.
const SHORTEST: Duration = Duration::from_secs(20 * 60);

/// Plans the notice for the end of the claim that was fixed now. It replaces the notice for an earlier end.
///
/// An end within the next ten minutes is not announced: the person who has set it knows.
pub(super) fn plan(incident: &mut Incident, now: DateTime<Utc>) {
    let round = incident.round;
    incident.deliveries.retain(|d| !(d.round == round && d.announces.is_some()));
    let (Some(end), Some(claimed)) = (incident.claim_end, &incident.claimed) else { return };
    let lasts = (end.at - claimed.at).to_std().unwrap_or_default();
    let ahead = (earlier(end.at, AHEAD) - now).to_std().unwrap_or_default();
    // A delivery is stored with whole seconds.
    let ahead = Duration::from_secs(ahead.as_secs());
    if lasts < SHORTEST || ahead.is_zero() {
        return;
    }
    let contacts = contacts_of(incident, &claimed.by);
    if contacts.is_empty() {
        return;
    }
    incident.status_updates = incident.status_updates.saturating_add(1);
    let (purpose, due_at) = (Purpose::StatusUpdate(incident.status_updates), later(now, ahead));
    incident.deliveries.extend((0..).zip(contacts).map(|(place, contact)| {
        let notice = Delivery::pending(DeliveryKey { round, purpose, place }, contact, due_at, due_at);
        notice.that_late(ahead).announcing(end.at)
    }));
}

/// Where the claimant is told: the contacts by which this round would alert them first; else the other known ones; else
/// their name, if it is an address.
fn contacts_of(incident: &Incident, claimant: &Person) -> Vec<Contact> {
    let matrix = &incident.matrix;
    let levels = (1..=matrix.height()).map(Level::At).chain([Level::Fallback]);
    let first = levels.flat_map(|level| matrix.first_contacts(level, incident.severity).into_owned());
    let first = distinct(first.filter(|contact| incident.is_at(claimant, contact)));
    if !first.is_empty() {
        return first;
    }
    let theirs = matrix.recipients().iter().filter(|one| one.person.as_str() == claimant.as_str());
    distinct(theirs.map(|one| one.contact.clone()).chain(claimant.contact()))
}

fn distinct(contacts: impl Iterator<Item = Contact>) -> Vec<Contact> {
    let mut all: Vec<Contact> = Vec::new();
    for contact in contacts {
        if !all.contains(&contact) {
            all.push(contact);
        }
    }
    all.truncate(crate::model::Matrix::MAX_CONTACTS);
    all
}

/// Remembers how a claimant is reached, if the round does not know it.
pub(super) fn remember(incident: &mut Incident, claimant: &Person, reach: &[(MethodName, Contact)]) {
    if contacts_of(incident, claimant).is_empty() {
        know(incident, claimant, reach);
    }
}

/// Remembers how the holder of the incident is reached. What was remembered of earlier holders is forgotten, unless a
/// delivery needs it (promise 7).
pub(super) fn know(incident: &mut Incident, holder: &Person, reach: &[(MethodName, Contact)]) {
    let Ok(person) = PersonId::new(holder.as_str()) else { return };
    let recipient = |(method, contact): &(MethodName, Contact)| Recipient {
        level: None,
        contact: contact.clone(),
        person: person.clone(),
        method: method.clone(),
    };
    let deliveries = &incident.deliveries;
    incident
        .matrix
        .forget(|one| one.person != person && !deliveries.iter().any(|d| d.contact == one.contact));
    incident.matrix.know(reach.iter().map(recipient));
}

/// Stops due notices of an end that is not the claim's end any more. A server that knows no notices has moved it.
pub(super) fn stop_outdated(incident: &mut Incident, now: DateTime<Utc>) -> Stopped {
    let end = incident.claim_end.map(|end| end.at);
    let mut stopped = Stopped::Nothing;
    for delivery in &mut incident.deliveries {
        let is_due = matches!(delivery.status, DeliveryStatus::Pending { due_at } if due_at <= now);
        if is_due && delivery.announces.is_some() && delivery.announces != end {
            delivery.status = DeliveryStatus::Stopped { at: now };
            stopped = Stopped::Some;
        }
    }
    stopped
}

/// Whether outdated notices were stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Stopped {
    Nothing,
    Some,
}

/// The end of the claim was moved with its claim, after a clock went back: its notice announces the new end.
pub(super) fn move_back(incident: &mut Incident, was: DateTime<Utc>, is: DateTime<Utc>) {
    for delivery in incident.deliveries.iter_mut().filter(|d| d.announces == Some(was)) {
        delivery.announces = Some(is);
    }
}
