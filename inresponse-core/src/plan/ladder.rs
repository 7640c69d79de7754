//! The escalation ladder: which rung is next, and when.

use chrono::{DateTime, Utc};

use super::personal;
use crate::clock::later;
use crate::model::{BegunLevel, Delivery, DeliveryStatus, Incident, Level, Origin};

/// A rung of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// A numbered level of this round.
    Level(u16),
    /// A further round, from level 1.
    RepeatRound,
    /// The team's fallback.
    Fallback,
    /// The escalation is over: everybody was alerted.
    Over,
}

/// The next rung, and when its turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) rung: Rung,
    pub(super) at: DateTime<Utc>,
}

/// The order is: levels, repeat rounds, then the fallback, once, after the last wait (promise 12). If a whole round is
/// dead, it is not repeated and the fallback is due at once.
///
/// The result is `None` if nothing is left to begin, or if the severity alerts nobody.
pub(super) fn next(incident: &Incident) -> Option<Next> {
    let matrix = &incident.matrix;
    if incident.records_only() {
        return None;
    }
    // If the calendar is empty, level 1 is the fallback, which is alerted once. (Records of before may have begun it
    // as such.)
    let as_fallback = |level: Level| matrix.origin() == Origin::Fallback && level == Level::At(1);
    let has_begun = |level: Level| {
        incident.begun.iter().any(|b| b.level == level || (as_fallback(level) && b.level == Level::Fallback))
    };

    // A raised severity resumes with the levels it includes that have not begun, so the lowest such is next.
    if let Some(n) = matrix.alerted_levels(incident.severity).find(|n| !has_begun(Level::At(*n))) {
        let below = incident.begun.iter().filter(|b| matches!(b.level, Level::At(m) if m < n));
        return Some(Next { rung: Rung::Level(n), at: turn_after(incident, below) });
    }
    if incident.exhausted {
        return None;
    }
    let numbered = || incident.begun.iter().filter(|b| matches!(b.level, Level::At(_)));
    let at = turn_after(incident, numbered());
    let whole_round_is_dead = numbered().all(|b| died_at(incident, b).is_some());
    if !whole_round_is_dead && incident.repeats_done < matrix.repeat() {
        // The new round would stop the steps that are still to come. Only a person who escalates past the last level asks
        // for it.
        let is_passed = numbered().all(|begun| begun.passed_at.is_some());
        let last_step = personal::last_step_at(incident).filter(|_| !is_passed);
        return Some(Next { rung: Rung::RepeatRound, at: last_step.map_or(at, |last| last.max(at)) });
    }
    let fallback_was_level_1 = as_fallback(Level::At(1)) && has_begun(Level::At(1));
    let rung = if fallback_was_level_1 { Rung::Over } else { Rung::Fallback };
    Some(Next { rung, at })
}

/// A level's turn comes when all earlier levels have had theirs.
fn turn_after<'a>(incident: &Incident, before: impl Iterator<Item = &'a BegunLevel>) -> DateTime<Utc> {
    before.map(|begun| gives_way_at(incident, begun)).max().unwrap_or(incident.round_began_at)
}

/// When the next level may follow: a wait after the level began (promise 8), at once if it is dead (promise 12), and at
/// once if a person requests it.
fn gives_way_at(incident: &Incident, begun: &BegunLevel) -> DateTime<Utc> {
    let waited = later(begun.at, incident.matrix.wait_of(begun.level));
    died_at(incident, begun).into_iter().chain(begun.passed_at).fold(waited, DateTime::min)
}

/// When the last contact of a level died, or when it began if it is empty; `None` while one may still be reached.
pub(super) fn died_at(incident: &Incident, begun: &BegunLevel) -> Option<DateTime<Utc>> {
    let death = |d: &Delivery| match d.status {
        DeliveryStatus::Dead { at } => Some(at),
        DeliveryStatus::Pending { .. }
        | DeliveryStatus::InFlight { .. }
        | DeliveryStatus::Accepted { .. }
        // The person has another way, which is not dead.
        | DeliveryStatus::Limited { .. }
        | DeliveryStatus::Stopped { .. } => None,
    };
    let mut latest = begun.at;
    for delivery in incident.level_deliveries(begun.level) {
        latest = latest.max(death(delivery)?);
    }
    Some(latest)
}
