//! What is not understood.

use inresponse_calendar::FindingKind;

use crate::{check, event, october, told};

#[test]
fn what_is_not_understood_is_a_finding_that_names_the_event() {
    let cases: [(&str, &str, FindingKind); 14] = [
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY",
            "its rule: `FREQ=HOURLY` is not supported",
            FindingKind::Rule,
        ),
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY",
            "EXRULE is not supported",
            FindingKind::Rule,
        ),
        (
            "SUMMARY:Ann\nDTSTART;TZID=Middle-earth:20261001T090000\nDURATION:PT1H",
            "the time zone `Middle-earth` is unknown",
            FindingKind::Zone,
        ),
        (
            "SUMMARY:Ann\nDTSTART:tomorrow\nDURATION:PT1H",
            "DTSTART cannot be read: `tomorrow`",
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
            "DURATION cannot be read: `-PT1H`",
            FindingKind::Length,
        ),
        (
            "SUMMARY:Ann\nDTSTART;VALUE=DATE:20261001\nDURATION:PT1H",
            "DURATION cannot be read: `PT1H`",
            FindingKind::Length,
        ),
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\nEXDATE:never",
            "EXDATE cannot be read: `never`",
            FindingKind::Time,
        ),
        (
            "SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\nRDATE:20261001T090000Z/soon",
            "RDATE cannot be read: `soon`",
            FindingKind::Time,
        ),
        (
            "SUMMARY:Ann\nRECURRENCE-ID:now\nDTSTART:20261001T090000Z\nDURATION:PT1H",
            "RECURRENCE-ID cannot be read: `now`",
            FindingKind::Time,
        ),
    ];
    for (lines, message, kind) in cases {
        // The others are read anyway.
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
            &["`Ann`: its rule: `FREQ=HOURLY` is not supported"],
        ),
        (
            "a broken line of last year",
            &["SUMMARY:Ann\nbroken\nDTSTART:20250101T090000Z\nDURATION:PT1H"],
            &[],
        ),
    ]);
}
