//! What every call does when it is used as it should be.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{ADMIN, World, report};

#[tokio::test]
async fn a_report_is_answered_with_everything_that_is_promised() {
    let world = World::new().await;
    let mut body = report();
    body["source"] = json!("prometheus");
    body["detectedAt"] = json!(1_795_489_200.25);
    body["dedupKey"] = json!("k");
    body["labels"] = json!({ "region": "eu" });
    body["links"] = json!([{ "text": "Runbook", "url": "https://example.org" }]);
    body["state"] = json!("OPEN");
    let answer = world.put("/incidents", body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.headers["location"], "/incidents/10000");
    let expected = json!({
        "incidentId": 10000, "service": "athens", "team": "devops", "severity": "CRIT", "state": "OPEN",
        "title": "5xx", "message": "many", "source": "prometheus", "detectedAt": "2026-11-24T03:00:00.250Z",
        "createdAt": "2026-11-24T03:00:00Z", "updatedAt": "2026-11-24T03:00:00Z", "claimedBy": null,
        "claimedAt": null, "resolvedBy": null, "resolvedAt": null, "dedupKey": "k",
        "labels": { "region": "eu" }, "links": [{ "text": "Runbook", "url": "https://example.org" }],
        "count": 1, "round": 1, "nextAlertAt": "2026-11-24T03:00:00Z", "unclaimed": false, "undelivered": false,
    });
    assert_eq!(answer.json, expected);
}

#[tokio::test]
async fn p03_a_repeat_is_200_counts_and_keeps_title_and_message() {
    let world = World::new().await;
    let mut body = report();
    body["dedupKey"] = json!("k");
    body["severity"] = json!("WARN");
    world.put("/incidents", body.clone()).await;
    body["title"] = json!("another");
    body["description"] = json!("another");
    body.as_object_mut().unwrap().remove("message");
    body["severity"] = json!("ERR");
    let answer = world.put("/incidents", body.clone()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let seen = |field: &str| answer.json[field].clone();
    assert_eq!(
        (seen("count"), seen("title"), seen("message"), seen("severity")),
        (json!(2), json!("5xx"), json!("many"), json!("ERR"))
    );
    world.post("/incidents", json!({ "incidentId": 10000, "state": "RESOLVED" })).await;
    let answer = world.put("/incidents", body).await;
    assert_eq!((answer.status, &answer.json["incidentId"]), (StatusCode::CREATED, &json!(10001)));
}

#[tokio::test]
async fn p05_p06_states_change_as_promised() {
    let world = World::new().await;
    let number = world.report().await;
    // Who, what, and what comes of it.
    let steps = [
        (json!({ "state": "OPEN", "by": "jo" }), 200, "OPEN", None),
        (json!({ "state": "CLAIMED", "by": " jo " }), 200, "CLAIMED", Some("jo")),
        (json!({ "state": "CLAIMED", "by": "jo" }), 200, "CLAIMED", Some("jo")),
        (json!({ "state": "CLAIMED", "by": "kim" }), 409, "CLAIMED", Some("jo")),
        (json!({ "state": "OPEN", "by": "kim" }), 409, "CLAIMED", Some("jo")),
        (json!({ "state": "CLAIMED", "by": "kim", "takeOver": true }), 200, "CLAIMED", Some("kim")),
        (json!({ "state": "OPEN", "by": "kim" }), 200, "OPEN", None),
        (json!({ "state": "CLAIMED" }), 200, "CLAIMED", Some("admin")),
        (json!({ "state": "OPEN", "by": "jo", "takeOver": true }), 200, "OPEN", None),
        (json!({ "severity": "WARN", "note": "looks better", "by": "jo" }), 200, "OPEN", None),
        (json!({ "state": "RESOLVED", "by": "jo" }), 200, "RESOLVED", None),
        (json!({ "state": "RESOLVED", "by": "kim" }), 200, "RESOLVED", None),
        (json!({ "state": "CLAIMED", "by": "jo" }), 409, "RESOLVED", None),
        (json!({ "state": "OPEN", "by": "jo" }), 409, "RESOLVED", None),
        (json!({ "severity": "CRIT" }), 409, "RESOLVED", None),
        (json!({ "note": "afterwards" }), 200, "RESOLVED", None),
    ];
    for (body, status, state, claimed_by) in steps {
        let answer = world.post(&format!("/incidents/{number}"), body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text);
        if status == 409 && state == "CLAIMED" {
            assert_eq!(answer.json["claimedBy"], "jo");
        }
        let now = world.get(&format!("/incidents?incidentId={number}")).await.json;
        assert_eq!((&now["state"], &now["claimedBy"]), (&json!(state), &json!(claimed_by)), "{body}");
    }
    let now = world.get(&format!("/incidents/{number}")).await.json;
    assert_eq!(
        (&now["resolvedBy"], &now["severity"], &now["round"]),
        (&json!("jo"), &json!("WARN"), &json!(3))
    );
    let events: Vec<_> =
        now["timeline"].as_array().unwrap().iter().map(|e| e["event"].as_str().unwrap()).collect();
    let expected = [
        "opened",
        "claimed",
        "claimed",
        "released",
        "roundBegan",
        "claimed",
        "released",
        "roundBegan",
        "severityChanged",
        "noted",
        "resolved",
        "noted",
    ];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn the_single_view_shows_deliveries() {
    let world = World::new().await;
    let number = world.report().await;
    world.engine.tick().await.unwrap();
    let shown = world.get(&format!("/incidents/{number}")).await.json;
    let delivery = &shown["deliveries"][0];
    assert_eq!(delivery["status"], "accepted");
    assert_eq!(delivery["contact"], "ops@example.org");
    assert_eq!((&delivery["level"], &delivery["attempts"]), (&json!(1), &json!(1)));
    assert_eq!(delivery["deliveryId"], world.notifier.attempts()[0].delivery.as_str());
}

#[tokio::test]
async fn lists_are_filtered_and_paged_newest_first() {
    let world = World::new().await;
    for i in 0..25 {
        let mut body = report();
        body["severity"] = json!(["CRIT", "ERR", "WARN"][i % 3]);
        world.put("/incidents", body).await;
    }
    world.post("/incidents/10003", json!({ "state": "CLAIMED" })).await;
    let ids = |page: &Value| -> Vec<u64> {
        page["incidents"].as_array().unwrap().iter().map(|i| i["incidentId"].as_u64().unwrap()).collect()
    };
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/incidents?limit=10{cursor}")).await.json;
        all.extend(ids(&page));
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(all, (10000..10025).rev().collect::<Vec<u64>>());
    let claimed = world.get("/incidents?state=CLAIMED&severity=CRIT&service=athens").await.json;
    assert_eq!((ids(&claimed), &claimed["cursor"]), (vec![10003], &Value::Null));
    assert_eq!(ids(&world.get("/incidents?service=other").await.json), Vec::<u64>::new());
    assert_eq!(world.get("/incidents/99999").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_roster_is_kept_and_says_who_is_on_call() {
    let world = World::new().await;
    let team = json!({ "timezone": "Europe/Athens", "escalateAfterSeconds": 60, "fallback": "ops@Example.org",
        "repeat": 1, "alertLevels": { "WARN": [1], "ERR": [] } });
    let answer = world.put("/teams/web", team).await;
    let expected = json!({ "team": "web", "timezone": "Europe/Athens", "escalateAfterSeconds": 60,
        "fallback": ["ops@example.org"], "repeat": 1, "alertLevels": { "WARN": [1], "ERR": [] } });
    assert_eq!((answer.status, &answer.json), (StatusCode::OK, &expected));
    assert_eq!(world.get("/teams/web").await.json, expected);

    let day = json!({ "oncall": "jo@example.org", "escalation": ["kim@example.org", ["a@example.org", "b@example.org"]] });
    assert_eq!(world.put("/teams/web/calendar/2026-11-24", day).await.status, StatusCode::OK);
    let day = world.get("/teams/web/calendar/2026-11-24").await.json;
    assert_eq!(day["escalation"], json!([["kim@example.org"], ["a@example.org", "b@example.org"]]));
    // In Athens the day begins two hours earlier.
    let on_call = world.get("/teams/web/oncall?at=2026-11-23T22:00:00Z").await.json;
    assert_eq!((&on_call["day"], &on_call["oncall"]), (&json!("2026-11-24"), &json!(["jo@example.org"])));
    assert_eq!(on_call["levels"].as_array().unwrap().len(), 3);
    let on_call = world.get("/teams/web/oncall?at=1795471199").await.json;
    assert_eq!((&on_call["day"], &on_call["oncall"]), (&json!("2026-11-23"), &json!(["ops@example.org"])));

    assert_eq!(world.put("/services/a%2Fb%20c", json!({ "team": "web" })).await.json["service"], "a/b c");
    assert_eq!(world.get("/services/a%2Fb%20c").await.json["team"], "web");
    assert_eq!(world.delete("/teams/web").await.status, StatusCode::CONFLICT);
    assert_eq!(world.delete("/services/a%2Fb%20c").await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.delete("/services/a%2Fb%20c").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.delete("/teams/web/calendar/2026-11-24").await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.delete("/teams/web").await.status, StatusCode::NO_CONTENT);
    for path in ["/teams/web", "/teams/web/oncall", "/teams/web/calendar/2026-11-24"] {
        assert_eq!(world.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn p12_health_shows_what_does_not_get_through() {
    let world = World::new().await;
    assert_eq!(world.get("/healthz").await.json["status"], "ok");
    world.notifier.then(inresponse_core::notify::Outcome::rejected("no such user"));
    world.report().await;
    world.engine.tick().await.unwrap();
    world.engine.tick().await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(1));
    let health = world.get("/healthz").await;
    assert_eq!((health.status, &health.json["status"]), (StatusCode::OK, &json!("degraded")));
    assert_eq!((&health.json["unclaimed"], &health.json["undelivered"]), (&json!(1), &json!(1)));
    // Nobody tries to send the next one: after five minutes it shows.
    world.report().await;
    world.clock.advance(std::time::Duration::from_secs(301));
    assert_eq!(world.get("/healthz").await.json["waiting"], 1);
    assert_eq!(world.get("/readyz").await.status, StatusCode::OK);
    world.readiness.stop();
    assert_eq!(world.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_document_names_every_call_and_every_call_is_there() {
    let world = World::new().await;
    let document = world.get("/openapi.json").await.json;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut calls = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            calls.push(format!("{} {path}", method.to_uppercase()));
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path =
                path.replace("{incidentId}", "1").replace("{day}", "2026-01-01").replace(['{', '}'], "");
            let answer = world.call(ADMIN, method, &path, Body::empty()).await;
            assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert_ne!(answer.json["detail"], "there is nothing here", "{path}");
        }
    }
    calls.sort();
    let expected = [
        "DELETE /api/v2/silence/{silence}",
        "DELETE /heartbeats/{heartbeat}",
        "DELETE /people/{person}",
        "DELETE /routes",
        "DELETE /services/{service}",
        "DELETE /silences/{silence}",
        "DELETE /teams/{team}",
        "DELETE /teams/{team}/calendar/{day}",
        "DELETE /teams/{team}/schedules/{schedule}",
        "DELETE /teams/{team}/schedules/{schedule}/overrides/{override}",
        "GET /api/v2/alerts",
        "GET /api/v2/silence/{silence}",
        "GET /api/v2/silences",
        "GET /api/v2/status",
        "GET /claims",
        "GET /coverage",
        "GET /healthz",
        "GET /heartbeats",
        "GET /heartbeats/{heartbeat}",
        "GET /heartbeats/{heartbeat}/ping",
        "GET /incidents",
        "GET /incidents/{incidentId}",
        "GET /incidents/{incidentId}/claim",
        "GET /metrics",
        "GET /openapi.json",
        "GET /people",
        "GET /people/{person}",
        "GET /people/{person}/calendar.ics",
        "GET /readyz",
        "GET /roster/changes",
        "GET /route",
        "GET /routes",
        "GET /services",
        "GET /services/{service}",
        "GET /services/{service}/plan",
        "GET /silences",
        "GET /silences/{silence}",
        "GET /teams",
        "GET /teams/{team}",
        "GET /teams/{team}/calendar",
        "GET /teams/{team}/calendar/{day}",
        "GET /teams/{team}/oncall",
        "GET /teams/{team}/schedules",
        "GET /teams/{team}/schedules/{schedule}",
        "GET /teams/{team}/schedules/{schedule}/calendar.ics",
        "GET /teams/{team}/schedules/{schedule}/overrides",
        "GET /teams/{team}/schedules/{schedule}/overrides/{override}",
        "GET /teams/{team}/schedules/{schedule}/shifts",
        "GET /v2/alerts/requests/{requestId}",
        "GET /v2/heartbeats/{name}/ping",
        "POST /api/v2/alerts",
        "POST /api/v2/silences",
        "POST /channels/{channel}",
        "POST /channels/{channel}/{part}",
        "POST /claims",
        "POST /heartbeats/{heartbeat}/ping",
        "POST /incidents",
        "POST /incidents/{incidentId}",
        "POST /incidents/{incidentId}/claim",
        "POST /intake/alertmanager",
        "POST /intake/eventbridge",
        "POST /intake/generic/{name}",
        "POST /intake/grafana",
        "POST /intake/nagios",
        "POST /intake/sns",
        "POST /people/{person}/calendar-token",
        "POST /people/{person}/methods/{method}/verification",
        "POST /people/{person}/test",
        "POST /teams/{team}/schedules/{schedule}/calendar-token",
        "POST /v2/alerts",
        "POST /v2/alerts/{identifier}/acknowledge",
        "POST /v2/alerts/{identifier}/close",
        "POST /v2/alerts/{identifier}/notes",
        "POST /v2/alerts/{identifier}/unacknowledge",
        "POST /v2/enqueue",
        "POST /v2/heartbeats/{name}/ping",
        "PUT /heartbeats/{heartbeat}",
        "PUT /incidents",
        "PUT /people/{person}",
        "PUT /people/{person}/methods/{method}/verification",
        "PUT /routes",
        "PUT /services/{service}",
        "PUT /silences/{silence}",
        "PUT /teams/{team}",
        "PUT /teams/{team}/calendar/{day}",
        "PUT /teams/{team}/schedules/{schedule}",
        "PUT /teams/{team}/schedules/{schedule}/overrides/{override}",
    ];
    let is_there =
        |call: &&str| cfg!(feature = "pages") || !(call.ends_with("/claim") || call.ends_with("/claims"));
    assert_eq!(calls, expected.into_iter().filter(is_there).collect::<Vec<_>>());
}
