//! Dates, times and durations as calendars write them, and the instants they stand for.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

/// A day, or a local time in its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    Day(Date),
    At(DateTime, TimeZone),
}

impl Moment {
    /// The day that was written.
    pub(crate) fn date(&self) -> Date {
        match self {
            Moment::Day(date) => *date,
            Moment::At(local, _) => local.date(),
        }
    }

    /// What was written, as a local time.
    pub(crate) fn local(&self) -> DateTime {
        match self {
            Moment::Day(date) => date.to_datetime(Time::midnight()),
            Moment::At(local, _) => *local,
        }
    }
}

/// A date or a time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Day(Date),
    Local(DateTime),
    Utc(DateTime),
}

impl Written {
    /// `20261201`, `20261201T090000` or `20261201T090000Z`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let [year, month, day] = numbers(date, [4, 2, 2])?;
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        let Some(time) = time else { return Some(Written::Day(date)) };
        let (time, is_utc) = match time.strip_suffix('Z') {
            Some(time) => (time, true),
            None => (time, false),
        };
        let [hour, minute, second] = numbers(time, [2, 2, 2])?;
        // A leap second counts as the second before it.
        let second = if second == 60 { 59 } else { second };
        let [hour, minute, second] =
            [i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?];
        let local = date.to_datetime(Time::new(hour, minute, second, 0).ok()?);
        Some(if is_utc { Written::Utc(local) } else { Written::Local(local) })
    }
}

/// Reads numbers with these counts of digits, and nothing else.
fn numbers(text: &str, digits: [usize; 3]) -> Option<[i16; 3]> {
    if text.len() != digits.iter().sum::<usize>() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut rest = text;
    let mut read = [0; 3];
    for (number, count) in read.iter_mut().zip(digits) {
        let (digits, after) = rest.split_at_checked(count)?;
        *number = digits.parse().ok()?;
        rest = after;
    }
    Some(read)
}

/// How long an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// A length between two local times of one zone, measured by the local clock.
    Wall(SignedDuration),
    /// Days by the local clock, then seconds of elapsed time.
    Mixed { days: i32, seconds: i64 },
}

impl Length {
    /// Reads a duration such as `P1DT2H`. Weeks and days follow the local clock, the rest is elapsed time.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut rest = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
        let (mut days, mut seconds, mut in_time, mut parts) = (0i64, 0i64, false, 0);
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('T')
                && !in_time
            {
                (in_time, rest) = (true, after);
                continue;
            }
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            // Nine digits of weeks do not overflow 64 bits.
            let number: i64 = rest.get(..digits).filter(|_| (1..=9).contains(&digits))?.parse().ok()?;
            let unit = *rest.as_bytes().get(digits)?;
            match (unit, in_time) {
                (b'W', false) => days += 7 * number,
                (b'D', false) => days += number,
                (b'H', true) => seconds += 3600 * number,
                (b'M', true) => seconds += 60 * number,
                (b'S', true) => seconds += number,
                _ => return None,
            }
            (rest, parts) = (&rest[digits + 1..], parts + 1);
        }
        let days = i32::try_from(days).ok().filter(|_| parts > 0)?;
        Some(Length::Mixed { days, seconds })
    }

    /// Whether the length is more than zero.
    pub(crate) fn is_positive(self) -> bool {
        match self {
            Length::Wall(wall) => wall.is_positive(),
            Length::Mixed { days, seconds } => days > 0 || seconds > 0,
        }
    }

    /// An upper bound for the days that it covers.
    pub(crate) fn days(self) -> i64 {
        let seconds = match self {
            Length::Wall(wall) => wall.as_secs(),
            Length::Mixed { days, seconds } => i64::from(days) * 86_400 + seconds,
        };
        // No calendar is longer, and jiff counts no more.
        (seconds / 86_400 + 2).min(4_000_000)
    }
}

/// The first instant at which the clocks of the zone show this time, or the first after it if they skip it.
pub(crate) fn first_instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { after, .. } => after_gap(after.to_timestamp(local).ok()?, zone),
    }
}

/// The last instant at which the clocks of the zone show this time, or the first after it if they skip it.
pub(crate) fn last_instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { after, .. } => after.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { after, .. } => after_gap(after.to_timestamp(local).ok()?, zone),
    }
}

/// A skipped time read with the offset after the gap lies before the gap: the next clock change is its end.
fn after_gap(before: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    zone.following(before).next().map(|change| change.timestamp())
}

/// The beginning and the end of an event with this start and length. `days_of` is the zone of days.
pub(crate) fn lasts(start: &Moment, length: Length, days_of: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    match start {
        Moment::Day(date) => {
            // Days follow each other without gaps: each begins at its first midnight, and the day before ends at that
            // instant.
            let midnight = |date: Date| first_instant(date.to_datetime(Time::midnight()), days_of);
            let days = match length {
                Length::Wall(wall) => i32::try_from(wall.as_secs() / 86_400).ok()?,
                Length::Mixed { days, .. } => days,
            };
            Some((midnight(*date)?, midnight(later(date.to_datetime(Time::midnight()), days)?.date())?))
        }
        Moment::At(local, zone) => {
            let from = first_instant(*local, zone)?;
            let to = match length {
                Length::Wall(wall) => last_instant(local.checked_add(wall).ok()?, zone)?,
                Length::Mixed { days: 0, seconds } => {
                    from.checked_add(SignedDuration::from_secs(seconds)).ok()?
                }
                Length::Mixed { days, seconds } => {
                    let end = last_instant(later(*local, days)?, zone)?;
                    end.checked_add(SignedDuration::from_secs(seconds)).ok()?
                }
            };
            Some((from, to))
        }
    }
}

fn later(local: DateTime, days: i32) -> Option<DateTime> {
    let days = 0.days().try_days(i64::from(days)).ok()?;
    local.checked_add(days).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZoneDatabase;

    fn zone(name: &str) -> TimeZone {
        TimeZoneDatabase::bundled().get(name).unwrap()
    }

    #[test]
    fn what_is_written_is_read_or_refused() {
        let cases = [
            ("20261201", "Day(2026-12-01)"),
            ("20261201T090000", "Local(2026-12-01T09:00:00)"),
            ("20261201T090060Z", "Utc(2026-12-01T09:00:59)"),
            (" 20261201T090000Z ", "Utc(2026-12-01T09:00:00)"),
        ];
        for (text, expected) in cases {
            assert_eq!(format!("{:?}", Written::parse(text).unwrap()), expected);
        }
        let refused = [
            "",
            "T",
            "2026121",
            "20261301",
            "20260230",
            "20261201T",
            "20261201T9000",
            "20261201T250000",
            "2026-12-01",
            "20261201T0900é",
            "+0261201",
            "20261201T090000+0200",
        ];
        for text in refused {
            assert_eq!(Written::parse(text), None, "{text}");
        }
        let lengths =
            [("P1W", 7, 0), ("PT8H", 0, 28_800), ("P1DT1H30M", 1, 5_400), ("+P15DT5H0M20S", 15, 18_020)];
        for (text, days, seconds) in lengths {
            assert_eq!(Length::parse(text), Some(Length::Mixed { days, seconds }), "{text}");
        }
        for text in [
            "",
            "P",
            "PT",
            "1D",
            "-P1D",
            "P1H",
            "PT1D",
            "P1",
            "PTT1H",
            "P99999999999D",
            "P999999999W",
            "P1Dé",
        ] {
            assert_eq!(Length::parse(text), None, "{text}");
        }
    }

    #[test]
    fn p15_a_span_starts_at_the_first_occurrence_and_ends_at_the_last() {
        let day = SignedDuration::from_hours(24);
        let cases = [
            // The clocks of Athens skip from 03:00 to 04:00, and from 04:00 back to 03:00.
            ("2026-03-29T03:30", Length::Wall(day), "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
            ("2026-03-28T03:30", Length::Wall(day), "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z"),
            ("2026-10-25T03:30", Length::Wall(day), "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            ("2026-10-24T03:30", Length::Wall(day), "2026-10-24T00:30:00Z", "2026-10-25T01:30:00Z"),
            // Hours of a duration are elapsed time, days are not.
            (
                "2026-10-24T20:00",
                Length::parse("PT24H").unwrap(),
                "2026-10-24T17:00:00Z",
                "2026-10-25T17:00:00Z",
            ),
            (
                "2026-10-24T20:00",
                Length::parse("P1D").unwrap(),
                "2026-10-24T17:00:00Z",
                "2026-10-25T18:00:00Z",
            ),
            (
                "2026-10-24T20:00",
                Length::parse("P1DT2H").unwrap(),
                "2026-10-24T17:00:00Z",
                "2026-10-25T20:00:00Z",
            ),
        ];
        for (local, length, from, to) in cases {
            let start = Moment::At(local.parse().unwrap(), zone("Europe/Athens"));
            let expected = Some((from.parse().unwrap(), to.parse().unwrap()));
            assert_eq!(lasts(&start, length, &TimeZone::UTC), expected, "{local} {length:?}");
        }
    }

    #[test]
    fn p15_days_tile_time_even_where_midnight_is_skipped_or_comes_twice() {
        for name in [
            "Africa/Cairo",
            "America/Havana",
            "America/Asuncion",
            "Asia/Beirut",
            "Pacific/Apia",
            "Atlantic/Azores",
        ] {
            let zone = zone(name);
            let mut date: Date = "2011-01-01".parse().unwrap();
            let mut ended = None;
            while date.year() < 2036 {
                let one = Length::Mixed { days: 1, seconds: 0 };
                let (from, to) = lasts(&Moment::Day(date), one, &zone).unwrap();
                assert!(from <= to && ended.is_none_or(|end| end == from), "{name} {date}");
                // An instant of the day shows its date, unless the zone skipped the day.
                if from < to {
                    assert_eq!(zone.to_datetime(from).date(), date, "{name}");
                }
                (ended, date) = (Some(to), date.tomorrow().unwrap());
            }
        }
    }
}
