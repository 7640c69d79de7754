//! Tables of rules and what they mean.

use super::*;
use crate::rule::Rule;

/// The starts in a window, without their time where that is nine o'clock.
fn expanded(rule: &str, start: &str, window: Range<&str>) -> String {
    let start: DateTime = format!("{start}T09:00:00").parse().unwrap();
    let rule = Rule::parse(rule, start).unwrap();
    let midnight = |date: &str| date.parse::<Date>().unwrap().to_datetime(Time::midnight());
    let window = midnight(window.start)..midnight(window.end);
    let mut work = Work::new();
    work.next_event();
    match starts(&rule, &start, (Days::Parts, &TimeZone::UTC), &window, &mut work) {
        Expansion::Starts(found) => {
            let days: Vec<_> = found.iter().map(|local| local.to_string().replace("T09:00:00", "")).collect();
            days.join(" ")
        }
        Expansion::TooMuch => "too much".to_owned(),
    }
}

#[test]
fn a_rule_yields_its_days() {
    let year = "2026-01-01".."2027-01-01";
    let cases = [
        ("FREQ=DAILY;COUNT=3", "2026-12-30", "2026-12-30 2026-12-31"),
        ("FREQ=DAILY;INTERVAL=100", "2025-12-31", "2026-04-10 2026-07-19 2026-10-27"),
        ("FREQ=DAILY;BYMONTH=2;BYDAY=SU", "2026-02-01", "2026-02-01 2026-02-08 2026-02-15 2026-02-22"),
        ("FREQ=DAILY;BYMONTHDAY=1,-1;BYMONTH=2", "2025-02-01", "2026-02-01 2026-02-28"),
        ("FREQ=DAILY;UNTIL=20260103T090000Z", "2026-01-01", "2026-01-01 2026-01-02 2026-01-03"),
        ("FREQ=DAILY;UNTIL=20260103T085959Z", "2026-01-01", "2026-01-01 2026-01-02"),
        ("FREQ=DAILY;UNTIL=20260103T085959", "2026-01-01", "2026-01-01 2026-01-02"),
        ("FREQ=DAILY;UNTIL=20260103", "2026-01-01", "2026-01-01 2026-01-02 2026-01-03"),
        ("FREQ=WEEKLY;COUNT=3", "2026-01-01", "2026-01-01 2026-01-08 2026-01-15"),
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=4", "2026-12-02", "2026-12-02 2026-12-04 2026-12-07 2026-12-09"),
        // RFC 5545's own example of what the start of the week changes.
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            "2026-08-04",
            "2026-08-04 2026-08-09 2026-08-18 2026-08-23",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "2026-08-04",
            "2026-08-04 2026-08-16 2026-08-18 2026-08-30",
        ),
        ("FREQ=WEEKLY;INTERVAL=26", "2020-01-01", "2026-06-24 2026-12-23"),
        (
            "FREQ=WEEKLY;BYMONTH=5;BYDAY=SA",
            "2025-05-03",
            "2026-05-02 2026-05-09 2026-05-16 2026-05-23 2026-05-30",
        ),
        ("FREQ=MONTHLY;COUNT=4", "2026-01-31", "2026-01-31 2026-03-31 2026-05-31 2026-07-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "2026-01-31", "2026-01-31 2026-02-28 2026-03-31"),
        ("FREQ=MONTHLY;BYDAY=2MO,-1FR;COUNT=4", "2026-01-12", "2026-01-12 2026-01-30 2026-02-09 2026-02-27"),
        ("FREQ=MONTHLY;BYDAY=5SU", "2025-03-30", "2026-03-29 2026-05-31 2026-08-30 2026-11-29"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2025-06-13", "2026-02-13 2026-03-13 2026-11-13"),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3",
            "2026-01-30",
            "2026-01-30 2026-02-27 2026-03-31",
        ),
        ("FREQ=MONTHLY;INTERVAL=5", "2024-01-15", "2026-02-15 2026-07-15 2026-12-15"),
        ("FREQ=MONTHLY;BYMONTH=6,7", "2025-06-15", "2026-06-15 2026-07-15"),
        ("FREQ=YEARLY", "2020-07-15", "2026-07-15"),
        (
            "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=1,-1",
            "2020-01-01",
            "2026-01-01 2026-01-31 2026-07-01 2026-07-31",
        ),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "2020-03-29", "2026-03-29"),
        ("FREQ=YEARLY;BYDAY=20MO", "2020-05-18", "2026-05-18"),
        ("FREQ=YEARLY;BYDAY=-1MO", "2020-12-28", "2026-12-28"),
        ("FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR", "2020-03-13", "2026-02-13 2026-03-13 2026-11-13"),
        // An event that does not fit its own rule starts anyway, and is counted.
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "2026-01-01", "2026-01-01 2026-01-05 2026-01-12"),
    ];
    for (rule, start, expected) in cases {
        assert_eq!(expanded(rule, start, year.clone()), expected, "{rule} from {start}");
    }
    assert_eq!(expanded("FREQ=YEARLY", "2024-02-29", "2025-01-01".."2033-01-01"), "2028-02-29 2032-02-29");
}

#[test]
fn a_rule_that_never_matches_ends() {
    let ever = "2026-01-01".."9999-12-30";
    for (rule, start, expected) in [
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "0001-01-01", "too much"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "2026-01-01", "too much"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "0001-01-01", "too much"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "0001-01-01", "too much"),
        ("FREQ=YEARLY;INTERVAL=4294967295", "2026-01-01", "2026-01-01"),
        ("FREQ=DAILY;INTERVAL=4294967295;COUNT=4294967295", "2026-01-01", "2026-01-01"),
        ("FREQ=DAILY", "2026-01-01", "too much"),
    ] {
        assert_eq!(expanded(rule, start, ever.clone()), expected, "{rule}");
    }
    let end = "9990-01-01".."9999-12-30";
    assert_eq!(
        expanded("FREQ=YEARLY;INTERVAL=2", "2000-06-01", end),
        "9990-06-01 9992-06-01 9994-06-01 9996-06-01 9998-06-01"
    );
}

#[test]
fn a_rule_followed_from_the_window_yields_what_it_yields_from_its_start() {
    // Counting from the start and skipping to the window are two ways to the same days.
    let rules = [
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO,TU",
        "FREQ=WEEKLY;INTERVAL=5;BYDAY=SU,MO;WKST=TH",
        "FREQ=MONTHLY;INTERVAL=7;BYMONTHDAY=-3,31",
        "FREQ=MONTHLY;BYDAY=-2TU,5WE",
        "FREQ=YEARLY;INTERVAL=3;BYMONTH=2,12",
        "FREQ=YEARLY;BYDAY=53TH,1MO",
        "FREQ=MONTHLY;BYDAY=MO,SU;BYSETPOS=2,-2",
    ];
    let mut compared = 0;
    for rule in rules {
        for start in ["1999-12-31", "2000-02-29", "2011-05-01", "2026-01-30"] {
            for window in ["2026-01-01".."2026-02-01", "2026-03-05".."2028-01-01", "2040-02-28".."2046-03-01"]
            {
                let counted = format!("{rule};COUNT=1000000");
                assert_eq!(
                    expanded(rule, start, window.clone()),
                    expanded(&counted, start, window.clone()),
                    "{rule} {start}"
                );
                compared += usize::from(!expanded(rule, start, window).is_empty());
            }
        }
    }
    assert!(compared > 40, "{compared}");
}
