//! Scenarios that come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::scene::Scene;
use super::script::{Ends, LONGEST_STEP, matrix, scenario, severity};
use super::world::World;
use crate::model::{Contact, Delivery, DeliveryKey, Incident, Level, Matrix, Origin, Severity, State};
use crate::plan::{self, Dispatch, HoldNothing};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn p09_an_open_incident_reaches_everybody_in_the_end(scenario in scenario()) {
        let trace = World::play_to_rest(&scenario);
        nobody_is_left_out(trace.last());
    }

    #[test]
    fn p14_a_clock_that_goes_back_loses_nothing(
        scenario in scenario(),
        seconds in prop::sample::select(vec![2i64, 10, 60, 3600, 315_360_000]),
        more in 0..4usize,
    ) {
        let by = TimeDelta::seconds(seconds);
        let (trace, brought_back) = World::play_with_a_clock_that_goes_back(&scenario, by, more);
        nobody_is_left_out(trace.last());
        let step = &trace.steps[brought_back - 1];
        if let Some(due_at) = plan::due_at(&step.after) {
            let wait = TimeDelta::from_std(step.after.matrix().wait()).unwrap();
            // Nothing is farther from what happened last than a pause and a lease. Where a lease was the last thing
            // that happened before the jump, and something else happened since, it may lie ahead by the jump;
            // but by no more than the age of the round, whose beginning is known.
            let pause = wait.max(LONGEST_STEP);
            let age = step.now + by - step.after.created_at();
            let hidden = if more == 0 { TimeDelta::zero() } else { by.min(age) };
            let most = TimeDelta::seconds(1) + pause + TimeDelta::seconds(30) + hidden;
            prop_assert!(due_at <= step.now + most, "{} after {}", due_at, step.now);
        }
    }

    #[test]
    fn p10_where_nothing_crashes_each_delivery_is_accepted_once(
        matrix in matrix(),
        severity in severity(),
        ends in vec(prompt(), 1..30),
        order in any::<u64>(),
    ) {
        let accepted = prompt_carriers(matrix, severity, &ends, order);
        assert!(accepted.values().all(|times| *times == 1), "{accepted:?}");
    }
}

/// An OPEN incident at rest: each contact of each level that began has it or is dead, and every level that its
/// severity includes has begun.
fn nobody_is_left_out(incident: &Incident) {
    if incident.state() != State::Open {
        return;
    }
    let matrix = incident.matrix();
    let begun: BTreeSet<Level> = incident.begun().iter().map(|begun| begun.level).collect();
    for level in &begun {
        let deliveries: Vec<_> = incident.level_deliveries(*level).collect();
        for delivery in &deliveries {
            let is_settled = delivery.is_accepted() || delivery.is_dead();
            assert!(is_settled || is_rightly_limited(matrix, *level, delivery, &deliveries), "{delivery:?}");
        }
        if matrix.is_plain() {
            assert_eq!(deliveries.len(), matrix.contacts(*level).len());
        }
    }
    let severity = incident.severity();
    if matrix.records_only(severity) {
        return;
    }
    assert!(
        (1..=matrix.height()).filter(|n| matrix.alerts(severity, *n)).all(|n| begun.contains(&Level::At(n)))
    );
    assert!(incident.is_unclaimed());
    // What has been alerted as level 1, or in an earlier round of the same opening, is not alerted again.
    let as_level_1 = matrix.origin() == Origin::Fallback && begun.contains(&Level::At(1));
    assert!(begun.contains(&Level::Fallback) || as_level_1);
    let reached = incident.deliveries().iter().any(|d| d.round == incident.round() && d.is_accepted());
    assert!(!(reached && incident.is_undelivered()));
}

/// Whether a limit ended a delivery, and everybody whom it would have reached was reached by another one of the level.
fn is_rightly_limited(matrix: &Matrix, level: Level, one: &Delivery, all: &[&Delivery]) -> bool {
    let people = matrix.steps_by_person(level);
    let mut theirs = people.iter().filter(|steps| steps.contains(&(&one.contact, one.after))).peekable();
    let is_reached = |steps: &Vec<(&Contact, Duration)>| {
        all.iter().any(|d| d.key() != one.key() && d.is_accepted() && steps.contains(&(&d.contact, d.after)))
    };
    one.is_limited() && theirs.peek().is_some() && theirs.all(is_reached)
}

/// Outcomes by which it is certain whether it has arrived.
fn prompt() -> impl Strategy<Value = Ends> {
    prop::sample::select(vec![Ends::Accepted, Ends::Rejected, Ends::Unavailable, Ends::Throttled])
}

/// Every send is answered before its lease ends, in any order, and later ones are accepted. Answers how often
/// each delivery was accepted.
fn prompt_carriers(
    matrix: Matrix,
    severity: Severity,
    ends: &[Ends],
    mut order: u64,
) -> BTreeMap<DeliveryKey, u32> {
    let mut scene = Scene::open(matrix, severity);
    let (mut accepted, mut under_way): (BTreeMap<DeliveryKey, u32>, Vec<Dispatch>) = Default::default();
    let mut ends = ends.iter();
    for _ in 0..400 {
        let Some(due_at) = plan::due_at(&scene.incident) else {
            // What may be left under way is of a round that is over.
            assert!(under_way.iter().all(|send| send.delivery.round < scene.incident.round()));
            return accepted;
        };
        // Whatever is under way ends within a third of its lease.
        let patience = under_way.iter().map(|s| s.lease_until - TimeDelta::seconds(20)).min();
        if patience.is_none_or(|at| due_at <= at) {
            scene.now = scene.now.max(due_at);
            let sends = scene.lease(&HoldNothing);
            for send in &sends {
                assert!(!accepted.contains_key(&send.delivery), "sent again: {send:?}");
                assert!(under_way.iter().all(|s| s.delivery != send.delivery), "twice at once: {send:?}");
            }
            under_way.extend(sends);
        }
        order = order.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let some =
            if patience.is_some_and(|at| due_at > at) { under_way.len() } else { (order >> 60) as usize % 3 };
        for _ in 0..some.min(under_way.len()) {
            let send = under_way.swap_remove((order >> 33) as usize % under_way.len());
            scene.now = scene.now.max(send.lease_until - TimeDelta::seconds(29));
            let ended = ends.next().copied().unwrap_or(Ends::Accepted);
            scene.attempt_ends_of(&send, &ended.outcome().expect("each is begun"));
            if ended == Ends::Accepted {
                *accepted.entry(send.delivery).or_default() += 1;
            }
        }
    }
    panic!("never comes to rest")
}
