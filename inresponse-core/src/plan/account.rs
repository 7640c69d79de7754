//! What happened to an incident, as facts: decided once, and worded by every surface.

use chrono::{DateTime, Utc};

use super::ladder::{self, Rung};
use crate::model::{BegunLevel, Delivery, Entry, Event, Incident, Level, State};

/// Who was reached once everybody's turn had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Everybody of the round.
    Everybody,
    /// Somebody, and not everybody.
    Somebody,
    /// Nobody yet; attempts continue, or continued until somebody claimed.
    NobodyYet,
    /// Nobody could be.
    Nobody,
}

/// How many people were reached, if the escalation has ended without a claim; otherwise `None`.
pub fn reached(incident: &Incident) -> Option<Reached> {
    incident.is_unclaimed().then(|| reached_since_opening(incident))
}

fn reached_since_opening(incident: &Incident) -> Reached {
    let mut alerts = incident.current_deliveries().filter(|d| !d.is_status_update());
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

/// A level of the round that has begun, with the state of its alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Which.
    pub level: Level,
    /// When it began.
    pub at: DateTime<Utc>,
    /// Its alerts; none if it is empty.
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
