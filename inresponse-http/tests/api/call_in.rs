//! People who are called in while the claim stays: promises 6, 9, 11 and 16.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{RESPOND, World};

/// A world in which kim is alerted by push, and called after three minutes, and lee is on call for the team `db`.
async fn world() -> World {
    let world = World::new().await;
    let kim = json!({
        "methods": { "push": "push@example.org", "call": "call@example.org" },
        "rules": { "default": [
            { "afterSeconds": 0, "methods": ["push"] },
            { "afterSeconds": 180, "methods": ["call"] },
        ] },
    });
    assert_eq!(world.put("/people/kim", kim).await.status, StatusCode::OK);
    let lee = json!({ "methods": { "mail": "lee@example.org" } });
    assert_eq!(world.put("/people/lee", lee).await.status, StatusCode::OK);
    let db = json!({ "fallback": ["dba@example.org"], "levels": [{ "notify": ["person:lee"] }] });
    assert_eq!(world.put("/teams/db", db).await.status, StatusCode::OK);
    world
}

/// An incident that jo has.
async fn claimed(world: &World) -> String {
    let path = format!("/incidents/{}", world.report().await);
    world.engine.tick().await.unwrap();
    let answer = world.post(&path, json!({ "state": "CLAIMED", "by": "jo" })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    path
}

fn told(world: &World) -> Vec<String> {
    world.notifier.attempts().iter().map(|a| a.contact.address().to_owned()).collect()
}

#[tokio::test]
async fn p11_a_claimant_calls_in_a_person_and_a_team_and_keeps_the_claim() {
    let world = world().await;
    let path = claimed(&world).await;
    let before = told(&world).len();
    let body = json!({ "alert": ["person:kim", "team:db"], "by": "jo" }).to_string();
    let answer = world.call(RESPOND, Method::POST, &path, Body::from(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    world.engine.tick().await.unwrap();
    assert_eq!(told(&world)[before..], ["push@example.org", "lee@example.org"]);
    let now = world.get(&path).await.json;
    assert_eq!(
        (&now["state"], &now["claimedBy"], &now["responders"]),
        (&json!("CLAIMED"), &json!("jo"), &Value::Null)
    );
    assert_eq!(now["nextAlertAt"], "2026-11-24T03:03:00Z");
    let calls: Vec<_> =
        now["deliveries"].as_array().unwrap().iter().filter(|d| d["level"] == "callIn").collect();
    let seen: Vec<_> =
        calls.iter().map(|d| (&d["person"], &d["method"], &d["status"], &d["calledBy"])).collect();
    let (by, accepted, pending) = (&json!("jo"), &json!("accepted"), &json!("pending"));
    assert_eq!(
        seen,
        [
            (&json!("person:kim"), &json!("push"), accepted, by),
            (&json!("person:lee"), &json!("mail"), accepted, by),
            (&json!("person:kim"), &json!("call"), pending, by),
        ]
    );
    let last = now["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["event"], &last["by"], &last["people"]),
        (&json!("calledIn"), by, &json!(["kim", "lee"]))
    );

    // Kim is on it: the claim stays, and kim is not called.
    let claim = world.post(&path, json!({ "state": "CLAIMED", "by": "kim" })).await;
    assert_eq!(claim.status, StatusCode::OK, "{}", claim.text);
    assert_eq!((&claim.json["claimedBy"], &claim.json["responders"][0]["by"]), (&json!("jo"), &json!("kim")));
    let other = world.post(&path, json!({ "state": "CLAIMED", "by": "al" })).await;
    assert_eq!((other.status, &other.json["claimedBy"]), (StatusCode::CONFLICT, &json!("jo")));
    world.clock.advance(Duration::from_secs(600));
    world.engine.tick().await.unwrap();
    assert_eq!(told(&world).len(), before + 2, "the call to kim was stopped");
}

#[tokio::test]
async fn p16_targets_that_cannot_be_called_in_are_refused_by_name() {
    let world = world().await;
    let path = claimed(&world).await;
    let nobody = json!({ "methods": {} });
    assert_eq!(world.put("/people/mute", nobody).await.status, StatusCode::OK);
    let many: Vec<String> = (0..11).map(|_| "person:kim".to_owned()).collect();
    for (targets, status, fields) in [
        (json!(["person:nobody"]), 422, vec!["alert[0]"]),
        (json!(["person:kim", "team:nobody"]), 422, vec!["alert[1]"]),
        (json!(["schedule:nobody"]), 422, vec!["alert[0]"]),
        (json!(["person:mute"]), 422, vec!["alert[0]"]),
        (json!(["kim"]), 400, vec!["alert[0]"]),
        (json!([]), 400, vec!["alert"]),
        (json!(many), 400, vec!["alert"]),
        (json!("person:kim"), 400, vec!["alert"]),
    ] {
        let answer = world.post(&path, json!({ "alert": targets })).await;
        assert_eq!((answer.status.as_u16(), answer.fields()), (status, fields), "{targets}: {}", answer.text);
    }
    assert_eq!(
        world.get(&path).await.json["timeline"].as_array().unwrap().last().unwrap()["event"],
        "claimed"
    );
    assert_eq!(
        world.post("/incidents/77", json!({ "alert": ["person:kim"] })).await.status,
        StatusCode::NOT_FOUND
    );
    world.post(&path, json!({ "state": "RESOLVED" })).await;
    let over = world.post(&path, json!({ "alert": ["person:kim"] })).await;
    assert_eq!(over.status, StatusCode::CONFLICT, "{}", over.text);
}

#[tokio::test]
async fn p13_a_key_alerts_only_a_few_people_outside_the_roster() {
    let world = world().await;
    let path = claimed(&world).await;
    for i in 0..5 {
        let answer = world.post(&path, json!({ "alert": [format!("stranger{i}@example.org")] })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    let answer = world.post(&path, json!({ "alert": ["stranger5@example.org"] })).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", answer.text);
    assert_eq!(world.post(&path, json!({ "alert": ["lee@example.org"] })).await.status, StatusCode::OK);
}

#[tokio::test]
async fn p05_to_escalate_a_claimed_incident_calls_in_the_next_level() {
    let world = world().await;
    let today = json!({ "oncall": "jo@example.org", "escalation": ["person:kim"] });
    world.put("/teams/devops/calendar/2026-11-24", today).await;
    let path = claimed(&world).await;
    let answer = world.post(&path, json!({ "escalate": true, "by": "jo" })).await;
    assert_eq!((answer.status, &answer.json["claimedBy"]), (StatusCode::OK, &json!("jo")), "{}", answer.text);
    world.engine.tick().await.unwrap();
    assert_eq!(told(&world), ["jo@example.org", "push@example.org"]);
    let last = world.get(&path).await.json["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["event"], &last["level"], &last["people"]),
        (&json!("calledIn"), &json!(2), &json!(["kim"]))
    );
}
