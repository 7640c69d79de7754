//! What an outcome means, in whatever order it comes.

use std::time::Duration;

use chrono::TimeDelta;

use super::scene::Scene;
use super::{after, levels, secs};
use crate::model::{DeliveryStatus, OutcomeKind};
use crate::notify::Outcome;
use crate::plan::{Decision, Input};

/// An attempt that was not begun has no outcome.
const NOT_BEGUN: Option<Outcome> = None;

#[test]
fn p09_what_was_neither_accepted_nor_rejected_is_tried_again() {
    let throttled = |s| Outcome::throttled(Duration::from_secs(s), "450");
    // (outcome, the kind that is recorded, tried again after between … and … milliseconds)
    let cases = [
        (Some(Outcome::Accepted), OutcomeKind::Accepted, None),
        (Some(Outcome::rejected("550")), OutcomeKind::Rejected, None),
        (Some(Outcome::unavailable("421")), OutcomeKind::Unavailable, Some((800, 1000))),
        (Some(throttled(0)), OutcomeKind::Throttled, Some((800, 1000))),
        (Some(throttled(7)), OutcomeKind::Throttled, Some((7000, 7000))),
        (Some(throttled(3600)), OutcomeKind::Throttled, Some((30_000, 30_000))),
        // A CRIT alert never waits for a limit.
        (Some(Outcome::limited(secs(900), "5 in 900 s")), OutcomeKind::Limited, Some((0, 0))),
        (Some(Outcome::unknown("lost")), OutcomeKind::Unknown, Some((4000, 5000))),
        (NOT_BEGUN, OutcomeKind::NotBegun, Some((0, 0))),
    ];
    for (outcome, kind, again) in cases {
        let mut scene = Scene::crit(levels(&["a"]));
        scene.due();
        scene.at(2).attempt_was("1:a", 1, outcome.as_ref());
        let last = scene.delivery("1:a").last().unwrap();
        assert_eq!((last.kind, last.at), (kind, after(2)));
        match again {
            None => assert!(!scene.delivery("1:a").is_unsettled(), "{outcome:?}"),
            Some((least, most)) => {
                let due_at = scene.pending_at("1:a").expect("pending");
                let pause = (due_at - after(2)).num_milliseconds();
                assert!((least..=most).contains(&pause), "{outcome:?}: {pause} ms");
                scene.now = due_at - TimeDelta::microseconds(1);
                assert_eq!(scene.due(), "");
                scene.now = due_at;
                assert_eq!(scene.due(), "1:a#2");
            }
        }
    }
}

#[test]
fn p09_retries_back_off_and_the_unknown_ones_to_the_wait_at_most() {
    for (outcome, most) in [(Outcome::unavailable(""), 30.0), (Outcome::unknown(""), 600.0)] {
        let mut scene = Scene::crit(levels(&["a"]));
        let mut pauses = Vec::new();
        for _ in 0..15 {
            let sent_at = scene.now;
            scene.due();
            scene.ends("1:a", &outcome);
            scene.now = scene.pending_at("1:a").unwrap();
            pauses.push((scene.now - sent_at).as_seconds_f64());
        }
        assert!(pauses.iter().all(|p| *p <= most && *p > 0.5), "{pauses:?}");
        assert!(pauses[14] >= 0.8 * most && pauses[0] < 6.0, "{pauses:?}");
    }
}

#[test]
fn an_acceptance_is_recorded_whatever_has_become_of_the_incident() {
    type Then = fn(&mut Scene);
    let cases: [(&str, Then); 5] = [
        ("claimed", |s| _ = s.claim("jo").unwrap()),
        ("resolved", |s| _ = s.resolve("jo").unwrap()),
        ("expired and sent again", |s| _ = s.at(31).due()),
        ("rejected", |s| _ = s.rejects("1:a")),
        ("unavailable, then claimed", |s| {
            s.ends("1:a", &Outcome::unavailable(""));
            s.claim("jo").unwrap();
        }),
    ];
    for (what, then) in cases {
        let mut scene = Scene::crit(levels(&["a", "b"]));
        scene.due();
        scene.at(1);
        then(&mut scene);
        scene.attempt_ends("1:a", 1, &Outcome::Accepted);
        assert!(scene.delivery("1:a").is_accepted(), "{what}");
        let settled = scene.clone();
        let told = [Outcome::Accepted, Outcome::rejected(""), Outcome::unknown("")].map(Some);
        for late in told.into_iter().chain([NOT_BEGUN]) {
            for attempt in 1..3 {
                scene.attempt_was("1:a", attempt, late.as_ref());
            }
        }
        assert_eq!(scene.incident, settled.incident, "{what}: nothing takes it back");
    }
}

#[test]
fn an_outcome_of_an_earlier_attempt_counts_only_if_it_was_accepted() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    assert_eq!(scene.at(30).due(), "1:a#2");
    let told = [Outcome::rejected(""), Outcome::unavailable(""), Outcome::unknown("")].map(Some);
    for late in told.into_iter().chain([NOT_BEGUN]) {
        let mut once = scene.clone();
        once.at(31).attempt_was("1:a", 1, late.as_ref());
        assert_eq!(once.delivery("1:a").expired(), 0, "{late:?}: its process had not ended");
        let mut but_for_that = once.incident.clone();
        but_for_that.deliveries[0].expired.clone_from(&scene.incident.deliveries[0].expired);
        but_for_that.updated_at = scene.incident.updated_at;
        assert_eq!(but_for_that, scene.incident, "{late:?}");
        let mut twice = once.clone();
        twice.at(32).attempt_was("1:a", 1, late.as_ref());
        assert_eq!(twice.incident, once.incident, "{late:?}");
    }
    scene.at(32).attempt_ends("1:a", 1, &Outcome::Accepted);
    assert!(scene.delivery("1:a").is_accepted());
}

#[test]
fn an_outcome_that_comes_twice_changes_nothing_the_second_time() {
    let told = [Outcome::unavailable(""), Outcome::rejected(""), Outcome::Accepted].map(Some);
    for outcome in told.into_iter().chain([NOT_BEGUN]) {
        let mut scene = Scene::crit(levels(&["a"]));
        scene.due();
        scene.at(1).attempt_was("1:a", 1, outcome.as_ref());
        let once = scene.incident.clone();
        scene.at(2).attempt_was("1:a", 1, outcome.as_ref());
        assert_eq!(scene.incident, once, "{outcome:?}");
    }
}

#[test]
fn an_outcome_of_a_delivery_that_is_not_known_changes_nothing() {
    let mut scene = Scene::crit(levels(&["a"]));
    let (delivery, outcome) = (scene.key("1:a"), Outcome::Accepted);
    let decision = scene.try_step(Input::Outcome { delivery, attempt: 1, outcome: &outcome });
    assert_eq!(decision, Decision::Nothing);
}

#[test]
fn p11_what_failed_after_a_claim_or_in_an_earlier_round_is_not_tried_again() {
    let mut scene = Scene::crit(levels(&["a b"]));
    scene.due();
    let (a, b) = (scene.key("1:a"), scene.key("1:b"));
    scene.at(1).claim("jo").unwrap();
    scene.ends("1:a", &Outcome::unavailable(""));
    assert!(matches!(scene.delivery("1:a").status(), DeliveryStatus::Stopped { .. }));
    scene.at(2).release("jo").unwrap();
    let outcome = Outcome::unknown("");
    let decision = scene.try_step(Input::Outcome { delivery: b, attempt: 1, outcome: &outcome });
    assert!(matches!(decision, Decision::Change(_)));
    let of_round_1 = scene.incident.deliveries().iter().filter(|d| d.key() == a || d.key() == b);
    assert!(of_round_1.clone().count() == 2 && of_round_1.clone().all(|d| !d.is_unsettled()));
    assert_eq!(scene.due(), "1:a 1:b", "the new round alerts them under names of its own");
}

#[test]
fn p10_attempts_bear_the_same_name_and_rounds_another() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    let id = |scene: &Scene| scene.incident.delivery_id(scene.key("1:a"));
    let first = id(&scene);
    assert_eq!(scene.at(30).due(), "1:a#2");
    assert_eq!(id(&scene), first);
    scene.claim("jo").unwrap();
    scene.release("jo").unwrap();
    assert_ne!(id(&scene), first);
}
