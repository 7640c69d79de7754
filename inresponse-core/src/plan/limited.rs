//! What follows if a limit of the deployment holds a message back (promise 9).
//!
//! The delivery ends as limited only if the same person has another way that has not failed, and the person's next step is
//! due at once. A person who has no such way gets the message as soon as the limit allows it. A limit never holds back a
//! CRIT alert to such a person.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::personal::{self, is_ahead};
use super::{backoff, handover};
use crate::clock::later;
use crate::model::{DeliveryKey, DeliveryStatus, Event, Incident, Purpose, Severity, State};

/// The longest time until a message that was held back is tried again: a limit may be one of a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The shortest such time.
const SHORTEST: Duration = Duration::from_secs(1);

/// Whether a limit of the deployment may hold a message back: not if it is a CRIT alert to a person who has no other way
/// that has not failed.
pub fn may_be_held_back(incident: &Incident, delivery: DeliveryKey) -> bool {
    let i = incident.deliveries.iter().position(|d| d.key() == delivery);
    incident.severity != Severity::Crit || i.is_none_or(|i| has_another_way(incident, i))
}

/// The status of a delivery that a limit held back for so long.
pub(super) fn held_back(
    incident: &Incident,
    delivery: DeliveryKey,
    attempt: u32,
    after: Duration,
    now: DateTime<Utc>,
) -> DeliveryStatus {
    let found = (0..).zip(&incident.deliveries).find(|(_, d)| d.key() == delivery);
    match found {
        Some((i, _)) if has_another_way(incident, i) => DeliveryStatus::Limited { at: now },
        // The last other way has failed since the send began.
        Some((_, d)) if incident.severity == Severity::Crit && !d.was_limited() => {
            DeliveryStatus::Pending { due_at: now }
        }
        Some(_) if incident.severity == Severity::Crit => {
            let pause = backoff::unavailable(&incident.delivery_id(delivery), attempt);
            DeliveryStatus::Pending { due_at: later(now, pause) }
        }
        Some(_) | None => DeliveryStatus::Pending { due_at: later(now, after.clamp(SHORTEST, LONGEST)) },
    }
}

/// Notes that a limit held an alert back, the first time, and makes the person's next step due if the alert has ended.
pub(super) fn note(incident: &mut Incident, before: &Incident, i: usize, now: DateTime<Utc>) {
    let delivery = &incident.deliveries[i];
    let Purpose::Alert(level) = delivery.purpose else { return };
    if incident.state != State::Open || delivery.round != incident.round {
        return;
    }
    let (round, contact, is_over) = (delivery.round, delivery.contact.clone(), delivery.is_limited());
    if before.deliveries.get(i).is_none_or(|d| !d.was_limited()) {
        incident.timeline.push(now, Event::HeldBack { round, level, contact });
    }
    if is_over {
        let due_at = |j: &usize| incident.deliveries[*j].due_at();
        let next_of = |mut way: Vec<usize>| {
            way.retain(|j| is_ahead(&incident.deliveries[*j], now));
            let first = way.iter().filter_map(due_at).min();
            way.retain(|j| due_at(j) == first);
            way
        };
        let next: Vec<usize> = ways_of(incident, i).into_iter().flat_map(next_of).collect();
        personal::bring_forward(incident, next, now);
    }
}

/// Makes limited deliveries due again whose person has no other way any more that has not failed.
pub(super) fn try_again(incident: &mut Incident, now: DateTime<Utc>) {
    let is_lost = |i: &usize| {
        let delivery = &incident.deliveries[*i];
        let is_current = delivery.round == incident.round;
        let is_wanted = incident.state == State::Open || delivery.is_status_update();
        delivery.is_limited() && is_current && is_wanted && !has_another_way(incident, *i)
    };
    let lost: Vec<usize> = (0..incident.deliveries.len()).filter(is_lost).collect();
    for i in lost {
        incident.deliveries[i].status = DeliveryStatus::Pending { due_at: now };
    }
}

/// The severity was raised: what waits for a limit need not wait any longer if it is CRIT now.
pub(super) fn raised(incident: &mut Incident, now: DateTime<Utc>) {
    if incident.severity != Severity::Crit || incident.state != State::Open {
        return;
    }
    let round = incident.round;
    for delivery in incident.deliveries.iter_mut().filter(|d| d.round == round && d.was_limited()) {
        if matches!(delivery.status, DeliveryStatus::Pending { due_at } if due_at > now) {
            delivery.status = DeliveryStatus::Pending { due_at: now };
        }
    }
}

/// Whether everybody whom the delivery would reach has another way that has not failed. Nobody needs a status update, but
/// for the notices of a hand-over and of the end of a claim.
fn has_another_way(incident: &Incident, i: usize) -> bool {
    let delivery = &incident.deliveries[i];
    let is_needed = delivery.announces.is_some() || handover::is_notice(incident, delivery);
    if delivery.is_status_update() && !is_needed {
        return true;
    }
    let ways = ways_of(incident, i);
    let is_left = |way: &Vec<usize>| way.iter().any(|j| *j != i && incident.deliveries[*j].is_promising());
    !ways.is_empty() && ways.iter().all(is_left)
}

/// For each person whom the delivery would reach, all deliveries of the level that would.
fn ways_of(incident: &Incident, i: usize) -> Vec<Vec<usize>> {
    let level = match incident.deliveries[i].purpose {
        Purpose::Alert(level) => level,
        Purpose::StatusUpdate(_) if incident.deliveries[i].announces.is_none() => {
            return vec![handover::notice_places(incident).collect()];
        }
        // Each reaches its person by itself.
        Purpose::StatusUpdate(_) | Purpose::CallIn(_) => return Vec::new(),
    };
    let mut ways = personal::ways(incident, level);
    ways.retain(|way| way.contains(&i));
    ways
}
