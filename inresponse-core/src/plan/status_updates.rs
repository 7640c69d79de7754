//! Status updates: who is notified that somebody has the incident.

use chrono::{DateTime, Utc};

use crate::model::{
    Contact, Delivery, DeliveryKey, DeliveryStatus, Incident, Matrix, OutcomeKind, Person, Purpose,
    StatusUpdates,
};

/// A status update is a courtesy: it is given up after this many attempts.
pub(super) const MAX_ATTEMPTS: u32 = 5;

/// Creates the status updates that tell the people who were alerted, except `by`, who has the incident now.
///
/// The new owner is always notified at `new_owner`, because otherwise they would not know. Older status updates that are still pending
/// are replaced, because they are no longer true.
pub(super) fn create(incident: &mut Incident, by: &Person, new_owner: &[Contact], now: DateTime<Utc>) {
    let mut told: Vec<Contact> = Vec::new();
    for contact in new_owner {
        if !told.contains(contact) {
            told.push(contact.clone());
        }
    }
    for delivery in incident.deliveries.iter().filter(|d| may_know(incident, d)) {
        let contact = delivery.contact();
        let is_asked =
            incident.matrix.status_updates_at(contact) == StatusUpdates::On && !is(incident, contact, by);
        // A message that shows a state or rings until it is withdrawn is changed even if nobody is told.
        if (is_asked || delivery.receipt.is_some()) && !told.contains(contact) {
            told.push(contact.clone());
        }
    }
    let has_receipt =
        |contact: &Contact| incident.deliveries.iter().any(|d| d.contact == *contact && d.receipt.is_some());
    told.retain(|contact| new_owner.contains(contact) || has_receipt(contact) || !is(incident, contact, by));
    // People who are called in and have not answered must not think that nobody needs them.
    told.retain(|contact| new_owner.contains(contact) || !incident.has_live_call(contact));
    told.truncate(Matrix::MAX_CONTACTS);

    let round = incident.round;
    incident.deliveries.retain(|d| !(d.is_status_update() && d.round == round));
    if told.is_empty() {
        return;
    }
    incident.status_updates = incident.status_updates.saturating_add(1);
    let purpose = Purpose::StatusUpdate(incident.status_updates);
    incident.deliveries.extend(
        (0..).zip(told).map(|(place, contact)| {
            Delivery::pending(DeliveryKey { round, purpose, place }, contact, now, now)
        }),
    );
}

/// Creates the status update for an alert whose carrier answered only after the incident was claimed or resolved: the
/// message must still be changed or withdrawn.
pub(super) fn catch_up(incident: &mut Incident, contact: &Contact, now: DateTime<Utc>) {
    let is_theirs =
        |d: &&Delivery| d.is_status_update() && d.round == incident.round && d.contact == *contact;
    if incident.deliveries.iter().filter(is_theirs).any(Delivery::is_unsettled) {
        return;
    }
    incident.status_updates = incident.status_updates.saturating_add(1);
    let purpose = Purpose::StatusUpdate(incident.status_updates);
    let key = DeliveryKey { round: incident.round, purpose, place: 0 };
    incident.deliveries.push(Delivery::pending(key, contact.clone(), now, now));
}

/// Whether an alert has reached somebody since the incident was opened or released, or may have.
fn may_know(incident: &Incident, delivery: &Delivery) -> bool {
    if delivery.is_status_update() || delivery.round + incident.repeats_done < incident.round {
        return false;
    }
    let last = delivery.last.as_ref().map(|last| last.kind);
    match delivery.status {
        DeliveryStatus::Accepted { .. } | DeliveryStatus::InFlight { .. } => true,
        DeliveryStatus::Pending { .. } | DeliveryStatus::Stopped { .. } => {
            matches!(last, Some(OutcomeKind::Unknown | OutcomeKind::Expired))
        }
        DeliveryStatus::Dead { .. } | DeliveryStatus::Limited { .. } => false,
    }
}

fn is(incident: &Incident, contact: &Contact, person: &Person) -> bool {
    incident.is_at(person, contact) || contact.address() == person.as_str()
}
