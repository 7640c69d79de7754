//! Status updates: who is notified that somebody has the incident.

use super::scene::Scene;
use super::{levels, name, person};
use crate::model::{DeliveryStatus, Incident, Recipient, Severity, State, StatusUpdates};
use crate::notify::Outcome;
use crate::plan::{self, Decision, HoldNothing, Input, StateChange, TakeOver, Update};

use StateChange::{Claim, HandTo, Release, Resolve};
use StatusUpdates::{Off, On};

/// Level 1 is `a b x u n`: accepted, accepted, rejected, unavailable, and not heard of; `c` is not alerted yet.
fn alerted(updates: StatusUpdates) -> Scene {
    let mut scene = Scene::crit(levels(&["a b x u n", "c"]).with_status_updates(updates));
    scene.due();
    scene.at(1).accepts("1:a 1:b").rejects("1:x").ends("1:u", &Outcome::unavailable(""));
    scene.at(2);
    scene
}

/// What is sent now, in any order.
fn told(scene: &mut Scene) -> String {
    let mut names: Vec<_> = scene.lease(&HoldNothing).iter().map(|s| name(&s.contact).to_owned()).collect();
    names.sort_unstable();
    names.join(" ")
}

fn requests(scene: &mut Scene, by: &str, request: StateChange) {
    assert_eq!(scene.asks(&Update::state(person(by), request)), Ok(true));
}

#[test]
fn status_updates_go_to_everybody_whom_an_alert_may_have_reached_but_not_to_who_did_it() {
    let cases = [
        (Off, "jo", Claim(TakeOver::No), ""),
        (Off, "jo", Resolve, ""),
        (On, "jo", Claim(TakeOver::No), "a b n"),
        (On, "a@x.org", Claim(TakeOver::No), "b n"),
        (On, "mailto:b@x.org", Resolve, "a n"),
        (On, "jo", Resolve, "a b n"),
        (Off, "jo", HandTo(person("k@x.org")), "k"),
        (Off, "jo", HandTo(person("kim")), ""),
        (Off, "k@x.org", HandTo(person("k@x.org")), ""),
        (On, "b@x.org", HandTo(person("k@x.org")), "a k n"),
        (On, "jo", HandTo(person("a@x.org")), "a b n"),
    ];
    for (updates, by, request, expected) in cases {
        let mut scene = alerted(updates);
        let case = format!("{updates:?}, {by}, {request:?}");
        requests(&mut scene, by, request);
        // Nobody tells `kim`, so all that is due is that this shows.
        let untold = case.contains("kim").then_some(62.0);
        assert_eq!(scene.next(), if expected.is_empty() { untold } else { Some(2.0) }, "{case}");
        assert_eq!(told(&mut scene), expected, "{case}");
    }
}

#[test]
fn a_status_update_is_sent_once_and_then_all_is_quiet() {
    let mut scene = alerted(On);
    requests(&mut scene, "jo", Claim(TakeOver::No));
    assert_eq!(scene.play(0), "2 n1:a n1:b n1:n");
    assert_eq!((scene.next(), scene.incident.state()), (None, State::Claimed));
    assert_eq!(scene.incident.accepted, 2, "a status update is not an alert that somebody accepted");
}

#[test]
fn an_older_status_update_is_replaced_by_a_newer_one_and_by_a_new_round() {
    let mut scene = alerted(On);
    requests(&mut scene, "jo", Claim(TakeOver::No));
    let first = scene.lease(&HoldNothing);
    requests(&mut scene, "al", Claim(TakeOver::Yes));
    let late = Input::Outcome { delivery: first[0].delivery, attempt: 1, outcome: &Outcome::unavailable("") };
    assert_eq!(scene.try_step(late), Decision::Nothing, "nobody waits for what is no longer so");
    assert_eq!(scene.play(0), "2 n2:a n2:b n2:n");

    requests(&mut scene, "jo", Resolve);
    assert_eq!(scene.play(0), "2 n3:a n3:b n3:n");

    let mut scene = alerted(On);
    requests(&mut scene, "jo", Claim(TakeOver::No));
    requests(&mut scene, "jo", Release(TakeOver::No));
    assert!(scene.due().split(' ').all(|send| send.starts_with("1:")), "only the new round's alert");
    assert!(scene.incident.current_status_updates().next().is_none());
}

#[test]
fn p07_status_updates_are_given_up_in_time_and_do_not_pile_up() {
    let mut scene = alerted(On);
    requests(&mut scene, "jo", Claim(TakeOver::No));
    let mut attempts = 0;
    while let Some(due_at) = plan::due_at(&scene.incident) {
        scene.now = scene.now.max(due_at);
        for send in scene.lease(&HoldNothing) {
            attempts += 1;
            scene.attempt_ends_of(&send, &Outcome::unavailable("busy"));
        }
    }
    assert_eq!(attempts, 3 * super::super::status_updates::MAX_ATTEMPTS);
    assert!(
        scene.incident.current_status_updates().all(|d| matches!(d.status(), DeliveryStatus::Dead { .. }))
    );

    let many = scene.incident.deliveries().len();
    for i in 0..200 {
        requests(&mut scene, if i % 2 == 0 { "al" } else { "jo" }, Claim(TakeOver::Yes));
    }
    assert_eq!(scene.incident.deliveries().len(), many);
}

#[test]
fn a_status_update_that_its_process_did_not_end_is_sent_again_when_the_lease_is_over() {
    let mut scene = alerted(On);
    requests(&mut scene, "a@x.org", Claim(TakeOver::No));
    assert_eq!(scene.due(), "n1:b n1:n");
    assert_eq!(scene.at(31).due(), "");
    assert_eq!(scene.at(32).due(), "n1:b#2 n1:n#2");
}

#[test]
fn p14_a_status_update_survives_a_clock_that_goes_back() {
    let mut scene = alerted(On);
    scene.at(3_000_000);
    requests(&mut scene, "jo", Claim(TakeOver::No));
    scene.at(10);
    let decision = scene.try_step(Input::ClockWentBack { lease: super::LEASE });
    assert!(matches!(decision, Decision::Change(_)));
    assert!(scene.next().is_some_and(|at| at <= 40.0));
}

#[test]
fn p14_a_status_update_is_brought_back_though_the_incident_was_changed_since_by_the_clock_as_it_is_now() {
    let mut scene = alerted(On);
    scene.at(3_000_000);
    requests(&mut scene, "jo", Claim(TakeOver::No));
    scene.at(10);
    assert_eq!(scene.severity(Severity::Err), Ok(true));
    let decision = scene.at(11).try_step(Input::ClockWentBack { lease: super::LEASE });
    assert!(matches!(decision, Decision::Change(_)));
    assert!(scene.next().is_some_and(|at| at <= 41.0));
}

#[test]
fn an_incident_without_status_updates_is_stored_as_before() {
    let json = |incident: &Incident| serde_json::to_string(incident).unwrap();
    let mut scene = Scene::open(levels(&["a"]), Severity::Crit);
    scene.due();
    scene.claim("jo").unwrap();
    assert!(!json(&scene.incident).contains("news"));
}

#[test]
fn a_person_chooses_whether_they_get_status_updates() {
    // jo shares the contact `s` with kim.
    let steps = ["jo:a jo:s kim:s kim:b lee:c d", "z"];
    let matrix = |updates, jo, kim| {
        let matrix = super::timed(&[(Severity::Crit, &steps)]).with_status_updates(updates);
        let choice = |name: &str| match name {
            "jo" => jo,
            "kim" => kim,
            _ => None,
        };
        let people = (0..).zip(matrix.recipients());
        let choices = people.filter_map(|(place, one)| Some((place, choice(one.person.as_str())?)));
        let choices = choices.collect();
        let mut matrix = matrix.choosing(choices);
        // Somebody called jo in before: jo is known at no level, too.
        let known = matrix.recipients().iter().filter(|one| one.person.as_str() == "jo");
        let known: Vec<_> = known.map(|one| Recipient { level: None, ..one.clone() }).collect();
        matrix.know(known);
        matrix
    };
    for (updates, jo, kim, expected) in [
        (Off, None, None, ""),
        (On, None, None, "a b c d s"),
        (Off, Some(On), None, "a s"),
        (On, Some(Off), None, "b c d s"),
        (On, Some(Off), Some(Off), "c d"),
        (Off, Some(Off), Some(On), "b s"),
    ] {
        let matrix = matrix(updates, jo, kim);
        let json = serde_json::to_value(&matrix).unwrap();
        assert_eq!(json.get("newsOf").is_some(), jo.is_some() || kim.is_some());
        assert_eq!(serde_json::from_value::<crate::model::Matrix>(json).unwrap(), matrix);
        let mut scene = Scene::crit(matrix);
        scene.due();
        scene.accepts("1:a 1:s 1:b 1:c 1:d").at(2);
        requests(&mut scene, "al", Claim(TakeOver::No));
        assert_eq!(told(&mut scene), expected, "{updates:?}, jo {jo:?}, kim {kim:?}");
    }
}
