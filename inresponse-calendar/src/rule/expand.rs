//! The local times at which a rule recurs.
//!
//! Rules are expanded in local time, without a zone: nine o'clock stays nine o'clock over a clock change.

use std::ops::Range;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use super::{Frequency, Rule, Until};
use crate::limits::{MAX_ALL_DAYS, MAX_DAYS, MAX_OCCURRENCES};
use crate::time::first_instant;

/// The number of days that may still be examined.
#[derive(Debug)]
pub(crate) struct Work {
    all: u32,
    one: u32,
}

impl Work {
    pub(crate) fn new() -> Self {
        Self { all: MAX_ALL_DAYS, one: MAX_DAYS }
    }

    /// Begins with the next event.
    pub(crate) fn next_event(&mut self) {
        self.one = MAX_DAYS.min(self.all);
    }

    /// Counts an occurrence that is converted to instants. Returns `false` if that exceeds the limit.
    #[must_use]
    pub(crate) fn occurrence(&mut self) -> bool {
        self.spend(10)
    }

    #[must_use]
    fn spend(&mut self, days: u32) -> bool {
        let is_left = self.one >= days;
        self.one = self.one.saturating_sub(days);
        self.all = self.all.saturating_sub(days);
        is_left
    }
}

/// The result of an expansion.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Expansion {
    Starts(Vec<DateTime>),
    /// The expansion would take too long or yield too many occurrences.
    TooMuch,
}

/// The starts of an event in `window`, in order, by one rule.
///
/// The first occurrence is at `start`, even if that does not match the rule.
pub(crate) fn starts(
    rule: &Rule,
    start: &DateTime,
    days_and_zone: (Days, &TimeZone),
    window: &Range<DateTime>,
    work: &mut Work,
) -> Expansion {
    let mut found = Vec::new();
    let mut left = rule.count.unwrap_or(u32::MAX);
    let mut take = |local: DateTime, left: &mut u32| {
        *left -= 1;
        if window.contains(&local) {
            found.push(local);
        }
        found.len() <= MAX_OCCURRENCES
    };
    // A rule without COUNT need not be followed from its beginning.
    let skipped =
        if rule.count.is_none() { rule.periods_before(start.date(), window.start.date()) } else { 0 };
    if skipped == 0 && !take(*start, &mut left) {
        return Expansion::TooMuch;
    }
    for period in skipped.. {
        if left == 0 {
            break;
        }
        let Some(first) = rule.first_of(period, start.date()) else { break };
        let begin = first.to_datetime(Time::midnight());
        if begin >= window.end || !rule.goes_on_until(begin, days_and_zone) {
            break;
        }
        if !work.spend(rule.frequency.days()) {
            return Expansion::TooMuch;
        }
        for date in rule.dates(first, *start) {
            let local = date.to_datetime(start.time());
            if local <= *start || left == 0 {
                continue;
            }
            if !rule.goes_on_until(local, days_and_zone) {
                break;
            }
            if !take(local, &mut left) {
                return Expansion::TooMuch;
            }
        }
    }
    Expansion::Starts(found)
}

/// Whether an event lasts whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Days {
    Whole,
    Parts,
}

impl Frequency {
    /// An upper bound for the days of a period.
    fn days(self) -> u32 {
        match self {
            Frequency::Daily => 1,
            Frequency::Weekly => 7,
            Frequency::Monthly => 31,
            Frequency::Yearly => 366,
        }
    }
}

impl Rule {
    /// The first day of the n-th day, week, month or year, counted from that of `start`.
    fn first_of(&self, period: i64, start: Date) -> Option<Date> {
        let steps = period.checked_mul(i64::from(self.interval))?;
        match self.frequency {
            Frequency::Daily => later(start, steps),
            Frequency::Weekly => later(week_of(start, self.week_starts)?, steps.checked_mul(7)?),
            Frequency::Monthly => {
                let months =
                    (i64::from(start.year()) * 12 + i64::from(start.month()) - 1).checked_add(steps)?;
                let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
                Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()
            }
            Frequency::Yearly => {
                let year = i64::from(start.year()).checked_add(steps)?;
                Date::new(i16::try_from(year).ok()?, 1, 1).ok()
            }
        }
    }

    /// A number of periods that end before `day`, close to the greatest such number.
    fn periods_before(&self, start: Date, day: Date) -> i64 {
        let days = (day - start).get_days();
        let periods = match self.frequency {
            Frequency::Daily => i64::from(days),
            Frequency::Weekly => i64::from(days) / 7,
            Frequency::Monthly => i64::from(days) / 31,
            Frequency::Yearly => i64::from(days) / 366,
        };
        (periods / i64::from(self.interval) - 2).max(0)
    }

    /// Whether the rule has not ended before this time.
    fn goes_on_until(&self, local: DateTime, (days, zone): (Days, &TimeZone)) -> bool {
        match self.until {
            None => true,
            Some(Until::Day(last)) => local.date() <= last,
            Some(Until::Local(last)) if days == Days::Whole => local.date() <= last.date(),
            Some(Until::Local(last)) => local <= last,
            Some(Until::Instant(last)) if days == Days::Whole => {
                let written = TimeZone::UTC.to_datetime(last);
                // Some programs write midnight of a zone in UTC, others only add a `Z` to a day.
                let meant = if written.time() == Time::midnight() { written } else { zone.to_datetime(last) };
                local.date() <= meant.date()
            }
            Some(Until::Instant(last)) => {
                let ends = zone.to_datetime(last);
                match local.date().cmp(&ends.date()) {
                    std::cmp::Ordering::Less => true,
                    std::cmp::Ordering::Greater => false,
                    std::cmp::Ordering::Equal => first_instant(local, zone).is_some_and(|at| at <= last),
                }
            }
        }
    }

    /// The days of a period on which the event starts, in order.
    fn dates(&self, first: Date, start: DateTime) -> Vec<Date> {
        let days = match self.frequency {
            Frequency::Daily => 1,
            Frequency::Weekly => 7,
            Frequency::Monthly => i32::from(first.days_in_month()),
            Frequency::Yearly => i32::from(first.days_in_year()),
        };
        let mut date = Some(first);
        let mut dates = Vec::new();
        for _ in 0..days {
            let Some(day) = date else { break };
            if self.includes(day, start.date()) {
                dates.push(day);
            }
            date = day.tomorrow().ok();
        }
        if self.by_set_position.is_empty() {
            return dates;
        }
        let chosen = |place: usize| {
            let (from_start, from_end) = (place + 1, dates.len() - place);
            let is = |position: i16, count: usize| usize::from(position.unsigned_abs()) == count;
            self.by_set_position
                .iter()
                .any(|position| is(*position, if *position > 0 { from_start } else { from_end }))
        };
        (0..dates.len()).filter(|place| chosen(*place)).map(|place| dates[place]).collect()
    }

    fn includes(&self, day: Date, start: Date) -> bool {
        self.includes_month(day, start)
            && self.includes_month_day(day, start)
            && self.includes_weekday(day, start)
    }

    fn includes_month(&self, day: Date, start: Date) -> bool {
        let by_days = !(self.by_month_day.is_empty() && self.by_day.is_empty());
        match self.frequency {
            _ if !self.by_month.is_empty() => self.by_month.contains(&day.month()),
            Frequency::Yearly if !by_days => day.month() == start.month(),
            Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly => true,
        }
    }

    fn includes_month_day(&self, day: Date, start: Date) -> bool {
        if !self.by_month_day.is_empty() {
            let from_end = day.day() - day.days_in_month() - 1;
            return self.by_month_day.iter().any(|wanted| *wanted == day.day() || *wanted == from_end);
        }
        match self.frequency {
            Frequency::Monthly | Frequency::Yearly if self.by_day.is_empty() => day.day() == start.day(),
            Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly => true,
        }
    }

    fn includes_weekday(&self, day: Date, start: Date) -> bool {
        if self.by_day.is_empty() {
            return self.frequency != Frequency::Weekly || day.weekday() == start.weekday();
        }
        // The n-th of a year is meant only if the rule names no months.
        let of_year = self.frequency == Frequency::Yearly && self.by_month.is_empty();
        let (place, days) = if of_year {
            (day.day_of_year(), day.days_in_year())
        } else {
            (day.day().into(), day.days_in_month().into())
        };
        let from_start = (place - 1) / 7 + 1;
        let from_end = (place - days) / 7 - 1;
        self.by_day.iter().any(|by| {
            by.day == day.weekday()
                && by.nth.is_none_or(|nth| [from_start, from_end].contains(&i16::from(nth)))
        })
    }
}

fn later(date: Date, days: i64) -> Option<Date> {
    date.checked_add(0.days().try_days(days).ok()?).ok()
}

/// The first day of the date's week.
fn week_of(date: Date, week_starts: Weekday) -> Option<Date> {
    later(date, -i64::from(date.weekday().since(week_starts)))
}

#[cfg(test)]
mod tests;
