//! What is left of a roster, and who is told by it: promise 12.

use axum::http::StatusCode;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Contact, TeamName};
use inresponse_core::roster::Defaults;
use serde_json::{Value, json};

use crate::world::World;

/// A deployment with a fallback and with `devops` as its catch-all team, or with one of them.
async fn world(deployment: &str) -> World {
    World::made(MemoryStore::new(), MemoryRoster::new(), |mut engine| {
        if deployment.contains("fallback") {
            let last = vec![Contact::new("last@example.org").unwrap()];
            engine = engine.defaults(Defaults::with_fallback(last).unwrap());
        }
        if deployment.contains("catch-all") {
            engine = engine.catch_all(TeamName::new("devops").unwrap());
        }
        engine
    })
    .await
}

fn report(service: &str) -> Value {
    json!({ "service": service, "severity": "CRIT", "title": "5xx", "message": "many" })
}

#[tokio::test]
async fn p12_a_service_whose_team_has_no_entry_left_is_not_refused() {
    for deployment in ["fallback", "fallback catch-all"] {
        let world = world(deployment).await;
        let day = "/teams/web/calendar/2026-11-24";
        let put = world.put(day, json!({ "oncall": "jo@example.org", "escalation": [] })).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text);
        assert_eq!(world.put("/services/shop", json!({ "team": "web" })).await.status, StatusCode::OK);
        assert_eq!(world.delete(day).await.status, StatusCode::NO_CONTENT);
        let answer = world.put("/incidents", report("shop")).await;
        assert_eq!(
            (answer.status, &answer.json["team"]),
            (StatusCode::CREATED, &"web".into()),
            "{}",
            answer.text
        );
        world.engine.tick().await.unwrap();
        assert_eq!(world.notifier.attempts()[0].contact.address(), "last@example.org");
        // The team is known by its service, wherever one asks for it.
        let on_call = world.get("/teams/web/oncall").await;
        assert_eq!(
            (on_call.status, &on_call.json["fallback"][0]),
            (StatusCode::OK, &"last@example.org".into())
        );
        assert_eq!(world.put("/services/till", json!({ "team": "web" })).await.status, StatusCode::OK);
        assert_eq!(world.delete("/teams/web").await.status, StatusCode::CONFLICT);
    }
}

#[tokio::test]
async fn p12_an_incident_whose_team_is_gone_says_who_is_alerted_instead() {
    for (deployment, team, event) in [
        (
            "fallback catch-all",
            "web",
            json!({ "event": "teamGone", "from": "web", "why": "deploymentFallback" }),
        ),
        (
            "catch-all",
            "devops",
            json!({ "event": "teamChanged", "from": "web", "to": "devops", "why": "catchAll" }),
        ),
    ] {
        let world = world(deployment).await;
        assert!(world.put("/teams/web", json!({ "fallback": ["jo@example.org"] })).await.status.is_success());
        assert!(world.put("/services/shop", json!({ "team": "web" })).await.status.is_success());
        let number = world.put("/incidents", report("shop")).await.json["incidentId"].as_u64().unwrap();
        let act = async |state: &str| {
            let done =
                world.post(&format!("/incidents/{number}"), json!({ "state": state, "by": "jo" })).await;
            assert_eq!(done.status, StatusCode::OK, "{}", done.text);
            done.json
        };
        act("CLAIMED").await;
        assert_eq!(world.delete("/services/shop").await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.delete("/teams/web").await.status, StatusCode::NO_CONTENT);
        let mut incident = act("OPEN").await;
        assert_eq!(incident["team"], team);
        let timeline = incident["timeline"].as_array_mut().unwrap();
        let told = timeline.iter_mut().find(|entry| entry["event"].as_str().unwrap().starts_with("team"));
        let told = told.unwrap().as_object_mut().unwrap();
        assert!(told.remove("at").is_some());
        assert_eq!(json!(told), event);
    }
}

#[tokio::test]
async fn p12_the_catch_all_team_is_not_deleted() {
    let world = world("catch-all").await;
    assert_eq!(world.delete("/services/athens").await.status, StatusCode::NO_CONTENT);
    let refused = world.delete("/teams/devops").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("catch-all"), "{}", refused.text);
    assert_eq!(world.put("/incidents", report("nobody")).await.status, StatusCode::CREATED);
}
