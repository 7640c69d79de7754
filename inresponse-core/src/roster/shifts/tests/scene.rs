//! Small rosters, and what they answer.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::super::{Shift, on_call, shifts};
use crate::model::{ScheduleName, TeamName};
use crate::roster::{Directory, Snapshot, Source, Who};
use crate::testing::roster_document;

/// A roster whose team `t` is looked at.
pub(super) struct Scene {
    pub(super) snapshot: Snapshot,
    pub(super) directory: Directory,
}

impl Scene {
    pub(super) fn new(document: &Value) -> Self {
        let snapshot = roster_document(document).unwrap();
        let directory = snapshot.directory(&name("t").0, NaiveDate::MIN, NaiveDate::MAX);
        Self { snapshot, directory }
    }

    /// A team `t` with one schedule `s`, and everybody whom the tests name.
    pub(super) fn of(schedule: &Value) -> Self {
        Self::new(&json!({ "people": people(), "teams": { "t": { "schedules": { "s": schedule } } } }))
    }

    pub(super) fn shifts(&self, schedule: &str, from: &str, to: &str) -> Vec<Shift> {
        let (team, schedule) = name(schedule);
        let (from, to) = (instant(from), instant(to));
        let shifts = shifts(&self.directory, &team, &schedule, from, to);
        let mut expected = from;
        for shift in &shifts {
            assert!(shift.from == expected && shift.from < shift.to, "shifts tile time: {shifts:#?}");
            expected = shift.to;
            for at in [shift.from, shift.to - chrono::TimeDelta::seconds(1)] {
                let now = on_call(&self.directory, &team, &schedule, at);
                let is_same = (&now.oncall, &now.sources) == (&shift.oncall, &shift.sources);
                assert!(is_same && now.until > at, "{at}: {now:?} is not {shift:?}");
            }
        }
        assert_eq!(expected, to, "shifts tile time");
        shifts
    }

    /// The shifts of schedule `s`: when each begins, who is on call, and by what.
    pub(super) fn told(&self, from: &str, to: &str) -> Vec<String> {
        self.shown("s", from, to)
    }

    pub(super) fn shown(&self, schedule: &str, from: &str, to: &str) -> Vec<String> {
        let one = |shift: Shift| {
            let words = [shift.from.format("%m-%dT%H:%M").to_string()];
            let people = shift.oncall.iter().map(Who::to_string);
            let people = people.map(|who| who.trim_start_matches("person:").to_owned());
            let sources = shift.sources.iter().map(Source::to_string).collect::<Vec<_>>().join("+");
            let sources = (!sources.is_empty()).then(|| format!("({sources})"));
            words.into_iter().chain(people).chain(sources).collect::<Vec<_>>().join(" ")
        };
        self.shifts(schedule, from, to).into_iter().map(one).collect()
    }

    /// As [`told`](Self::told), without the sources.
    pub(super) fn names(&self, from: &str, to: &str) -> Vec<String> {
        let without = |line: String| line.split(" (").next().unwrap_or_default().to_owned();
        let mut told: Vec<_> = self.told(from, to).into_iter().map(without).collect();
        told.dedup_by_key(|line| line.split_once(' ').map(|(_, who)| who.to_owned()).unwrap_or_default());
        told
    }
}

pub(super) fn instant(text: &str) -> DateTime<Utc> {
    let day = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00") };
    format!("{day}:00Z").parse().unwrap()
}

/// A schedule's team and name; the team is `t` if none is given.
pub(super) fn name(schedule: &str) -> (TeamName, ScheduleName) {
    let (team, schedule) = schedule.split_once('/').unwrap_or(("t", schedule));
    (TeamName::new(team).unwrap(), ScheduleName::new(schedule).unwrap())
}

pub(super) fn people() -> Value {
    let person = |name: &str| {
        let mail = format!("{name}@example.org");
        (name.to_owned(), json!({ "timezone": "UTC", "methods": { "mail": mail } }))
    };
    Value::Object(["ann", "bob", "cat", "dan"].map(person).into_iter().collect())
}

/// The members of a layer: one word each, `ann+bob` for a group and `-` for a turn off.
pub(super) fn members(words: &str) -> Value {
    let group = |word: &str| match word {
        "-" => json!([]),
        word => word.split('+').map(|name| json!(format!("person:{name}"))).collect(),
    };
    words.split(' ').map(group).collect()
}

/// A layer `a` with these members, that turn (`1 day`, `2 week worked`) and anchor.
pub(super) fn layer(words: &str, turn: &str, from: &str) -> Value {
    let mut turn = turn.split(' ');
    let every: u32 = turn.next().unwrap().parse().unwrap();
    let (unit, count) = (turn.next().unwrap(), turn.next().unwrap_or("elapsed"));
    json!({
        "name": "a", "members": members(words), "from": from,
        "turn": { "every": every, "unit": unit, "count": count },
    })
}

/// A JSON object with further fields, which replace those of the same name.
pub(super) fn with(mut value: Value, more: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut value, more) else { panic!("no objects") };
    all.extend(more);
    value
}

pub(super) fn in_zone(zone: &str, layers: &[Value]) -> Value {
    json!({ "timezone": zone, "layers": layers })
}

/// Hours: `Mon,Tue 09:00-17:00`, several separated by `;`, every day as `*`.
pub(super) fn hours(text: &str) -> Value {
    let one = |rule: &str| {
        let (days, times) = rule.trim().split_once(' ').unwrap();
        let days = if days == "*" { "Mon,Tue,Wed,Thu,Fri,Sat,Sun" } else { days };
        let (from, to) = times.split_once('-').unwrap();
        json!({ "days": days.split(',').collect::<Vec<_>>(), "from": from, "to": to })
    };
    text.split(';').map(one).collect()
}
