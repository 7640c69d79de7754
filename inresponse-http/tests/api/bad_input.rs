//! Promise 16: bad input gets a clear 4xx that names the field, and changes nothing.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use inresponse_core::model::{ServiceName, TeamName};
use inresponse_core::testing::RosterTestExt;
use serde_json::{Value, json};

use crate::world::{ADMIN, World, report};

fn with(field: &str, value: Value) -> Vec<u8> {
    let mut body = report();
    body[field] = value;
    body.to_string().into_bytes()
}

fn without(field: &str) -> Vec<u8> {
    let mut body = report();
    body.as_object_mut().unwrap().remove(field);
    body.to_string().into_bytes()
}

/// Bodies that are wrong wherever they are sent.
fn wrong_everywhere() -> Vec<Vec<u8>> {
    let nested = format!("{{\"x\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let bodies: [&[u8]; 9] = [
        b"",
        b"null",
        b"[]",
        b"\"text\"",
        b"{",
        b"{\"a\":1,}",
        b"\xff\xfe",
        b"{\"unheard\":1}",
        b"service=athens",
    ];
    bodies.into_iter().map(<[u8]>::to_vec).chain([nested.into_bytes()]).collect()
}

/// (method, path, body, status, the field that must be named)
fn cases() -> Vec<(Method, &'static str, Vec<u8>, u16, &'static str)> {
    let (put, post, get) = (Method::PUT, Method::POST, Method::GET);
    let text = |value: Value| value.to_string().into_bytes();
    let mut cases = Vec::new();
    let incident_cases: Vec<(Vec<u8>, u16, &str)> = vec![
        (without("service"), 400, "service"),
        (without("severity"), 400, "severity"),
        (without("title"), 400, "title"),
        (without("message"), 400, "message"),
        (with("service", json!("unheard-of")), 422, "service"),
        (with("service", json!("")), 400, "service"),
        (with("service", json!(7)), 400, "service"),
        (with("severity", json!("crit")), 400, "severity"),
        (with("severity", json!(1)), 400, "severity"),
        (with("title", json!("a\nb")), 400, "title"),
        (with("title", json!("x".repeat(501))), 400, "title"),
        (with("title", json!(null)), 400, "title"),
        (with("message", json!("x".repeat(17_000))), 400, "message"),
        (with("message", json!("\u{0}")), 400, "message"),
        (with("state", json!("CLAIMED")), 400, "state"),
        (with("source", json!("")), 400, "source"),
        (with("detectedAt", json!("yesterday")), 400, "detectedAt"),
        (with("detectedAt", json!(-5)), 400, "detectedAt"),
        (with("detectedAt", json!({})), 400, "detectedAt"),
        (with("dedupKey", json!("x".repeat(600))), 400, "dedupKey"),
        (with("labels", json!({ "a": 1 })), 400, "labels.a"),
        (with("labels", json!({ "a": "\u{1}" })), 400, "labels.a"),
        (with("labels", json!([])), 400, "labels"),
        (with("links", json!([{ "text": "x", "url": "javascript:alert(1)" }])), 400, "links[0].url"),
        (with("links", json!([{ "text": "x" }])), 400, "links[0].url"),
        (with("unheard", json!(1)), 400, "unheard"),
    ];
    cases.extend(incident_cases.into_iter().map(|(b, s, f)| (put.clone(), "/incidents", b, s, f)));
    let updates: Vec<(&str, Value, u16, &str)> = vec![
        ("/incidents", json!({ "state": "CLAIMED" }), 400, "incidentId"),
        ("/incidents", json!({ "incidentId": "10000", "state": "CLAIMED" }), 400, "incidentId"),
        ("/incidents", json!({ "incidentId": -1, "state": "CLAIMED" }), 400, "incidentId"),
        ("/incidents/10000", json!({}), 400, "state"),
        ("/incidents/10000", json!({ "state": "DONE" }), 400, "state"),
        ("/incidents/10000", json!({ "state": "CLAIMED", "by": "" }), 400, "by"),
        ("/incidents/10000", json!({ "state": "CLAIMED", "by": "x".repeat(101) }), 400, "by"),
        ("/incidents/10000", json!({ "state": "CLAIMED", "takeOver": "yes" }), 400, "takeOver"),
        ("/incidents/10000", json!({ "severity": "BAD" }), 400, "severity"),
        ("/incidents/10000", json!({ "note": " " }), 400, "note"),
        ("/incidents/10000", json!({ "note": "x".repeat(2001) }), 400, "note"),
        ("/incidents/10000", json!({ "incidentId": 10001, "state": "CLAIMED" }), 400, "incidentId"),
        ("/incidents/ten", json!({ "state": "CLAIMED" }), 400, "incidentId"),
        ("/incidents/99999999999999999999999", json!({ "state": "CLAIMED" }), 400, "incidentId"),
    ];
    cases.extend(updates.into_iter().map(|(p, b, s, f)| (post.clone(), p, text(b), s, f)));
    let roster: Vec<(&str, Value, u16, &str)> = vec![
        ("/services/x", json!({}), 400, "team"),
        ("/services/x", json!({ "team": "nobody" }), 422, "team"),
        ("/services/x", json!({ "team": 1 }), 400, "team"),
        ("/services/%00", json!({ "team": "devops" }), 400, "service"),
        ("/teams/x", json!({}), 400, "fallback"),
        ("/teams/x", json!({ "fallback": [] }), 400, "fallback"),
        ("/teams/x", json!({ "fallback": ["jo"] }), 400, "fallback[0]"),
        ("/teams/x", json!({ "fallback": ["a@b.c", "sms:+123"] }), 422, "fallback[1]"),
        ("/teams/x", json!({ "fallback": "a@b.c", "timezone": "Mars" }), 400, "timezone"),
        ("/teams/x", json!({ "fallback": "a@b.c", "escalateAfterSeconds": 0 }), 400, "escalateAfterSeconds"),
        (
            "/teams/x",
            json!({ "fallback": "a@b.c", "escalateAfterSeconds": "1" }),
            400,
            "escalateAfterSeconds",
        ),
        ("/teams/x", json!({ "fallback": "a@b.c", "repeat": -1 }), 400, "repeat"),
        ("/teams/x", json!({ "fallback": "a@b.c", "alertLevels": { "LOUD": [1] } }), 400, "alertLevels.LOUD"),
        ("/teams/x", json!({ "fallback": "a@b.c", "alertLevels": { "WARN": [0] } }), 400, "alertLevels.WARN"),
        ("/teams/devops/calendar/2026-02-30", json!({ "oncall": "a@b.c" }), 400, "day"),
        ("/teams/devops/calendar/today", json!({ "oncall": "a@b.c" }), 400, "day"),
        ("/teams/devops/calendar/2026-02-01", json!({}), 400, "oncall"),
        ("/teams/devops/calendar/2026-02-01", json!({ "oncall": "a b@c" }), 400, "oncall"),
        (
            "/teams/devops/calendar/2026-02-01",
            json!({ "oncall": "a@b.c", "escalation": ["d@e.f", ["g"]] }),
            400,
            "escalation[1][0]",
        ),
        (
            "/teams/devops/calendar/2026-02-01",
            json!({ "oncall": "a@b.c", "escalation": 5 }),
            400,
            "escalation",
        ),
        ("/teams/nobody/calendar/2026-02-01", json!({ "oncall": "a@b.c" }), 422, "team"),
    ];
    cases.extend(roster.into_iter().map(|(p, b, s, f)| (put.clone(), p, text(b), s, f)));
    let queries: Vec<(&str, &str)> = vec![
        ("/incidents?incidentId=x", "incidentId"),
        ("/incidents?incidentId=10000&state=OPEN", "state"),
        ("/incidents?state=open", "state"),
        ("/incidents?severity=HIGH", "severity"),
        ("/incidents?service=", "service"),
        ("/incidents?limit=0", "limit"),
        ("/incidents?limit=501", "limit"),
        ("/incidents?limit=5&limit=6", "limit"),
        ("/incidents?cursor=%21", "cursor"),
        ("/incidents?cursor=bm9wZQ", "cursor"),
        ("/roster/changes?limit=0", "limit"),
        ("/roster/changes?limit=501", "limit"),
        ("/roster/changes?cursor=bm9wZQ", "cursor"),
        ("/roster/changes?state=OPEN", "state"),
        ("/incidents?unheard=1", "unheard"),
        ("/incidents/10000?x=1", "x"),
        ("/incidents/-1", "incidentId"),
        ("/teams/devops/oncall?at=noon", "at"),
        ("/teams/devops/oncall?when=1", "when"),
    ];
    cases.extend(queries.into_iter().map(|(p, f)| (get.clone(), p, Vec::new(), 400, f)));
    // What a path or query holds is looked at whatever the body is.
    let places: Vec<(Method, &str, &str)> = vec![
        (get.clone(), "/incidents/%FF", "incidentId"),
        (post.clone(), "/incidents/%FF", "incidentId"),
        (put.clone(), "/services/%FF", "service"),
        (Method::DELETE, "/services/%FF", "service"),
        (get.clone(), "/teams/%FF", "team"),
        (get, "/teams/%FF/oncall", "team"),
        (put.clone(), "/teams/devops/calendar/%FF", "day"),
        (put.clone(), "/incidents?x=1", "x"),
        (post.clone(), "/incidents?incidentId=10000", "incidentId"),
        (post, "/incidents/10000?state=CLAIMED", "state"),
        (put.clone(), "/services/x?team=devops", "team"),
        (Method::DELETE, "/services/athens?x=1", "x"),
        (put.clone(), "/teams/x?x=1", "x"),
        (Method::DELETE, "/teams/devops?x=1", "x"),
        (put, "/teams/devops/calendar/2026-02-01?x=1", "x"),
        (Method::DELETE, "/teams/devops/calendar/2026-02-01?x=1", "x"),
    ];
    cases.extend(places.into_iter().map(|(m, p, f)| (m, p, report().to_string().into_bytes(), 400, f)));
    cases
}

#[tokio::test]
async fn p16_every_route_names_the_field_and_changes_nothing() {
    let world = World::new().await;
    world.report().await;
    let before = world.get("/incidents/10000").await.text;
    for (method, path, body, status, field) in cases() {
        let shown = format!("{method} {path} {}", String::from_utf8_lossy(&body[..body.len().min(120)]));
        let answer = world.call(ADMIN, method, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{shown}: {}", answer.text);
        assert!(answer.fields().contains(&field), "{shown}: {}", answer.text);
    }
    let routes = [
        (Method::PUT, "/incidents"),
        (Method::POST, "/incidents"),
        (Method::POST, "/incidents/10000"),
        (Method::PUT, "/services/x"),
        (Method::PUT, "/teams/x"),
        (Method::PUT, "/teams/devops/calendar/2026-02-01"),
    ];
    for (method, path) in routes {
        for body in wrong_everywhere() {
            let shown = format!("{method} {path} {}", String::from_utf8_lossy(&body[..body.len().min(60)]));
            let answer = world.call(ADMIN, method.clone(), path, body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{shown}: {}", answer.text);
            assert!(!answer.fields().is_empty(), "{shown}: {}", answer.text);
        }
        let huge = format!("{{\"title\":\"{}\"}}", "x".repeat(300 * 1024));
        let answer = world.call(ADMIN, method.clone(), path, huge.clone()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{method} {path}");
        // The same in pieces, whose sum nobody announced.
        let pieces =
            huge.into_bytes().chunks(10_000).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>();
        let stream = Body::from_stream(futures(pieces));
        let answer = world.call(ADMIN, method.clone(), path, stream).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{method} {path} in pieces");
    }
    assert_eq!(world.get("/incidents/10000").await.text, before);
    assert_eq!(world.engine.census().await.unwrap().open, 1);
    let roster = world.engine.roster();
    assert_eq!(roster.service(&ServiceName::new("x").unwrap()).await.unwrap(), None);
    assert!(!roster.knows_team(&TeamName::new("x").unwrap()).await.unwrap());
    assert!(
        roster.day(&TeamName::new("devops").unwrap(), "2026-02-01".parse().unwrap()).await.unwrap().is_none()
    );
}

fn futures<T>(items: Vec<T>) -> impl futures_util::Stream<Item = T> {
    futures_util::stream::iter(items)
}

#[tokio::test]
async fn several_faults_are_told_at_once() {
    let world = World::new().await;
    let answer =
        world.put("/incidents", json!({ "severity": "HIGH", "title": "", "labels": { "a": "\u{1}" } })).await;
    assert_eq!(answer.fields(), ["service", "message", "severity", "title", "labels.a"]);
}

#[tokio::test]
async fn unknown_places_and_methods_are_problems_too() {
    let world = World::new().await;
    assert_eq!(world.get("/nowhere").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.delete("/incidents").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(world.get("/incidents/1/claim/more").await.status, StatusCode::NOT_FOUND);
    let post = Request::builder().method("POST").uri("/healthz").body(Body::empty()).unwrap();
    let answer = world.send(post).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(answer.headers.contains_key("allow"));
    assert_eq!(answer.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn p16_what_has_no_name_is_named_anyway() {
    let world = World::new().await;
    let answer = world.get("/incidents?=x").await;
    assert_eq!((answer.status, answer.fields()), (StatusCode::BAD_REQUEST, vec!["query"]));
    let answer = world.put("/incidents", json!({ "": 1 })).await;
    assert_eq!((answer.status, answer.fields()), (StatusCode::BAD_REQUEST, vec!["body"]));
}

#[tokio::test]
async fn p16_a_refusal_is_small_however_much_is_wrong() {
    let world = World::new().await;
    let answer = world.put("/teams/t", json!({ "fallback": vec![""; 80_000] })).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text.len() < 64 * 1024, "{} bytes", answer.text.len());
}
