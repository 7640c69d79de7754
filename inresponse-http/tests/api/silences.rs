//! Silences and alert hours over HTTP.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{ADMIN_ONLY, REPORT, RESPOND, World};

fn deploy() -> Value {
    json!({
        "matchers": [{ "name": "service", "value": "athens" }],
        "from": "2026-11-24T02:00:00Z", "to": "2026-11-24T05:00:00Z", "comment": "new database",
    })
}

async fn incident(world: &World) -> Value {
    let number = world.report().await;
    world.get(&format!("/incidents/{number}")).await.json
}

fn alerts(world: &World) -> usize {
    world.notifier.attempts().len()
}

#[tokio::test]
async fn p21_an_incident_reported_during_a_silence_alerts_when_it_is_lifted() {
    let world = World::new().await;
    let put = world.call(RESPOND, Method::PUT, "/silences/deploy", Body::from(deploy().to_string())).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let quiet = incident(&world).await;
    assert_eq!((&quiet["quietUntil"], &quiet["round"]), (&json!("2026-11-24T05:00:00Z"), &json!(1)));
    assert_eq!(quiet["quietBy"], json!(["silence:deploy"]));
    assert_eq!(quiet["nextAlertAt"], quiet["quietUntil"]);
    world.engine.tick().await.unwrap();
    assert_eq!(alerts(&world), 0);
    let listed = world.get("/silences").await.json;
    assert_eq!(
        (&listed["silences"][0]["waiting"], listed["silences"].as_array().unwrap().len()),
        (&json!(1), 1)
    );

    let lifted = world.call(RESPOND, Method::DELETE, "/silences/deploy", Body::empty()).await;
    assert_eq!(lifted.status, StatusCode::NO_CONTENT, "{}", lifted.text);
    world.engine.tick().await.unwrap();
    assert_eq!(alerts(&world), 1);
    world.engine.tick().await.unwrap();
    assert_eq!(alerts(&world), 1, "once");
    let path = format!("/incidents/{}", quiet["incidentId"]);
    let loud = world.get(&path).await.json;
    assert_eq!((&loud["quietUntil"], &loud["round"]), (&Value::Null, &json!(1)));
    let events: Vec<_> = loud["timeline"].as_array().unwrap().iter().map(|entry| &entry["event"]).collect();
    assert_eq!(events[..3], [&json!("opened"), &json!("becameQuiet"), &json!("quietEnded")]);
}

#[tokio::test]
async fn p21_the_end_of_a_silence_alerts_and_an_escalation_does_not_wait_for_it() {
    let world = World::new().await;
    assert_eq!(world.put("/silences/deploy", deploy()).await.status, StatusCode::OK);
    let quiet = incident(&world).await;
    world.clock.advance(Duration::from_secs(2 * 3_600 - 1));
    world.engine.tick().await.unwrap();
    assert_eq!(alerts(&world), 0);
    world.clock.advance(Duration::from_secs(1));
    world.engine.tick().await.unwrap();
    assert_eq!(alerts(&world), 1);
    assert_eq!(quiet["state"], "OPEN");

    let world = World::new().await;
    assert_eq!(world.put("/silences/deploy", deploy()).await.status, StatusCode::OK);
    let quiet = incident(&world).await;
    let path = format!("/incidents/{}", quiet["incidentId"]);
    let escalated = world.post(&path, json!({ "escalate": true, "by": "jo" })).await;
    assert_eq!(escalated.status, StatusCode::OK, "{}", escalated.text);
    assert_eq!(escalated.json["quietUntil"], Value::Null);
    world.engine.tick().await.unwrap();
    assert_eq!(alerts(&world), 1);
}

#[tokio::test]
async fn p21_alert_hours_defer_their_severity_and_a_raise_alerts_at_once() {
    let world = World::new().await;
    let settings = json!({
        "fallback": ["ops@example.org"],
        "alertHours": { "WARN": [{ "days": ["Tue"], "from": "09:00", "to": "17:00" }] },
    });
    let put = world.put("/teams/devops", settings.clone()).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    assert_eq!(put.json["alertHours"], settings["alertHours"]);
    let report = |severity: &str| json!({ "service": "athens", "severity": severity, "title": "disk", "message": "90 %", "dedupKey": "disk" });
    let reported = world.put("/incidents", report("WARN")).await;
    assert_eq!(reported.status, StatusCode::CREATED, "{}", reported.text);
    assert_eq!(reported.json["quietUntil"], "2026-11-24T09:00:00Z");
    assert_eq!(reported.json["quietBy"], json!(["hours:devops WARN"]));
    let plan = world.get("/services/athens/plan?severity=WARN").await.json;
    assert_eq!(plan["steps"][0]["at"], "2026-11-24T09:00:00Z");
    assert!(plan["steps"][0]["why"].as_str().unwrap().ends_with("after hours:devops WARN"), "{plan}");
    let plan = world.get("/services/athens/plan?severity=CRIT").await.json;
    assert_eq!(plan["steps"][0]["at"], "2026-11-24T03:00:00Z");

    let raised = world.put("/incidents", report("CRIT")).await;
    assert_eq!(raised.status, StatusCode::OK, "{}", raised.text);
    world.engine.tick().await.unwrap();
    assert_eq!(alerts(&world), 1);
}

#[tokio::test]
async fn a_silence_is_kept_as_given_with_who_made_it() {
    let world = World::new().await;
    let mut given = deploy();
    given["weekly"] =
        json!({ "days": ["Sat", "Sun"], "from": "22:00", "to": "06:00", "timezone": "Europe/Athens" });
    given["matchers"] = json!([
        { "name": "env", "value": "prod|test", "isRegex": true },
        { "name": "team", "value": "db", "isEqual": false },
    ]);
    let put = world.put("/silences/deploy", given.clone()).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let get = world.get("/silences/deploy").await.json;
    assert_eq!((&get["id"], &get["comment"]), (&json!("deploy"), &json!("new database")));
    assert_eq!(get["weekly"], given["weekly"]);
    assert_eq!(
        get["matchers"][0],
        json!({ "name": "env", "value": "prod|test", "isRegex": true, "isEqual": true })
    );
    assert_eq!(
        get["matchers"][1],
        json!({ "name": "team", "value": "db", "isRegex": false, "isEqual": false })
    );
    assert!(get["by"].is_string(), "{get}");
    let changes = world.get("/roster/changes").await.json;
    assert!(
        changes["changes"][0]["what"].as_str().unwrap().starts_with("silence deploy: created"),
        "{changes}"
    );
    assert_eq!(world.get("/silences/other").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.delete("/silences/other").await.status, StatusCode::NOT_FOUND);
    let read = world.call(ADMIN_ONLY, Method::GET, "/silences", Body::empty()).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.text);
    let refused = world.call(REPORT, Method::PUT, "/silences/x", Body::from(deploy().to_string())).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn p16_invalid_silences_and_hours_are_refused_by_field() {
    let world = World::new().await;
    let with = |name: &str, value: Value| {
        let mut body = deploy();
        body[name] = value;
        body
    };
    let matcher = |name: &str, value: &str, is_regex: bool| json!([{ "name": name, "value": value, "isRegex": is_regex }]);
    for (body, field) in [
        (with("matchers", json!([])), "matchers"),
        (with("matchers", matcher("env", "", false)), "matchers"),
        (with("matchers", matcher("env", "(", true)), "matchers[0].value"),
        (with("matchers", matcher("", "x", false)), "matchers[0].name"),
        (with("to", json!("2026-11-24T02:00:00Z")), "to"),
        (with("to", Value::Null), "to"),
        (with("to", json!("tomorrow")), "to"),
        (with("comment", json!("x".repeat(2_000))), "comment"),
        (with("weekly", json!({ "days": [], "from": "09:00", "to": "10:00" })), "weekly.days"),
        (with("weekly", json!({ "days": ["Mon"], "from": "9 am", "to": "10:00" })), "weekly.from"),
        (
            with("weekly", json!({ "days": ["Mon"], "from": "09:00", "to": "10:00", "timezone": "x" })),
            "weekly.timezone",
        ),
    ] {
        let refused = world.put("/silences/deploy", body.clone()).await;
        assert_eq!((refused.status, refused.fields()), (StatusCode::BAD_REQUEST, vec![field]), "{body}");
    }
    let hours = |hours: Value| json!({ "fallback": ["ops@example.org"], "alertHours": hours });
    for (given, field) in [
        (json!({ "WARN": [] }), "alertHours.WARN"),
        (json!({ "WARN": [{ "days": [], "from": "09:00", "to": "17:00" }] }), "alertHours.WARN"),
        (json!({ "warn": [{ "days": ["Mon"], "from": "09:00", "to": "17:00" }] }), "alertHours.warn"),
        (json!({ "WARN": [{ "days": ["Mon"], "from": "nine", "to": "17:00" }] }), "alertHours.WARN[0].from"),
    ] {
        let refused = world.put("/teams/devops", hours(given.clone())).await;
        assert_eq!((refused.status, refused.fields()), (StatusCode::BAD_REQUEST, vec![field]), "{given}");
    }
}

#[tokio::test]
async fn alertmanagers_silences_are_made_listed_changed_and_expired() {
    let world = World::new().await;
    let silence = json!({
        "matchers": [{ "name": "service", "value": "ath.*", "isRegex": true, "isEqual": true }],
        "startsAt": "2026-11-24T02:00:00.000Z", "endsAt": "2026-11-24T05:00:00.000Z",
        "createdBy": "jo", "comment": "planned",
    });
    let made = world.call(RESPOND, Method::POST, "/api/v2/silences", Body::from(silence.to_string())).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let id = made.json["silenceID"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 36, "{id}");
    assert_eq!(incident(&world).await["quietUntil"], "2026-11-24T05:00:00Z");
    let listed = world.get("/api/v2/silences").await.json;
    assert_eq!((&listed[0]["id"], &listed[0]["status"]["state"]), (&json!(id), &json!("active")));
    assert_eq!((&listed[0]["createdBy"], &listed[0]["matchers"]), (&json!("jo"), &silence["matchers"]));
    for (filter, found) in
        [("service=ath.*", 1), ("service=%22other%22", 0), ("service=~%22.*%22", 1), ("x=y", 0)]
    {
        let listed = world.get(&format!("/api/v2/silences?filter={filter}")).await;
        assert_eq!(listed.json.as_array().map(Vec::len), Some(found), "{filter}: {}", listed.text);
    }
    let mut longer = silence.clone();
    longer["id"] = json!(id);
    longer["endsAt"] = json!("2026-11-24T06:00:00.000Z");
    assert_eq!(world.post("/api/v2/silences", longer).await.json["silenceID"], json!(id));
    let read = world.get(&format!("/api/v2/silence/{id}")).await.json;
    assert_eq!(read["endsAt"], "2026-11-24T06:00:00.000Z");
    let path = format!("/api/v2/silence/{id}");
    assert_eq!(world.call(RESPOND, Method::DELETE, &path, Body::empty()).await.status, StatusCode::OK);
    world.engine.tick().await.unwrap();
    assert_eq!(alerts(&world), 1);
    assert_eq!(world.delete(&path).await.status, StatusCode::NOT_FOUND);
    let mut unknown = silence.clone();
    unknown["id"] = json!("other");
    assert_eq!(world.post("/api/v2/silences", unknown).await.status, StatusCode::NOT_FOUND);
    let mut refused = silence;
    refused["endsAt"] = json!("tomorrow");
    assert_eq!(world.post("/api/v2/silences", refused).await.fields(), ["endsAt"]);
}

#[tokio::test]
async fn alertmanagers_status_names_the_version_and_no_cluster() {
    let world = World::new().await;
    world.clock.advance(Duration::from_secs(60));
    let status = world.call(RESPOND, Method::GET, "/api/v2/status", Body::empty()).await;
    assert_eq!(status.status, StatusCode::OK, "{}", status.text);
    assert_eq!(status.json["versionInfo"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status.json["uptime"], "2026-11-24T03:00:00.000Z");
    assert_eq!(status.json["cluster"], json!({ "status": "disabled", "peers": [] }));
}
