//! What happened to an incident, as facts. The facts are decided once, and each page, mail and command puts them into
//! words.

use chrono::{DateTime, Utc};

use super::ladder::{self, Rung};
use crate::model::{BegunLevel, Delivery, Entry, Event, Incident, Level, State};

/// Who was reached once every level had its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Everybody of the round was reached.
    Everybody,
    /// Somebody was reached, but not everybody.
    Somebody,
    /// Nobody was reached yet; attempts continue, or continued until somebody claimed.
    NobodyYet,
    /// Nobody could be reached.
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
    // A step that is still to come does not say that somebody was not reached.
    // Who has a limited alert has another way, which counts.
    if alerts.all(|d| d.is_accepted() || d.is_limited() || d.is_later_step()) {
        Reached::Everybody
    } else {
        Reached::Somebody
    }
}

/// The consequence of a timeline entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// The entry has no consequence that is not an entry itself.
    Nothing,
    /// The level is empty or dead, so the next level or round was due at once.
    TheNextAtOnce,
    /// Every level had its turn, and these people were reached, as far as it is still known.
    Reached(Reached),
}

/// An entry of the timeline with its consequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// The consequence of the entry.
    pub follows: Follows,
}

/// The timeline with the consequences of its entries, the oldest first.
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

/// Whether an event ends the effects of earlier alerts.
fn begins_again(event: &Event) -> bool {
    matches!(
        event,
        Event::Released { .. }
            | Event::HandedToTeam { .. }
            | Event::HandoverUnanswered { .. }
            | Event::ClaimEnded { .. }
    )
}

/// Whether the next level or round was due at once, because this level was empty or dead and there was a next one.
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
    /// The level.
    pub level: Level,
    /// When the level began.
    pub at: DateTime<Utc>,
    /// The alerts of the level; empty if the level has no contacts.
    pub deliveries: Vec<&'a Delivery>,
}

/// The levels of the round that have begun, in the order of their beginnings.
pub fn turns(incident: &Incident) -> Vec<Turn<'_>> {
    let turn = |begun: &BegunLevel| Turn {
        level: begun.level,
        at: begun.at,
        deliveries: incident.level_deliveries(begun.level).collect(),
    };
    incident.begun.iter().map(turn).collect()
}
