//! When the turns of a layer begin.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime};

use super::clock::{Clock, DAY, NEVER, WEEK};
use crate::roster::{Layer, TurnUnit};

/// The turns of a layer, numbered from 0 at the anchor.
///
/// A turn begins at one instant: the first occurrence of its local time, or the first instant after it if the clocks
/// skip it. If they skip a whole day, the turn of that day has no length.
#[derive(Debug)]
pub(super) struct Turns {
    /// The anchor as a local time.
    anchor: i64,
    /// The anchor's instant.
    start: i64,
    length: Length,
}

/// How long a turn is.
#[derive(Debug, Clone, Copy)]
enum Length {
    /// Seconds of elapsed time.
    Elapsed(i64),
    /// Seconds of local time.
    Wall(i64),
    /// Months of local time.
    Months(i64),
}

impl Turns {
    pub(super) fn new(layer: &Layer, clock: &Clock) -> Self {
        let (anchor, every) = (layer.from.clock().and_utc().timestamp(), i64::from(layer.turn.every.max(1)));
        let length = match layer.turn.unit {
            TurnUnit::Hour => Length::Elapsed(every * 3600),
            TurnUnit::Day => Length::Wall(every * DAY),
            TurnUnit::Week => Length::Wall(every * WEEK),
            TurnUnit::Month => Length::Months(every),
        };
        Self { anchor, start: clock.first(anchor), length }
    }

    /// The instant at which a turn begins.
    pub(super) fn begins(&self, clock: &Clock, turn: i64) -> i64 {
        match self.length {
            Length::Elapsed(seconds) => self.start.saturating_add(seconds.saturating_mul(turn)).min(NEVER),
            Length::Wall(seconds) => {
                clock.first(self.anchor.saturating_add(seconds.saturating_mul(turn)).min(NEVER))
            }
            Length::Months(months) => match self.month(months.saturating_mul(turn)) {
                Some(local) => clock.first(local),
                None => NEVER,
            },
        }
    }

    /// The turn that contains an instant; `None` before the anchor.
    pub(super) fn at(&self, clock: &Clock, at: i64) -> Option<i64> {
        if at < self.start {
            return None;
        }
        let guess = match self.length {
            Length::Elapsed(seconds) => return Some((at - self.start) / seconds),
            Length::Wall(seconds) => (clock.local(at) - self.anchor) / seconds,
            Length::Months(months) => {
                let month = |local: i64| {
                    let day =
                        DateTime::from_timestamp(local, 0).unwrap_or(super::clock::bound(local)).date_naive();
                    i64::from(day.year()) * 12 + i64::from(day.month0())
                };
                (month(clock.local(at)) - month(self.anchor)) / months
            }
        };
        // Near a clock change, and in a turn of months, the guess may be off by one.
        let mut turn = guess.max(0);
        while turn > 0 && self.begins(clock, turn) > at {
            turn -= 1;
        }
        while self.begins(clock, turn + 1) <= at {
            turn += 1;
        }
        Some(turn)
    }

    /// The first turn that begins at an instant or after it.
    pub(super) fn from(&self, clock: &Clock, at: i64) -> i64 {
        let Some(mut turn) = self.at(clock, at) else { return 0 };
        if self.begins(clock, turn) < at {
            return turn + 1;
        }
        while turn > 0 && self.begins(clock, turn - 1) >= at {
            turn -= 1;
        }
        turn
    }

    /// What the clocks would show when turn 0 begins, and the length of a turn, if turns repeat every week as long as
    /// the clocks keep an offset from UTC. `None` for months, which do not repeat.
    pub(super) fn regular(&self, offset: i64) -> Option<(i64, i64)> {
        match self.length {
            Length::Elapsed(seconds) => Some((self.start + offset, seconds)),
            Length::Wall(seconds) => Some((self.anchor, seconds)),
            Length::Months(_) => None,
        }
    }

    /// The anchor's day and time that many months later, or the last day of that month.
    fn month(&self, months: i64) -> Option<i64> {
        let anchor = DateTime::from_timestamp(self.anchor, 0)?.naive_utc();
        let month = (i64::from(anchor.year()) * 12 + i64::from(anchor.month0())).checked_add(months)?;
        let year = i32::try_from(month.div_euclid(12)).ok()?;
        let first = NaiveDate::from_ymd_opt(year, u32::try_from(month.rem_euclid(12)).ok()? + 1, 1)?;
        let day = anchor.day().min(u32::from(first.num_days_in_month()));
        let seconds = (anchor.time() - NaiveTime::MIN).num_seconds();
        Some(first.with_day(day)?.and_time(NaiveTime::MIN).and_utc().timestamp() + seconds)
    }
}
