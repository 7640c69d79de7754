//! Handing over and escalating by hand.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn p05_an_incident_is_handed_over_and_escalated_as_it_is_wished() {
    let world = World::new().await;
    world.put("/teams/db", json!({ "fallback": ["dba@example.org"] })).await;
    let number = world.report().await;
    // What, and what comes of it: status, state, team, who has it, the last event.
    let steps = [
        (json!({ "handTo": "kim", "by": "jo" }), 200, "CLAIMED", "devops", Some("kim"), "handedOver"),
        (json!({ "handTo": "kim", "by": "al" }), 200, "CLAIMED", "devops", Some("kim"), "handedOver"),
        (json!({ "escalate": true }), 409, "CLAIMED", "devops", Some("kim"), "handedOver"),
        (json!({ "handToTeam": "nobody" }), 422, "CLAIMED", "devops", Some("kim"), "handedOver"),
        (json!({ "handToTeam": "db", "by": "jo" }), 200, "OPEN", "db", None, "roundBegan"),
        (json!({ "escalate": true, "by": "jo" }), 200, "OPEN", "db", None, "roundBegan"),
        (json!({ "state": "RESOLVED" }), 200, "RESOLVED", "db", None, "resolved"),
        (json!({ "handTo": "kim" }), 409, "RESOLVED", "db", None, "resolved"),
        (json!({ "handToTeam": "devops" }), 409, "RESOLVED", "db", None, "resolved"),
        (json!({ "escalate": true }), 409, "RESOLVED", "db", None, "resolved"),
    ];
    for (body, status, state, team, claimed_by, event) in steps {
        let answer = world.post(&format!("/incidents/{number}"), body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        let now = world.get(&format!("/incidents/{number}")).await.json;
        let last = now["timeline"].as_array().unwrap().last().unwrap();
        let seen = (&now["state"], &now["team"], &now["claimedBy"], &last["event"]);
        assert_eq!(seen, (&json!(state), &json!(team), &json!(claimed_by), &json!(event)), "{body}");
    }
    let of_team = async |team: &str| -> Vec<Value> {
        world.get(&format!("/incidents?team={team}")).await.json["incidents"].as_array().unwrap().clone()
    };
    assert_eq!((of_team("db").await.len(), of_team("devops").await.len()), (1, 0));
}

#[tokio::test]
async fn p16_wishes_that_do_not_go_together_are_refused_by_name() {
    let world = World::new().await;
    let number = world.report().await;
    let cases = [
        (json!({ "state": "CLAIMED", "handTo": "kim" }), "handTo"),
        (json!({ "handTo": "kim", "handToTeam": "db" }), "handToTeam"),
        (json!({ "state": "RESOLVED", "escalate": true }), "escalate"),
        (json!({ "handTo": "" }), "handTo"),
        (json!({ "handToTeam": " " }), "handToTeam"),
        (json!({ "escalate": "yes" }), "escalate"),
        (json!({ "escalate": false }), "state"),
    ];
    for (body, field) in cases {
        let answer = world.post(&format!("/incidents/{number}"), body.clone()).await;
        assert_eq!((answer.status, answer.fields()), (StatusCode::BAD_REQUEST, vec![field]), "{body}");
    }
    let now = world.get(&format!("/incidents/{number}")).await.json;
    assert_eq!((&now["state"], now["timeline"].as_array().unwrap().len()), (&json!("OPEN"), 1));
}

#[tokio::test]
async fn p09_whoever_gives_it_to_somebody_whom_the_roster_does_not_know_is_warned() {
    let world = World::new().await;
    world.put("/teams/devops/calendar/2026-11-24", json!({ "oncall": "jo@example.org" })).await;
    for (to, warned) in [
        ("mraia@exmaple.org", Some("is not in the roster of team devops")),
        ("kim", Some("kim is not an address")),
        ("jo@example.org", None),
        ("mailto:ops@Example.org", None),
        // A claim of one's own.
        ("admin", None),
    ] {
        let number = world.report().await;
        let before = world.get(&format!("/incidents/{number}?handTo={to}")).await;
        assert_eq!(
            (before.status, &before.json["state"]),
            (StatusCode::OK, &json!("OPEN")),
            "nothing is done"
        );
        let answer = world.post(&format!("/incidents/{number}"), json!({ "handTo": to })).await;
        assert_eq!((answer.status, &answer.json["claimedBy"]), (StatusCode::OK, &json!(to)));
        assert_eq!(before.json["warnings"], answer.json["warnings"], "whoever asks before is warned before");
        let warnings = answer.json["warnings"].as_array().cloned().unwrap_or_default();
        assert_eq!(warnings.len(), usize::from(warned.is_some()), "{to}: {warnings:?}");
        if let Some(warned) = warned {
            assert_eq!(warnings[0]["field"], "handTo");
            assert!(warnings[0]["message"].as_str().unwrap().contains(warned), "{warnings:?}");
        }
        let later = world.get(&format!("/incidents/{number}")).await.json;
        assert_eq!(later["warnings"], Value::Null, "it was said once");
    }
}

#[tokio::test]
async fn p16_a_question_about_a_hand_over_names_what_is_wrong_with_it() {
    let world = World::new().await;
    let number = world.report().await;
    for (query, field) in [("handTo=", "handTo"), ("handTo=jo&by=%20", "by"), ("handto=jo", "handto")] {
        let answer = world.get(&format!("/incidents/{number}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.json["errors"][0]["field"], field, "{query}");
    }
    let mine = world.get(&format!("/incidents/{number}?handTo=kim&by=kim")).await;
    assert_eq!(mine.json["warnings"], Value::Null, "a claim of one's own");
}

#[tokio::test]
async fn p22_a_hand_over_is_flagged_and_ends_on_the_wire() {
    let world = World::new().await;
    let number = world.report().await;
    let path = format!("/incidents/{number}");
    world.engine.tick().await.unwrap();
    let seen = async || {
        let incident = world.get(&path).await.json;
        let last = incident["timeline"].as_array().unwrap().iter().rev();
        let last = last.map(|entry| entry["event"].as_str().unwrap()).find(|event| event.starts_with("hand"));
        (
            incident["state"].as_str().unwrap().to_owned(),
            incident["handoverUnconfirmed"] == true,
            incident["claimEndsAt"].clone(),
            last.map(str::to_owned),
        )
    };
    let expect = |state: &str, flagged, ends: Value, last: &str| {
        (state.to_owned(), flagged, ends, Some(last.to_owned()))
    };
    world.post(&path, json!({ "handTo": "kim" })).await;
    let ends = || json!("2026-11-24T03:10:00Z");
    assert_eq!(seen().await, expect("CLAIMED", false, ends(), "handedOver"));
    world.clock.advance(std::time::Duration::from_secs(60));
    world.engine.tick().await.unwrap();
    assert_eq!(seen().await, expect("CLAIMED", true, ends(), "handoverUnconfirmed"));
    world.clock.advance(std::time::Duration::from_secs(540));
    world.engine.tick().await.unwrap();
    assert_eq!(seen().await, expect("OPEN", false, Value::Null, "handoverUnanswered"));
    assert_eq!(world.get(&path).await.json["claimedBy"], Value::Null);
}
