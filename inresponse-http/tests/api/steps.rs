//! The steps of people's rules, and claims that end, over HTTP: promises 19 and 22.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{RESPOND, World};

/// A world in which jo is alerted by push, and called after three minutes.
async fn world(settings: Value) -> World {
    let world = World::new().await;
    let jo = json!({
        "methods": { "push": "push@example.org", "call": "call@example.org" },
        "rules": { "CRIT": [
            { "afterSeconds": 0, "methods": ["push"] },
            { "afterSeconds": 180, "methods": ["call"] },
        ] },
    });
    let put = world.put("/people/jo", jo).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let put = world.put("/teams/web", settings).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    assert_eq!(world.put("/services/shop", json!({ "team": "web" })).await.status, StatusCode::OK);
    world
}

fn settings() -> Value {
    json!({ "fallback": ["ops@example.org"], "levels": [{ "notify": ["person:jo"] }] })
}

async fn report(world: &World) -> String {
    let report = json!({ "service": "shop", "severity": "CRIT", "title": "down", "message": "" });
    let number = world.put("/incidents", report).await.json["incidentId"].as_u64().unwrap();
    world.engine.tick().await.unwrap();
    format!("/incidents/{number}")
}

#[tokio::test]
async fn p19_upcoming_deliveries_and_the_dry_run_tell_the_steps() {
    let world = world(settings()).await;
    let path = report(&world).await;
    let incident = world.get(&path).await.json;
    assert_eq!(
        incident["upcoming"][0],
        json!({
            "at": "2026-11-24T03:03:00Z", "level": 1, "contacts": ["call@example.org"], "laterStep": true,
            "alerts": [{ "contact": "call@example.org", "person": "person:jo", "method": "call" }],
        })
    );
    assert_eq!(incident["upcoming"][1]["level"], "fallback");
    assert_eq!(incident["nextAlertAt"], "2026-11-24T03:03:00Z");
    let delivery = |i: usize| {
        let one = &incident["deliveries"][i];
        (one["method"].clone(), one["status"].clone(), one["afterSeconds"].clone(), one["dueAt"].clone())
    };
    assert_eq!(delivery(0), (json!("push"), json!("accepted"), Value::Null, Value::Null));
    let due = json!("2026-11-24T03:03:00Z");
    assert_eq!(delivery(1), (json!("call"), json!("pending"), json!(180), due));
    let masked = world.call(RESPOND, Method::GET, &path, Body::empty()).await.json;
    assert_eq!(masked["upcoming"][0]["contacts"], json!(["person:jo"]));
    let plan = world.get("/services/shop/plan?severity=CRIT&at=2026-11-24T03:00:00Z").await.json;
    assert_eq!(
        plan["steps"],
        json!([
            { "at": "2026-11-24T03:00:00Z", "level": 1, "person": "person:jo", "method": "push", "why": "level:1" },
            { "at": "2026-11-24T03:03:00Z", "level": 1, "person": "person:jo", "method": "call", "why": "level:1" },
            { "at": "2026-11-24T03:10:00Z", "level": "fallback", "person": "ops@example.org", "method": "mailto", "why": "fallback" },
        ])
    );
    world.post(&path, json!({ "state": "CLAIMED", "by": "jo" })).await;
    world.clock.advance(Duration::from_secs(600));
    world.engine.tick().await.unwrap();
    let told: Vec<_> = world.notifier.attempts().iter().map(|a| a.contact.address().to_owned()).collect();
    assert_eq!(told, ["push@example.org"], "the claim stopped the call");
}

#[tokio::test]
async fn p22_a_claim_ends_on_the_wire_and_alerts_begin_again() {
    let mut settings = settings();
    settings["claimTimeoutSeconds"] = json!(3600);
    let world = world(settings).await;
    assert_eq!(world.get("/teams/web").await.json["claimTimeoutSeconds"], 3600);
    let path = report(&world).await;
    let claimed = world.post(&path, json!({ "state": "CLAIMED", "by": "jo" })).await.json;
    assert_eq!(claimed["claimEndsAt"], "2026-11-24T04:00:00Z");
    world.clock.advance(Duration::from_secs(3600));
    world.engine.tick().await.unwrap();
    let incident = world.get(&path).await.json;
    assert_eq!((&incident["state"], &incident["round"]), (&json!("OPEN"), &json!(2)));
    assert_eq!((&incident["claimedBy"], &incident["claimEndsAt"]), (&Value::Null, &Value::Null));
    let events = incident["timeline"].as_array().unwrap();
    assert!(events.iter().any(|entry| entry["event"] == "claimEnded" && entry["by"] == "jo"), "{events:?}");
}

#[tokio::test]
async fn p22_anybody_who_may_respond_snoozes_a_claim() {
    let world = world(settings()).await;
    let path = report(&world).await;
    let snooze = |seconds: Value| json!({ "snoozeSeconds": seconds, "by": "kim" });
    let open = world.post(&path, snooze(json!(60))).await;
    assert_eq!(open.status, StatusCode::CONFLICT, "{}", open.text);
    let claimed = world.post(&path, json!({ "state": "CLAIMED", "by": "jo" })).await.json;
    assert_eq!(claimed["claimEndsAt"], Value::Null);
    for wrong in [0u64, 604_801] {
        let answer = world.post(&path, snooze(json!(wrong))).await;
        assert_eq!((answer.status, answer.fields()), (StatusCode::BAD_REQUEST, vec!["snoozeSeconds"]));
    }
    let both = world.post(&path, json!({ "snoozeSeconds": 60, "state": "RESOLVED" })).await;
    assert_eq!(both.status, StatusCode::BAD_REQUEST, "{}", both.text);
    let snoozed = world.post(&path, snooze(json!(604_800))).await;
    assert_eq!((snoozed.status, &snoozed.json["claimedBy"]), (StatusCode::OK, &json!("jo")));
    assert_eq!(snoozed.json["claimEndsAt"], "2026-12-01T03:00:00Z");
    let sooner = world.post(&path, snooze(json!(1))).await;
    assert_eq!(sooner.json["claimEndsAt"], "2026-11-24T03:00:01Z");
    world.clock.advance(Duration::from_secs(2));
    world.engine.tick().await.unwrap();
    assert_eq!(world.get(&path).await.json["state"], "OPEN");
}

#[tokio::test]
async fn p16_a_claim_timeout_is_at_least_a_second() {
    let world = World::new().await;
    for wrong in [0u64, 604_801] {
        let settings = json!({ "fallback": ["ops@example.org"], "claimTimeoutSeconds": wrong });
        let put = world.put("/teams/web", settings).await;
        assert_eq!((put.status, put.fields()), (StatusCode::BAD_REQUEST, vec!["claimTimeoutSeconds"]));
    }
}
