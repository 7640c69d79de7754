//! What people do: states, claimants, releases.

use super::scene::Scene;
use super::{after, contacts, levels, person, report};
use crate::model::{DeliveryStatus, Ended, Event, Note, Severity, State, TeamName};
use crate::notify::Outcome;
use crate::plan::{Decision, Draft, Input, Refusal, StateChange, TakeOver, Update};

use StateChange::{Claim, End, Escalate, HandTo, HandToTeam, Release, Resolve};
use TakeOver::{No, Yes};

/// The ways to be in a state: open, claimed by Jo, resolved (with or without a claim by Jo).
fn scene_in(state: &str) -> Scene {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.due();
    scene.at(1);
    match state {
        "OPEN" => {}
        "CLAIMED" => _ = scene.claim("jo").unwrap(),
        "RESOLVED" => _ = scene.resolve("jo").unwrap(),
        _ => panic!("{state}"),
    }
    scene.at(2);
    scene
}

/// An end as a monitoring system tells it.
fn ended() -> Ended {
    Ended::new(Some(after(-60)), after(1))
}

#[test]
fn p05_p06_every_request_in_every_state() {
    let forbidden = |to| Err(Refusal::Forbidden { from: State::Resolved, to });
    let jos = || Err(Refusal::ClaimedBy(person("jo")));
    let cases = [
        ("OPEN", "jo", Claim(No), Ok(true)),
        ("OPEN", "jo", Claim(Yes), Ok(true)),
        ("OPEN", "jo", Release(No), Ok(false)),
        ("OPEN", "jo", Release(Yes), Ok(false)),
        ("OPEN", "jo", Resolve, Ok(true)),
        ("OPEN", "monitoring", End(ended()), Ok(true)),
        ("CLAIMED", "jo", Claim(No), Ok(false)),
        ("CLAIMED", "jo", Claim(Yes), Ok(false)),
        ("CLAIMED", "jo", Release(No), Ok(true)),
        ("CLAIMED", "jo", Release(Yes), Ok(true)),
        ("CLAIMED", "jo", Resolve, Ok(true)),
        ("CLAIMED", "al", Claim(No), jos()),
        ("CLAIMED", "al", Claim(Yes), Ok(true)),
        ("CLAIMED", "al", Release(No), jos()),
        ("CLAIMED", "al", Release(Yes), Ok(true)),
        ("CLAIMED", "al", Resolve, Ok(true)),
        ("CLAIMED", "monitoring", End(ended()), Ok(true)),
        ("RESOLVED", "jo", Claim(No), forbidden(State::Claimed)),
        ("RESOLVED", "al", Claim(Yes), forbidden(State::Claimed)),
        ("RESOLVED", "jo", Release(No), forbidden(State::Open)),
        ("RESOLVED", "al", Release(Yes), forbidden(State::Open)),
        ("RESOLVED", "jo", Resolve, Ok(false)),
        ("RESOLVED", "al", Resolve, Ok(false)),
        ("RESOLVED", "monitoring", End(ended()), Ok(false)),
    ];
    for (state, by, request, expected) in cases {
        let mut scene = scene_in(state);
        let before = scene.incident.clone();
        let case = format!("{state}, {by}, {request:?}");
        assert_eq!(scene.asks(&Update::state(person(by), request.clone())), expected, "{case}");
        if expected != Ok(true) {
            assert_eq!(scene.incident, before, "{case}");
            continue;
        }
        assert_eq!(scene.incident.state(), request.to(), "{case}");
        let claimant = scene.incident.claimed().map(|c| (c.by.as_str(), c.at));
        match request {
            Claim(_) => assert_eq!(claimant, Some((by, after(2))), "{case}"),
            Release(_) => assert_eq!(claimant, None, "{case}"),
            Resolve | End(_) => {
                let told = if request == Resolve { None } else { Some(ended()) };
                assert_eq!(scene.incident.ended(), told, "{case}");
                assert_eq!(scene.incident.resolved().unwrap().by.as_str(), by, "{case}");
                assert_eq!(claimant.is_some(), state == "CLAIMED", "{case}: who had it is kept");
            }
            other => panic!("{other:?} has a table of its own"),
        }
    }
}

#[test]
fn p06_a_take_over_goes_on_to_the_next_one() {
    let mut scene = scene_in("CLAIMED");
    assert_eq!(scene.asks(&Update::state(person("al"), Claim(Yes))), Ok(true));
    assert_eq!(scene.claim("jo"), Err(Refusal::ClaimedBy(person("al"))));
    assert_eq!(scene.release("jo"), Err(Refusal::ClaimedBy(person("al"))));
    assert_eq!(scene.claim("al"), Ok(false));
    assert_eq!(scene.release("al"), Ok(true));
}

#[test]
fn p11_a_claim_or_resolve_stops_what_was_pending() {
    for request in [Claim(No), Resolve] {
        let mut scene = Scene::crit(levels(&["a b c", "d"]));
        scene.due();
        scene.at(1).accepts("1:a").ends("1:b", &Outcome::unavailable(""));
        scene.asks(&Update::state(person("jo"), request)).unwrap();
        assert!(scene.delivery("1:a").is_accepted());
        assert!(matches!(scene.delivery("1:b").status(), DeliveryStatus::Stopped { .. }));
        assert!(matches!(scene.delivery("1:c").status(), DeliveryStatus::InFlight { .. }), "may arrive");
        for at in [1, 10, 100, 600, 1200, 100_000] {
            assert_eq!((scene.next(), scene.at(at).due().as_str()), (None, ""));
        }
    }
}

#[test]
fn p05_a_release_begins_a_new_round_at_level_1_at_once() {
    let mut scene = Scene::crit(levels(&["a", "b"]).repeated(1));
    assert_eq!(scene.play(0), "0 1:a, 600 2:b, 1200 r2 1:a, 1800 2:b, 2400 f:z unclaimed");
    scene.claim("jo").unwrap();
    assert!(!scene.incident.is_unclaimed());
    scene.at(5000).matrix = levels(&["c", "d"]).repeated(1);
    scene.release("jo").unwrap();
    assert_eq!((scene.incident.round(), scene.next()), (3, Some(5000.0)));
    let expected = "5000 1:c, 5600 2:d, 6200 r4 1:c, 6800 2:d, 7400 f:z unclaimed";
    assert_eq!(scene.play(0), expected, "repeats and fallback come again after a release");
}

#[test]
fn p12_after_a_release_only_what_its_alerts_do_counts() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    scene.accepts("1:a").claim("jo").unwrap();
    scene.matrix = crate::model::Matrix::new(vec![contacts("x")], contacts("x1"), super::WAIT);
    scene.at(50).release("jo").unwrap();
    assert_eq!(scene.play(0), "50 1:x, 50 f:x1 unclaimed undelivered");

    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    let before = scene.key("1:a");
    scene.at(10).claim("jo").unwrap();
    scene.matrix = crate::model::Matrix::new(vec![contacts("x")], contacts("x1"), super::WAIT);
    scene.at(50).release("jo").unwrap();
    let late = Input::Outcome { delivery: before, attempt: 1, outcome: &Outcome::Accepted };
    assert!(matches!(scene.try_step(late), Decision::Change(_)), "it is recorded anyway");
    assert_eq!(scene.play(0), "50 1:x, 50 f:x1 unclaimed undelivered");
}

#[test]
fn p05_an_update_does_all_of_it_or_nothing() {
    let note = || Some(Note::new("looking").unwrap());
    let all = |by: &str, state| Update {
        by: person(by),
        key: None,
        severity: Some(Severity::Warn),
        state: Some(state),
        note: note(),
        reach: Vec::new(),
        call_in: None,
        asked_at: None,
    };
    let mut scene = scene_in("CLAIMED");
    let before = scene.incident.clone();
    assert!(scene.asks(&all("al", Claim(No))).is_err());
    assert_eq!(scene.incident, before);
    assert_eq!(scene.asks(&all("jo", Release(No))), Ok(true));
    assert_eq!((scene.incident.state(), scene.incident.severity()), (State::Open, Severity::Warn));

    let mut scene = scene_in("RESOLVED");
    assert_eq!(scene.severity(Severity::Warn), Err(Refusal::Over));
    assert_eq!(scene.severity(Severity::Crit), Ok(false), "the severity it has");
    let only_note = Update {
        by: person("al"),
        key: None,
        severity: None,
        state: None,
        note: note(),
        reach: Vec::new(),
        call_in: None,
        asked_at: None,
    };
    assert_eq!(scene.asks(&only_note), Ok(true), "one may still write into it");
    assert_eq!(scene.asks(&Update { note: None, ..only_note }), Ok(false));
}

#[test]
fn p07_the_timeline_folds_to_where_the_incident_stands() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    let check = |scene: &Scene| {
        let standing = scene.incident.timeline().fold().unwrap();
        assert_eq!(standing.state, scene.incident.state());
        assert_eq!(standing.severity, scene.incident.severity());
        assert_eq!(standing.claimed_by.as_ref(), scene.incident.claimed().map(|c| &c.by));
        assert_eq!(standing.round, scene.incident.round());
    };
    for i in 0..300 {
        scene.at(i * 10).due();
        check(&scene);
        _ = scene.claim(if i % 3 == 0 { "jo" } else { "al" });
        check(&scene);
        scene.severity(if i % 2 == 0 { Severity::Err } else { Severity::Crit }).unwrap();
        check(&scene);
        _ = scene.release("al");
        check(&scene);
    }
    scene.resolve("jo").unwrap();
    check(&scene);
}

#[test]
fn p05_p06_every_hand_over_by_and_to_every_person() {
    let team = |name: &str| HandToTeam(TeamName::new(name).unwrap());
    let to = |name: &str| HandTo(person(name));
    let forbidden = |to| Err(Refusal::Forbidden { from: State::Resolved, to });
    let cases = [
        ("OPEN", "jo", to("al"), Ok("CLAIMED al devops")),
        ("OPEN", "jo", to("jo"), Ok("CLAIMED jo devops")),
        ("CLAIMED", "jo", to("jo"), Ok("as it was")),
        ("CLAIMED", "jo", to("al"), Ok("CLAIMED al devops")),
        ("CLAIMED", "al", to("al"), Err(Refusal::ClaimedBy(person("jo")))),
        ("CLAIMED", "kim", to("al"), Ok("CLAIMED al devops")),
        ("RESOLVED", "jo", to("al"), forbidden(State::Claimed)),
        ("OPEN", "jo", team("devops"), Ok("as it was")),
        ("OPEN", "jo", team("db"), Ok("OPEN - db")),
        ("CLAIMED", "jo", team("db"), Ok("OPEN - db")),
        ("CLAIMED", "al", team("db"), Ok("OPEN - db")),
        ("CLAIMED", "al", team("devops"), Err(Refusal::ClaimedBy(person("jo")))),
        ("CLAIMED", "jo", team("devops"), Ok("OPEN - devops")),
        ("RESOLVED", "jo", team("db"), forbidden(State::Open)),
    ];
    for (state, by, request, expected) in cases {
        let mut scene = scene_in(state);
        let (before, case) = (scene.incident.clone(), format!("{state}, {by}, {request:?}"));
        let done = scene.asks(&Update::state(person(by), request));
        let now = &scene.incident;
        let shown = done.map(|changed| match changed {
            true => {
                let has = now.claimed().map_or("-", |c| c.by.as_str());
                format!("{} {has} {}", now.state(), now.team())
            }
            false => "as it was".to_owned(),
        });
        assert_eq!(shown, expected.map(str::to_owned), "{case}");
        assert_eq!(
            now.round(),
            before.round() + u32::from(shown.is_ok_and(|s| s.starts_with("OPEN"))),
            "{case}"
        );
    }
}

#[test]
fn p05_a_team_that_it_is_handed_to_is_alerted_at_once_from_its_level_1() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.due();
    scene.accepts("1:a").at(100).matrix = levels(&["c", "d"]);
    let request = HandToTeam(TeamName::new("db").unwrap());
    assert_eq!(scene.asks(&Update::state(person("jo"), request)), Ok(true));
    assert_eq!(scene.play(0), "100 1:c, 700 2:d, 1300 f:z unclaimed");
}

#[test]
fn p08_an_escalation_by_hand_alerts_the_next_level_at_once_and_only_that() {
    let mut scene = Scene::crit(levels(&["a", "b", "c"]));
    scene.due();
    scene.accepts("1:a").at(5);
    assert_eq!(scene.asks(&Update::state(person("jo"), Escalate)), Ok(true));
    assert_eq!(scene.asks(&Update::state(person("jo"), Escalate)), Ok(false), "it is due already");
    assert_eq!(scene.told(|event| matches!(event, Event::Escalated { .. })), 1);
    assert_eq!(scene.play(0), "5 2:b, 605 3:c, 1205 f:z unclaimed");
    assert_eq!(scene.asks(&Update::state(person("jo"), Escalate)), Err(Refusal::NobodyLeft));
}

#[test]
fn p05_what_is_resolved_cannot_be_escalated() {
    for (state, expected) in [
        ("OPEN", Ok(true)),
        ("CLAIMED", Ok(true)),
        ("RESOLVED", Err(Refusal::NotEscalating(State::Resolved))),
    ] {
        let mut scene = scene_in(state);
        assert_eq!(scene.asks(&Update::state(person("jo"), Escalate)), expected, "{state}");
    }
    let mut records_only = Scene::open(super::warn_alerts(levels(&["a"]), &[]), Severity::Warn);
    assert_eq!(records_only.asks(&Update::state(person("jo"), Escalate)), Err(Refusal::NobodyLeft));
}

#[test]
fn p03_a_key_is_taken_until_its_incident_is_resolved() {
    for (state, is_taken) in [("OPEN", true), ("CLAIMED", true), ("RESOLVED", false)] {
        assert_eq!(Draft::new(scene_in(state).incident).open_key().is_some(), is_taken, "{state}");
    }
    let (team, matrix) = (TeamName::new("devops").unwrap(), levels(&["a"]));
    let (opening, _) = crate::plan::open(report(Severity::Crit), team, matrix, None, after(0));
    let (service, key) = opening.open_key().unwrap();
    assert_eq!((service.as_str(), key.as_str()), ("athens", "spike"));
}
