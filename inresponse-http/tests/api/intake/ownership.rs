//! What a key may do over intake: act on what it reported itself, and on nothing else.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use inresponse_http::{Intake, Mapping};
use serde_json::{Value, json};

use super::{alert, over, webhook};
use crate::world::{ADMIN, ATHENS, OTHER, REPORT, World, report};

/// The dedup key that all senders here give the same trouble.
const SAME: &str = "host/check";

/// Something that a sender says of trouble that it did not report: a path and a body.
struct Said {
    path: &'static str,
    body: String,
}

fn said(path: &'static str, body: impl ToString) -> Said {
    Said { path, body: body.to_string() }
}

/// Every way to act on an incident over intake, by its key or by its number.
fn acts(routing_key: &str) -> Vec<Said> {
    let mut acts = Vec::new();
    for path in [
        "/v2/alerts/10000/close?identifierType=tiny",
        "/v2/alerts/10000/acknowledge?identifierType=tiny",
        "/v2/alerts/10000/unacknowledge?identifierType=tiny",
        "/v2/alerts/10000/notes?identifierType=tiny",
        "/v2/alerts/00000000-0000-8001-8000-000000002710/close",
        "/v2/alerts/host%2Fcheck/close?identifierType=alias",
        "/v2/alerts/host%2Fcheck/acknowledge?identifierType=alias",
    ] {
        acts.push(said(path, json!({ "user": "jo@example.org", "note": "all is well" })));
    }
    for action in ["resolve", "acknowledge"] {
        let event = json!({ "routing_key": routing_key, "event_action": action, "dedup_key": SAME });
        acts.push(said("/v2/enqueue", event));
    }
    for kind in ["RECOVERY", "ACKNOWLEDGEMENT"] {
        let form = format!("type={kind}&host=host&check=check&state=OK&author=jo%40example.org&comment=mine");
        acts.push(said("/intake/nagios", form));
    }
    for status in ["resolved", "acknowledged"] {
        acts.push(said("/intake/generic/any", json!({ "key": SAME, "status": status, "title": "5xx" })));
    }
    acts
}

async fn world() -> World {
    let mapping: Mapping = serde_json::from_value(json!({
        "title": "/title", "key": "/key", "status": "/status", "service": "/service",
    }))
    .unwrap();
    let world = World::new().await;
    world.put("/services/unmapped", json!({ "team": "devops" })).await;
    world.put("/services/paris", json!({ "team": "devops" })).await;
    world.taking(Intake::default().mappings(BTreeMap::from([("any".to_owned(), mapping)])))
}

async fn say(world: &World, key: &str, said: &Said) -> Value {
    let answer = world.call(key, Method::POST, said.path, said.body.clone()).await;
    assert!(answer.status.is_success(), "{}: {}", said.path, answer.text);
    answer.json
}

#[tokio::test]
async fn p06_a_key_acts_on_no_incident_that_another_key_reported() {
    for (reporter, stranger, service) in [
        (ADMIN, OTHER, "unmapped"),
        (REPORT, OTHER, "unmapped"),
        (OTHER, ATHENS, "athens"),
        (ATHENS, OTHER, "athens"),
    ] {
        for said in acts(stranger) {
            let world = world().await;
            let mut given = report();
            given["service"] = json!(service);
            given["dedupKey"] = json!(SAME);
            let put = world.call(reporter, Method::PUT, "/incidents", given.to_string()).await;
            assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
            let before = world.incident(10_000).await;
            let answer = say(&world, stranger, &said).await;
            let after = world.incident(10_000).await;
            assert_eq!(
                (&after["state"], &after["timeline"]),
                (&json!("OPEN"), &before["timeline"]),
                "{}",
                said.path
            );
            // As if there were no such incident.
            let nobody = self::world().await;
            let same = say(&nobody, stranger, &said).await;
            let what = |answer: &Value| (answer["alerts"].clone(), answer["requestId"].clone());
            assert_eq!(what(&answer), what(&same), "{}", said.path);
            // Nor does it keep back what the other key reports next.
            let given = given.to_string();
            assert_eq!(world.call(reporter, Method::PUT, "/incidents", given).await.json["count"], 2);
        }
    }
}

#[tokio::test]
async fn p06_a_key_acts_on_what_it_reported_and_the_timeline_names_it() {
    for said in acts(REPORT) {
        let world = world().await;
        let mut given = report();
        given["service"] = json!("unmapped");
        given["dedupKey"] = json!(SAME);
        world.call(REPORT, Method::PUT, "/incidents", given.to_string()).await;
        say(&world, REPORT, &said).await;
        let incident = world.incident(10_000).await;
        let entries = incident["timeline"].as_array().unwrap();
        assert_eq!((&entries[0]["event"], &entries[0]["key"]), (&json!("opened"), &json!("monitoring")));
        let last = entries.last().unwrap();
        assert!(
            last["by"].is_string() && last["key"] == "monitoring",
            "{} of {}: {last}",
            said.path,
            said.body
        );
    }
}

#[tokio::test]
async fn p06_the_keys_of_one_service_act_on_what_the_others_reported() {
    let world = world().await;
    let created =
        world.call(ATHENS, Method::POST, "/v2/alerts", json!({ "message": "m", "alias": "k" }).to_string());
    assert_eq!(created.await.status, StatusCode::ACCEPTED);
    let mut given = report();
    given["dedupKey"] = json!("k");
    // The other key of the service is no key to report with; its reports and theirs are one.
    let body = json!({ "user": "Jo" }).to_string();
    world.call(ATHENS, Method::POST, "/v2/alerts/k/acknowledge?identifierType=alias", body).await;
    assert_eq!(world.incident(10_000).await["claimedBy"], "Jo");
}

#[tokio::test]
async fn p03_a_recovery_that_another_key_sent_ahead_hides_no_trouble() {
    let world = world().await;
    let firing = alert("disk", 10);
    let ended = webhook(&[over(firing.clone(), 40)]).to_string();
    assert_eq!(world.call(OTHER, Method::POST, "/intake/alertmanager", ended).await.status, StatusCode::OK);
    let answer = world.told("/intake/alertmanager", &webhook(std::slice::from_ref(&firing))).await;
    assert_eq!(answer.json["alerts"][0]["status"], "opened", "{}", answer.text);
}

#[tokio::test]
async fn what_comes_with_the_key_of_a_service_is_about_that_service_whatever_it_names() {
    let named = json!({ "alertname": "disk", "service": "paris", "severity": "critical" });
    let mut other = alert("disk", 10);
    other["labels"] = named.clone();
    let messages = [
        said("/intake/alertmanager", webhook(std::slice::from_ref(&other))),
        said("/api/v2/alerts", json!([{ "labels": named, "annotations": {} }])),
        said("/intake/grafana", webhook(&[other])),
        said("/intake/nagios", "type=PROBLEM&host=h&check=c&state=CRITICAL&label.service=paris"),
        said("/intake/generic/any", json!({ "title": "5xx", "service": "paris" })),
        said("/v2/alerts", json!({ "message": "m", "details": { "service": "paris" } })),
    ];
    for message in messages {
        let world = world().await;
        say(&world, ATHENS, &message).await;
        assert_eq!(world.incident(10_000).await["service"], "athens", "{}", message.path);
    }
}
