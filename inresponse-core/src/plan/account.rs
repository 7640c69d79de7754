//! What happened to an incident, as facts. The facts are decided once, and each page, mail and command puts them into
//! words.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::ladder::{self, Rung};
use crate::model::{BegunLevel, Delivery, Entry, Event, Incident, Level, Person, Signature, State};

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
    let mut alerts = incident.current_deliveries().filter(|d| d.purpose.level().is_some());
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
    lasted: Option<Duration>,
}

/// After this time a claim is old.
const OLD: TimeDelta = TimeDelta::days(1);

/// Whether a claim looks forgotten: it is older than a day, and the incident was reported in the last day (promise 22).
pub fn looks_forgotten(incident: &Incident, last_reported_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let is_old = |claimed: &Signature| claimed.at + OLD <= now;
    let is_claimed = incident.state == State::Claimed && incident.claimed.as_ref().is_some_and(is_old);
    is_claimed && last_reported_at + OLD > now
}

impl Happened<'_> {
    /// How long the claim had lasted, if the entry is the end of a claim.
    pub fn claim_lasted(&self) -> Option<Duration> {
        self.lasted
    }
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
    let happened = |(i, entry)| Happened { entry, follows: follows(i), lasted: claim_lasted(entries, i) };
    entries.iter().enumerate().map(happened).collect()
}

/// Whether an event ends the effects of earlier alerts.
fn begins_again(event: &Event) -> bool {
    matches!(
        event,
        Event::Released { .. }
            | Event::HandedToTeam { .. }
            | Event::HandoverUnanswered { .. }
            | Event::ClaimEnded { .. }
            | Event::QuietEnded
            | Event::Routed(_)
            | Event::Unrouted
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

/// A claim that ended because its time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimOver<'a> {
    /// The person who had the incident.
    pub by: &'a Person,
    /// When the claim ended.
    pub at: DateTime<Utc>,
    /// How long the person had it; `None` if the timeline does not say it any more.
    pub lasted: Option<Duration>,
}

/// The claim whose end began the current round, if that is why it began.
pub fn round_began_after(incident: &Incident) -> Option<ClaimOver<'_>> {
    let entries = incident.timeline.entries();
    let is_begin =
        |entry: &Entry| matches!(&entry.event, Event::RoundBegan { round } if *round == incident.round);
    let began = entries.iter().rposition(is_begin)?;
    // The team may have changed in between.
    let before = entries[..began].iter().rposition(|entry| !is_about_team(&entry.event))?;
    claim_over(entries, before)
}

fn is_about_team(event: &Event) -> bool {
    matches!(event, Event::TeamChanged { .. } | Event::TeamGone { .. })
}

/// How long a claim had lasted that an entry ends.
fn claim_lasted(entries: &[Entry], end: usize) -> Option<Duration> {
    claim_over(entries, end).and_then(|over| over.lasted)
}

fn claim_over(entries: &[Entry], i: usize) -> Option<ClaimOver<'_>> {
    let Entry { event: Event::ClaimEnded { by }, at, .. } = entries.get(i)? else { return None };
    let begins = |entry: &&Entry| match &entry.event {
        Event::Claimed { by: claimant, .. } => claimant.is(by),
        Event::HandedOver { to, .. } => to.is(by),
        _ => false,
    };
    // The answer to a hand-over is recorded as a claim too.
    let of_claim = entries[..i].iter().rev().take_while(|entry| !ends_claim(&entry.event, by));
    let since = of_claim.filter(begins).last().map(|entry| entry.at);
    let lasted = since.and_then(|since| (*at - since).to_std().ok());
    Some(ClaimOver { by, at: *at, lasted })
}

/// Whether an event is not of the claim of that person that was made last, but before it.
fn ends_claim(event: &Event, by: &Person) -> bool {
    match event {
        Event::Claimed { by: claimant, .. } => !claimant.is(by),
        Event::HandedOver { to, .. } => !to.is(by),
        event => begins_again(event) || matches!(event, Event::RoundBegan { .. }),
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
