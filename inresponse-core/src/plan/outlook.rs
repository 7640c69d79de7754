//! Future alerts, as facts. The facts are decided once, and each page, mail and command puts them into words.

use chrono::{DateTime, Utc};

use super::ladder::{self, Next, Rung};
use super::{handover, people};
use crate::model::{BegunLevel, Contact, Delivery, DeliveryKey, DeliveryStatus, Incident, Level, State};

/// A future step of the escalation, unless somebody claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upcoming<'a> {
    /// A level will be alerted.
    Level {
        /// The level.
        level: Level,
        /// The latest time at which the level is alerted.
        at: DateTime<Utc>,
        /// The contacts of the level.
        contacts: &'a [Contact],
    },
    /// A further round will begin, with the people who are on call then.
    Round {
        /// The number of the round.
        round: u32,
        /// The latest time at which the round begins.
        at: DateTime<Utc>,
    },
}

/// The steps after the levels that have begun, in order, unless somebody claims; empty if somebody has.
///
/// The outlook is a forecast for readers: it assumes that everybody can be reached. It ends with the next round,
/// because it is not known yet who is on call then.
pub fn outlook(incident: &Incident) -> Vec<Upcoming<'_>> {
    let (mut ahead, mut steps) = (incident.clone(), Vec::new());
    if incident.state != State::Open {
        return steps;
    }
    while let Some(Next { rung, at }) = ladder::next(&ahead) {
        let level = match rung {
            Rung::Level(n) => Level::At(n),
            Rung::Fallback => Level::Fallback,
            Rung::RepeatRound => {
                steps.push(Upcoming::Round { round: incident.round.saturating_add(1), at });
                break;
            }
            Rung::Over => break,
        };
        let contacts = incident.matrix.contacts(level);
        if !contacts.is_empty() {
            steps.push(Upcoming::Level { level, at, contacts });
        }
        ahead.begun.push(BegunLevel::new(level, at));
        // A level that is only foreseen has no deliveries and would count as dead.
        ahead.deliveries.extend(contacts.iter().take(1).map(|contact| {
            Delivery::pending(DeliveryKey::alert(incident.round, level, 0), contact.clone(), at, at)
        }));
        ahead.exhausted |= rung == Rung::Fallback;
    }
    steps
}

/// When somebody is alerted next: the earliest pending delivery or beginning of a level, repeat round or fallback.
pub fn next_alert_at(incident: &Incident) -> Option<DateTime<Utc>> {
    if incident.state != State::Open {
        return None;
    }
    let pending = incident.current_deliveries().filter_map(|d| match d.status {
        DeliveryStatus::Pending { due_at } => Some(due_at),
        DeliveryStatus::InFlight { .. }
        | DeliveryStatus::Accepted { .. }
        | DeliveryStatus::Dead { .. }
        | DeliveryStatus::Stopped { .. } => None,
    });
    pending.chain(next_level_due(incident)).min()
}

/// When the next level, repeat round or fallback begins; `None` if none does.
fn next_level_due(incident: &Incident) -> Option<DateTime<Utc>> {
    ladder::next(incident).filter(|next| next.rung != Rung::Over).map(|next| next.at)
}

/// When the holder's claim ends unless they answer; `None` if the claim does not end.
pub fn claim_ends_at(incident: &Incident) -> Option<DateTime<Utc>> {
    handover::answer_by(incident)
}

/// Whether a person may request that the next level is alerted without waiting.
pub fn may_escalate(incident: &Incident) -> bool {
    people::escalates_at(incident).is_ok()
}

/// Since when an alert of an open incident has waited for acceptance.
pub fn waiting_since(incident: &Incident) -> Option<DateTime<Utc>> {
    if incident.state != State::Open {
        return None;
    }
    let unsettled = incident.current_deliveries().filter(|d| d.is_unsettled()).map(Delivery::since);
    unsettled.chain(next_level_due(incident)).min()
}
