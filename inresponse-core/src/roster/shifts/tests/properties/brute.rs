//! The quick ways of counting turns and looking up hours, beside the slow ones.

use super::*;
use crate::roster::Schedule;
use crate::roster::shifts::clock::Clock;
use crate::roster::shifts::hours::{Open, WeeklyHours};
use crate::roster::shifts::numbers::Numbers;
use crate::roster::shifts::turns::Turns;
use std::collections::BTreeMap;

/// The schedule of a scene that has only one.
fn only(scene: &Scene) -> std::sync::Arc<Schedule> {
    scene.directory.book().schedules().next().unwrap().2.schedule().unwrap().clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn p15_hours_are_those_between_their_instants(
        place in place(),
        rules in weekly(),
        seconds in prop::collection::vec(-6i64 * 86_400..6 * 86_400, 12),
    ) {
        let text = super::rules(&rules).unwrap_or_else(|| "* 00:00-00:00".to_owned());
        let layer = with(layer("ann", "1 day", "2020-01-01"), json!({ "hours": hours(&text) }));
        let schedule = only(&Scene::of(&in_zone(place.zone, &[layer])));
        let (zone, given) = (schedule.timezone(), &schedule.layers()[0].hours);
        let weekly = WeeklyHours::new(given).unwrap();
        for second in seconds {
            let at = place.near + TimeDelta::seconds(second);
            // From what the clocks of the zone say about every single span around.
            let today = zone.local(at).clock().date();
            let spans = (-3..12).flat_map(|day| {
                let day = today + TimeDelta::days(day);
                let rules = given.iter().filter(move |rule| rule.days.contains(chrono::Datelike::weekday(&day)));
                rules.map(move |rule| {
                    let next = if rule.to <= rule.from { 1 } else { 0 };
                    let ends = day + TimeDelta::days(next);
                    (zone.first_instant(day.and_time(rule.from)), zone.last_instant(ends.and_time(rule.to)))
                })
            });
            let spans: Vec<_> = spans.collect();
            let open = |at| spans.iter().any(|(from, to)| *from <= at && at < *to);
            let (got, until) = weekly.at(&Clock::new(zone, at.timestamp()), at.timestamp());
            prop_assert_eq!(got == Open::Yes, open(at), "{} in {}", at, place.zone);
            prop_assert!(until > at.timestamp());
            let until = DateTime::from_timestamp(until.min(at.timestamp() + 5 * 86_400), 0).unwrap();
            let edges = spans.iter().flat_map(|(from, to)| [*from, *to]);
            for between in edges.filter(|edge| at < *edge && *edge < until) {
                prop_assert_eq!(open(between), open(at), "{} is an edge before {}", between, until);
            }
        }
    }

    #[test]
    fn p15_worked_turns_are_counted_as_one_by_one(
        place in place(),
        rules in weekly(),
        turn in turn(),
        anchor in (0i64..20, -12i64..12),
    ) {
        let text = super::rules(&rules).unwrap_or_else(|| "Sun 02:00-03:00".to_owned());
        let layer = layer("ann", &turn, &place.local(-anchor.0 * 1440 + anchor.1 * 15));
        let schedule = only(&Scene::of(&in_zone(place.zone, &[with(layer, json!({ "hours": hours(&text) }))])));
        let (clock, layer) = (Clock::new(schedule.timezone(), 0), &schedule.layers()[0]);
        let (turns, weekly) = (Turns::new(layer, &clock), WeeklyHours::new(&layer.hours).unwrap());
        let numbers = Numbers::new(&turns, &weekly, &clock);
        let (mut worked, end) = (0, place.at(20 * 1440).timestamp());
        for turn in 0.. {
            prop_assert_eq!(numbers.before(&turns, &weekly, &clock, turn), worked, "turn {}", turn);
            let (from, to) = (turns.begins(&clock, turn), turns.begins(&clock, turn + 1));
            prop_assert!(from < to && turns.at(&clock, from) == Some(turn) && turns.at(&clock, to - 1) == Some(turn));
            prop_assert!(turns.from(&clock, from) == turn && turns.from(&clock, from + 1) == turn + 1);
            worked += i64::from(weekly.any(&clock, from, to));
            if to > end {
                break;
            }
        }
    }

    #[test]
    fn p15_worked_turns_give_each_member_the_same_number_within_one(
        place in place(),
        rules in weekly(),
        every in 1i64..6,
        count in 2usize..5,
        anchor in (0i64..400, -12i64..12),
    ) {
        let text = super::rules(&rules).unwrap_or_else(|| "Sat,Sun 02:00-03:00".to_owned());
        let who = ["ann", "bob", "cat", "dan"][..count].join(" ");
        let begins = -anchor.0 * 1440 + anchor.1 * 15;
        let layer = layer(&who, &format!("{every} day worked"), &place.local(begins));
        let scene = Scene::of(&in_zone(place.zone, &[with(layer, json!({ "hours": hours(&text) }))]));
        let (team, schedule) = name("s");
        let from = place.at(begins - 2 * 1440);
        let shifts = shifts(&scene.directory, &team, &schedule, from, place.at(30 * 1440));
        // The shifts of one turn are one: they have one member, and the next turn with hours has another.
        let mut turns: BTreeMap<_, i64> = (0..count).map(|place| (["ann", "bob", "cat", "dan"][place], 0)).collect();
        let mut last = None;
        for shift in shifts.iter().filter(|shift| !shift.oncall.is_empty()) {
            let who = shift.oncall[0].to_string();
            if last.as_ref() != Some(&who) {
                *turns.get_mut(who.trim_start_matches("person:")).unwrap() += 1;
                last = Some(who);
            }
        }
        let (least, most) = (turns.values().min().unwrap(), turns.values().max().unwrap());
        prop_assert!(most - least <= 1, "{:?}", turns);
    }
}
