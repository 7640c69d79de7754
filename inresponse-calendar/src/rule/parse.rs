//! A rule as it is written.

use std::str::FromStr;

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;

use super::{ByDay, Frequency, Rule, Until};
use crate::time::Written;

impl Rule {
    /// Reads a rule such as `FREQ=WEEKLY;BYDAY=MO,TU`, of an event that starts at `start`. An error says what is not
    /// understood.
    pub(crate) fn parse(text: &str, start: DateTime) -> Result<Self, String> {
        let mut frequency = None;
        let mut rule = Rule {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            week_starts: Weekday::Monday,
            by_month: Vec::new(),
            by_month_day: Vec::new(),
            by_day: Vec::new(),
            by_set_position: Vec::new(),
        };
        for part in text.trim().split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let not_read = || format!("`{}` is not supported", short(part));
            let (name, value) = part.split_once('=').ok_or_else(not_read)?;
            let (name, value) = (name.to_ascii_uppercase(), value.to_ascii_uppercase());
            let time = start.time();
            // BYHOUR, BYMINUTE and BYSECOND may repeat the time of the start. With another time the rule would be one
            // of hours.
            let repeats = |of_start: i8| value.parse() == Ok(of_start);
            let known = match name.as_str() {
                "FREQ" => {
                    frequency = Some(frequency_of(&value).ok_or_else(not_read)?);
                    true
                }
                "INTERVAL" => set(&mut rule.interval, positive(&value)),
                "COUNT" => set(&mut rule.count, positive(&value).map(Some)),
                "UNTIL" => set(&mut rule.until, until(&value).map(Some)),
                "WKST" => set(&mut rule.week_starts, weekday(&value)),
                "BYMONTH" => set(&mut rule.by_month, list(&value, |month: &i8| (1..=12).contains(month))),
                "BYMONTHDAY" => set(
                    &mut rule.by_month_day,
                    list(&value, |day: &i8| (1..=31).contains(&day.unsigned_abs())),
                ),
                "BYSETPOS" => set(
                    &mut rule.by_set_position,
                    list(&value, |place: &i16| (1..=366).contains(&place.unsigned_abs())),
                ),
                "BYDAY" => set(&mut rule.by_day, value.split(',').map(by_day).collect()),
                "BYHOUR" => repeats(time.hour()),
                "BYMINUTE" => repeats(time.minute()),
                "BYSECOND" => repeats(time.second()),
                _ => false,
            };
            if !known {
                return Err(not_read());
            }
        }
        rule.frequency = frequency.ok_or_else(|| "it has no FREQ".to_owned())?;
        rule.checked()
    }

    /// Refuses parts that make no sense together, because it is unknown what the writer meant by them.
    fn checked(self) -> Result<Self, String> {
        let has_nth = self.by_day.iter().any(|day| day.nth.is_some());
        let refused = match self.frequency {
            Frequency::Daily | Frequency::Weekly if has_nth => {
                "BYDAY with a number needs FREQ=MONTHLY or FREQ=YEARLY"
            }
            Frequency::Weekly if !self.by_month_day.is_empty() => {
                "BYMONTHDAY is not allowed with FREQ=WEEKLY"
            }
            Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly => return Ok(self),
        };
        Err(refused.to_owned())
    }
}

/// Sets a part if there is a value. Returns whether there is one.
fn set<T>(part: &mut T, value: Option<T>) -> bool {
    let is_known = value.is_some();
    value.into_iter().for_each(|value| *part = value);
    is_known
}

/// The beginning of a part, short enough for a finding.
fn short(part: &str) -> String {
    part.chars().take(40).collect()
}

/// Rules with a FREQ of hours, minutes or seconds are refused: they are rarely right when clocks change, and shifts do
/// not need them.
fn frequency_of(value: &str) -> Option<Frequency> {
    match value {
        "DAILY" => Some(Frequency::Daily),
        "WEEKLY" => Some(Frequency::Weekly),
        "MONTHLY" => Some(Frequency::Monthly),
        "YEARLY" => Some(Frequency::Yearly),
        _ => None,
    }
}

fn positive(value: &str) -> Option<u32> {
    value.parse().ok().filter(|number| *number > 0)
}

fn list<T: FromStr>(value: &str, is_fit: impl Fn(&T) -> bool) -> Option<Vec<T>> {
    // As many values as a year has days are enough for every sensible rule.
    let values: Option<Vec<T>> =
        value.split(',').take(367).map(|one| one.trim().parse().ok().filter(&is_fit)).collect();
    values.filter(|values| values.len() <= 366)
}

fn until(value: &str) -> Option<Until> {
    match Written::parse(value)? {
        Written::Day(date) => Some(Until::Day(date)),
        Written::Local(local) => Some(Until::Local(local)),
        Written::Utc(utc) => TimeZone::UTC.to_timestamp(utc).ok().map(Until::Instant),
    }
}

fn weekday(value: &str) -> Option<Weekday> {
    match value {
        "MO" => Some(Weekday::Monday),
        "TU" => Some(Weekday::Tuesday),
        "WE" => Some(Weekday::Wednesday),
        "TH" => Some(Weekday::Thursday),
        "FR" => Some(Weekday::Friday),
        "SA" => Some(Weekday::Saturday),
        "SU" => Some(Weekday::Sunday),
        _ => None,
    }
}

fn by_day(value: &str) -> Option<ByDay> {
    let value = value.trim();
    let (nth, day) = value.split_at_checked(value.len().checked_sub(2)?)?;
    let nth = match nth {
        "" => None,
        nth => Some(nth.parse::<i8>().ok().filter(|nth| (1..=53).contains(&nth.unsigned_abs()))?),
    };
    Some(ByDay { nth, day: weekday(day)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_is_not_read_is_refused_and_says_why() {
        let start = "2026-12-01T09:30:00".parse().unwrap();
        let cases = [
            ("", "it has no FREQ"),
            ("INTERVAL=2", "it has no FREQ"),
            ("FREQ=HOURLY", "`FREQ=HOURLY` is not supported"),
            ("FREQ=MINUTELY;INTERVAL=5", "`FREQ=MINUTELY` is not supported"),
            ("FREQ=DAILY;INTERVAL=0", "`INTERVAL=0` is not supported"),
            ("FREQ=DAILY;COUNT=-1", "`COUNT=-1` is not supported"),
            ("FREQ=DAILY;UNTIL=soon", "`UNTIL=soon` is not supported"),
            ("FREQ=DAILY;BYHOUR=9,21", "`BYHOUR=9,21` is not supported"),
            ("FREQ=DAILY;BYHOUR=10", "`BYHOUR=10` is not supported"),
            ("FREQ=DAILY;BYMONTH=13", "`BYMONTH=13` is not supported"),
            ("FREQ=MONTHLY;BYMONTHDAY=0", "`BYMONTHDAY=0` is not supported"),
            ("FREQ=MONTHLY;BYDAY=XX", "`BYDAY=XX` is not supported"),
            ("FREQ=MONTHLY;BYDAY=é", "`BYDAY=é` is not supported"),
            ("FREQ=MONTHLY;BYDAY=", "`BYDAY=` is not supported"),
            ("FREQ=YEARLY;BYWEEKNO=20", "`BYWEEKNO=20` is not supported"),
            ("FREQ=YEARLY;BYYEARDAY=-1", "`BYYEARDAY=-1` is not supported"),
            ("FREQ=MONTHLY;RSCALE=CHINESE", "`RSCALE=CHINESE` is not supported"),
            ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY with a number needs FREQ=MONTHLY or FREQ=YEARLY"),
            ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY is not allowed with FREQ=WEEKLY"),
            ("FREQ", "`FREQ` is not supported"),
        ];
        for (text, why) in cases {
            assert_eq!(Rule::parse(text, start).unwrap_err(), why, "{text}");
        }
        let read =
            Rule::parse("freq=monthly;byday=-1fr,+2mo;WKST=SU;BYHOUR=9;BYMINUTE=30;BYSECOND=0;", start)
                .unwrap();
        let days =
            [ByDay { nth: Some(-1), day: Weekday::Friday }, ByDay { nth: Some(2), day: Weekday::Monday }];
        assert_eq!((read.by_day.as_slice(), read.week_starts), (days.as_slice(), Weekday::Sunday));
    }
}
