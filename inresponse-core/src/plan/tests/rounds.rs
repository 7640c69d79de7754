//! Whose a new round is, and what is said of it.

use super::scene::Scene;
use super::{levels, person};
use crate::model::{Event, Incident, StandIn, TeamChange, TeamName};
use crate::plan::{
    Alerted, Decision, HoldNothing, Input, NextRound, Refusal, RoundOf, StateChange, TakeOver, Update,
};

fn team(name: &str) -> TeamName {
    TeamName::new(name).unwrap()
}

/// Alerted at level 1, with one repeat round still to come.
fn scene() -> Scene {
    let mut scene = Scene::crit(levels(&["a"]).repeated(1));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a");
    scene.matrix = levels(&["b"]).repeated(1);
    scene
}

fn hand_to_team(scene: &mut Scene, to: &str) -> Result<bool, Refusal> {
    scene.asks(&Update::state(person("jo"), StateChange::HandToTeam(team(to))))
}

/// A new round begins: by itself, or since somebody gives it back.
fn begin_round(scene: &mut Scene, how: &str) {
    match how {
        "repeat" => _ = scene.at(600).due(),
        "release" => {
            assert_eq!(scene.at(300).claim("jo"), Ok(true));
            assert_eq!(scene.release("jo"), Ok(true));
            scene.due();
        }
        other => panic!("{other}"),
    }
    assert_eq!(scene.incident.round(), 2, "{how}");
}

/// What the timeline says of teams.
fn said(incident: &Incident) -> String {
    let said = incident.timeline().entries().iter().filter_map(|entry| match &entry.event {
        Event::TeamChanged { from, to, why } => Some(format!("{from} to {to}: {}", why.as_str())),
        Event::TeamGone { team, alerted } => Some(format!("{team} is gone: {}", alerted.as_str())),
        Event::HandedToTeam { from, to, .. } => Some(format!("{from} handed to {to}")),
        _ => None,
    });
    said.collect::<Vec<_>>().join(", ")
}

#[test]
fn p08_a_new_round_is_that_of_the_team_that_owns_the_service_then() {
    let stands_in = |alerted| Alerted::StandIn(alerted);
    let cases = [
        ("devops", Alerted::Team, "devops", ""),
        ("web", Alerted::Team, "web", "devops to web: ownsService"),
        ("ops", Alerted::CatchAll, "ops", "devops to ops: catchAll"),
        ("devops", Alerted::CatchAll, "devops", ""),
        ("devops", stands_in(StandIn::DeploymentFallback), "devops", "devops is gone: deploymentFallback"),
        ("devops", stands_in(StandIn::LastRound), "devops", "devops is gone: lastRound"),
        // The service was given to a team that is nobody.
        ("web", stands_in(StandIn::LastRound), "web", "web is gone: lastRound"),
    ];
    for how in ["repeat", "release"] {
        for (owner, alerted, has_it, told) in cases {
            let mut scene = scene();
            (scene.owner, scene.alerted) = (owner, alerted);
            begin_round(&mut scene, how);
            let case = format!("{how}, {owner}, {alerted:?}");
            assert_eq!(scene.incident.team(), &team(has_it), "{case}");
            assert_eq!(said(&scene.incident), told, "{case}");
            assert!(scene.delivery("1:b").attempts() == 1, "{case}: those whom the roster names are alerted");
        }
    }
}

#[test]
fn p08_a_round_that_was_handed_to_a_team_stays_with_it_whichever_team_owns_the_service() {
    for how in ["repeat", "release"] {
        let mut scene = scene();
        assert_eq!(hand_to_team(&mut scene, "db"), Ok(true));
        scene.owner = "web";
        scene.due();
        assert_eq!(scene.incident.round(), 2);
        assert_eq!(scene.incident.handed_to(), Some(&team("db")));
        let asked = match how {
            "repeat" => {
                scene.accepts("1:b").at(600);
                scene.try_step(Input::Due { lease: super::LEASE, hold: &HoldNothing, round: None })
            }
            _ => {
                scene.claim("jo").unwrap();
                let update = Update::state(person("jo"), StateChange::Release(TakeOver::No));
                scene.try_step(Input::Update { update: &update, round: None })
            }
        };
        assert_eq!(asked, Decision::NeedsRound(RoundOf::Team(team("db"))), "{how}");
    }
}

#[test]
fn p08_a_team_that_was_handed_an_incident_and_is_gone_is_said_to_be() {
    for how in ["repeat", "release"] {
        for (alerted, expected) in [
            (Alerted::CatchAll, "devops handed to db, db to ops: catchAll"),
            (
                Alerted::StandIn(StandIn::DeploymentFallback),
                "devops handed to db, db is gone: deploymentFallback",
            ),
        ] {
            let mut scene = scene();
            hand_to_team(&mut scene, "db").unwrap();
            assert_eq!(scene.due(), "1:b");
            scene.accepts("1:b");
            (scene.owner, scene.alerted) = ("ops", alerted);
            match how {
                "repeat" => _ = scene.at(600).due(),
                _ => {
                    scene.claim("jo").unwrap();
                    scene.release("jo").unwrap();
                }
            }
            assert_eq!(said(&scene.incident), expected, "{how}");
            // It is theirs again as soon as they are there again.
            scene.alerted = Alerted::Team;
            scene.claim("jo").unwrap();
            scene.release("jo").unwrap();
            assert_eq!(scene.incident.team(), &team("db"));
            let back = if alerted == Alerted::CatchAll { ", ops to db: handedTo" } else { "" };
            assert_eq!(said(&scene.incident), format!("{expected}{back}"));
        }
    }
}

#[test]
fn p16_nobody_hands_an_incident_to_a_team_that_is_not_there() {
    for alerted in [
        Alerted::CatchAll,
        Alerted::StandIn(StandIn::DeploymentFallback),
        Alerted::StandIn(StandIn::LastRound),
    ] {
        let mut scene = scene();
        let before = scene.incident.clone();
        scene.alerted = alerted;
        assert_eq!(hand_to_team(&mut scene, "db"), Err(Refusal::UnknownTeam(team("db"))));
        assert_eq!(scene.incident, before);
    }
}

#[test]
fn p08_a_team_that_gave_the_service_away_still_has_what_somebody_hands_it() {
    let mut scene = scene();
    scene.owner = "web";
    scene.claim("jo").unwrap();
    assert_eq!(hand_to_team(&mut scene, "devops"), Ok(true));
    assert_eq!(scene.incident.team(), &team("devops"), "not the team that owns the service by now");
    assert_eq!(scene.incident.handed_to(), Some(&team("devops")));
}

#[test]
fn p08_records_of_before_say_in_their_timeline_who_was_handed_them() {
    let mut scene = scene();
    hand_to_team(&mut scene, "db").unwrap();
    let mut stored = serde_json::to_value(&scene.incident).unwrap();
    assert_eq!(stored.as_object_mut().unwrap().remove("handedTo"), Some("db".into()));
    let mut before: Incident = serde_json::from_value(stored).unwrap();
    assert_eq!(before.handed_to(), Some(&team("db")));
    before.handed_to = None;
    let never: Incident = {
        let mut stored = serde_json::to_value(&scene.incident).unwrap();
        stored.as_object_mut().unwrap().remove("handedTo");
        stored["timeline"].as_array_mut().unwrap().retain(|entry| entry["event"] != "handedToTeam");
        serde_json::from_value(stored).unwrap()
    };
    assert_eq!(never.handed_to(), None);
}

#[test]
fn p07_why_a_team_has_it_survives_being_stored() {
    let events = [
        (TeamChange::OwnsService, "ownsService"),
        (TeamChange::HandedTo, "handedTo"),
        (TeamChange::CatchAll, "catchAll"),
    ];
    for (why, word) in events {
        let event = Event::TeamChanged { from: team("a"), to: team("b"), why };
        let stored = serde_json::to_value(&event).unwrap();
        assert_eq!(stored, serde_json::json!({"event": "teamChanged", "from": "a", "to": "b", "why": word}));
        assert_eq!(serde_json::from_value::<Event>(stored).unwrap(), event);
    }
    let event = Event::TeamGone { team: team("a"), alerted: StandIn::DeploymentFallback };
    let stored = serde_json::to_value(&event).unwrap();
    assert_eq!(stored["alerted"], "deploymentFallback");
    assert_eq!(serde_json::from_value::<Event>(stored).unwrap(), event);
}

#[test]
fn p08_the_round_that_begins_is_frozen_with_the_team_that_has_it() {
    let mut scene = scene();
    let round = NextRound::of(team("web"), levels(&["c"]));
    let decision =
        scene.at(600).try_step(Input::Due { lease: super::LEASE, hold: &HoldNothing, round: Some(round) });
    assert!(matches!(decision, Decision::Change(_)));
    assert_eq!((scene.incident.team(), scene.incident.matrix()), (&team("web"), &levels(&["c"])));
}
