//! What happened to an incident and what comes, as facts: decided once, and worded by every surface.

use chrono::{DateTime, Utc};

use super::ladder::{self, Next, Rung};
use crate::model::{BegunLevel, Contact, Delivery, DeliveryStatus, Entry, Event, Incident, Level, State};

/// Something that comes, unless somebody claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upcoming<'a> {
    /// A level is alerted.
    Level {
        /// Which.
        level: Level,
        /// When at the latest.
        at: DateTime<Utc>,
        /// Who.
        contacts: &'a [Contact],
    },
    /// A further round begins, with the people who are on call then.
    Round {
        /// Which.
        round: u32,
        /// When at the latest.
        at: DateTime<Utc>,
    },
}

/// What comes after the levels that have begun, in order, unless somebody claims; nothing where somebody has.
///
/// An outlook for people: it assumes that nobody turns out to be unreachable. It ends with a further round, since who
/// is on call then is not known yet.
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
        ahead.deliveries.extend(contacts.iter().take(1).map(|contact| Delivery {
            round: incident.round,
            level,
            place: 0,
            contact: contact.clone(),
            status: DeliveryStatus::Pending { due_at: at },
            attempts: 0,
            expired: Vec::new(),
            since: at,
            last: None,
            unknown: crate::model::Unknown::default(),
        }));
        ahead.exhausted |= rung == Rung::Fallback;
    }
    steps
}

/// Who was reached once everybody's turn had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Everybody of the round.
    Everybody,
    /// Somebody, and not everybody.
    Somebody,
    /// Nobody yet; attempts go on, or went on until somebody claimed.
    NobodyYet,
    /// Nobody could be.
    Nobody,
}

/// Who was reached of an incident that nobody has claimed though everybody's turn has come; `None` of any other.
pub fn reached(incident: &Incident) -> Option<Reached> {
    incident.is_unclaimed().then(|| reached_since_opening(incident))
}

fn reached_since_opening(incident: &Incident) -> Reached {
    let mut alerts = incident.current_deliveries().filter(|d| !d.is_news());
    if incident.accepted == 0 {
        return if alerts.all(Delivery::is_dead) { Reached::Nobody } else { Reached::NobodyYet };
    }
    if alerts.all(Delivery::is_accepted) { Reached::Everybody } else { Reached::Somebody }
}

/// What an entry of the timeline led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Nothing that is not an entry itself.
    Nothing,
    /// Of a level that is empty or dead: the next level or round was due at once.
    TheNextAtOnce,
    /// Of everybody's turn having come, where this is still known: who was reached.
    Reached(Reached),
}

/// An entry of the timeline with what it led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// What it led to.
    pub follows: Follows,
}

/// The timeline with what its entries led to, the oldest first.
pub fn history(incident: &Incident) -> Vec<Happened<'_>> {
    let entries = incident.timeline.entries();
    let follows = |i: usize| match &entries[i].event {
        Event::LevelEmpty { round, level } | Event::LevelDead { round, level } => {
            next_at_once(incident, i, *round, *level)
        }
        Event::Unclaimed if !entries[i..].iter().any(|entry| begins_again(&entry.event)) => {
            Follows::Reached(reached_since_opening(incident))
        }
        _ => Follows::Nothing,
    };
    entries.iter().enumerate().map(|(i, entry)| Happened { entry, follows: follows(i) }).collect()
}

/// Whether what its alerts did before is of the past.
fn begins_again(event: &Event) -> bool {
    matches!(event, Event::Released { .. } | Event::HandedToTeam { .. } | Event::HandoverUnanswered { .. })
}

/// Whether the next level or round was due because this one was empty or dead, if there was one at all.
fn next_at_once(incident: &Incident, i: usize, of: u32, level: Level) -> Follows {
    let entries = incident.timeline.entries();
    let begun = |entry: &Entry| match &entry.event {
        Event::LevelBegan { round, level, .. } | Event::LevelEmpty { round, level } if *round == of => {
            Some(*level)
        }
        _ => None,
    };
    let is_latest = entries[..=i].iter().rev().find_map(begun).is_none_or(|latest| latest == level);
    if !is_latest {
        return Follows::Nothing;
    }
    for entry in &entries[i + 1..] {
        match &entry.event {
            Event::RoundBegan { .. } => return Follows::TheNextAtOnce,
            Event::Claimed { .. } | Event::HandedOver { .. } | Event::Resolved { .. } | Event::Unclaimed => {
                return Follows::Nothing;
            }
            event if begins_again(event) => return Follows::Nothing,
            _ if begun(entry).is_some() => return Follows::TheNextAtOnce,
            _ => {}
        }
    }
    let next = ladder::next(incident).filter(|_| incident.state == State::Open && incident.round == of);
    match next {
        Some(next) if next.rung != Rung::Over && next.at <= entries[i].at => Follows::TheNextAtOnce,
        Some(_) | None => Follows::Nothing,
    }
}

/// A level of the round that has begun, with what became of its alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Which.
    pub level: Level,
    /// When it began.
    pub at: DateTime<Utc>,
    /// Its alerts; none where it is empty.
    pub deliveries: Vec<&'a Delivery>,
}

/// The levels of the round that have begun, in the order in which they did.
pub fn turns(incident: &Incident) -> Vec<Turn<'_>> {
    let turn = |begun: &BegunLevel| Turn {
        level: begun.level,
        at: begun.at,
        deliveries: incident.level_deliveries(begun.level).collect(),
    };
    incident.begun.iter().map(turn).collect()
}
