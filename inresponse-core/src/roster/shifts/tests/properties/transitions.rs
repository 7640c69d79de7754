//! Every clock change from 2024 to 2035.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::super::scene::{Scene, hours, in_zone, layer, name, with};
use super::any::{Place, ZONES, changes};
use crate::model::Zone;
use crate::roster::shifts::shifts;

/// The local time of each quarter of an hour around an instant.
struct Clocks {
    begins: i64,
    local: Vec<chrono::NaiveDateTime>,
}

const STEP: i64 = 900;

impl Clocks {
    fn around(zone: &Zone, change: DateTime<Utc>) -> Self {
        let begins = change.timestamp() - 40 * 3600;
        let at = |n| DateTime::from_timestamp(begins + n * STEP, 0).unwrap();
        Self { begins, local: (0..80 * 4).map(|n| zone.local(at(n)).clock()).collect() }
    }

    /// The first instant at which the clocks show that time or a later one.
    fn first(&self, local: chrono::NaiveDateTime) -> i64 {
        let shown = self.local.iter().position(|shown| *shown >= local).unwrap();
        self.begins + i64::try_from(shown).unwrap() * STEP
    }

    /// The first instant after which the clocks never again show an earlier one.
    fn last(&self, local: chrono::NaiveDateTime) -> i64 {
        let shown = self.local.iter().rposition(|shown| *shown < local).unwrap() + 1;
        self.begins + i64::try_from(shown).unwrap() * STEP
    }
}

#[test]
fn p15_turns_and_hours_meet_at_every_change_of_the_clocks_from_2024_to_2035() {
    let (team, schedule) = name("s");
    let mut looked_at = 0;
    for zone in ZONES {
        for change in changes(zone) {
            let place = Place { zone, near: change - TimeDelta::seconds(1) };
            let clocks = Clocks::around(&Zone::new(zone).unwrap(), change);
            let shown = Zone::new(zone).unwrap().local(change - TimeDelta::minutes(15)).clock();
            for quarters in -5..=6 {
                let local = shown + TimeDelta::minutes(15 * quarters);
                let (begins, ends) = (clocks.first(local), clocks.last(local));
                let time = local.format("%H:%M");
                let anchor = (local - TimeDelta::days(700)).format("%Y-%m-%dT%H:%M").to_string();
                let span = (place.at(-24 * 60), place.at(24 * 60));

                // A turn begins at one instant.
                let turns = Scene::of(&in_zone(zone, &[layer("ann bob", "1 day", &anchor)]));
                let told = shifts(&turns.directory, &team, &schedule, span.0, span.1);
                assert!(told.iter().all(|shift| shift.oncall.len() == 1), "{zone} {local}: {told:#?}");
                let begin: Vec<_> = told.iter().skip(1).map(|shift| shift.from.timestamp()).collect();
                assert!(begin.contains(&begins), "{zone} {local}: a turn begins at {begins}: {told:#?}");
                assert!(begin.iter().all(|at| *at <= begins || *at >= begins + 22 * 3600), "{zone} {local}");

                // Hours start at the first occurrence and end at the last: an overlap, and never a hole.
                let split = |who, rule: String| {
                    let rank = json!({ "name": who, "rank": 1, "hours": hours(&rule) });
                    with(layer(who, "1 week", &anchor), rank)
                };
                let layers =
                    [split("ann", format!("* 12:00-{time}")), split("bob", format!("* {time}-12:00"))];
                let both = Scene::of(&in_zone(zone, &layers));
                let told = shifts(&both.directory, &team, &schedule, span.0, span.1);
                assert!(told.iter().all(|shift| !shift.oncall.is_empty()), "{zone} {local}: {told:#?}");
                let overlap = told.iter().find(|shift| {
                    shift.oncall.len() == 2
                        && shift.from.timestamp() == begins
                        && shift.to.timestamp() == ends
                });
                assert_eq!(overlap.is_some(), begins < ends, "{zone} {local}: {told:#?}");
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 4000, "{looked_at}");
}
