//! Clocks that went back.

use super::scene::Scene;
use super::{after, levels};
use crate::model::Event;
use crate::notify::Outcome;
use crate::plan::{Decision, Input};

const TEN_YEARS: i64 = 10 * 365 * 24 * 3600;

fn repaired(scene: &mut Scene) -> bool {
    matches!(scene.try_step(Input::ClockWentBack), Decision::Change(_))
}

#[test]
fn p14_what_was_due_is_brought_back_with_the_clock() {
    let mut scene = Scene::crit(levels(&["a b", "c"]));
    scene.at(100).due();
    scene.at(110).ends("1:a", &Outcome::unknown(""));
    let due = scene.next().unwrap() - 110.0;
    scene.at(-TEN_YEARS);
    assert!(repaired(&mut scene));
    assert!((scene.next().unwrap() + TEN_YEARS as f64 - due).abs() < 1e-3, "as long after as it was");
    assert_eq!(scene.at(-TEN_YEARS + 20).due(), "1:a#2 1:b#2");
    scene.accepts("1:a 1:b");
    assert_eq!(scene.at(-TEN_YEARS + 589).due(), "");
    assert_eq!(scene.at(-TEN_YEARS + 590).due(), "2:c", "600 s after its level began, 10 s before");
    assert_eq!(scene.told(|e| matches!(e, Event::ClockWentBack { .. })), 1);
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
