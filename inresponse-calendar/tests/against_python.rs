//! Random calendars, read by this library and by `recurring-ical-events` of PyPI.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Utc};
use inresponse_calendar::read;
use inresponse_core::model::Zone;
use serde_json::json;

const CALENDARS: u64 = 600;

const ZONES: [&str; 8] = [
    "Europe/Athens",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Havana",
    "Africa/Cairo",
    "UTC",
    "Pacific/Auckland",
];

/// Numbers that look random and are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }

    fn signed(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len().try_into().unwrap())).unwrap()]
    }

    fn is(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// How an event writes its times.
#[derive(Clone, Copy)]
enum Form<'a> {
    Day,
    Utc,
    Zone(&'a str),
    Floating,
}

impl Form<'_> {
    fn property(self, name: &str, local: NaiveDateTime) -> String {
        match self {
            Form::Day => format!("{name};VALUE=DATE:{}\n", local.format("%Y%m%d")),
            Form::Utc => format!("{name}:{}\n", local.format("%Y%m%dT%H%M%SZ")),
            Form::Zone(zone) => format!("{name};TZID={zone}:{}\n", local.format("%Y%m%dT%H%M%S")),
            Form::Floating => format!("{name}:{}\n", local.format("%Y%m%dT%H%M%S")),
        }
    }
}

fn weekday(local: NaiveDateTime) -> &'static str {
    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
        [usize::try_from(local.weekday().num_days_from_monday()).unwrap()]
}

/// A rule that the event's start fits: where it does not, RFC 5545 leaves open what is meant.
fn rule(numbers: &mut Numbers, start: NaiveDateTime, form: Form<'_>) -> String {
    let day = weekday(start);
    let interval = 1 + numbers.below(4);
    let nth = (start.day() - 1) / 7 + 1;
    let date = start.day();
    let rule = match numbers.below(9) {
        0 => "DAILY".to_owned(),
        1 => format!("DAILY;BYMONTH={},6,12", start.month()),
        2 => "WEEKLY".to_owned(),
        3 => format!(
            "WEEKLY;WKST={};BYDAY={day},{}",
            numbers.one(&["MO", "SU", "TH"]),
            numbers.one(&["MO", "WE", "SU", "SA"])
        ),
        4 => "MONTHLY".to_owned(),
        5 => format!("MONTHLY;BYMONTHDAY={date},-1"),
        6 => format!("MONTHLY;BYDAY={nth}{day},-2{}", numbers.one(&["MO", "FR"])),
        7 => format!("YEARLY;BYMONTH={},3;BYDAY={nth}{day}", start.month()),
        _ => format!("MONTHLY;BYMONTHDAY={date};BYDAY={day},TU,TH"),
    };
    let end = match numbers.below(3) {
        0 => String::new(),
        1 => format!(";COUNT={}", 1 + numbers.below(40)),
        _ => {
            let end = start + TimeDelta::minutes(numbers.signed(500 * 24 * 60));
            let pattern = match form {
                Form::Day => ";UNTIL=%Y%m%d",
                Form::Floating => ";UNTIL=%Y%m%dT%H%M%S",
                Form::Utc | Form::Zone(_) => ";UNTIL=%Y%m%dT%H%M%SZ",
            };
            end.format(pattern).to_string()
        }
    };
    format!("FREQ={rule};INTERVAL={interval}{end}")
}

/// A calendar with some events, with dates that are added, taken away, moved and cancelled.
fn calendar(numbers: &mut Numbers) -> String {
    let mut text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.org//test//EN\n".to_owned();
    for uid in 0..=numbers.below(3) {
        let form = match numbers.below(6) {
            0 => Form::Day,
            1 => Form::Utc,
            2 => Form::Floating,
            _ => Form::Zone(numbers.one(&ZONES[..6])),
        };
        let midnight = at("2024-06-01T00:00:00Z").naive_utc() + TimeDelta::days(numbers.signed(950));
        let start = match form {
            Form::Day => midnight,
            Form::Utc | Form::Zone(_) | Form::Floating => {
                midnight + TimeDelta::minutes(15 * numbers.signed(96))
            }
        };
        let length = match form {
            Form::Day => TimeDelta::days(1 + numbers.signed(4)),
            Form::Utc | Form::Zone(_) | Form::Floating => TimeDelta::minutes(15 * (1 + numbers.signed(300))),
        };
        text += &format!("BEGIN:VEVENT\nUID:{uid}\nSUMMARY:event {uid}\n{}", form.property("DTSTART", start));
        match form {
            Form::Zone(_) if numbers.is(20) => text += &format!("DURATION:PT{}M\n", length.num_minutes()),
            Form::Day if numbers.is(20) => text += &format!("DURATION:P{}D\n", length.num_days()),
            _ => text += &form.property("DTEND", start + length),
        }
        let recurs = numbers.is(80);
        if recurs {
            text += &format!("RRULE:{}\n", rule(numbers, start, form));
        }
        let mut except = Vec::new();
        for _ in 0..numbers.below(4) {
            except.push(start + TimeDelta::days(7 * numbers.signed(30)));
        }
        text.extend(except.iter().map(|local| form.property("EXDATE", *local)));
        for _ in 0..numbers.below(2) {
            text += &form.property("RDATE", start + TimeDelta::days(1 + numbers.signed(300)));
        }
        text += "END:VEVENT\n";
        for change in 0..if recurs { numbers.below(3) } else { 0 } {
            // A day by a day may hit or miss an occurrence.
            let replaced =
                start + TimeDelta::days(7 * (2 * numbers.signed(40) + i64::try_from(change).unwrap()));
            if except.contains(&replaced) {
                continue;
            }
            let moved = replaced + TimeDelta::days(numbers.signed(60) - 30);
            text += &format!("BEGIN:VEVENT\nUID:{uid}\nSEQUENCE:1\nSUMMARY:change {uid}\n");
            text += &form.property("RECURRENCE-ID", replaced);
            text += &form.property("DTSTART", moved);
            text += &form.property("DTEND", moved + length);
            text += if numbers.is(30) { "STATUS:CANCELLED\nEND:VEVENT\n" } else { "END:VEVENT\n" };
        }
    }
    text + "END:VCALENDAR\n"
}

#[test]
fn random_calendars_are_read_as_another_library_reads_them() {
    let python = std::env::var("INRESPONSE_TEST_PYTHON").expect(
        "this test asks a library of Python that `cargo xtask test` installs: run the tests with that",
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/calendars/occurrences.py");
    let mut child = Command::new(python)
        .args(["-X", "utf8", script, "--serve"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut numbers = Numbers(1);
    let mut compared = 0;
    for case in 0..CALENDARS {
        let text = calendar(&mut numbers);
        let zone = numbers.one(&ZONES);
        let from = at("2026-01-01T00:00:00Z") + TimeDelta::days(numbers.signed(300));
        let to = from + TimeDelta::days(1 + numbers.signed(120));
        let shown = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let asked = json!({"ics": text, "zone": zone, "from": shown(from), "to": shown(to)});
        writeln!(input, "{asked}").unwrap();
        let answer = output.next().unwrap_or_else(|| panic!("Python ended at case {case}:\n{text}")).unwrap();
        let expected: Vec<[String; 3]> = serde_json::from_str(&answer).unwrap();
        let feed = read(text.as_bytes(), &Zone::new(zone).unwrap(), from..to).unwrap();
        assert_eq!(feed.findings, [], "case {case}:\n{text}");
        let mut found: Vec<_> = feed
            .events
            .iter()
            .map(|event| [shown(event.from), shown(event.to), event.title.clone()])
            .collect();
        found.sort();
        compared += found.len();
        assert_eq!(found, expected, "case {case} in {zone}, {from} to {to}:\n{text}");
    }
    assert!(compared > 2_000, "{compared}");
    drop(input);
    assert!(child.wait().unwrap().success());
}
