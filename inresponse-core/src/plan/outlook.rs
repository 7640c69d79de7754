//! Future alerts, as facts. The facts are decided once, and each page, mail and command puts them into words.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::ladder::{self, Next, Rung};
use super::{claim_end, defer, handover, people, personal};
use crate::clock::later;
use crate::model::{BegunLevel, Contact, Delivery, DeliveryStatus, Incident, Level, State};

/// A future step of the escalation, unless somebody claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upcoming<'a> {
    /// A level will be alerted.
    Level {
        /// The level.
        level: Level,
        /// The latest time at which the level is alerted.
        at: DateTime<Utc>,
        /// The contacts that are alerted when the level begins.
        contacts: Cow<'a, [Contact]>,
    },
    /// A level that will have begun by then alerts more contacts, as people's rules say.
    Step {
        /// The level.
        level: Level,
        /// The latest time of the step.
        at: DateTime<Utc>,
        /// The contacts that are alerted.
        contacts: Vec<&'a Contact>,
    },
    /// A further round will begin, with the people who are on call then.
    Round {
        /// The number of the round.
        round: u32,
        /// The latest time at which the round begins.
        at: DateTime<Utc>,
    },
}

/// The steps to come, in order, unless somebody claims; empty if somebody has: the later steps of levels that have begun,
/// and the levels after them.
///
/// The outlook is a forecast for readers: it assumes that everybody can be reached. It ends with the next round,
/// because it is not known yet who is on call then.
pub fn outlook(incident: &Incident) -> Vec<Upcoming<'_>> {
    if incident.state != State::Open {
        return Vec::new();
    }
    if let Some(at) = defer::ends_at(incident) {
        let has_begun = u32::from(!incident.begun.is_empty());
        return vec![Upcoming::Round { round: incident.round.saturating_add(has_begun), at }];
    }
    let (mut ahead, mut steps) = (incident.clone(), later_steps(incident));
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
        let contacts = incident.matrix.first_contacts(level, incident.severity);
        if !contacts.is_empty() {
            steps.push(Upcoming::Level { level, at, contacts });
        }
        if !incident.matrix.is_plain() {
            let times = incident.matrix.steps(level, incident.severity).into_iter();
            let times = times.filter(|(_, after)| !after.is_zero());
            add_steps(&mut steps, level, times.map(|(contact, after)| (later(at, after), contact)));
        }
        // A level that is only foreseen has no deliveries and would count as dead.
        ahead.begun.push(BegunLevel::new(level, at));
        let alerts = personal::beginning(&ahead, level, at).0;
        ahead.deliveries.extend(alerts);
        ahead.exhausted |= rung == Rung::Fallback;
    }
    steps.sort_by_key(Upcoming::at);
    steps
}

impl Upcoming<'_> {
    /// The latest time of the step.
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            Upcoming::Level { at, .. } | Upcoming::Step { at, .. } | Upcoming::Round { at, .. } => *at,
        }
    }
}

/// The later steps of the levels that have begun.
fn later_steps(incident: &Incident) -> Vec<Upcoming<'_>> {
    let mut steps = Vec::new();
    if !incident.matrix.is_plain() {
        for begun in &incident.begun {
            let later = incident.level_deliveries(begun.level).filter(|d| d.is_later_step());
            let times = later.filter_map(|d| Some((d.due_at()?, &d.contact)));
            add_steps(&mut steps, begun.level, times);
        }
    }
    steps
}

/// Adds steps of a level; those at the same time are one.
fn add_steps<'a>(
    steps: &mut Vec<Upcoming<'a>>,
    level: Level,
    times: impl Iterator<Item = (DateTime<Utc>, &'a Contact)>,
) {
    let mut by_time: BTreeMap<DateTime<Utc>, Vec<&Contact>> = BTreeMap::new();
    times.for_each(|(at, contact)| by_time.entry(at).or_default().push(contact));
    steps.extend(by_time.into_iter().map(|(at, contacts)| Upcoming::Step { level, at, contacts }));
}

/// When somebody is alerted next: the earliest pending delivery or beginning of a level, repeat round or fallback, or the
/// end of quiet. If the incident is claimed, only those who were called in are alerted.
pub fn next_alert_at(incident: &Incident) -> Option<DateTime<Utc>> {
    if incident.state == State::Resolved {
        return None;
    }
    let is_alerting = incident.state == State::Open && incident.quiet.is_none();
    let alerts = |d: &&Delivery| is_alerting || d.purpose.is_call_in();
    let pending = incident.current_deliveries().filter(alerts).filter_map(|d| match d.status {
        DeliveryStatus::Pending { due_at } => Some(due_at),
        DeliveryStatus::InFlight { .. }
        | DeliveryStatus::Accepted { .. }
        | DeliveryStatus::Dead { .. }
        | DeliveryStatus::Limited { .. }
        | DeliveryStatus::Stopped { .. } => None,
    });
    pending.chain(next_level_due(incident)).chain(defer::ends_at(incident)).min()
}

/// When the next level, repeat round or fallback begins; `None` if none does.
fn next_level_due(incident: &Incident) -> Option<DateTime<Utc>> {
    let is_alerting = incident.state == State::Open && incident.quiet.is_none();
    let next = ladder::next(incident).filter(|_| is_alerting);
    next.filter(|next| next.rung != Rung::Over).map(|next| next.at)
}

/// When the claim ends, by the team's claim timeout, by a snooze, or because a new holder has not answered; `None` if it
/// does not end.
pub fn claim_ends_at(incident: &Incident) -> Option<DateTime<Utc>> {
    handover::answer_by(incident).into_iter().chain(claim_end::ends_at(incident)).min()
}

/// By when a new holder must answer; `None` if no answer is expected.
pub fn answer_by(incident: &Incident) -> Option<DateTime<Utc>> {
    handover::answer_by(incident)
}

/// Whether a person may request that the next level is alerted without waiting, or called in.
pub fn may_escalate(incident: &Incident) -> bool {
    people::escalates_at(incident).is_ok()
}

/// Since when an alert of an open incident, or a call for more people, has waited for acceptance. If the incident is
/// quiet, its alerts wait from the end of quiet on.
pub fn waiting_since(incident: &Incident) -> Option<DateTime<Utc>> {
    let alerts = |d: &&Delivery| match incident.state {
        State::Open if incident.quiet.is_none() => true,
        State::Open | State::Claimed | State::Resolved => d.purpose.is_call_in() && incident.wants(d),
    };
    let unsettled = incident.current_deliveries().filter(alerts);
    let unsettled = unsettled.filter(|d| d.is_unsettled()).map(Delivery::since);
    unsettled.chain(next_level_due(incident)).chain(defer::ends_at(incident)).min()
}
