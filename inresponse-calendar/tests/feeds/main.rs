//! Tables of calendars: what is read of them, and what is found to be wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod findings;
mod limits;

use chrono::{DateTime, Utc};
use inresponse_calendar::{Feed, read};
use inresponse_core::model::Zone;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Reads October 2026 in Athens, where clocks go back on the 25th.
fn october(calendar: &str) -> Feed {
    let text = format!("BEGIN:VCALENDAR\n{calendar}\nEND:VCALENDAR\n");
    let span = at("2026-10-01T00:00:00Z")..at("2026-11-01T00:00:00Z");
    read(text.as_bytes(), &Zone::new("Europe/Athens").unwrap(), span).unwrap()
}

/// The events as `10-01T06 to 10-02T06 Ann`, and findings.
fn told(feed: &Feed) -> Vec<String> {
    let short = |at: DateTime<Utc>| at.format("%m-%dT%H:%M").to_string().replace(":00", "");
    let event = |event: &inresponse_calendar::Event| {
        format!("{} to {} {}", short(event.from), short(event.to), event.title)
    };
    let events = feed.events.iter().map(event);
    events.chain(feed.findings.iter().map(ToString::to_string)).collect()
}

/// An event with these lines.
fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT")
}

fn check(cases: &[(&str, &[&str], &[&str])]) {
    for (what, events, expected) in cases {
        let calendar: Vec<_> = events.iter().map(|lines| event(lines)).collect();
        assert_eq!(told(&october(&calendar.join("\n"))), *expected, "{what}");
    }
}

#[test]
fn p15_times_are_read_in_their_zone() {
    check(&[
        (
            "UTC",
            &["SUMMARY:Ann\nDTSTART:20261001T090000Z\nDTEND:20261001T173000Z"],
            &["10-01T09 to 10-01T17:30 Ann"],
        ),
        (
            "floating",
            &["SUMMARY:Ann\nDTSTART:20261001T090000\nDTEND:20261001T170000"],
            &["10-01T06 to 10-01T14 Ann"],
        ),
        (
            "a zone",
            &[
                "SUMMARY:Ann\nDTSTART;TZID=Asia/Kolkata:20261001T090000\nDTEND;TZID=Asia/Kolkata:20261001T170000",
            ],
            &["10-01T03:30 to 10-01T11:30 Ann"],
        ),
        (
            "two zones",
            &["SUMMARY:Ann\nDTSTART;TZID=Asia/Kolkata:20261001T090000\nDTEND:20261001T170000Z"],
            &["10-01T03:30 to 10-01T17 Ann"],
        ),
        (
            "a zone of Windows",
            &["SUMMARY:Ann\nDTSTART;TZID=\"India Standard Time\":20261001T090000\nDURATION:PT1H"],
            &["10-01T03:30 to 10-01T04:30 Ann"],
        ),
        ("a day", &["SUMMARY:Ann\nDTSTART;VALUE=DATE:20261025"], &["10-24T21 to 10-25T22 Ann"]),
        (
            "a day that ends on itself",
            &["SUMMARY:Ann\nDTSTART;VALUE=DATE:20261024\nDTEND;VALUE=DATE:20261024"],
            &["10-23T21 to 10-24T21 Ann"],
        ),
        (
            "days by their length",
            &["SUMMARY:Ann\nDTSTART;VALUE=DATE:20261024\nDURATION:PT48H"],
            &["10-23T21 to 10-25T22 Ann"],
        ),
        (
            "the hour that comes twice",
            &["SUMMARY:Ann\nDTSTART:20261025T033000\nDTEND:20261025T034500"],
            &["10-25T00:30 to 10-25T01:45 Ann"],
        ),
        (
            "across the change of clocks",
            &["SUMMARY:Ann\nDTSTART:20261024T090000\nDTEND:20261025T090000"],
            &["10-24T06 to 10-25T07 Ann"],
        ),
        (
            "hours that really pass",
            &["SUMMARY:Ann\nDTSTART:20261024T090000\nDURATION:PT24H"],
            &["10-24T06 to 10-25T06 Ann"],
        ),
        (
            "over the ends of the span",
            &["SUMMARY:Ann\nDTSTART:20260901T000000Z\nDTEND:20261201T000000Z"],
            &["09-01T00 to 12-01T00 Ann"],
        ),
        (
            "beside the span",
            &[
                "SUMMARY:Ann\nDTSTART:20260930T000000Z\nDTEND:20261001T000000Z",
                "SUMMARY:Lee\nDTSTART:20261101T000000Z\nDTEND:20261102T000000Z",
            ],
            &[],
        ),
    ]);
    let own = "X-WR-TIMEZONE:Asia/Kolkata\n".to_owned()
        + &event("SUMMARY:Ann\nDTSTART:20261001T090000\nDURATION:PT1H")
        + "\n"
        + &event("SUMMARY:Lee\nDTSTART;VALUE=DATE:20261002");
    assert_eq!(told(&october(&own)), ["10-01T03:30 to 10-01T04:30 Ann", "10-01T21 to 10-02T21 Lee"]);
}

#[test]
fn occurrences_are_added_taken_away_moved_and_cancelled() {
    let weekly = "UID:1\nSUMMARY:Ann\nDTSTART:20261001T090000Z\nDTEND:20261001T170000Z\nRRULE:FREQ=WEEKLY";
    let moved = "UID:1\nRECURRENCE-ID:20261008T090000Z\nSUMMARY:Lee\nDTSTART:20261009T100000Z\nDTEND:20261009T110000Z";
    check(&[
        (
            "a rule",
            &[weekly],
            &[
                "10-01T09 to 10-01T17 Ann",
                "10-08T09 to 10-08T17 Ann",
                "10-15T09 to 10-15T17 Ann",
                "10-22T09 to 10-22T17 Ann",
                "10-29T09 to 10-29T17 Ann",
            ],
        ),
        (
            "moved; by another zone; cancelled; not by a day that has none",
            &[
                weekly,
                moved,
                "UID:1\nRECURRENCE-ID;TZID=Europe/Athens:20261015T120000\nSUMMARY:Kim\nDTSTART:20261015T090000Z\nDTEND:20261015T100000Z",
                "UID:1\nRECURRENCE-ID;VALUE=DATE:20261022\nSTATUS:CANCELLED",
                "UID:1\nRECURRENCE-ID:20261030T090000Z\nSTATUS:CANCELLED",
            ],
            &[
                "10-01T09 to 10-01T17 Ann",
                "10-09T10 to 10-09T11 Lee",
                "10-15T09 to 10-15T10 Kim",
                "10-29T09 to 10-29T17 Ann",
            ],
        ),
        (
            "moved from far away, and far away",
            &[
                weekly,
                "UID:1\nRECURRENCE-ID:20270603T090000Z\nSUMMARY:Lee\nDTSTART:20261003T090000Z\nDTEND:20261003T100000Z",
                "UID:1\nRECURRENCE-ID:20261008T090000Z\nDTSTART:20280101T090000Z\nDTEND:20280101T100000Z",
            ],
            &[
                "10-01T09 to 10-01T17 Ann",
                "10-03T09 to 10-03T10 Lee",
                "10-15T09 to 10-15T17 Ann",
                "10-22T09 to 10-22T17 Ann",
                "10-29T09 to 10-29T17 Ann",
            ],
        ),
        (
            "the change before its event",
            &[moved, "UID:1\nSUMMARY:Ann\nDTSTART:20261008T090000Z\nDTEND:20261008T170000Z"],
            &["10-09T10 to 10-09T11 Lee"],
        ),
        (
            "taken away and changed",
            &["UID:1\nSUMMARY:Ann\nDTSTART:20261008T090000Z\nDURATION:PT1H\nEXDATE:20261008T090000Z", moved],
            &["10-09T10 to 10-09T11 Lee"],
        ),
        ("a change without its event", &[moved], &["10-09T10 to 10-09T11 Lee"]),
        (
            "dates taken away, of several lines and of both kinds",
            &["SUMMARY:Ann\nDTSTART:20261001T090000Z\nDTEND:20261001T170000Z\nRRULE:FREQ=DAILY;COUNT=6\n\
            EXDATE:20261002T090000Z,20261003T090000Z\nEXDATE;VALUE=DATE:20261004\nEXDATE;TZID=Europe/Athens:20261005T120000"],
            &["10-01T09 to 10-01T17 Ann", "10-06T09 to 10-06T17 Ann"],
        ),
        (
            "days taken away from days, and by a time",
            &[
                "SUMMARY:Ann\nDTSTART;VALUE=DATE:20261001\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20261002\n\
            EXDATE:20261003T000000Z",
            ],
            &["09-30T21 to 10-01T21 Ann"],
        ),
        (
            "dates and periods added, once each",
            &[
                "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDTEND:20261001T100000Z\nRDATE:20261003T090000Z,20261001T090000Z\n\
            RDATE;VALUE=PERIOD:20261004T090000Z/20261004T180000Z,20261005T090000Z/PT2H",
            ],
            &[
                "10-01T09 to 10-01T10 Ann",
                "10-03T09 to 10-03T10 Ann",
                "10-04T09 to 10-04T18 Ann",
                "10-05T09 to 10-05T11 Ann",
            ],
        ),
        (
            "nine o'clock stays nine o'clock",
            &[
                "SUMMARY:Ann\nDTSTART;TZID=Europe/Athens:20261024T090000\nDTEND;TZID=Europe/Athens:20261024T170000\n\
            RRULE:FREQ=DAILY;COUNT=2",
            ],
            &["10-24T06 to 10-24T14 Ann", "10-25T07 to 10-25T15 Ann"],
        ),
        (
            "two rules",
            &[
                "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nRRULE:FREQ=WEEKLY;COUNT=2",
            ],
            &["10-01T09 to 10-01T10 Ann", "10-02T09 to 10-02T10 Ann", "10-08T09 to 10-08T10 Ann"],
        ),
        (
            "long events that began before",
            &["SUMMARY:Ann\nDTSTART:20260105T090000Z\nDURATION:P6W\nRRULE:FREQ=WEEKLY;INTERVAL=8"],
            &["10-12T09 to 11-23T09 Ann"],
        ),
        (
            "whole days until a time, as Exchange writes it",
            &[
                "SUMMARY:Ann\nDTSTART;VALUE=DATE:20261001\nRRULE:FREQ=DAILY;UNTIL=20261001T210000Z",
                "SUMMARY:Lee\nDTSTART;VALUE=DATE:20261001\nRRULE:FREQ=DAILY;UNTIL=20261002T000000Z",
            ],
            &[
                "09-30T21 to 10-01T21 Ann",
                "09-30T21 to 10-01T21 Lee",
                "10-01T21 to 10-02T21 Ann",
                "10-01T21 to 10-02T21 Lee",
            ],
        ),
    ]);
}

#[test]
fn of_several_versions_the_newest_is_read() {
    let version = |sequence: &str, name: &str| {
        format!("UID:1\n{sequence}\nSUMMARY:{name}\nDTSTART:20261001T090000Z\nDTEND:20261001T100000Z")
    };
    let (first, second) = (version("SEQUENCE:1", "Ann"), version("SEQUENCE:2", "Lee"));
    let cancelled = "UID:1\nSEQUENCE:3\nSTATUS:CANCELLED";
    let change = |sequence: u8, name: &str| {
        format!(
            "UID:1\nSEQUENCE:{sequence}\nRECURRENCE-ID:20261001T090000Z\nSUMMARY:{name}\nDTSTART:20261002T090000Z\nDURATION:PT1H"
        )
    };
    let twice = "`Kim`: several events have its UID and SEQUENCE; the last is read";
    check(&[
        ("the higher after", &[&first, &second], &["10-01T09 to 10-01T10 Lee"]),
        ("the higher before", &[&second, &first], &["10-01T09 to 10-01T10 Lee"]),
        ("none is zero", &[&first, &version("LOCATION:x", "Kim")], &["10-01T09 to 10-01T10 Ann"]),
        ("the same twice", &[&first, &first], &["10-01T09 to 10-01T10 Ann"]),
        (
            "two that claim to be the same",
            &[&first, &version("SEQUENCE:1", "Kim")],
            &["10-01T09 to 10-01T10 Kim", twice],
        ),
        ("cancelled", &[&second, cancelled, &change(3, "Lee")], &[]),
        ("cancelled, then changed", &[cancelled, &change(4, "Lee")], &["10-02T09 to 10-02T10 Lee"]),
        (
            "changes have versions too",
            &[&first, &change(2, "Kim"), &change(1, "Lee")],
            &["10-02T09 to 10-02T10 Kim"],
        ),
        (
            "without a UID nothing is a version of anything",
            &[
                "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H",
                "SUMMARY:Lee\nDTSTART:20261001T090000Z\nDURATION:PT1H",
            ],
            &["10-01T09 to 10-01T10 Ann", "10-01T09 to 10-01T10 Lee"],
        ),
    ]);
}

#[test]
fn p18_a_calendar_without_events_is_empty() {
    for calendar in [
        "",
        "VERSION:2.0\nX-WR-CALNAME:Empty",
        "BEGIN:VTODO\nSUMMARY:Ann\nDTSTART:20261001T090000Z\nEND:VTODO",
    ] {
        assert_eq!(october(calendar), Feed::default(), "{calendar}");
    }
}

#[test]
fn several_calendars_are_read_each_in_its_zone() {
    let one = "X-WR-TIMEZONE:Asia/Kolkata\n".to_owned()
        + &event("UID:1\nSUMMARY:Ann\nDTSTART:20261001T090000\nDURATION:PT1H");
    let both = format!(
        "{one}\nEND:VCALENDAR\nBEGIN:VCALENDAR\n{}",
        one.replace("Kolkata", "Tokyo").replace("UID:1", "UID:2")
    );
    assert_eq!(told(&october(&both)), ["10-01T00 to 10-01T01 Ann", "10-01T03:30 to 10-01T04:30 Ann"]);
}
