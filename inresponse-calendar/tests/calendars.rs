//! Calendars that others made, compared with what another library says about them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use chrono::{DateTime, Utc};
use inresponse_calendar::{Event, Feed, read};
use inresponse_core::model::Zone;
use serde_json::Value;

macro_rules! calendar {
    ($name:literal) => {
        (
            $name,
            &include_bytes!(concat!("calendars/", $name, ".ics"))[..],
            include_str!(concat!("calendars/", $name, ".json")),
        )
    };
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn athens(bytes: &[u8]) -> Feed {
    let span = at("2026-09-01T00:00:00Z")..at("2027-05-01T00:00:00Z");
    read(bytes, &Zone::new("Europe/Athens").unwrap(), span).unwrap()
}

fn told(events: &[Event]) -> Vec<(DateTime<Utc>, DateTime<Utc>, String)> {
    let mut told: Vec<_> = events.iter().map(|event| (event.from, event.to, event.title.clone())).collect();
    told.sort();
    told
}

#[test]
fn calendars_of_other_programs_are_read_as_another_library_reads_them() {
    let calendars = [
        calendar!("python-icalendar"),
        calendar!("python-ics"),
        calendar!("ical-generator"),
        calendar!("google"),
        calendar!("outlook"),
        calendar!("apple"),
    ];
    for (name, bytes, expected) in calendars {
        let read = athens(bytes);
        assert_eq!(read.findings, [], "{name}");
        let expected: Vec<[String; 3]> = serde_json::from_str::<Vec<Value>>(expected)
            .unwrap()
            .into_iter()
            .map(|one| serde_json::from_value(one).unwrap())
            .collect();
        assert!(expected.len() > 3, "{name}");
        let mut expected: Vec<_> = expected
            .into_iter()
            .map(|[from, to, title]| (at(&from), at(&to), title.trim().to_owned()))
            .collect();
        expected.sort();
        assert_eq!(told(&read.events), expected, "{name}");
        // Line feeds alone end lines as well.
        let unix: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b'\r').collect();
        assert_eq!(athens(&unix), read, "{name}");
    }
}

#[test]
fn people_are_found_as_programs_name_them() {
    let google = athens(include_bytes!("calendars/google.ics"));
    let find =
        |feed: &Feed, from: &str| feed.events.iter().find(|event| event.from == at(from)).cloned().unwrap();
    assert_eq!(find(&google, "2026-09-07T06:00:00Z").names, ["Ann", "ann@example.org"]);
    assert_eq!(find(&google, "2026-12-23T22:00:00Z").names, ["Lee / Kim", "Lee", "Kim"]);
    let priority = find(&google, "2026-10-31T22:00:00Z");
    assert_eq!((priority.names[0].as_str(), priority.priority), ("kim@example.org", Some(2)));

    let apple = athens(include_bytes!("calendars/apple.ics"));
    let folded = find(&apple, "2026-09-04T17:00:00Z");
    assert_eq!(
        folded.names[1..],
        ["Jörg Müller und Ömer Çelik", "Bereitschaft für die Straße im Süden östlich der Brücke"]
    );

    let outlook = athens(include_bytes!("calendars/outlook.ics"));
    let nights = find(&outlook, "2026-10-29T00:00:00Z");
    assert_eq!(
        nights.names,
        ["Jo", "Jo covers the nights.", "Call the desk first; then her phone, which is on the list."]
    );

    let generated = athens(include_bytes!("calendars/ical-generator.ics"));
    let weekly = find(&generated, "2026-09-07T06:00:00Z");
    assert_eq!(weekly.priority, Some(1));
    assert_eq!(weekly.names[..4], ["Ann, Lee; Kim \\ Jo", "Ann", "Lee", "Kim \\ Jo"]);
    assert!(weekly.names.contains(&"Ann, the first".to_owned()), "{weekly:?}");
}

#[test]
fn p18_any_part_of_a_calendar_is_an_error_and_no_other_calendar() {
    for bytes in [
        &include_bytes!("calendars/google.ics")[..],
        include_bytes!("calendars/outlook.ics"),
        include_bytes!("calendars/apple.ics"),
        include_bytes!("calendars/python-icalendar.ics"),
    ] {
        let whole = athens(bytes);
        let zone = Zone::utc();
        let span = at("2026-09-01T00:00:00Z")..at("2026-09-08T00:00:00Z");
        // At every place where the calendar nearly begins or ends, and at some between.
        let length = bytes.trim_ascii_end().len();
        for end in (0..20).chain((20..length).step_by(53)).chain(length - 60..length) {
            assert!(read(&bytes[..end], &zone, span.clone()).is_err(), "the first {end} bytes");
        }
        assert_eq!(athens(bytes.trim_ascii_end()), whole);
    }
}
