//! Heartbeats of the real server on a real database file, which is killed and started again: promise 24.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup};

const EVERY: i64 = 3;

fn at(value: &Value) -> DateTime<Utc> {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is not a time"))
}

async fn ping(server: &Server) -> DateTime<Utc> {
    let (status, answer) = server.post("/heartbeats/backup/ping", json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    at(&server.get("/heartbeats/backup").await["lastPingAt"])
}

/// Waits until the heartbeat has that state.
async fn until(server: &Server, state: &str) -> Value {
    for _ in 0..SOON.as_millis() / 50 {
        let heartbeat = server.get("/heartbeats/backup").await;
        let has_number = state != "missed" || heartbeat["incidentId"].is_number();
        if heartbeat["state"] == state && has_number {
            return heartbeat;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:#}", server.get("/heartbeats/backup").await);
}

#[tokio::test]
async fn p24_a_heartbeat_survives_kills_and_is_never_accused_early() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let setup = Setup::new(dir.path(), mail.port);
    let mut server = setup.start().await;
    server.team("devops", 600, json!(["jo@example.org"]), json!([]), "ops@example.org").await;
    server.put("/services/athens", json!({ "team": "devops" })).await;
    let body = json!({ "service": "athens", "severity": "CRIT", "everySeconds": EVERY });
    let made = server.put("/heartbeats/backup", body).await;
    assert_eq!(made["state"], "waiting", "{made}");
    let (status, _) = server.call(Method::DELETE, "/services/athens", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "a heartbeat uses it");

    let mut before = None;
    for round in 0..4 {
        let pinged = ping(&server).await;
        // Killed at once, or after the next ping is overdue.
        if round % 2 == 0 {
            server.kill();
            server = setup.start().await;
        }
        let missed = until(&server, "missed").await;
        let number = missed["incidentId"].as_u64().unwrap();
        assert_ne!(Some(number), before, "each miss is another incident");
        let incident = server.get(&format!("/incidents/{number}")).await;
        let created = at(&incident["createdAt"]);
        assert!(created >= pinged + chrono::TimeDelta::seconds(EVERY), "{created}, pinged {pinged}");
        assert_eq!(incident["dedupKey"], "heartbeat:backup");
        if round % 2 == 1 {
            server.kill();
            server = setup.start().await;
        }
        ping(&server).await;
        server.until(number, SOON, |incident| incident["state"] == "RESOLVED").await;
        before = Some(number);
    }
    mail.wait_for("jo@example.org", 4, SOON).await;
    let page = server.get("/heartbeats/backup").await;
    assert_eq!(page["misses"].as_array().unwrap().len(), 4, "{page}");
    assert!(page["pings"].as_array().unwrap().len() >= 5, "{page}");
    server.terminate();
}

#[tokio::test]
async fn p24_a_ping_comes_by_post_get_or_opsgenies_api_and_never_by_head() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let server = Setup::new(dir.path(), mail.port).start().await;
    server.team("devops", 600, json!(["jo@example.org"]), json!([]), "ops@example.org").await;
    server.put("/services/athens", json!({ "team": "devops" })).await;
    let body = json!({ "service": "athens", "severity": "WARN", "everySeconds": 3600, "graceSeconds": 60 });
    server.put("/heartbeats/backup", body).await;
    let (status, _) = server.call(Method::HEAD, "/heartbeats/backup/ping", None).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(server.get("/heartbeats/backup").await["state"], "waiting");
    for (method, path, expected) in [
        (Method::GET, "/heartbeats/backup/ping", StatusCode::OK),
        (Method::POST, "/heartbeats/backup/ping", StatusCode::OK),
        (Method::GET, "/v2/heartbeats/backup/ping", StatusCode::ACCEPTED),
        (Method::POST, "/v2/heartbeats/backup/ping", StatusCode::ACCEPTED),
        (Method::GET, "/heartbeats/other/ping", StatusCode::NOT_FOUND),
        (Method::POST, "/v2/heartbeats/other/ping", StatusCode::NOT_FOUND),
    ] {
        tokio::time::sleep(Duration::from_millis(600)).await;
        let (status, answer) = server.call(method.clone(), path, None).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    let heartbeat = server.get("/heartbeats/backup").await;
    assert_eq!(heartbeat["state"], "beating");
    assert_eq!(heartbeat["pings"].as_array().unwrap().len(), 4, "{heartbeat}");
    let listed = server.get("/heartbeats").await;
    assert_eq!(listed["heartbeats"][0]["heartbeat"], "backup");
    for (wrong, field) in [
        (json!({ "service": "athens", "severity": "CRIT", "everySeconds": 0 }), "everySeconds"),
        (json!({ "service": "athens", "severity": "CRIT" }), "everySeconds"),
        (json!({ "service": "athens", "severity": "CRIT", "everySeconds": 1, "often": 1 }), "often"),
    ] {
        let (status, answer) = server.call(Method::PUT, "/heartbeats/backup", Some(wrong)).await;
        assert_eq!((status, answer["errors"][0]["field"].as_str()), (StatusCode::BAD_REQUEST, Some(field)));
    }
    let unknown = json!({ "service": "sparta", "severity": "CRIT", "everySeconds": 1 });
    let (status, answer) = server.call(Method::PUT, "/heartbeats/backup", Some(unknown)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    assert_eq!(answer["errors"][0]["field"], "service");
    let (status, _) = server.call(Method::DELETE, "/heartbeats/backup", None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = server.call(Method::GET, "/heartbeats/backup", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
