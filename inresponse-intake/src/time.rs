//! Reads times in the formats that senders use.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::Value;

use crate::trouble::Repairs;

/// A time as a sender gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The sender gives no time.
    Nothing,
    /// The sender gives this time.
    At(DateTime<Utc>),
    /// The text is not a time.
    Unreadable,
}

impl Told {
    /// The time, if the sender gives a readable one.
    pub(crate) fn at(self) -> Option<DateTime<Utc>> {
        match self {
            Told::At(at) => Some(at),
            Told::Nothing | Told::Unreadable => None,
        }
    }
}

/// The maximum length of a text that is tried as a time.
const MAX_BYTES: usize = 80;

/// The formats of dates and times, with a zone, or in UTC without one. A blank also matches an empty part.
const DATES_AND_TIMES: [&str; 17] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H",
    "%Y%m%dT%H%M%S%.f",
    "%Y%m%dT%H%M",
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M",
    "%G-W%V-%uT%H:%M:%S%.f",
    "%G-W%V-%uT%H:%M",
    "%GW%V%uT%H%M%S",
    "%Y-%jT%H:%M:%S%.f",
    "%Y-%jT%H:%M",
    "%d.%m.%YT%H:%M:%S%.f",
    "%d.%m.%YT%H:%M",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
];
const DATES: [&str; 5] = ["%Y-%m-%d", "%Y%m%d", "%G-W%V-%u", "%Y-%j", "%d.%m.%Y"];

/// Reads the time in a field. Unreadable and guessed times are recorded as repairs.
///
/// Some senders write a year before 1970 for "none".
pub(crate) fn read(field: &str, value: Option<&Value>, repairs: &mut Repairs) -> Told {
    let text = match value {
        None | Some(Value::Null) => return Told::Nothing,
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(other) => other.to_string(),
    };
    if text.is_empty() {
        return Told::Nothing;
    }
    let (read, zone) = match epoch(&text) {
        Some(at) => (Some(at), Zone::Known),
        None => match written(&text) {
            Some((at, zone)) => (Some(at), zone),
            None => (None, Zone::Known),
        },
    };
    match read {
        Some(at) if at.year() < 1970 => Told::Nothing,
        Some(at) if at.year() <= 9999 => {
            if zone == Zone::Assumed {
                repairs.note_text(field, &text, "names no zone and was read as UTC");
            }
            Told::At(at)
        }
        Some(_) | None => {
            repairs.note_text(field, &text, "is not a time, so the time of receipt was used");
            Told::Unreadable
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    Known,
    Assumed,
}

/// Reads a number: seconds, milliseconds, microseconds or nanoseconds since 1970, depending on its size.
fn epoch(text: &str) -> Option<DateTime<Utc>> {
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+');
    if !text.bytes().all(plain) || is_date_in_digits(text) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    let per_second = match number {
        // Nobody monitored anything before 1973, so this number counts something else.
        n if n < 1e8 => return None,
        n if n < 1e11 => 1.0,
        n if n < 1e14 => 1e3,
        n if n < 1e17 => 1e6,
        _ => 1e9,
    };
    // Whole numbers are exact, however small their unit.
    let micros = match text.parse::<i128>() {
        Ok(whole) if per_second <= 1e6 => {
            let unit = if per_second == 1.0 {
                1_000_000
            } else if per_second == 1e3 {
                1_000
            } else {
                1
            };
            whole * unit
        }
        Ok(nanos) => nanos / 1_000,
        #[expect(clippy::cast_possible_truncation, reason = "the number is less than 1e21")]
        Err(_) => (number / per_second * 1e6) as i128,
    };
    DateTime::from_timestamp_micros(i64::try_from(micros).ok()?)
}

/// Whether a text is a date in digits: `20261124`, `202611240300`, `20261124030000`.
fn is_date_in_digits(text: &str) -> bool {
    let century = text.starts_with("19") || text.starts_with("20");
    let date = text.get(..8).and_then(|date| NaiveDate::parse_from_str(date, "%Y%m%d").ok());
    let time = match text.len() {
        8 => Some(true),
        12 | 14 => text.get(8..).map(|time| {
            let parts =
                time.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).ok()?.parse::<u8>().ok());
            parts.zip([24, 60, 61]).all(|(part, end)| part.is_some_and(|part| part < end))
        }),
        _ => None,
    };
    century && date.is_some() && time == Some(true)
}

fn written(text: &str) -> Option<(DateTime<Utc>, Zone)> {
    if text.len() > MAX_BYTES || !text.is_ascii() {
        return None;
    }
    let in_utc = |at: DateTime<chrono::FixedOffset>| (at.to_utc(), Zone::Known);
    if let Ok(at) = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)) {
        return Some(in_utc(at));
    }
    let text = alike(text);
    let utc = ["Z", "z", "UTC", "GMT", "+0000 UTC", "+0000 GMT"];
    let named =
        utc.iter().filter_map(|zone| text.strip_suffix(zone)).map(str::trim_end).min_by_key(|t| t.len());
    if let Some(at) = named.and_then(naive) {
        return Some((at, Zone::Known));
    }
    let with_zone = |format: &&str| {
        let [plain, gmt] = ["%#z", "GMT%#z"].map(|zone| format!("{format} {zone}"));
        DateTime::parse_from_str(&text, &plain).or_else(|_| DateTime::parse_from_str(&text, &gmt)).ok()
    };
    if let Some(at) = DATES_AND_TIMES.iter().find_map(with_zone) {
        return Some(in_utc(at));
    }
    naive(&text).map(|at| (at, Zone::Assumed))
}

/// The same time with the separators of ISO 8601, and without redundant parts.
fn alike(text: &str) -> String {
    // Go's reading of its monotonic clock, and the zone's name in JavaScript.
    let text = text.split(" m=").next().unwrap_or(text);
    let text = text.split(" (").next().unwrap_or(text).trim();
    let mut text: Vec<u8> = text.replace(',', ".").into_bytes();
    let is_digit = |text: &[u8], i: usize| text.get(i).is_some_and(u8::is_ascii_digit);
    if is_digit(&text, 3) && matches!(text.get(4), Some(b'/' | b'.')) {
        for i in [4, 7] {
            if matches!(text.get(i), Some(b'/' | b'.')) {
                text[i] = b'-';
            }
        }
    }
    let is_numeric = matches!(text.get(4), Some(b'-')) || matches!(text.get(2), Some(b'.'));
    if is_numeric
        && is_digit(&text, 9)
        && matches!(text.get(10), Some(b' ' | b'_' | b't'))
        && is_digit(&text, 11)
    {
        text[10] = b'T';
    }
    String::from_utf8(text).unwrap_or_default()
}

fn naive(text: &str) -> Option<DateTime<Utc>> {
    let date_and_time = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    let date = |format: &&str| Some(NaiveDate::parse_from_str(text, format).ok()?.and_time(NaiveTime::MIN));
    let at = DATES_AND_TIMES.iter().find_map(date_and_time).or_else(|| DATES.iter().find_map(date));
    at.map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(value: &Value) -> (Told, Repairs) {
        let mut repairs = Repairs::default();
        (read("at", Some(value), &mut repairs), repairs)
    }

    #[test]
    fn p16_times_are_read_as_they_are_written() {
        const AT: i64 = 1_795_489_200;
        for value in [
            json!("2026-11-24T03:00:00Z"),
            json!("2026-11-24T05:00:00.000+02:00"),
            json!("2026-11-24T03:00:00.000+0000"),
            json!("2026-11-23T20:00-07"),
            json!("2026-11-24 03:00:00 +0000 UTC m=+0.5"),
            json!("2026-11-24 03:00:00.25 UTC"),
            json!("2026-11-24T03:00:00,5Z"),
            json!("20261124T030000Z"),
            json!("2026-W48-2T03:00:00Z"),
            json!("2026-W48-2T05:00+02:00"),
            json!("2026-328T03:00:00Z"),
            json!("Tue, 24 Nov 2026 03:00:00 +0000"),
            json!("Tue, 24 Nov 2026 03:00:00 GMT"),
            json!("Tue Nov 24 2026 05:00:00 GMT+0200 (Eastern European Standard Time)"),
            json!(AT),
            json!(1_795_489_200.5),
            json!(1_795_489_200_000_i64),
            json!(1_795_489_200_000_000_i64),
            json!(1_795_489_200_000_000_000_i64),
            json!("1795489200"),
            json!(" 1795489200.25 "),
            json!("1795489200123"),
        ] {
            let (told, repairs) = told(&value);
            assert_eq!(told.at().map(|at| at.timestamp()), Some(AT), "{value}");
            assert!(repairs.is_empty(), "{value}: {repairs:?}");
        }
        for value in [
            json!("2026-11-24 03:00:00"),
            json!("2026-11-24T03:00:00.123456789"),
            json!("2026/11/24 03:00:00"),
            json!("2026.11.24 03:00:00"),
            json!("24.11.2026 03:00:00"),
            json!("Tue Nov 24 03:00:00 2026"),
            json!("20261124030000"),
            json!(20_261_124_030_000_i64),
        ] {
            let (told, repairs) = told(&value);
            assert_eq!(told.at().map(|at| at.timestamp()), Some(AT), "{value}");
            assert!(repairs.text().contains("UTC"), "{value}");
        }
        let (day, _) = told(&json!("2026-11-24"));
        assert_eq!(day.at().map(|at| at.timestamp()), Some(AT - 3 * 3600));
    }

    #[test]
    fn p16_what_is_no_time_is_none_and_is_noted() {
        for none in [
            json!(null),
            json!(""),
            json!(" "),
            json!("0001-01-01T00:00:00Z"),
            json!("0001-01-01T00:00:00.000Z"),
        ] {
            let (told, repairs) = told(&none);
            assert_eq!((told, repairs.is_empty()), (Told::Nothing, true), "{none}");
        }
        for bad in [
            json!("yesterday"),
            json!("another time"),
            json!("2026-13-01T00:00:00Z"),
            json!("+99999-01-01T00:00:00Z"),
            json!(0),
            json!("0"),
            json!(5),
            json!(-1),
            json!(1e300),
            json!("1e999"),
            json!(true),
            json!({}),
            json!([1]),
            json!("x".repeat(100_000)),
            json!("é".repeat(20)),
        ] {
            let (told, repairs) = told(&bad);
            assert_eq!(told, Told::Unreadable, "{bad}");
            assert!(repairs.text().starts_with("at ") && repairs.text().len() < 200, "{}", repairs.text());
        }
    }
}
