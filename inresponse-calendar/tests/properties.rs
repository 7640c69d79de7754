//! What holds for any calendar.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Utc};
use inresponse_calendar::{Shift, limits, read, write};
use inresponse_core::model::Zone;
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

/// Zones whose clocks change at midnight, by half an hour, in the south, by decree, or not at all.
const ZONES: [&str; 26] = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Vancouver",
    "Antarctica/Troll",
    "Asia/Almaty",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Europe/Athens",
    "Europe/Chisinau",
    "Europe/Dublin",
    "Pacific/Auckland",
    "Pacific/Chatham",
];

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn seconds(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(at, 0).unwrap()
}

/// Every clock change of these zones from 2024 to 2035.
fn changes() -> Vec<(&'static str, DateTime<Utc>)> {
    let (from, to) =
        ("2024-01-01T00:00:00Z".parse().unwrap(), "2036-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap());
    let mut changes = Vec::new();
    for name in ZONES {
        let zone = TimeZoneDatabase::bundled().get(name).unwrap();
        let all = zone.following(from).take_while(|change| change.timestamp() < to);
        changes.extend(all.map(|change| (name, seconds(change.timestamp().as_second()))));
    }
    changes
}

/// The instants near a clock change at which they show a time; or else the first at which they show a later one.
fn shown(zone: &Zone, change: DateTime<Utc>, local: NaiveDateTime) -> Vec<DateTime<Utc>> {
    let middle = change + (local - zone.local(change).clock());
    let near = || (-4 * 60..=4 * 60).step_by(5).map(|minutes| middle + TimeDelta::minutes(minutes));
    let exact: Vec<_> = near().filter(|at| zone.local(*at).clock() == local).collect();
    if exact.is_empty() {
        near().find(|at| zone.local(*at).clock() > local).into_iter().collect()
    } else {
        exact
    }
}

fn daily(zone: &str, start: NaiveDateTime, length: TimeDelta) -> String {
    let written = |local: NaiveDateTime| local.format("%Y%m%dT%H%M%S").to_string();
    format!(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Ann\nDTSTART;TZID={zone}:{}\nDTEND;TZID={zone}:{}\n\
         RRULE:FREQ=DAILY\nEND:VEVENT\nEND:VCALENDAR\n",
        written(start),
        written(start + length)
    )
}

#[test]
fn p15_daily_events_leave_no_hole_at_any_change_of_the_clocks() {
    let changes = changes();
    assert!(changes.len() > 400, "{}", changes.len());
    for (name, change) in changes {
        let zone = Zone::new(name).unwrap();
        // Every half hour of the clock, so that some lie within what is skipped or comes twice.
        let midnight =
            zone.local(change - TimeDelta::days(2)).clock().date().and_time(chrono::NaiveTime::MIN);
        for half_hours in 0..48 {
            let start = midnight + TimeDelta::minutes(30 * half_hours);
            let span = change - TimeDelta::hours(20)..change + TimeDelta::hours(20);
            let text = daily(name, start, TimeDelta::days(1));
            let events = read(text.as_bytes(), &Zone::utc(), span.clone()).unwrap().events;
            assert!(
                events[0].from <= span.start && events.last().unwrap().to >= span.end,
                "{name} {change} {start}"
            );
            for two in events.windows(2) {
                assert!(two[0].to >= two[1].from, "a hole in {name} at {change}: {start}");
                let overlap = two[0].to - two[1].from;
                assert!(overlap <= TimeDelta::hours(3), "{name} {change} {start}: {overlap}");
            }
            for event in &events {
                let clock = zone.local(event.from).clock();
                assert!(
                    clock.time() == start.time() || event.from == change,
                    "{name} {change} {start}: {clock}"
                );
            }
        }
    }
}

fn near_a_change() -> impl Strategy<Value = (&'static str, DateTime<Utc>)> {
    proptest::sample::select(changes())
}

/// A rule with some of its parts.
fn rule() -> impl Strategy<Value = String> {
    let frequency = proptest::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let days = proptest::sample::subsequence(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"], 0..4);
    let nth = proptest::option::of(-5i8..=5);
    let month_days = proptest::collection::vec(-31i8..=31, 0..3);
    let months = proptest::sample::subsequence((1..=12).collect::<Vec<u8>>(), 0..4);
    let ends = prop_oneof![
        Just(String::new()),
        (1u32..400).prop_map(|count| format!(";COUNT={count}")),
        (0i64..1000).prop_map(|day| (at("2026-01-01T00:00:00Z") + TimeDelta::days(day))
            .format(";UNTIL=%Y%m%dT%H%M%SZ")
            .to_string()),
    ];
    let position = proptest::option::weighted(0.2, prop_oneof![1i8..4, -3i8..0]);
    (frequency, 1u32..6, days, nth, month_days, months, ends, position).prop_map(
        |(frequency, interval, days, nth, month_days, months, ends, position)| {
            let is_long = matches!(frequency, "MONTHLY" | "YEARLY");
            let nth = nth.filter(|nth| is_long && *nth != 0).map_or_else(String::new, |nth| nth.to_string());
            let days: Vec<_> = days.iter().map(|day| format!("{nth}{day}")).collect();
            let month_days: Vec<_> = month_days
                .iter()
                .filter(|day| **day != 0 && frequency != "WEEKLY")
                .map(i8::to_string)
                .collect();
            let months: Vec<_> = months.iter().map(u8::to_string).collect();
            let mut rule = format!("FREQ={frequency};INTERVAL={interval}{ends}");
            for (name, values) in [("BYDAY", days), ("BYMONTHDAY", month_days), ("BYMONTH", months)] {
                if !values.is_empty() {
                    rule += &format!(";{name}={}", values.join(","));
                }
            }
            position.map_or(rule.clone(), |position| format!("{rule};BYSETPOS={position}"))
        },
    )
}

/// Names of any characters, those that calendars escape among them, and some that have to be folded.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        2 => "[ -~äλ字]{0,12}",
        1 => "(Ann|λ|字)(, | & |\n|\\\\n|\\\\,|;|/)Lee",
        1 => ("[ -~äλ字]{1,9}", 1usize..60).prop_map(|(part, times)| part.repeat(times)),
    ]
}

/// What a name is when it was written.
fn written(name: &str) -> String {
    let cut = &name[..name.floor_char_boundary(limits::MAX_NAME)];
    cut.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn p15_a_local_span_begins_at_its_first_occurrence_and_ends_at_its_last(
        (name, change) in near_a_change(), minutes in -600i64..600, length in 1i64..600, days in 0u8..3,
    ) {
        let zone = Zone::new(name).unwrap();
        let clock = zone.local(change).clock();
        // Clocks change on whole five minutes.
        prop_assert_eq!(clock.and_utc().timestamp() % 300, 0);
        let start = clock + TimeDelta::minutes(5 * (minutes / 5));
        let length = TimeDelta::minutes(5 * length);
        let text = daily(name, start - TimeDelta::days(days.into()), length);
        let span = change - TimeDelta::days(1)..change + TimeDelta::days(1);
        let events = read(text.as_bytes(), &Zone::utc(), span).unwrap().events;
        let (from, to) = (shown(&zone, change, start)[0], *shown(&zone, change, start + length).last().unwrap());
        if from < to {
            let found = events.iter().any(|event| (event.from, event.to) == (from, to));
            prop_assert!(found, "{name} {start} {length}: {from} to {to}, but {events:?}");
        }
    }

    #[test]
    fn a_part_of_a_span_has_the_same_events_as_the_whole(
        rule in rule(), zone in proptest::sample::select(ZONES.to_vec()), first in 0i64..900, hours in 1i64..400,
        from in 0i64..200, days in 1i64..40, is_day in any::<bool>(),
    ) {
        let start = at("2024-06-01T00:00:00Z") + TimeDelta::hours(first * 25);
        let (start, length) = if is_day {
            (format!(";VALUE=DATE:{}", start.format("%Y%m%d")), format!("P{}D", 1 + hours / 24))
        } else {
            (format!(";TZID={zone}:{}", start.format("%Y%m%dT%H%M%S")), format!("PT{hours}H"))
        };
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART{start}\nDURATION:{length}\nRRULE:{rule}\nEND:VEVENT\nEND:VCALENDAR\n");
        let zone = Zone::new(zone).unwrap();
        let whole = read(text.as_bytes(), &zone, at("2026-01-01T00:00:00Z")..at("2026-09-01T00:00:00Z")).unwrap();
        prop_assert_eq!(&whole.findings, &[]);
        let from = at("2026-01-01T00:00:00Z") + TimeDelta::days(from);
        let span = from..from + TimeDelta::days(days);
        let part = read(text.as_bytes(), &zone, span.clone()).unwrap();
        let expected: Vec<_> =
            whole.events.into_iter().filter(|event| event.from < span.end && event.to > span.start).collect();
        prop_assert_eq!(part.events, expected, "{}", text);
    }

    #[test]
    fn what_is_written_is_read_again_as_the_same(
        calendar in any::<String>(),
        shifts in proptest::collection::vec((0i64..40_000_000, 1i64..4_000_000, name()), 0..4),
    ) {
        let begin = at("2026-01-01T00:00:00Z").timestamp();
        let shifts: Vec<_> = shifts.into_iter()
            .map(|(from, length, name)| Shift { from: seconds(begin + from), to: seconds(begin + from + length), name })
            .collect();
        let text = write(&calendar, shifts.iter().cloned(), seconds(begin));
        prop_assert!(text.ends_with("END:VCALENDAR\r\n"));
        for line in text.trim_end_matches("\r\n").split("\r\n") {
            prop_assert!(line.len() <= 75 && !line.chars().any(char::is_control), "{line:?}");
        }
        let read = read(text.as_bytes(), &Zone::utc(), seconds(begin)..seconds(begin + 50_000_000)).unwrap();
        prop_assert_eq!(&read.findings, &[]);
        let mut expected: Vec<_> = shifts.iter().map(|shift| (shift.from, shift.to, written(&shift.name))).collect();
        let mut found: Vec<_> = read.events.iter().map(|event| {
            let name = if event.title == event.uid { String::new() } else { event.title.clone() };
            (event.from, event.to, name)
        }).collect();
        for event in &read.events {
            prop_assert!(event.title == event.uid || event.names.contains(&event.title), "{event:?}");
            prop_assert!(event.uid.ends_with("@inresponse"));
        }
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected, "{}", text);
        // As long as nothing changes, the feed does not either.
        prop_assert_eq!(write(&calendar, shifts.into_iter(), seconds(begin)), text);
    }
}

#[test]
fn a_shift_keeps_its_uid_while_others_change() {
    let shift = |hour: i64, hours: i64, name: &str| {
        let from = at("2026-12-01T00:00:00Z") + TimeDelta::hours(hour);
        Shift { from, to: from + TimeDelta::hours(hours), name: name.to_owned() }
    };
    let uids = |shifts: Vec<Shift>| -> Vec<String> {
        let text = write("On call", shifts.into_iter(), at("2026-12-01T00:00:00Z"));
        text.lines().filter_map(|line| line.strip_prefix("UID:")).map(str::to_owned).collect()
    };
    let before = uids(vec![shift(0, 8, "Ann"), shift(8, 8, "Lee"), shift(16, 8, "Ann")]);
    // Lee's shift ends earlier, and what came before it is gone.
    let after = uids(vec![shift(8, 2, "Lee"), shift(10, 6, "Kim"), shift(16, 8, "Ann")]);
    assert_eq!((&before[1], &before[2]), (&after[0], &after[2]));
    let mut all = [before, after].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4);
}

#[test]
fn parts_of_seconds_make_a_shift_longer_and_never_shorter() {
    let shift = Shift {
        from: at("2026-12-01T08:00:00.9Z"),
        to: at("2026-12-01T16:00:00.1Z"),
        name: "Ann".to_owned(),
    };
    let empty = Shift { from: shift.from, to: shift.from - TimeDelta::hours(1), name: "Lee".to_owned() };
    let text = write("On call", [shift, empty].into_iter(), at("2026-12-01T00:00:00Z"));
    let feed =
        read(text.as_bytes(), &Zone::utc(), at("2026-12-01T00:00:00Z")..at("2026-12-02T00:00:00Z")).unwrap();
    assert_eq!(feed.events.len(), 1);
    assert_eq!(
        (feed.events[0].from, feed.events[0].to),
        (at("2026-12-01T08:00:00Z"), at("2026-12-01T16:00:01Z"))
    );
    assert_eq!(feed.events[0].from.year(), 2026);
}
