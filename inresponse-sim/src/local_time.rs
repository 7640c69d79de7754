//! Local times of a few zones, computed from their rules by plain arithmetic, so that the checker does not depend on the
//! time zones of the core.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc, Weekday};

/// The clocks of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clocks {
    /// Always so many minutes ahead of UTC.
    Fixed(i64),
    /// So many minutes ahead of UTC in winter. Summer time, an hour more, begins on the last Sunday of March and ends on
    /// the last Sunday of October, at 01:00 UTC: the rule of the European Union since 1996.
    European(i64),
}

impl Clocks {
    /// What the clocks show.
    pub fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        at.naive_utc() + self.offset(at)
    }

    /// The first instant at which the clocks show `local`, or the instant at which they skip it.
    pub fn first(self, local: NaiveDateTime) -> DateTime<Utc> {
        self.instants(local).into_iter().min().unwrap_or_else(|| spring(local.year()))
    }

    /// The last instant at which the clocks show `local`, or the instant at which they skip it.
    pub fn last(self, local: NaiveDateTime) -> DateTime<Utc> {
        self.instants(local).into_iter().max().unwrap_or_else(|| spring(local.year()))
    }

    fn offset(self, at: DateTime<Utc>) -> TimeDelta {
        match self {
            Clocks::Fixed(minutes) => TimeDelta::minutes(minutes),
            Clocks::European(minutes) => {
                let is_summer = spring(at.year()) <= at && at < autumn(at.year());
                TimeDelta::minutes(if is_summer { minutes + 60 } else { minutes })
            }
        }
    }

    /// All instants at which the clocks show `local`: none, one or two.
    fn instants(self, local: NaiveDateTime) -> Vec<DateTime<Utc>> {
        let minutes = match self {
            Clocks::Fixed(minutes) => vec![minutes],
            Clocks::European(minutes) => vec![minutes, minutes + 60],
        };
        let candidates = minutes.into_iter().map(|minutes| (local - TimeDelta::minutes(minutes)).and_utc());
        candidates.filter(|at| self.local(*at) == local).collect()
    }
}

/// When summer time begins in Europe.
pub fn spring(year: i32) -> DateTime<Utc> {
    at_one_on_the_last_sunday(year, 3)
}

/// When summer time ends in Europe.
pub fn autumn(year: i32) -> DateTime<Utc> {
    at_one_on_the_last_sunday(year, 10)
}

fn at_one_on_the_last_sunday(year: i32, month: u32) -> DateTime<Utc> {
    let last = NaiveDate::from_ymd_opt(year, month, 31).unwrap_or(NaiveDate::MAX);
    let after_sunday = u64::from(last.weekday().days_since(Weekday::Sun));
    let sunday = last.checked_sub_days(Days::new(after_sunday)).unwrap_or(last);
    sunday.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::hours(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATHENS: Clocks = Clocks::European(120);

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn p15_clocks_follow_the_european_rule() {
        let cases = [
            ("2027-01-15T08:00:00Z", "2027-01-15T10:00:00"),
            ("2027-03-28T00:59:59Z", "2027-03-28T02:59:59"),
            ("2027-03-28T01:00:00Z", "2027-03-28T04:00:00"),
            ("2027-10-31T00:59:59Z", "2027-10-31T03:59:59"),
            ("2027-10-31T01:00:00Z", "2027-10-31T03:00:00"),
            ("2026-03-29T01:00:00Z", "2026-03-29T04:00:00"),
            ("2026-10-25T01:00:00Z", "2026-10-25T03:00:00"),
        ];
        for (at, shown) in cases {
            assert_eq!(ATHENS.local(utc(at)), local(shown), "{at}");
        }
    }

    #[test]
    fn p15_a_local_time_may_occur_twice_or_never() {
        let cases = [
            ("2027-01-15T10:00:00", "2027-01-15T08:00:00Z", "2027-01-15T08:00:00Z"),
            ("2027-03-28T03:30:00", "2027-03-28T01:00:00Z", "2027-03-28T01:00:00Z"),
            ("2027-03-28T04:00:00", "2027-03-28T01:00:00Z", "2027-03-28T01:00:00Z"),
            ("2027-10-31T03:30:00", "2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"),
            ("2027-10-31T04:00:00", "2027-10-31T02:00:00Z", "2027-10-31T02:00:00Z"),
        ];
        for (shown, first, last) in cases {
            assert_eq!(
                (ATHENS.first(local(shown)), ATHENS.last(local(shown))),
                (utc(first), utc(last)),
                "{shown}"
            );
        }
        let nepal = Clocks::Fixed(5 * 60 + 45);
        assert_eq!(nepal.first(local("2027-01-15T10:00:00")), utc("2027-01-15T04:15:00Z"));
        assert_eq!(nepal.last(local("2027-01-15T10:00:00")), utc("2027-01-15T04:15:00Z"));
    }
}
