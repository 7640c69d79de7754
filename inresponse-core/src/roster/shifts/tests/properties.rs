//! What must hold for every schedule, near clock changes above all.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::super::{Shift, on_call, shifts};
use super::scene::name;
use any::{AnyRoster, any_override, any_roster, near};

mod any;
mod brute;
mod transitions;

fn holding(shifts: &[Shift], at: DateTime<Utc>) -> Option<&Shift> {
    shifts.iter().find(|shift| shift.from <= at && at < shift.to)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn p15_shifts_tile_time_and_neighbours_differ(
        roster in any_roster(),
        from in near(),
        minutes in 1i64..10_000,
    ) {
        let scene = roster.scene();
        let (team, schedule) = name("s");
        let (from, to) = (roster.place.at(from), roster.place.at(from + minutes));
        let shifts = shifts(&scene.directory, &team, &schedule, from, to);
        prop_assert_eq!(shifts.first().map(|shift| shift.from), Some(from));
        prop_assert_eq!(shifts.last().map(|shift| shift.to), Some(to));
        for two in shifts.windows(2) {
            prop_assert_eq!(two[0].to, two[1].from);
            prop_assert!((&two[0].oncall, &two[0].sources) != (&two[1].oncall, &two[1].sources));
        }
        prop_assert!(shifts.iter().all(|shift| shift.from < shift.to));
    }

    #[test]
    fn p17_who_is_on_call_at_an_instant_is_who_has_the_shift(
        roster in any_roster(),
        instants in prop::collection::vec(0i64..8 * 86_400, 8),
    ) {
        let scene = roster.scene();
        let (team, schedule) = name("s");
        let from = roster.place.at(-4 * 1440);
        let shifts = shifts(&scene.directory, &team, &schedule, from, from + TimeDelta::days(8));
        let random = instants.into_iter().map(|second| from + TimeDelta::seconds(second));
        let edges = shifts.iter().flat_map(|shift| [shift.from, shift.to - TimeDelta::seconds(1)]);
        for at in random.chain(edges) {
            let now = on_call(&scene.directory, &team, &schedule, at);
            let shift = holding(&shifts, at).unwrap();
            prop_assert_eq!((&now.oncall, &now.sources), (&shift.oncall, &shift.sources), "at {}", at);
            prop_assert!(now.until > at);
            // Up to then it is certain.
            let last = (now.until - TimeDelta::seconds(1)).min(from + TimeDelta::days(8) - TimeDelta::seconds(1));
            prop_assert_eq!(holding(&shifts, last), Some(shift), "from {} until {}", at, now.until);
        }
    }

    #[test]
    fn p15_adding_an_override_changes_only_its_hours(
        roster in any_roster(),
        more in any_override(),
        instants in prop::collection::vec(0i64..8 * 86_400, 4),
    ) {
        let (team, schedule) = name("s");
        let from = roster.place.at(-4 * 1440);
        let told = |roster: &AnyRoster| {
            shifts(&roster.scene().directory, &team, &schedule, from, from + TimeDelta::days(8))
        };
        let mut changed = roster.clone();
        changed.overrides.push(more.clone());
        let (before, after) = (told(&roster), told(&changed));
        let (begins, ends) = (roster.place.at(more.from), roster.place.at(more.from + more.minutes));
        let random = instants.into_iter().map(|second| from + TimeDelta::seconds(second));
        let edges = before.iter().chain(&after).flat_map(|s| [s.from, s.to - TimeDelta::seconds(1)]);
        for at in random.chain(edges).filter(|at| *at < begins || ends <= *at) {
            let (one, other) = (holding(&before, at).unwrap(), holding(&after, at).unwrap());
            prop_assert_eq!((&one.oncall, &one.sources), (&other.oncall, &other.sources), "at {}", at);
        }
    }
}
