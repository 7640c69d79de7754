//! When an incident's scheduler must be told its time again.

use std::time::Duration;

use super::scene::Scene;
use super::{after, levels, person, warn_alerts};
use crate::model::Severity;
use crate::plan::{Decision, Input, StateChange, Update};

#[test]
fn p09_the_scheduler_is_told_whenever_somebody_makes_it_due_sooner() {
    type Act = fn(&mut Scene);
    let cases: [(&str, Act, u32); 12] = [
        ("a claim", |s| _ = s.claim("jo").unwrap(), 0),
        ("a release", |s| _ = (s.claim("jo").unwrap(), s.release("jo").unwrap()), 1),
        ("two releases", |s| (0..2).for_each(|_| _ = (s.claim("jo").unwrap(), s.release("jo").unwrap())), 2),
        ("a resolution", |s| _ = s.resolve("jo").unwrap(), 0),
        ("a raise", |s| _ = s.severity(Severity::Crit).unwrap(), 1),
        ("a raise by a report", |s| _ = s.repeat(Severity::Crit), 1),
        ("a raise of what is claimed", |s| _ = (s.claim("jo").unwrap(), s.repeat(Severity::Crit)), 0),
        ("a repeat of the same", |s| _ = s.repeat(Severity::Warn), 0),
        ("a lower one", |s| _ = (s.repeat(Severity::Err), s.repeat(Severity::Warn)), 1),
        ("a hand-over", hand_to_kim, 0),
        ("a hand-over of what is claimed", |s| _ = (s.claim("jo").unwrap(), hand_to_kim(s)), 1),
        ("time itself", |s| _ = s.rejects("f:z"), 0),
    ];
    for (what, act, expected) in cases {
        // A warning alerts level 1 and the fallback; what is worse, level 2 too, at once where it is raised late.
        let mut scene = Scene::open(warn_alerts(levels(&["a", "b"]), &[1]), Severity::Warn);
        assert_eq!(scene.incident.wake(), 0);
        assert_eq!(scene.due(), "1:a");
        assert_eq!(scene.accepts("1:a").at(600).due(), "f:z");
        scene.at(700);
        act(&mut scene);
        assert_eq!(scene.incident.wake(), expected, "{what}");
    }
}

fn hand_to_kim(scene: &mut Scene) {
    let handed = scene.asks(&Update::state(person("jo"), StateChange::HandTo(person("kim"))));
    assert_eq!(handed, Ok(true));
}

#[test]
fn another_timer_is_noted_once_and_only_where_there_is_time_to_keep() {
    let mut scene = Scene::crit(levels(&["a"]));
    let woken = |scene: &Scene, wake| crate::plan::step(&scene.incident, Input::Woken { wake }, scene.now);
    let Decision::Change(plan) = woken(&scene, 3) else { panic!("nothing was noted") };
    assert_eq!((plan.draft.incident().wake(), plan.draft.due_at()), (3, Some(scene.now)));
    assert!(plan.sends.is_empty());
    scene.incident = plan.draft.into_incident();
    assert_eq!(woken(&scene, 3), Decision::Nothing);
    assert_eq!(woken(&scene, 2), Decision::Nothing);
    scene.claim("jo").unwrap();
    assert_eq!(woken(&scene, 4), Decision::Nothing);
}

#[test]
fn what_is_resolved_expires_and_nothing_else_does() {
    let mut scene = Scene::crit(levels(&["a"]));
    let keep = Duration::from_secs(3600);
    let expires_at =
        |scene: &Scene| crate::plan::Draft::new(scene.incident.clone()).kept_for(keep).expires_at();
    assert_eq!(expires_at(&scene), None);
    scene.at(5).claim("jo").unwrap();
    assert_eq!(expires_at(&scene), None);
    scene.at(10).resolve("jo").unwrap();
    assert_eq!(expires_at(&scene), Some(super::after(3610)));
    assert_eq!(
        crate::plan::Draft::new(scene.incident.clone()).expires_at(),
        None,
        "forever unless it is said"
    );
}

#[cfg(feature = "runner")]
#[test]
fn what_is_due_already_is_not_what_is_due_next() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.due();
    let next = |scene: &Scene, now| crate::plan::due_after(&scene.incident, after(now));
    // The end of the lease, the next level, and nothing.
    for (now, expected) in [(0, Some(30)), (29, Some(30)), (30, Some(600)), (599, Some(600)), (600, None)] {
        assert_eq!(next(&scene, now), expected.map(after), "after {now}");
    }
    scene.claim("jo").unwrap();
    assert_eq!(next(&scene, 0), None);
}
