//! With which key something was done.

use super::scene::Scene;
use super::{levels, person};
use crate::model::{KeyName, Note, Report, Reporter, Severity, TeamName};
use crate::plan::{self, Decision, Input, StateChange, TakeOver, Update};

fn key(name: &str) -> KeyName {
    KeyName::new(name).unwrap()
}

#[test]
fn p07_the_timeline_names_the_key_of_whatever_somebody_does() {
    let claim = StateChange::Claim(TakeOver::No);
    let severity = Update {
        severity: Some(Severity::Warn),
        ..Update::note(person("jo"), Note::new("looking").unwrap())
    };
    let updates = [
        (Update::state(person("jo"), claim.clone()), 1),
        (Update::state(person("kim"), StateChange::Claim(TakeOver::Yes)), 1),
        (severity, 2),
        (Update::state(person("kim"), StateChange::HandTo(person("lee"))), 1),
        (Update::state(person("lee"), claim), 1),
        (Update::state(person("lee"), StateChange::Release(TakeOver::No)), 1),
        (Update::state(person("jo"), StateChange::HandToTeam(TeamName::new("other").unwrap())), 1),
        (Update::state(person("jo"), StateChange::Resolve), 1),
    ];
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.due();
    let escalate = Update::state(person("jo"), StateChange::Escalate);
    for (i, (update, entries)) in [(escalate, 1)].into_iter().chain(updates).enumerate() {
        scene.at(i64::try_from(i).unwrap() + 1);
        let (name, before) = (key(&format!("key-{i}")), scene.incident.timeline().entries().len());
        assert_eq!(scene.asks(&update.clone().with_key(name.clone())), Ok(true), "{update:?}");
        let with_it = scene.incident.timeline().entries().iter().skip(before);
        assert_eq!(with_it.filter(|entry| entry.key.as_ref() == Some(&name)).count(), entries, "{update:?}");
    }
}

#[test]
fn p07_what_time_brings_about_has_no_key() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.play(0);
    assert!(scene.incident.timeline().entries().iter().all(|entry| entry.key.is_none()));
}

#[test]
fn p07_an_incident_tells_with_which_key_it_was_reported_and_raised() {
    let athens = Reporter::new(key("monitoring"), None);
    let report = Report::builder("athens", Severity::Warn, "5xx").dedup_key("k").build().unwrap();
    let report = report.reported_with(athens.clone());
    let team = TeamName::new("devops").unwrap();
    let (opening, _) = plan::open(report, team, levels(&["a"]), None, super::T0);
    let incident = opening.numbered(crate::model::IncidentNumber::new(1)).into_incident();
    assert_eq!(incident.reporter(), Some(&athens));
    assert_eq!(incident.timeline().entries()[0].key, Some(key("monitoring")));
    let other = key("other");
    let raise = Input::Repeat { severity: Severity::Crit, key: Some(&other), routed: None, round: None };
    let Decision::Change(plan) = plan::step(&incident, raise, super::T0) else { panic!("it is raised") };
    let raised = plan.draft.into_incident();
    assert_eq!(raised.timeline().entries().last().unwrap().key, Some(other));
    assert_eq!(raised.reporter(), Some(&athens), "who reported it first");
}

#[test]
fn reports_are_shared_by_one_key_and_by_the_keys_of_one_service() {
    let of = |name, service: Option<&str>| {
        Reporter::new(key(name), service.map(|s| crate::model::ServiceName::new(s).unwrap()))
    };
    for (one, other, shared) in [
        (of("a", None), of("a", None), true),
        (of("a", None), of("a", Some("athens")), true),
        (of("a", Some("athens")), of("b", Some("athens")), true),
        (of("a", Some("athens")), of("b", Some("paris")), false),
        (of("a", Some("athens")), of("b", None), false),
        (of("a", None), of("b", None), false),
    ] {
        assert_eq!(one.shares_with(&other), shared, "{one:?} {other:?}");
        assert_eq!(other.shares_with(&one), shared, "{other:?} {one:?}");
    }
}
