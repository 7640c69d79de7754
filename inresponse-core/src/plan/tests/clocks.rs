//! Clocks that went back.

use super::scene::Scene;
use super::{LEASE, after, levels, warn_alerts};
use crate::model::{Event, Severity};
use crate::notify::Outcome;
use crate::plan::{Decision, Input};

const TEN_YEARS: i64 = 10 * 365 * 24 * 3600;

fn repaired(scene: &mut Scene) -> bool {
    matches!(scene.try_step(Input::ClockWentBack { lease: LEASE }), Decision::Change(_))
}

#[test]
fn p14_what_was_due_is_brought_back_with_the_clock() {
    let mut scene = Scene::crit(levels(&["a b c", "d"]));
    scene.at(100).due();
    scene.at(110).ends("1:a", &Outcome::unknown(""));
    scene.at(112).accepts("1:c");
    let now = -TEN_YEARS;
    assert!(repaired(scene.at(now)));
    assert_eq!(
        scene.told(|e| matches!(e, Event::ClockWentBack { seconds } if *seconds == TEN_YEARS + 112)),
        1
    );
    assert_eq!(scene.pending_at("1:a"), Some(after(now + 30)), "no farther away than it could be now");
    assert_eq!(scene.at(now + 29).due(), "");
    assert_eq!(scene.at(now + 30).due(), "1:a#2 1:b#2", "so is the end of a lease");
    scene.accepts("1:a 1:b");
    assert_eq!(scene.at(now + 599).due(), "");
    assert_eq!(scene.at(now + 600).due(), "2:d", "and the wait");
    assert!(!repaired(&mut scene));
}

#[test]
fn p14_what_was_changed_since_by_the_clock_as_it_is_now_is_brought_back_too() {
    type Change = fn(&mut Scene);
    let changes: [Change; 3] = [
        |s| _ = s.ends("1:b", &Outcome::unavailable("")),
        |s| _ = s.repeat(Severity::Warn),
        |s| _ = s.severity(Severity::Err).unwrap(),
    ];
    for change in changes {
        let mut scene = Scene::crit(levels(&["a b", "c"]));
        scene.due();
        scene.accepts("1:a");
        change(scene.at(-TEN_YEARS));
        let due_before = scene.next().unwrap();
        assert!(repaired(scene.at(1 - TEN_YEARS)));
        assert!(scene.next().unwrap() <= due_before.min(31.0 - TEN_YEARS as f64), "what is sooner stays");
        let due = scene.at(31 - TEN_YEARS).due();
        assert_eq!(due, "1:b#2");
        scene.accepts("1:b");
        assert_eq!(scene.next(), Some(601.0 - TEN_YEARS as f64));
    }
}

#[test]
fn p14_a_lease_that_only_its_end_shows_is_brought_back_too() {
    let mut scene = Scene::crit(levels(&["a b", "c"]));
    scene.due();
    scene.accepts("1:b");
    scene.at(1).ends("1:a", &Outcome::unavailable(""));
    assert_eq!(scene.at(TEN_YEARS).due_holding(&["2:c"]), "1:a#2");
    // The process ends, the clock is set right, and somebody changes the incident before it is repaired.
    assert!(scene.at(5).severity(Severity::Err).unwrap());
    assert!(repaired(scene.at(6)));
    assert_eq!(scene.at(36).due(), "1:a#3");
}

#[test]
fn p14_a_small_step_back_is_not_worth_a_write() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.at(100).due();
    for (now, expected) in [(100, false), (99, false), (98, true)] {
        let mut scene = scene.clone();
        assert_eq!(repaired(scene.at(now)), expected, "{now}");
        assert!(!repaired(&mut scene), "once is enough");
    }
}

#[test]
fn p14_an_incident_that_alerts_nobody_is_left_alone() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.at(100).due();
    scene.claim("jo").unwrap();
    assert!(!repaired(scene.at(-5000)));
    assert!(scene.release("jo").is_ok());
    assert_eq!((scene.next(), scene.due().as_str()), (Some(-5000.0), "1:a"), "a release is due at once");
}

#[test]
fn p14_a_clock_that_jumps_forward_loses_nothing() {
    let mut scene = Scene::crit(levels(&["a", "b", "c"]));
    scene.due();
    scene.accepts("1:a");
    assert_eq!(scene.at(TEN_YEARS).due(), "2:b", "one level, not all of them");
    scene.accepts("2:b");
    assert_eq!(scene.at(0).next(), Some(TEN_YEARS as f64 + 600.0));
    assert!(repaired(scene.at(1000)));
    assert_eq!(scene.next(), Some(1600.0));
    assert_eq!(scene.incident.created_at(), after(0));
}

#[test]
fn p14_what_a_clock_far_ahead_opened_is_alerted_at_once_when_it_is_raised() {
    type Raise = fn(&mut Scene);
    let raises: [Raise; 2] = [|s| _ = s.repeat(Severity::Crit), |s| _ = s.severity(Severity::Crit).unwrap()];
    for raise in raises {
        let mut scene = Scene::open(warn_alerts(levels(&["a", "b"]), &[]), Severity::Warn);
        assert_eq!(scene.next(), None, "so nothing looks at its times");
        raise(scene.at(-TEN_YEARS));
        assert_eq!(scene.due(), "1:a");

        let mut scene = Scene::open(warn_alerts(levels(&["a", "b"]), &[1]), Severity::Warn);
        assert_eq!(scene.play(0), "0 1:a, 600 f:z unclaimed");
        raise(scene.at(-TEN_YEARS));
        assert_eq!(scene.next(), Some(600.0 - TEN_YEARS as f64), "its wait after what has begun");
    }
}
