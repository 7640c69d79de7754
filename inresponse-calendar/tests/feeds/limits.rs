//! What is too much, too long ago or too far away.

use chrono::{DateTime, Utc};
use inresponse_calendar::{FindingKind, ReadErrorKind, limits, read};
use inresponse_core::model::Zone;

use crate::{at, event, october, told};

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
    let why = "`Ann`: its rules recur too often or take too long to follow, it is left out";
    assert_eq!(told(&october(&hundred_years)), [why]);

    // Dates that are added.
    let dates: Vec<_> = (0..9_000)
        .map(|n| format!("202610{:02}T{:02}{:02}00Z", 1 + n % 28, n / 28 % 24, n / 672 % 60))
        .collect();
    let dates: Vec<_> = dates.chunks(500).map(|some| format!("RDATE:{}", some.join(","))).collect();
    let many = event(&format!("SUMMARY:Ann\nDTSTART:20261001T090000Z\nDURATION:PT1H\n{}", dates.join("\n")));
    assert_eq!(told(&october(&many)), ["`Ann`: it has too many occurrences and is left out"]);

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
