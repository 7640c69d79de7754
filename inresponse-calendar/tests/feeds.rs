//! Tables of calendars: what is read of them, and what is found to be wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use chrono::{DateTime, Utc};
use inresponse_calendar::{Feed, FindingKind, ReadErrorKind, limits, read};
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
fn what_is_not_understood_is_a_finding_that_names_the_event() {
    let cases: [(&str, &str, FindingKind); 14] = [
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY",
            "its rule: `FREQ=HOURLY` is not read",
            FindingKind::Rule,
        ),
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY",
            "EXRULE is not read",
            FindingKind::Rule,
        ),
        (
            "SUMMARY:Ann\nDTSTART;TZID=Middle-earth:20261001T090000\nDURATION:PT1H",
            "the time zone `Middle-earth` is unknown",
            FindingKind::Zone,
        ),
        (
            "SUMMARY:Ann\nDTSTART:tomorrow\nDURATION:PT1H",
            "DTSTART is not read: `tomorrow`",
            FindingKind::Time,
        ),
        ("SUMMARY:Ann\nDURATION:PT1H", "it has no DTSTART", FindingKind::Time),
        ("SUMMARY:Ann\nDTSTART:20261001T090000Z", "it has no end", FindingKind::Length),
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDTEND:20261001T090000Z",
            "it does not end after it starts",
            FindingKind::Length,
        ),
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDTEND:20261001T080000Z",
            "it does not end after it starts",
            FindingKind::Length,
        ),
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDTEND;VALUE=DATE:20261003",
            "of its start and its end one is a day and one is a time",
            FindingKind::Length,
        ),
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:-PT1H",
            "DURATION is not read: `-PT1H`",
            FindingKind::Length,
        ),
        (
            "SUMMARY:Ann\nDTSTART;VALUE=DATE:20261001\nDURATION:PT1H",
            "DURATION is not read: `PT1H`",
            FindingKind::Length,
        ),
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\nEXDATE:never",
            "EXDATE is not read: `never`",
            FindingKind::Time,
        ),
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\nRDATE:20261001T090000Z/soon",
            "RDATE is not read: `soon`",
            FindingKind::Time,
        ),
        (
            "SUMMARY:Ann\nRECURRENCE-ID:now\nDTSTART:20261001T090000Z\nDURATION:PT1H",
            "RECURRENCE-ID is not read: `now`",
            FindingKind::Time,
        ),
    ];
    for (lines, message, kind) in cases {
        // The others are read all the same.
        let feed = october(&format!(
            "{}\n{}",
            event(lines),
            event("SUMMARY:Lee\nDTSTART:20261001T090000Z\nDURATION:PT1H")
        ));
        assert_eq!(
            told(&feed),
            ["10-01T09 to 10-01T10 Lee".to_owned(), format!("`Ann`: {message}")],
            "{lines}"
        );
        assert_eq!(feed.findings[0].kind(), kind);
    }
    // Doubts about an event that is read.
    check(&[
        (
            "a line that is not a property",
            &["SUMMARY:Ann\nthe second line of it\nDTSTART:20261001T090000Z\nDURATION:PT1H"],
            &["10-01T09 to 10-01T10 Ann", "`Ann`: line 4 is not a property and is passed over"],
        ),
        (
            "all that follow",
            &[
                "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261001T090000Z\nDTSTART:20261001T090000Z\nDURATION:PT1H",
            ],
            &["10-01T09 to 10-01T10 1", "`1`: a change of all later occurrences is read as a change of one"],
        ),
        ("without a name", &["DTSTART:20261001T090000Z"], &["`an event without a name`: it has no end"]),
    ]);
    let zone = "X-WR-TIMEZONE:Middle-earth\n".to_owned()
        + &event("SUMMARY:Ann\nDTSTART:20261001T090000\nDURATION:PT1H")
        + "\n"
        + &event("SUMMARY:Lee\nDTSTART:20261001T090000Z\nDURATION:PT1H");
    assert_eq!(
        told(&october(&zone)),
        ["10-01T09 to 10-01T10 Lee", "`Ann`: the time zone `Middle-earth` is unknown"]
    );
}

#[test]
fn what_is_wrong_outside_the_span_is_no_finding() {
    check(&[
        (
            "before",
            &[
                "SUMMARY:Ann\nDTSTART;TZID=Middle-earth:20260927T090000\nDTEND;TZID=Middle-earth:20260928T090000",
            ],
            &[],
        ),
        (
            "perhaps within",
            &[
                "SUMMARY:Ann\nDTSTART;TZID=Middle-earth:20260928T090000\nDTEND;TZID=Middle-earth:20260930T090000",
            ],
            &["`Ann`: the time zone `Middle-earth` is unknown"],
        ),
        ("after", &["SUMMARY:Ann\nDTSTART:20261104T090000Z\nDTEND:20261104T090000Z"], &[]),
        (
            "it may recur",
            &["SUMMARY:Ann\nDTSTART:20200101T090000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY"],
            &["`Ann`: its rule: `FREQ=HOURLY` is not read"],
        ),
        (
            "a broken line of last year",
            &["SUMMARY:Ann\nbroken\nDTSTART:20250101T090000Z\nDURATION:PT1H"],
            &[],
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

#[test]
fn a_calendar_over_a_limit_costs_little_and_says_so() {
    // Each would take hours or a lot of memory if it were followed.
    let rules = [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1000",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1000",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1;COUNT=1000",
        "FREQ=DAILY;COUNT=4000000000",
    ];
    let events: Vec<_> = (0..4_000)
        .map(|number| {
            event(&format!(
                "UID:{number}\nSUMMARY:Ann\nDTSTART:00010101T000000Z\nDURATION:P1D\nRRULE:{}",
                rules[number % 4]
            ))
        })
        .collect();
    let feed = october(&events.join("\n"));
    assert_eq!(feed.findings.len(), limits::MAX_FINDINGS + 1);
    assert!(feed.findings.iter().all(|finding| finding.kind() == FindingKind::TooMuch));
    let last = feed.findings.last().unwrap().to_string();
    assert_eq!(last, "`the calendar`: 3900 more findings are not listed");

    // Years of a day each are one event too many; what is over the limit of all events is left out and told.
    let daily = |number: usize| {
        event(&format!(
            "UID:{number}\nSUMMARY:{number}\nDTSTART:20100101T000000Z\nDURATION:P4380D\nRRULE:FREQ=DAILY"
        ))
    };
    let events: Vec<_> = (0..15).map(daily).collect();
    let feed = october(&events.join("\n"));
    assert!(
        feed.events.len() <= limits::MAX_ALL_OCCURRENCES
            && feed.events.len() > limits::MAX_ALL_OCCURRENCES / 2
    );
    assert!(
        !feed.findings.is_empty()
            && feed.findings.iter().all(|finding| finding.kind() == FindingKind::TooMuch)
    );
    let hundred_years = event("SUMMARY:Ann\nDTSTART:19000101T000000Z\nDURATION:P36500D\nRRULE:FREQ=DAILY");
    let why = "`Ann`: its rules recur too often or take too long to follow";
    assert_eq!(told(&october(&hundred_years)), [why]);

    // Dates that are added.
    let dates: Vec<_> = (0..9_000)
        .map(|n| format!("202610{:02}T{:02}{:02}00Z", 1 + n % 28, n / 28 % 24, n / 672 % 60))
        .collect();
    let dates: Vec<_> = dates.chunks(500).map(|some| format!("RDATE:{}", some.join(","))).collect();
    let many = event(&format!("SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\n{}", dates.join("\n")));
    assert_eq!(told(&october(&many)), ["`Ann`: there are too many occurrences, it is left out"]);

    let zone = Zone::utc();
    let span = at("2026-10-01T00:00:00Z")..at("2026-11-01T00:00:00Z");
    let large = vec![b' '; limits::MAX_BYTES + 1];
    assert_eq!(read(&large, &zone, span).unwrap_err().kind(), ReadErrorKind::TooLarge);
}

#[test]
fn times_at_the_ends_of_the_calendar_are_read_without_harm() {
    let starts = ["00000101T000000Z", "00010101T000000", "99991231T235959", "99991231T235959Z", "99991231"];
    let ends = [
        "DURATION:P1D",
        "DURATION:P999999999D",
        "DURATION:PT999999999H",
        "DTEND:99991231T235959Z",
        "DTEND:00000101T000000Z",
        "DTEND;VALUE=DATE:99991231",
        "DURATION:P99999999W",
    ];
    let rules = [
        "",
        "RRULE:FREQ=DAILY",
        "RRULE:FREQ=YEARLY;INTERVAL=9000",
        "RRULE:FREQ=WEEKLY;UNTIL=99991231T235959Z",
        "RDATE:99991231T235959",
        "EXDATE:00000101T000000",
    ];
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"] {
        for span in [
            DateTime::<Utc>::MIN_UTC..DateTime::<Utc>::MAX_UTC,
            at("2026-10-01T00:00:00Z")..at("2026-10-01T00:00:00Z"),
            at("2026-10-02T00:00:00Z")..at("2026-10-01T00:00:00Z"),
        ] {
            for case in 0..starts.len() * ends.len() * rules.len() {
                let start = starts[case % starts.len()];
                let (end, rule) =
                    (ends[case / starts.len() % ends.len()], rules[case / starts.len() / ends.len()]);
                let text = format!(
                    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:{start}\n{end}\n{rule}\nEND:VEVENT\nEND:VCALENDAR\n"
                );
                let feed = read(text.as_bytes(), &Zone::new(zone).unwrap(), span.clone()).unwrap();
                assert!(feed.events.iter().all(|event| event.from < event.to), "{text}");
            }
        }
    }
}
