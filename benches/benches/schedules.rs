//! Measures the lookup of who is on call in a schedule.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a benchmark is no library")]

use std::hint::black_box;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use inresponse_core::model::{ScheduleName, TeamName};
use inresponse_core::roster::{Directory, on_call, shifts};
use inresponse_core::testing::roster_document;
use serde_json::{Value, json};

fn layer(name: &str, unit: &str, count: &str, hours: &[(&str, &str, &str)]) -> Value {
    let rule = |(days, from, to): &(&str, &str, &str)| json!({ "days": days.split(' ').collect::<Vec<_>>(), "from": from, "to": to });
    json!({
        "name": name,
        "members": ["person:ann", "person:bob", ["person:cat", "person:dan"], "person:eve"],
        "from": "1970-01-05T09:00",
        "turn": { "every": 1, "unit": unit, "count": count },
        "hours": hours.iter().map(rule).collect::<Vec<_>>(),
    })
}

/// Five layers with anchors in 1970, ten overrides and two absences.
fn directory() -> Directory {
    let weekdays = "Mon Tue Wed Thu Fri";
    let layers = [
        layer("always", "week", "elapsed", &[]),
        layer("days", "week", "worked", &[(weekdays, "09:00", "17:00")]),
        layer("nights", "day", "worked", &[(weekdays, "22:00", "06:00")]),
        layer("weekend", "day", "worked", &[("Sat Sun", "08:00", "08:00")]),
        layer("half days", "hour", "worked", &[("Sat Sun", "12:00", "18:00"), ("Wed", "18:00", "20:00")]),
    ];
    let away = json!([{ "from": "2027-03-01", "to": "2027-03-14" }]);
    let person = |(name, absences): (&str, Value)| {
        let mail = format!("{name}@example.org");
        (
            name.to_owned(),
            json!({ "timezone": "Europe/Athens", "methods": { "mail": mail }, "absences": absences }),
        )
    };
    let people =
        [("ann", away.clone()), ("bob", away), ("cat", json!([])), ("dan", json!([])), ("eve", json!([]))];
    let stand_in = |n: u32| {
        let (from, to) =
            (format!("2027-{:02}-03T09:00:00Z", n + 1), format!("2027-{:02}-04T09:00:00Z", n + 1));
        (format!("o{n}"), json!({ "from": from, "to": to, "oncall": ["person:eve"] }))
    };
    let schedule = json!({
        "timezone": "Europe/Athens",
        "layers": layers,
        "overrides": (0..10).map(stand_in).collect::<serde_json::Map<_, _>>(),
    });
    let roster = roster_document(&json!({
        "people": people.map(person).into_iter().collect::<serde_json::Map<_, _>>(),
        "teams": { "web": { "schedules": { "primary": schedule } } },
    }));
    roster.unwrap().directory(&TeamName::new("web").unwrap(), NaiveDate::MIN, NaiveDate::MAX)
}

fn schedules(criterion: &mut Criterion) {
    let (team, schedule) = (TeamName::new("web").unwrap(), ScheduleName::new("primary").unwrap());
    let directory = directory();
    let from: DateTime<Utc> = "2027-01-01T00:00:00Z".parse().unwrap();
    criterion.bench_function("shifts of a year", |b| {
        b.iter(|| shifts(black_box(&directory), &team, &schedule, from, from + TimeDelta::days(365)));
    });
    criterion.bench_function("on call at", |b| {
        let mut hour = 0;
        b.iter(|| {
            // Every hour of the year in turn, near clock changes and far from them.
            hour = (hour + 1) % (365 * 24);
            on_call(black_box(&directory), &team, &schedule, from + TimeDelta::hours(hour))
        });
    });
    criterion.bench_function("on call at, the first time", |b| {
        b.iter_with_setup(self::directory, |directory| {
            let now = on_call(&directory, &team, &schedule, from);
            (directory, now)
        });
    });
}

criterion_group!(benches, schedules);
criterion_main!(benches);
