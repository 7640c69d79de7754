//! Weekly hours.

use chrono::{NaiveTime, Timelike, Weekday};

use super::clock::{Clock, DAY, NEVER, WEEK};
use crate::roster::{Hours, WeekDays};

/// The weekly hours of a layer, of a team's alerts or of a silence.
///
/// Hours are a span between two local times. They start at the first occurrence of one and end at the last occurrence
/// of the other.
#[derive(Debug)]
pub(in crate::roster) struct WeeklyHours {
    rules: Vec<Rule>,
    /// Seconds of the week, from Monday, at which hours begin and end in turn. The first is a beginning.
    edges: Vec<i64>,
}

#[derive(Debug)]
struct Rule {
    days: WeekDays,
    /// Seconds from the day's midnight.
    from: i64,
    to: i64,
}

/// Whether there are hours at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::roster) enum Open {
    Yes,
    No,
}

impl WeeklyHours {
    /// `None` if there are hours at all times.
    pub(in crate::roster) fn new(hours: &[Hours]) -> Option<Self> {
        if hours.is_empty() {
            return None;
        }
        let seconds = |time: NaiveTime| i64::from(time.num_seconds_from_midnight());
        let rule = |hours: &Hours| {
            let (from, to) = (seconds(hours.from), seconds(hours.to));
            Rule { days: hours.days, from, to: if to <= from { to + DAY } else { to } }
        };
        let rules: Vec<_> = hours.iter().map(rule).collect();
        let edges = edges(&rules);
        Some(Self { rules, edges })
    }

    /// Whether there are hours at an instant, and until when the answer is valid.
    pub(in crate::roster) fn at(&self, clock: &Clock, at: i64) -> (Open, i64) {
        let era = clock.era(at);
        if !era.is_plain(at) {
            return self.near_a_change(clock, at);
        }
        // Far from a clock change, the local time alone decides.
        let (open, after) = self.shown(at + era.offset);
        (open, (at + after).min(era.plain_until))
    }

    /// Whether there are hours in a span of instants.
    pub(super) fn any(&self, clock: &Clock, mut from: i64, to: i64) -> bool {
        while from < to {
            match self.at(clock, from) {
                (Open::Yes, _) => return true,
                (Open::No, until) => from = until,
            }
        }
        false
    }

    /// Whether there are hours within that time from a local time on, if the clocks do not change.
    pub(super) fn any_shown(&self, local: i64, within: i64) -> bool {
        match self.shown(local) {
            (Open::Yes, _) => true,
            (Open::No, after) => after < within,
        }
    }

    /// Whether there are hours when the clocks show `local`, and for how many seconds this stays so.
    fn shown(&self, local: i64) -> (Open, i64) {
        // 1970 began on a Thursday.
        let second = (local + 3 * DAY).rem_euclid(WEEK);
        let passed = self.edges.partition_point(|edge| *edge <= second);
        let open = if passed % 2 == 1 { Open::Yes } else { Open::No };
        let next = self.edges.get(passed).copied().or_else(|| Some(self.edges.first()? + WEEK));
        (open, next.unwrap_or(NEVER) - second)
    }

    /// Like [`at`](Self::at), but computed from the instants at which hours begin and end.
    fn near_a_change(&self, clock: &Clock, at: i64) -> (Open, i64) {
        // Hours that began two days ago are over, and what begins later than a week from now can wait.
        const BACK: i64 = 2;
        const AHEAD: i64 = 9;
        let today = clock.local(at).div_euclid(DAY);
        let (mut open, mut until) = (Open::No, clock.first((today + AHEAD) * DAY));
        for day in today - BACK..today + AHEAD {
            // No clocks are more than a day from UTC.
            if (day - 1) * DAY >= until {
                break;
            }
            for rule in self.rules.iter().filter(|rule| rule.days.contains(weekday(day))) {
                let (from, to) = (clock.first(day * DAY + rule.from), clock.last(day * DAY + rule.to));
                if from > at && from < to {
                    until = until.min(from);
                } else if from <= at && at < to {
                    (open, until) = (Open::Yes, until.min(to));
                }
            }
        }
        (open, until)
    }
}

/// The day of the week of a day that is counted from 1 January 1970.
fn weekday(day: i64) -> Weekday {
    match (day + 3).rem_euclid(7) {
        0 => Weekday::Mon,
        1 => Weekday::Tue,
        2 => Weekday::Wed,
        3 => Weekday::Thu,
        4 => Weekday::Fri,
        5 => Weekday::Sat,
        _ => Weekday::Sun,
    }
}

/// The seconds of the week at which the hours of all rules together begin and end.
fn edges(rules: &[Rule]) -> Vec<i64> {
    let mut spans = Vec::new();
    for rule in rules {
        for day in rule.days.days() {
            let midnight = i64::from(day.num_days_from_monday()) * DAY;
            let (from, to) = (midnight + rule.from, midnight + rule.to);
            spans.push((from, to.min(WEEK)));
            if to > WEEK {
                spans.push((0, to - WEEK));
            }
        }
    }
    spans.sort_unstable();
    let mut edges: Vec<i64> = Vec::new();
    for (from, to) in spans {
        match edges.last_mut() {
            Some(end) if from <= *end => *end = to.max(*end),
            Some(_) | None => edges.extend([from, to]),
        }
    }
    edges
}
