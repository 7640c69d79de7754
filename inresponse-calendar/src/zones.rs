//! The zones that a calendar names.

use std::collections::HashMap;
use std::ops::Range;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::parts::{Calendar, Part, ZonePart};
use crate::windows;

/// The zones of one calendar.
#[derive(Debug)]
pub(crate) struct Zones<'a> {
    described: HashMap<&'a str, &'a ZonePart>,
    /// The zone of times without a zone. The error is an unknown name.
    floating: Result<TimeZone, String>,
}

impl<'a> Zones<'a> {
    /// The zones of a calendar. Its times without a zone are in the zone that it names, otherwise in `schedule`.
    pub(crate) fn of(calendar: &'a Calendar, schedule: &TimeZone) -> Self {
        let tzid = |zone: &'a ZonePart| Some((zone.properties.value("TZID")?, zone));
        let described = calendar.zones.iter().filter_map(tzid).collect();
        let floating = match &calendar.zone {
            Some(name) => found(name, &described).ok_or_else(|| name.clone()),
            None => Ok(schedule.clone()),
        };
        Self { described, floating }
    }

    /// The zone of a time, by its parameter `TZID`. The error is an unknown name.
    pub(crate) fn zone(&self, tzid: Option<&str>) -> Result<TimeZone, String> {
        match tzid.map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => found(name, &self.described).ok_or_else(|| name.to_owned()),
            None => self.floating.clone(),
        }
    }
}

/// The zone of the bundled database for a name. Only if there is none, the rules in the calendar are used.
///
/// A calendar's own rules are as old as the program that wrote them, and many are wrong.
fn found(name: &str, described: &HashMap<&str, &ZonePart>) -> Option<TimeZone> {
    let part = described.get(name);
    let location = || part.and_then(|zone| zone.properties.value("X-LIC-LOCATION"));
    named(name)
        .or_else(|| location().and_then(named))
        .or_else(|| within(name))
        .or_else(|| part.and_then(|zone| by_rules(&zone.times)))
}

/// Finds a zone by its IANA name or its name in Windows.
fn named(name: &str) -> Option<TimeZone> {
    // The machine's own database may be years old.
    let iana = |name: &str| TimeZoneDatabase::bundled().get(name).ok();
    iana(name).or_else(|| windows::iana(name).and_then(iana))
}

/// Finds a zone by the IANA name at the end of a longer one, as in `/example.org/20260101_1/Europe/Athens`.
fn within(name: &str) -> Option<TimeZone> {
    let parts: Vec<&str> = name.trim_matches('/').split('/').collect();
    // `America/Argentina/Ushuaia` has three parts. A last part alone, as in `…/Utc`, is a zone too.
    let longest = parts.len().saturating_sub(1).min(3);
    (1..=longest).rev().find_map(|count| named(&parts[parts.len() - count..].join("/")))
}

/// Makes a zone from the latest rules: one offset, or two that alternate each year.
fn by_rules(times: &[Part]) -> Option<TimeZone> {
    let offset = |time: &Part| minutes(time.value("TZOFFSETTO")?);
    let changes = |time: &&Part| time.value("RRULE").is_some_and(|rule| !rule.contains("UNTIL"));
    let of_the_year: Vec<&Part> = times.iter().filter(changes).collect();
    let rules = match of_the_year.as_slice() {
        [] => {
            let latest = times.iter().max_by_key(|time| time.value("DTSTART"))?;
            posix("own", offset(latest)?)
        }
        [one, other] => {
            let (standard, summer) = if offset(one)? < offset(other)? { (one, other) } else { (other, one) };
            let names = posix("own", offset(standard)?) + &posix("sum", offset(summer)?);
            format!("{names},{},{}", yearly(summer)?, yearly(standard)?)
        }
        _ => return None,
    };
    TimeZone::posix(&rules).ok()
}

/// `+0200` in minutes.
fn minutes(offset: &str) -> Option<i32> {
    let (sign, digits) = offset.split_at_checked(1)?;
    let is_offset = matches!(digits.len(), 4 | 6) && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = |range: Range<usize>| digits.get(range).filter(|_| is_offset)?.parse::<i32>().ok();
    let minutes = number(0..2)? * 60 + number(2..4)?;
    match sign {
        "+" => Some(minutes),
        "-" => Some(-minutes),
        _ => None,
    }
}

/// A name and its offset in the form of POSIX, in which offsets east of Greenwich are negative.
fn posix(name: &str, minutes: i32) -> String {
    let sign = if minutes > 0 { '-' } else { '+' };
    format!("<{name}>{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// When a time begins each year, as POSIX writes it: `M10.5.0/03:00`.
fn yearly(time: &Part) -> Option<String> {
    let rule = time.value("RRULE")?;
    let part = |name: &str| rule.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let (freq, month, day) = (part("FREQ")?, part("BYMONTH")?.parse::<u8>().ok()?, part("BYDAY")?);
    let (week, day) = day.split_at_checked(day.len().checked_sub(2)?)?;
    let week = match week.parse::<i8>().ok()? {
        -1 => 5,
        week @ 1..=4 => week,
        _ => return None,
    };
    let day = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"].iter().position(|name| *name == day)?;
    let clock = time.value("DTSTART")?.split_once('T')?.1;
    let (hour, minute) = (clock.get(0..2)?, clock.get(2..4)?);
    let is_clock = hour.bytes().chain(minute.bytes()).all(|digit| digit.is_ascii_digit());
    (freq == "YEARLY" && is_clock).then(|| format!("M{month}.{week}.{day}/{hour}:{minute}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::calendars;

    fn zone(calendar: &str, tzid: Option<&str>) -> Result<String, String> {
        let text = format!("BEGIN:VCALENDAR\n{calendar}\nEND:VCALENDAR\n");
        let read = calendars(text.as_bytes()).unwrap();
        let schedule = TimeZoneDatabase::bundled().get("Asia/Kolkata").unwrap();
        let zone = Zones::of(&read[0], &schedule).zone(tzid)?;
        let offsets = ["2026-01-15T00:00:00Z", "2026-07-15T00:00:00Z"]
            .map(|at| zone.to_offset(at.parse().unwrap()).to_string());
        Ok(zone.iana_name().map_or_else(|| offsets.join(" "), str::to_owned))
    }

    #[test]
    fn p15_a_zone_is_found_by_the_names_that_programs_use() {
        let own = |name: &str, more: &str| format!("BEGIN:VTIMEZONE\nTZID:{name}\n{more}\nEND:VTIMEZONE");
        let rules = "BEGIN:DAYLIGHT\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nDTSTART:16010101T020000\n\
                     RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nBEGIN:STANDARD\nTZOFFSETFROM:+0200\n\
                     TZOFFSETTO:+0100\nDTSTART:16010101T030000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD";
        let west = rules.replace("+0100", "-0500").replace("+0200", "-0400");
        let fixed =
            "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0545\nTZOFFSETTO:+0545\nEND:STANDARD";
        let cases: [(&str, Option<&str>, Result<&str, &str>); 19] = [
            ("", None, Ok("Asia/Kolkata")),
            ("X-WR-TIMEZONE:Europe/Athens", None, Ok("Europe/Athens")),
            ("X-WR-TIMEZONE:W. Europe Standard Time", Some(""), Ok("Europe/Berlin")),
            ("X-WR-TIMEZONE:Middle-earth", None, Err("Middle-earth")),
            ("X-WR-TIMEZONE:Middle-earth", Some("Europe/Athens"), Ok("Europe/Athens")),
            ("", Some("Europe/Athens"), Ok("Europe/Athens")),
            ("", Some("europe/athens"), Ok("Europe/Athens")),
            ("", Some("GTB Standard Time"), Ok("Europe/Bucharest")),
            ("", Some("/example.org/20260101_1/America/Argentina/Ushuaia"), Ok("America/Argentina/Ushuaia")),
            ("", Some("/example.org/Europe/Athens"), Ok("Europe/Athens")),
            ("", Some("tzone://Microsoft/Utc"), Ok("UTC")),
            ("", Some("Customized Time Zone"), Err("Customized Time Zone")),
            (&own("Athens time", "X-LIC-LOCATION:Europe/Athens"), Some("Athens time"), Ok("Europe/Athens")),
            // What the database knows is newer than what the calendar says.
            (&own("Europe/Athens", fixed), Some("Europe/Athens"), Ok("Europe/Athens")),
            (&own("Customized Time Zone", rules), Some("Customized Time Zone"), Ok("+01 +02")),
            (&own("East", &west), Some("East"), Ok("-05 -04")),
            (&own("Hills", fixed), Some("Hills"), Ok("+05:45 +05:45")),
            (&own("Odd", &rules.replace("-1SU", "SU")), Some("Odd"), Err("Odd")),
            (&own("Empty", ""), Some("Empty"), Err("Empty")),
        ];
        for (calendar, tzid, expected) in cases {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(zone(calendar, tzid), expected, "{calendar}, {tzid:?}");
        }
    }

    #[test]
    fn p15_a_zone_by_rules_changes_when_they_say() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Own\nBEGIN:DAYLIGHT\nTZOFFSETTO:-0400\nDTSTART:16010101T020000\n\
                    RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3\nEND:DAYLIGHT\nBEGIN:STANDARD\nTZOFFSETTO:-0500\n\
                    DTSTART:16010101T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\nEND:STANDARD\nEND:VTIMEZONE\n\
                    END:VCALENDAR\n";
        let read = calendars(text.as_bytes()).unwrap();
        let own = Zones::of(&read[0], &TimeZone::UTC).zone(Some("Own")).unwrap();
        let new_york = TimeZoneDatabase::bundled().get("America/New_York").unwrap();
        let changes = |zone: &TimeZone| -> Vec<_> {
            let from = "2024-01-01T00:00:00Z".parse().unwrap();
            zone.following(from).take(20).map(|change| (change.timestamp(), change.offset())).collect()
        };
        assert_eq!(changes(&own), changes(&new_york));
    }
}
