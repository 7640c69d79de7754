//! Cases of who is told what of a coming shift.

use serde_json::{Value, json};

use super::*;
use crate::roster::{Snapshot, days_of};
use crate::testing::roster_document;

/// Monday, 7 December 2026: Athens is two hours ahead of UTC.
const FROM: &str = "2026-12-07T00:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    let text = match text.len() {
        11 => format!("2026-12-{}:00Z", text.replace(' ', "T").trim_start_matches("12-")),
        _ => text.to_owned(),
    };
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// A roster whose team `web` has a rotation of a week from Monday, 09:00 in Athens, and kim at the second level.
fn roster(change: impl FnOnce(&mut Value)) -> Snapshot {
    let mut document = json!({
        "people": {
            "jo": { "methods": { "mail": "jo@example.org" } },
            "kim": { "methods": { "mail": "kim@example.org" } },
            "lee": { "methods": { "mail": "lee@example.org" }, "dayAheadNotice": true },
        },
        "teams": { "web": {
            "timezone": "Europe/Athens",
            "levels": [{ "notify": ["schedule:primary"] }, { "notify": ["person:kim"] }],
            "schedules": { "primary": {
                "timezone": "Europe/Athens",
                "layers": [{
                    "name": "all", "members": ["person:jo", "person:lee"], "from": "2026-12-07T09:00",
                    "turn": { "every": 1, "unit": "week" },
                }],
            } },
        } },
    });
    change(&mut document);
    roster_document(&document).unwrap()
}

fn found(roster: &Snapshot, from: &str, to: &str) -> Vec<Stint> {
    let (from, to) = (at(from), at(to));
    let (first, last) = days_of(from, to);
    let team = crate::model::TeamName::new("web").unwrap();
    stints(&roster.directory(&team, first, last), &Defaults::none(), from, to)
}

fn shown(stint: &Stint) -> String {
    let time = |at: DateTime<Utc>| at.format("%d %H:%M").to_string();
    format!("{} {} to {} at {}", stint.who, time(stint.from), time(stint.to), stint.level)
}

fn override_of(from: &str, to: &str, oncall: Value) -> Value {
    json!({ "from": from, "to": to, "oncall": oncall })
}

#[test]
fn a_stint_is_one_persons_time_at_one_level_without_a_break() {
    let primary = |document: &mut Value, overrides: Value| {
        document["teams"]["web"]["schedules"]["primary"]["overrides"] = overrides;
    };
    let cases: [(&str, Snapshot, &[&str]); 5] = [
        (
            "a rotation, and somebody who is always there",
            roster(|_| {}),
            &[
                "person:kim 07 00:00 to 16 00:00 at 2",
                "person:jo 07 07:00 to 14 07:00 at 1",
                "person:lee 14 07:00 to 16 00:00 at 1",
            ],
        ),
        (
            "an override ends a shift and begins it again",
            roster(|document| {
                let one = override_of("2026-12-08T10:00Z", "2026-12-08T12:00Z", json!(["person:lee"]));
                primary(document, json!({ "o": one }));
            }),
            &[
                "person:kim 07 00:00 to 16 00:00 at 2",
                "person:jo 07 07:00 to 08 10:00 at 1",
                "person:lee 08 10:00 to 08 12:00 at 1",
                "person:jo 08 12:00 to 14 07:00 at 1",
                "person:lee 14 07:00 to 16 00:00 at 1",
            ],
        ),
        (
            "the lowest level counts",
            roster(|document| {
                let one = override_of("2026-12-08T10:00Z", "2026-12-08T12:00Z", json!(["person:kim"]));
                primary(document, json!({ "o": one }));
            }),
            &[
                "person:kim 07 00:00 to 08 10:00 at 2",
                "person:jo 07 07:00 to 08 10:00 at 1",
                "person:kim 08 10:00 to 08 12:00 at 1",
                "person:jo 08 12:00 to 14 07:00 at 1",
                "person:kim 08 12:00 to 16 00:00 at 2",
                "person:lee 14 07:00 to 16 00:00 at 1",
            ],
        ),
        (
            "days by hand go before the levels, from midnight to midnight",
            roster(|document| {
                let day = json!({ "oncall": "jo@example.org" });
                document["teams"]["web"]["calendar"] =
                    json!({ "2026-12-08": day, "2026-12-09": json!({ "oncall": "jo@example.org" }) });
            }),
            &[
                "person:kim 07 00:00 to 07 22:00 at 2",
                "person:jo 07 07:00 to 07 22:00 at 1",
                "jo@example.org 07 22:00 to 09 22:00 at 1",
                "person:jo 09 22:00 to 14 07:00 at 1",
                "person:kim 09 22:00 to 16 00:00 at 2",
                "person:lee 14 07:00 to 16 00:00 at 1",
            ],
        ),
        (
            "the fallback is nobody's shift, and the schedule of another team counts",
            roster(|document| {
                document["teams"]["ops"] = json!({});
                let web = document["teams"]["web"].take();
                document["teams"]["db"] = web;
                document["teams"]["web"] = json!({ "levels": [{ "notify": ["team:ops", "team:db"] }] });
                document["teams"]["ops"]["fallback"] = json!(["schedule:db/primary"]);
            }),
            &["person:jo 07 07:00 to 14 07:00 at 1", "person:lee 14 07:00 to 16 00:00 at 1"],
        ),
    ];
    for (case, roster, expected) in cases {
        let found: Vec<String> = found(&roster, FROM, "12-16 00:00").iter().map(shown).collect();
        assert_eq!(found, expected, "{case}");
    }
    let only_fallback = roster(|document| document["teams"]["web"] = json!({ "fallback": ["person:jo"] }));
    assert_eq!(found(&only_fallback, FROM, "12-16 00:00"), []);
}

#[test]
fn notices_are_due_when_a_shift_begins_and_a_day_ahead_for_who_asked() {
    let roster = roster(|document| {
        // lee is on call on Tuesday for two hours.
        let one = override_of("2026-12-08T10:00Z", "2026-12-08T12:00Z", json!(["person:lee"]));
        document["teams"]["web"]["schedules"]["primary"]["overrides"] = json!({ "o": one });
    });
    let cases: [(&str, &str, &[&str]); 12] = [
        // Nothing begins.
        ("12-07 00:00", "12-07 06:59", &[]),
        // The end of the span is not part of it; the next span begins with it.
        ("12-07 06:00", "12-07 07:00", &[]),
        ("12-07 07:00", "12-07 07:01", &["Begins person:jo 07 07:00"]),
        ("12-07 07:01", "12-07 07:02", &[]),
        // A day ahead of lee's two hours; jo did not ask.
        ("12-07 09:59", "12-07 10:01", &["DayAhead person:lee 08 10:00"]),
        ("12-08 09:59", "12-08 10:01", &["Begins person:lee 08 10:00"]),
        ("12-08 11:59", "12-08 12:01", &["Begins person:jo 08 12:00"]),
        // What was missed is told late …
        ("12-07 07:00", "12-08 09:00", &["Begins person:jo 07 07:00", "DayAhead person:lee 08 10:00"]),
        // … unless it is over, and a day ahead only until it begins.
        ("12-07 07:00", "12-08 10:00", &[]),
        ("12-07 07:00", "12-08 11:00", &["Begins person:lee 08 10:00"]),
        ("12-07 07:00", "12-08 13:00", &["Begins person:jo 08 12:00"]),
        ("12-13 06:59", "12-14 07:01", &["Begins person:lee 14 07:00"]),
    ];
    for (from, to, expected) in cases {
        // As the caller does: from a second before, to some weeks after.
        let before = (at(from) - TimeDelta::seconds(1)).to_rfc3339();
        let stints = found(&roster, &before, "2027-01-10T00:00:00Z");
        let due = notices_due(&stints, roster.book(), at(from), at(to));
        let due: Vec<String> = due
            .iter()
            .map(|(notice, stint)| format!("{notice:?} {} {}", stint.who, stint.from.format("%d %H:%M")))
            .collect();
        assert_eq!(due, expected, "{from} to {to}");
    }
}

#[test]
fn whose_coming_shifts_an_edit_changes_and_who_made_it() {
    let before = roster(|_| {});
    let with = |from: &str, to: &str, who: &str| {
        let one = override_of(from, to, json!([who]));
        roster(|document| {
            document["teams"]["web"]["schedules"]["primary"]["overrides"] = json!({ "o": one });
        })
    };
    let swap = || with("2026-12-08T10:00Z", "2026-12-08T12:00Z", "person:lee");
    let both: &[&str] = &[
        "person:jo: - person:jo 08 10:00 to 08 12:00 at 1",
        "person:lee: + person:lee 08 10:00 to 08 12:00 at 1",
    ];
    let cases: [(&str, Snapshot, &[&str], &[&str]); 9] = [
        ("nothing changed", roster(|_| {}), &["admin"], &[]),
        ("somebody else", swap(), &["admin"], both),
        ("nobody knows who", swap(), &[], both),
        ("one of the two, by name", swap(), &["jo"], &both[1..]),
        ("the other, by address", swap(), &["lee@example.org"], &both[..1]),
        ("one of the two, and somebody else", swap(), &["jo", "admin"], both),
        (
            "what is over does not count",
            with("2026-12-07T08:00Z", "2026-12-07T09:00Z", "person:lee"),
            &["x"],
            &[],
        ),
        (
            "only the part that is still to come counts",
            with("2026-12-07T08:00Z", "2026-12-07T14:00Z", "person:lee"),
            &["x"],
            &[
                "person:jo: - person:jo 07 12:00 to 07 14:00 at 1",
                "person:lee: + person:lee 07 12:00 to 07 14:00 at 1",
            ],
        ),
        (
            "another level is another shift",
            with("2026-12-08T10:00Z", "2026-12-08T12:00Z", "person:kim"),
            &["x"],
            &[
                "person:jo: - person:jo 08 10:00 to 08 12:00 at 1",
                "person:kim: + person:kim 08 10:00 to 08 12:00 at 1 - person:kim 08 10:00 to 08 12:00 at 2",
            ],
        ),
    ];
    for (case, after, by, expected) in cases {
        let span = (at("12-07 12:00"), at("12-16 00:00"));
        let authors: Vec<Person> = by.iter().map(|by| Person::new(*by).unwrap()).collect();
        let (was, is) = (found(&before, FROM, "12-16 00:00"), found(&after, FROM, "12-20 00:00"));
        let changes = changed_shifts(&was, &is, span, &authors, after.book());
        let told: Vec<String> = changes
            .iter()
            .map(|change| {
                let parts = change.added.iter().map(|stint| format!(" + {}", shown(stint)));
                let parts = parts.chain(change.removed.iter().map(|stint| format!(" - {}", shown(stint))));
                format!("{}:{}", change.who, parts.collect::<String>())
            })
            .collect();
        assert_eq!(told, expected, "{case}");
    }
}
