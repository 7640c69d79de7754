//! Rosters at random, near clock changes.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::scene::{Scene, hours, in_zone, layer, members, people, with};
use crate::model::Zone;

pub(super) const ZONES: [&str; 22] = [
    "America/New_York",
    "Europe/Athens",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Havana",
    "Africa/Cairo",
    "America/Santiago",
    "Asia/Beirut",
    "Atlantic/Azores",
    "America/Nuuk",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "America/St_Johns",
    "Asia/Jerusalem",
    "Europe/Dublin",
    "America/Asuncion",
    "Antarctica/Troll",
    "Pacific/Easter",
    "America/Vancouver",
    "Asia/Gaza",
    "Australia/Sydney",
    "UTC",
];

/// A zone, and an instant near one of its clock changes from 2024 to 2035.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) zone: &'static str,
    pub(super) near: DateTime<Utc>,
}

impl Place {
    /// A local time some minutes from the place's.
    pub(super) fn local(self, minutes: i64) -> String {
        let local = Zone::new(self.zone).unwrap().local(self.near).clock() + TimeDelta::minutes(minutes);
        local.format("%Y-%m-%dT%H:%M").to_string()
    }

    pub(super) fn at(self, minutes: i64) -> DateTime<Utc> {
        self.near + TimeDelta::minutes(minutes)
    }

    pub(super) fn text(self, minutes: i64) -> String {
        self.at(minutes).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }
}

/// The changes of a zone's clocks from 2024 to 2035.
pub(super) fn changes(zone: &str) -> Vec<DateTime<Utc>> {
    let (zone, mut at) = (Zone::new(zone).unwrap(), 1_704_067_200);
    let mut changes = Vec::new();
    while let ends @ ..2_082_758_400 = zone.era(at).ends {
        changes.push(DateTime::from_timestamp(ends, 0).unwrap());
        at = ends;
    }
    changes
}

pub(super) fn place() -> impl Strategy<Value = Place> {
    (0..ZONES.len(), 0usize..400, -12i64..12).prop_map(|(zone, change, quarters)| {
        let zone = ZONES[zone];
        let changes = changes(zone);
        let near = match changes.len() {
            0 => {
                DateTime::from_timestamp(1_704_067_200 + 86_400 * i64::try_from(change).unwrap(), 0).unwrap()
            }
            all => changes[change % all],
        };
        Place { zone, near: near + TimeDelta::minutes(15 * quarters) }
    })
}

fn who() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["ann", "bob", "cat", "dan", "ann+cat", "-"]).prop_map(str::to_owned)
}

pub(super) fn weekly() -> impl Strategy<Value = Vec<(u8, u32, u32)>> {
    prop::collection::vec((1u8..128, 0u32..96, 0u32..96), 0..4)
}

pub(super) fn rules(rules: &[(u8, u32, u32)]) -> Option<String> {
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let time = |quarter: u32| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
    let rule = |(mask, from, to): &(u8, u32, u32)| {
        let days: Vec<_> = (0..7).filter(|day| mask & (1 << day) != 0).map(|day| days[day]).collect();
        format!("{} {}-{}", days.join(","), time(*from), time(*to))
    };
    (!rules.is_empty()).then(|| rules.iter().map(rule).collect::<Vec<_>>().join(";"))
}

pub(super) fn turn() -> impl Strategy<Value = String> {
    let unit = prop::sample::select(vec!["hour", "day", "day", "week", "month"]);
    (1u32..9, unit, prop::bool::ANY).prop_map(|(every, unit, worked)| {
        format!("{every} {unit} {}", if worked { "worked" } else { "elapsed" })
    })
}

/// The minutes, from a place, of an anchor: up to eight years back.
fn anchor() -> impl Strategy<Value = i64> {
    (prop_oneof![0i64..40, 0i64..3000], -12i64..12).prop_map(|(days, quarters)| -days * 1440 + quarters * 15)
}

/// The minutes, from a place, of something near.
pub(super) fn near() -> impl Strategy<Value = i64> {
    (-3i64..4, -12i64..12).prop_map(|(days, quarters)| days * 1440 + quarters * 15)
}

#[derive(Debug, Clone)]
struct AnyLayer {
    who: Vec<(String, Option<i64>, Option<i64>)>,
    turn: String,
    anchor: i64,
    hours: Vec<(u8, u32, u32)>,
    rank: Option<u32>,
    begins: Option<i64>,
}

fn any_layer() -> impl Strategy<Value = AnyLayer> {
    let date = || prop::option::weighted(0.15, near());
    let who = prop::collection::vec((who(), date(), date()), 1..5);
    (who, turn(), anchor(), weekly(), prop::option::of(0u32..3), prop::option::weighted(0.2, near()))
        .prop_map(|(who, turn, anchor, hours, rank, begins)| AnyLayer {
            who,
            turn,
            anchor,
            hours,
            rank,
            begins,
        })
}

impl AnyLayer {
    fn json(&self, place: Place, number: usize, nested: Option<&str>) -> Value {
        let member = |(who, from, until): &(String, Option<i64>, Option<i64>)| {
            let mut member = Map::new();
            let words = members(who);
            member.insert("who".to_owned(), words[0].clone());
            if let Some(from) = from {
                member.insert("from".to_owned(), place.local(*from).into());
            }
            if let Some(until) = until.filter(|until| from.is_none_or(|from| from < *until)) {
                member.insert("until".to_owned(), place.local(until).into());
            }
            Value::Object(member)
        };
        let mut all: Vec<_> = self.who.iter().map(member).collect();
        all.extend(nested.map(|nested| json!(nested)));
        let mut more = json!({ "name": format!("l{number}"), "members": all });
        if let Some(rank) = self.rank {
            more = with(more, json!({ "rank": rank }));
        }
        if let Some(begins) = self.begins.filter(|begins| *begins > self.anchor) {
            more = with(more, json!({ "begins": place.local(begins) }));
        }
        if let Some(text) = rules(&self.hours) {
            more = with(more, json!({ "hours": hours(&text) }));
        }
        with(layer("ann", &self.turn, &place.local(self.anchor)), more)
    }
}

#[derive(Debug, Clone)]
pub(super) struct AnyOverride {
    pub(super) from: i64,
    pub(super) minutes: i64,
    oncall: String,
    instead: Option<String>,
}

pub(super) fn any_override() -> impl Strategy<Value = AnyOverride> {
    (near(), 1i64..4000, who(), prop::option::of(who()))
        .prop_map(|(from, minutes, oncall, instead)| AnyOverride { from, minutes, oncall, instead })
}

impl AnyOverride {
    fn json(&self, place: Place) -> Value {
        let oncall = members(&self.oncall)[0].clone();
        let (from, to) = (place.text(self.from), place.text(self.from + self.minutes));
        let all = json!({ "from": from, "to": to, "oncall": oncall });
        match &self.instead {
            Some(instead) => with(all, json!({ "insteadOf": members(instead)[0] })),
            None => all,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct AnyRoster {
    pub(super) place: Place,
    layers: Vec<AnyLayer>,
    inner: Option<AnyLayer>,
    pub(super) overrides: Vec<AnyOverride>,
    events: Vec<(i64, i64, String)>,
    away: Option<(i64, i64)>,
}

pub(super) fn any_roster() -> impl Strategy<Value = AnyRoster> {
    let events = prop::collection::vec((near(), 1i64..2000, who()), 0..4);
    let overrides = prop::collection::vec(any_override(), 0..4);
    let layers = prop::collection::vec(any_layer(), 0..4);
    let away = prop::option::of((near(), 1i64..4000));
    (place(), layers, prop::option::of(any_layer()), overrides, events, away).prop_map(
        |(place, layers, inner, overrides, events, away)| AnyRoster {
            place,
            layers,
            inner,
            overrides,
            events,
            away,
        },
    )
}

impl AnyRoster {
    pub(super) fn scene(&self) -> Scene {
        let place = self.place;
        let nested = self.inner.as_ref().map(|_| "schedule:inner");
        let layers = self.layers.iter().enumerate().map(|(n, layer)| layer.json(place, n, nested));
        let event = |(from, minutes, who): &(i64, i64, String)| {
            let names: Vec<_> = who.split('+').collect();
            json!({ "from": place.text(*from), "to": place.text(from + minutes), "names": names })
        };
        let overrides = self.overrides.iter().enumerate().map(|(n, one)| (format!("o{n}"), one.json(place)));
        let url = "https://c.example/a";
        let own = json!({
            "timezone": place.zone,
            "layers": layers.collect::<Vec<_>>(),
            "overrides": Value::Object(overrides.collect()),
            "feeds": [{ "url": url, "as": if self.events.len().is_multiple_of(2) { "base" } else { "override" } }],
            "copies": { url: { "events": self.events.iter().map(event).collect::<Vec<_>>() } },
        });
        let mut schedules = json!({ "s": own });
        if let Some(inner) = &self.inner {
            let inner = in_zone("Europe/Athens", &[inner.json(place, 0, None)]);
            schedules = with(schedules, json!({ "inner": inner }));
        }
        let mut people = people();
        if let Some((from, minutes)) = self.away {
            let away = json!([{ "from": place.text(from), "to": place.text(from + minutes) }]);
            people["ann"] = with(people["ann"].clone(), json!({ "absences": away }));
        }
        Scene::new(&json!({ "people": people, "teams": { "t": { "schedules": schedules } } }))
    }
}
