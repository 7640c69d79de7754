//! Every decision about a heartbeat, as a pure function of its row, its definition, what happened, and the time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::row::{MISSES_KEPT, Miss, Moved, Owed, PINGS_KEPT, Row, Standing};
use crate::clock::later;
use crate::model::IncidentNumber;

/// For how long a process has the incident of a miss to create or to resolve. Then another process does it.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(5);
/// A process records a heartbeat's pings at most once in this time. The others count as recorded, so a miss is decided
/// that much after the due time.
pub(super) const PACE: Duration = Duration::from_millis(500);
/// How long after the due time a miss is decided: [`PACE`].
pub(super) const SLACK: TimeDelta = TimeDelta::milliseconds(500);

/// What happens to a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A ping came.
    Ping,
    /// A process looks whether something is due.
    Look {
        /// Since when some server has been listening.
        since: DateTime<Utc>,
        /// Until when that is known. Later the process must look again.
        until: DateTime<Utc>,
        /// The process.
        process: u64,
    },
    /// The incident of a miss was created, or found.
    Created { nth: u64, number: IncidentNumber },
    /// The incident of a miss was resolved, or was found resolved.
    Resolved { nth: u64 },
    /// The heartbeat was defined, and there was no such definition before.
    Defined,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub(super) struct Decision {
    /// The row to store; `None` if nothing changes.
    pub(super) row: Option<Row>,
    /// What to do once the row is stored.
    pub(super) then: Then,
}

/// What a process does after the row was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    /// Create the incident of this miss.
    Create(Miss, Attempt),
    /// Resolve the incident of this miss.
    Resolve(Miss, IncidentNumber),
}

/// Whether another process may have created the incident already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    First,
    Again,
}

impl Decision {
    const NOTHING: Self = Self { row: None, then: Then::Nothing };

    fn store(row: Row, then: Then) -> Self {
        Self { row: Some(row), then }
    }
}

/// Decides about the heartbeat with that row, which must ping within `span` after each ping.
pub(super) fn decide(row: Option<&Row>, span: Duration, event: Event, now: DateTime<Utc>) -> Decision {
    let begun = row.cloned().unwrap_or_else(|| Row::begin(span, now));
    match event {
        Event::Ping => ping(begun, span, now),
        Event::Defined => match row {
            None => Decision::store(begun, Then::Nothing),
            Some(_) => {
                let kept = Row { missed: begun.missed, misses: begun.misses, ..Row::begin(span, now) };
                Decision::store(kept, Then::Nothing)
            }
        },
        Event::Look { since, until, process } => match row {
            None => Decision::store(begun, Then::Nothing),
            Some(_) if now > until => Decision::NOTHING,
            Some(row) => look(row, span, (since, process), now),
        },
        Event::Created { nth, number } => created(begun, nth, number),
        Event::Resolved { nth } => resolved(begun, nth),
    }
}

/// A ping arms the heartbeat, and ends a miss.
fn ping(mut row: Row, span: Duration, now: DateTime<Utc>) -> Decision {
    row.pings.push(now.timestamp_micros());
    let too_many = row.pings.len().saturating_sub(PINGS_KEPT);
    row.pings.drain(..too_many);
    row.counts_from = now;
    row.due_at = Some(later(now, span));
    row.span_seconds = span.as_secs();
    row.moved = Moved::Never;
    let mut then = Then::Nothing;
    if let Some(miss) = row.misses.last_mut().filter(|miss| miss.ended_at.is_none()) {
        miss.ended_at = Some(now);
        // If the incident is not created yet, the process that creates it resolves it.
        if let Owed::Resolution(number) = miss.owed() {
            miss.taken_at = now;
            then = Then::Resolve(miss.clone(), number);
        }
    }
    Decision::store(row, then)
}

fn look(was: &Row, span: Duration, (since, process): (DateTime<Utc>, u64), now: DateTime<Utc>) -> Decision {
    let mut row = was.clone();
    // What is left to do of the last miss comes first: a heartbeat has at most one such miss.
    if let Some(miss) = row.misses.last_mut().filter(|miss| miss.owed() != Owed::Nothing) {
        // A time of taking far ahead was written before the clock went back.
        let is_taken = now < miss.taken_at + LEASE && now + LEASE > miss.taken_at;
        if is_taken {
            return Decision::NOTHING;
        }
        (miss.process, miss.taken_at) = (process, now);
        let then = match miss.owed() {
            Owed::Incident => Then::Create(miss.clone(), Attempt::Again),
            Owed::Resolution(number) => Then::Resolve(miss.clone(), number),
            Owed::Nothing => Then::Nothing,
        };
        return Decision::store(row, then);
    }
    let Some(due_at) = row.due_at else { return Decision::NOTHING };
    let due_at = fitted(due_at, row.span_seconds, span, now);
    row.due_at = Some(due_at);
    row.counts_from = row.counts_from.min(now);
    row.span_seconds = span.as_secs();
    if now < due_at + SLACK {
        return if row == *was { Decision::NOTHING } else { Decision::store(row, Then::Nothing) };
    }
    let moved_to = later(since, span);
    if row.moved == Moved::Never && since > row.counts_from && now < moved_to + SLACK {
        row.due_at = Some(moved_to);
        row.moved = Moved::Once;
        return Decision::store(row, Then::Nothing);
    }
    row.due_at = None;
    row.missed = row.missed.saturating_add(1);
    let miss = Miss {
        nth: row.missed,
        due_at,
        last_ping_at: row.last_ping_at(),
        found_at: now,
        process,
        taken_at: now,
        incident: None,
        ended_at: None,
        standing: Standing::Open,
    };
    row.misses.push(miss.clone());
    let too_many = row.misses.len().saturating_sub(MISSES_KEPT);
    row.misses.drain(..too_many);
    Decision::store(row, Then::Create(miss, Attempt::First))
}

/// The due time under a changed definition or clock. Both give a whole interval from now at most, and never less than
/// was promised before, or than the new interval from now.
fn fitted(due_at: DateTime<Utc>, was_seconds: u64, span: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    let longer = Duration::from_secs(span.as_secs().saturating_sub(was_seconds));
    later(due_at, longer).min(later(now, span))
}

/// Notes the number of a miss's incident. If the heartbeat was pinged meanwhile, the incident is resolved.
fn created(mut row: Row, nth: u64, number: IncidentNumber) -> Decision {
    let Some(miss) = row.misses.iter_mut().find(|miss| miss.nth == nth) else { return Decision::NOTHING };
    if miss.incident.is_some() {
        return Decision::NOTHING;
    }
    miss.incident = Some(number.value());
    let then = match miss.owed() {
        Owed::Resolution(number) => Then::Resolve(miss.clone(), number),
        Owed::Nothing | Owed::Incident => Then::Nothing,
    };
    Decision::store(row, then)
}

fn resolved(mut row: Row, nth: u64) -> Decision {
    match row.misses.iter_mut().find(|miss| miss.nth == nth && miss.ended_at.is_some()) {
        Some(miss) if miss.standing == Standing::Open => {
            miss.standing = Standing::Settled;
            Decision::store(row, Then::Nothing)
        }
        Some(_) | None => Decision::NOTHING,
    }
}

#[cfg(test)]
mod tests;
