//! The steps of people's rules: they are deliveries that are due later than their level (promise 19).

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::later;
use crate::model::{
    BegunLevel, Contact, Delivery, DeliveryKey, DeliveryStatus, Event, Incident, Level, Matrix, Purpose,
    State,
};

/// The alert of a contact, that long after `from`.
fn delivery(
    incident: &Incident,
    (level, place): (Level, u16),
    contact: Contact,
    after: Duration,
    from: DateTime<Utc>,
) -> Delivery {
    let (key, due_at) = (DeliveryKey::alert(incident.round, level, place), later(from, after));
    Delivery::pending(key, contact, due_at, due_at).that_late(after)
}

/// The alerts of a level that begins now, in the order of their times. If the round has room for fewer, the latest are
/// left out (promise 7); also returns how many.
pub(super) fn beginning(incident: &Incident, level: Level, now: DateTime<Utc>) -> (Vec<Delivery>, u32) {
    let matrix = &incident.matrix;
    let mut steps = matrix.steps(level, incident.severity);
    let planned = steps.len();
    if !matrix.is_plain() {
        let further = levels(matrix).filter(|l| *l != level && !has_begun(incident, *l));
        let reserved = further.filter(|l| !matrix.contacts(*l).is_empty()).count();
        steps.truncate(room(incident).saturating_sub(reserved).max(1));
    }
    let left_out = count(planned - steps.len());
    let steps = (0..=u16::MAX).zip(steps);
    let alert = |(place, (contact, after)): (u16, (&Contact, Duration))| {
        delivery(incident, (level, place), contact.clone(), after, now)
    };
    (steps.map(alert).collect(), left_out)
}

/// A level began again: its steps that were not begun move with it (promises 8 and 19).
pub(super) fn move_steps(incident: &mut Incident, level: Level, now: DateTime<Utc>) {
    let round = incident.round;
    let of_level = |d: &&mut Delivery| d.round == round && d.purpose == Purpose::Alert(level);
    for delivery in incident.deliveries.iter_mut().filter(of_level) {
        if delivery.is_later_step() {
            delivery.since = later(now, delivery.after);
            delivery.status = DeliveryStatus::Pending { due_at: delivery.since };
        }
    }
}

/// The severity was raised: the people of the levels that have begun get the steps of the new severity's rule that they
/// have not had, counted from now.
pub(super) fn raise(incident: &mut Incident, now: DateTime<Utc>) {
    let severity = incident.severity;
    if incident.state != State::Open || incident.quiet.is_some() || incident.records_only() {
        return;
    }
    note_cut(incident, incident.matrix.cut(severity), now);
    if incident.matrix.is_plain() {
        return;
    }
    let matrix = &incident.matrix;
    let begun: Vec<Level> = incident.begun.iter().map(|begun| begun.level).collect();
    let is_alerted = |level: &Level| match level {
        Level::At(n) => matrix.alerts(severity, *n),
        Level::Fallback => true,
    };
    let mut new: Vec<(Duration, usize, Level, Contact)> = Vec::new();
    for (order, level) in begun.iter().copied().filter(is_alerted).enumerate() {
        for (contact, after) in matrix.steps(level, severity) {
            let is_this = |d: &Delivery| d.contact == *contact && d.after == after;
            if !incident.level_deliveries(level).any(is_this) {
                new.push((after, order, level, contact.clone()));
            }
        }
    }
    new.sort_by_key(|(after, order, ..)| (*after, *order));
    let ahead = levels(matrix).filter(|level| !has_begun(incident, *level));
    let reserved: usize =
        ahead.map(|level| matrix.steps(level, severity).len().max(matrix.contacts(level).len().min(1))).sum();
    let planned = new.len();
    new.truncate(room(incident).saturating_sub(reserved));
    note_cut(incident, count(planned - new.len()), now);
    for (after, _, level, contact) in new {
        let places = incident.level_deliveries(level).map(|d| d.place);
        let place = places.max().map_or(0, |last| last.saturating_add(1));
        let delivery = delivery(incident, (level, place), contact, after, now);
        incident.deliveries.push(delivery);
    }
    begun.into_iter().for_each(|level| hasten(incident, level, now));
}

/// If all steps of a person so far are dead, the person's next one is due at once.
pub(super) fn hasten(incident: &mut Incident, level: Level, now: DateTime<Utc>) {
    if incident.matrix.is_plain() {
        return;
    }
    let mut hastened: Vec<usize> = Vec::new();
    for way in ways(incident, level) {
        let theirs = way.into_iter().map(|i| (i, &incident.deliveries[i]));
        let (ahead, so_far): (Vec<_>, Vec<_>) = theirs.partition(|(_, d)| is_ahead(d, now));
        let next = ahead.iter().filter_map(|(_, d)| d.due_at()).min();
        if !so_far.is_empty() && so_far.iter().all(|(_, d)| d.is_dead()) {
            hastened.extend(ahead.iter().filter(|(_, d)| d.due_at() == next).map(|(i, _)| *i));
        }
    }
    bring_forward(incident, hastened, now);
}

/// Makes later steps due at once.
pub(super) fn bring_forward(incident: &mut Incident, steps: Vec<usize>, now: DateTime<Utc>) {
    for i in steps {
        incident.deliveries[i].since = now;
        incident.deliveries[i].status = DeliveryStatus::Pending { due_at: now };
    }
}

/// For each person of a level, the places of the deliveries by which the person is alerted.
pub(super) fn ways(incident: &Incident, level: Level) -> Vec<Vec<usize>> {
    let is_of_level = |d: &Delivery| d.round == incident.round && d.purpose == Purpose::Alert(level);
    let by_person = incident.matrix.steps_by_person(level).into_iter();
    let theirs = |steps: Vec<(&Contact, Duration)>| {
        let is_theirs = |d: &Delivery| is_of_level(d) && steps.contains(&(&d.contact, d.after));
        (0..).zip(&incident.deliveries).filter(|(_, d)| is_theirs(d)).map(|(i, _)| i).collect()
    };
    by_person.map(theirs).collect()
}

pub(super) fn is_ahead(delivery: &Delivery, now: DateTime<Utc>) -> bool {
    delivery.is_later_step() && delivery.due_at().is_some_and(|at| at > now)
}

/// When the last step of the round's levels is due; `None` if no step is later than its level. (A new round goes on with
/// the people who were called in.)
pub(super) fn last_step_at(incident: &Incident) -> Option<DateTime<Utc>> {
    let is_step = |d: &&Delivery| d.purpose.level().is_some() && !d.after.is_zero();
    incident.current_deliveries().filter(is_step).map(|d| d.since).max()
}

/// The round leaves some alerts out.
pub(super) fn note_cut(incident: &mut Incident, alerts: u32, now: DateTime<Utc>) {
    if alerts > 0 {
        incident.timeline.push(now, Event::AlertsCut { round: incident.round, alerts });
    }
}

fn count(alerts: usize) -> u32 {
    u32::try_from(alerts).unwrap_or(u32::MAX)
}

/// How many more alerts the round may have.
fn room(incident: &Incident) -> usize {
    Matrix::MAX_CONTACTS
        .saturating_sub(incident.current_deliveries().filter(|d| d.purpose.level().is_some()).count())
}

fn levels(matrix: &Matrix) -> impl Iterator<Item = Level> + use<> {
    (1..=matrix.height()).map(Level::At).chain([Level::Fallback])
}

fn has_begun(incident: &Incident, level: Level) -> bool {
    incident.begun.iter().any(|begun: &BegunLevel| begun.level == level)
}
