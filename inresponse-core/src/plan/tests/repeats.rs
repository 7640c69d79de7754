//! Reports that come again.

use super::scene::Scene;
use super::{levels, warn_alerts};
use crate::model::{Event, Severity, State};

#[test]
fn p03_a_higher_severity_raises_and_a_lower_one_is_noted_once() {
    let mut scene = Scene::open(levels(&["a"]), Severity::Err);
    assert!(!scene.repeat(Severity::Err), "the same severity changes nothing");
    assert!(scene.repeat(Severity::Warn));
    assert!(!scene.repeat(Severity::Warn), "noted already");
    assert_eq!(scene.incident.severity(), Severity::Err);
    assert!(scene.repeat(Severity::Crit));
    assert_eq!(scene.incident.severity(), Severity::Crit);
    assert!(scene.repeat(Severity::Err), "another lower one");
    assert!(!scene.repeat(Severity::Err) && !scene.repeat(Severity::Warn));
    let lower = |e: &Event| matches!(e, Event::ReportedLower { .. });
    assert_eq!((scene.told(lower), scene.incident.timeline().entries().len()), (2, 4));
}

#[test]
fn p03_a_repeat_does_not_alert_again() {
    let mut scene = Scene::open(levels(&["a", "b"]), Severity::Err);
    scene.due();
    scene.accepts("1:a");
    scene.at(60).repeat(Severity::Err);
    scene.repeat(Severity::Crit);
    assert_eq!((scene.due().as_str(), scene.next()), ("", Some(600.0)));
}

#[test]
fn p03_a_raise_alerts_nobody_while_it_is_claimed_and_nothing_once_it_is_over() {
    let mut scene = Scene::open(warn_alerts(levels(&["a", "b"]), &[1]), Severity::Warn);
    scene.due();
    scene.accepts("1:a").claim("jo").unwrap();
    assert!(scene.at(700).repeat(Severity::Crit));
    assert_eq!((scene.incident.state(), scene.incident.severity()), (State::Claimed, Severity::Crit));
    assert_eq!((scene.next(), scene.due().as_str()), (None, ""));
    scene.resolve("jo").unwrap();
    assert!(!scene.repeat(Severity::Warn));
}
