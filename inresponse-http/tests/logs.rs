//! What is logged; a program of its own, since what another thread does decides what is logged in this one.

#![cfg(feature = "pages")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic, helpers too")]

#[path = "api/store.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod store;
#[path = "api/world.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use futures_util::future::join_all;
use inresponse_core::Outage;
use inresponse_core::memory::MemoryStore;
use inresponse_core::notify::Outcome;
use inresponse_core::plan::Opening;
use inresponse_core::store::Created;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::store::{Trouble, Troubled};
use crate::world::{ADMIN, ATHENS, REPORT, World, report};

/// Everything that is logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;
    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    /// What is logged from now on by this thread, as it is unless somebody asks for more.
    fn begin() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::INFO)
            .with_writer(log.clone())
            .with_ansi(false)
            .finish();
        let guard = subscriber.set_default();
        (log, guard)
    }

    /// The lines that hold that.
    fn lines(&self, words: &str) -> Vec<String> {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        log.lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn wrong_keys_and_failed_sign_ins_are_logged_with_who_sent_them_and_without_the_key() {
    let world = World::new().await;
    let (log, _guard) = Log::begin();
    let peer: SocketAddr = "203.0.113.7:4711".parse().unwrap();
    let send = async |mut request: Request<Body>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        world.send(request).await.status
    };
    let wrong = || Request::put("/incidents").header("x-api-key", "canary-key");
    let unknown = send(wrong().body(Body::from(report().to_string())).unwrap()).await;
    assert_eq!(unknown, StatusCode::UNAUTHORIZED);
    let lines = log.lines("unknown API key was refused");
    assert!(lines.len() == 1 && lines[0].contains("WARN"), "{lines:?}");
    assert!(lines[0].contains("client=203.0.113.7") && lines[0].contains("/incidents"), "{lines:?}");
    // Behind a proxy that nobody named.
    let forwarded = wrong().header("x-forwarded-for", "198.51.100.9").body(Body::empty()).unwrap();
    send(forwarded).await;
    assert!(log.lines("203.0.113.7 (forwarded for 198.51.100.9)").len() == 1);
    // However the key is sent: in another header, and in a body.
    let bearer = Request::get("/teams/devops").header("authorization", "Bearer canary-key");
    send(bearer.body(Body::empty()).unwrap()).await;
    let event = json!({ "routing_key": "canary-key", "event_action": "trigger", "payload":
        { "summary": "x", "source": "y", "severity": "error" } });
    send(Request::post("/v2/enqueue").body(Body::from(event.to_string())).unwrap()).await;
    assert_eq!(log.lines("unknown API key was refused").len(), 4);
    let sign_in = Request::post("/board/sign-in").body(Body::from("key=canary-key&name=canary-name"));
    assert_eq!(send(sign_in.unwrap()).await, StatusCode::FORBIDDEN);
    let lines = log.lines("sign-in failed");
    assert!(lines.len() == 1 && lines[0].contains("client=203.0.113.7"), "{lines:?}");
    // Who shows none is a stranger, of whom there are many.
    send(Request::get("/teams/devops").body(Body::empty()).unwrap()).await;
    assert_eq!(log.lines("refused").len(), 4);

    // Somebody who tries very many does not fill the log, and is not forgotten.
    let storm = join_all((0..500).map(|_| send(wrong().body(Body::empty()).unwrap())));
    // Their answers wait, all at once.
    let pass = async {
        for _ in 0..50 {
            tokio::task::yield_now().await;
            world.clock.advance(Duration::from_millis(500));
        }
    };
    tokio::join!(storm, pass);
    assert!(log.lines("refused").len() <= 20, "{}", log.lines("refused").len());
    world.clock.advance(Duration::from_secs(60));
    send(wrong().body(Body::empty()).unwrap()).await;
    assert_eq!(log.lines("requests=485").len(), 1, "{:?}", log.lines("further"));
    assert_eq!(log.lines("canary"), [""; 0]);
}

#[tokio::test]
async fn changes_of_the_roster_are_logged_with_who_made_them() {
    let world = World::new().await;
    let (log, _guard) = Log::begin();
    world.put("/teams/web", json!({ "fallback": ["jo@example.org"] })).await;
    world.put("/services/shop", json!({ "team": "web" })).await;
    world.put("/teams/web/calendar/2026-11-24", json!({ "oncall": "jo@example.org" })).await;
    world.delete("/teams/web/calendar/2026-11-24").await;
    world.delete("/services/shop").await;
    world.delete("/teams/web").await;
    let lines = log.lines("the roster was changed");
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("INFO") && line.contains("by=\"admin\"")), "{lines:?}");
    for (line, what) in lines.iter().zip(["web", "shop", "2026-11-24", "2026-11-24", "shop", "web"]) {
        assert!(line.contains(what), "{what}: {line}");
    }
    // What changes nothing is no change.
    world.put("/services/athens", json!({ "team": "devops" })).await;
    assert_eq!(log.lines("the roster was changed").len(), 6);
}

#[tokio::test]
async fn changes_of_incidents_are_logged_with_the_key_beside_the_person() {
    let world = World::new().await;
    let (log, _guard) = Log::begin();
    let number = world.report().await;
    world.post(&format!("/incidents/{number}"), json!({ "state": "CLAIMED", "by": "Jo" })).await;
    let opened = log.lines("incident opened");
    assert!(opened.len() == 1 && opened[0].contains("key=\"admin\""), "{opened:?}");
    let updated = log.lines("incident updated");
    assert!(updated.len() == 1 && updated[0].contains("by=Jo key=\"admin\""), "{updated:?}");
}

/// A store that fails for a reason that it has from somebody else.
#[derive(Debug)]
struct Full;

#[async_trait]
impl Trouble for Full {
    async fn create(&self, _: &MemoryStore, _: Opening) -> Result<Created, Outage> {
        let disk = std::io::Error::other("no space left on device");
        let write = Outage::permanent("the page could not be written").because(disk);
        Err(Outage::permanent("the incident could not be stored").because(write))
    }
}

#[tokio::test]
async fn an_outage_is_logged_with_all_that_caused_it_once() {
    const CHAIN: &str =
        "the incident could not be stored: the page could not be written: no space left on device";
    let world = World::over(Troubled::by(Full)).await;
    let (log, _guard) = Log::begin();
    assert_eq!(world.put("/incidents", report()).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let alerts = json!([{ "labels": { "alertname": "X", "service": "athens" } }]);
    world.call(ADMIN, Method::POST, "/api/v2/alerts", alerts.to_string()).await;
    let lines = log.lines("no space left");
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        assert!(line.contains(CHAIN) && line.matches("no space").count() == 1, "{line}");
    }
}

#[tokio::test]
async fn the_fallback_is_called_by_its_name() {
    let world = World::new().await;
    world.put("/teams/devops", json!({ "fallback": ["ops@example.org"], "escalateAfterSeconds": 60 })).await;
    world.put("/teams/devops/calendar/2026-11-24", json!({ "oncall": "jo@example.org" })).await;
    let (log, _guard) = Log::begin();
    world.report().await;
    for _ in 0..3 {
        world.engine.tick().await.unwrap();
        world.clock.advance(Duration::from_secs(61));
    }
    let lines = log.lines("alert accepted");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("level=\"1\"") && lines[1].contains("level=\"fallback\""), "{lines:?}");
}

#[tokio::test]
async fn p12_alerts_that_wait_too_long_are_named_and_told_ever_more_rarely() {
    let world = World::new().await;
    world
        .put("/teams/devops", json!({ "fallback": ["ops@example.org"], "escalateAfterSeconds": 7200 }))
        .await;
    for _ in 0..2000 {
        world.notifier.then(Outcome::unavailable("nobody listens"));
    }
    let (log, _guard) = Log::begin();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let engine = world.engine.clone();
    let running = tokio::spawn(async move { engine.run(async { _ = stopped.await }).await });
    let pass = async |seconds: u64| {
        for _ in 0..seconds / 5 {
            world.clock.advance(Duration::from_secs(5));
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        }
    };
    world.report().await;
    pass(270).await;
    assert_eq!(log.lines("not accepted in time"), [""; 0]);
    pass(900).await;
    let lines = log.lines("not accepted in time");
    // First after five minutes, then after one, two and four more.
    assert!((3..=5).contains(&lines.len()), "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("numbers=\"10000\"")), "{lines:?}");
    world.report().await;
    pass(360).await;
    let more = log.lines("not accepted in time");
    assert!(more.iter().any(|line| line.contains("numbers=\"10000, 10001\"")), "{more:?}");
    drop(stop);
    world.clock.advance(Duration::from_secs(3600));
    running.abort();
}

#[tokio::test]
async fn no_secret_is_logged_whatever_the_level() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _logging = subscriber.set_default();
    let world = World::new().await;
    world.report().await;
    world.engine.tick().await.unwrap();
    let url = world.notifier.attempts()[0].claim_url.clone().unwrap();
    let link = &url["https://ir.example.org".len()..];
    for (method, path, body) in [
        (Method::GET, link, ""),
        (Method::POST, link, "name=Jo"),
        (Method::POST, link, "name=%01"),
        (Method::PUT, "/incidents", "{"),
        (Method::GET, "/services/%FF", ""),
    ] {
        world.call(ADMIN, method, path, Body::from(body)).await;
    }
    let bearer = Request::builder().uri("/nowhere").header("authorization", format!("Bearer {ADMIN}"));
    world.send(bearer.body(Body::empty()).unwrap()).await;
    let sign_in = Request::post("/board/sign-in").body(Body::from(format!("key={ADMIN}&name=Jo")));
    let answer = world.send(sign_in.unwrap()).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let signed_in = Request::get("/").header("cookie", &cookie).body(Body::empty());
    assert_eq!(world.send(signed_in.unwrap()).await.status, StatusCode::OK);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let (_, token) = link.split_once("token=").unwrap();
    assert!(log.contains("answered") && log.contains("/incidents/{incidentId}/claim"), "{log}");
    let (_, key_in_cookie) = cookie.split_once('=').unwrap();
    for secret in [token, ADMIN, key_in_cookie] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn p16_a_message_that_is_refused_is_logged_with_sender_key_and_reason() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _logging = subscriber.set_default();
    let world = World::new().await;
    let explode = format!("{{\"routing_key\":\"{ATHENS}\",\"event_action\":\"explode\"}}");
    for (path, body) in [
        ("/intake/grafana", "[]".to_owned()),
        ("/v2/enqueue", explode),
        ("/api/v2/alerts", "[{\"labels\":{}}]".to_owned()),
        ("/intake/nagios", " ".repeat(1024 * 1024 + 1)),
    ] {
        let request = Request::builder().method("POST").uri(path).header("x-api-key", REPORT);
        let request = request.header("content-length", body.len());
        world.send(request.body(Body::from(body)).unwrap()).await;
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let told = |parts: &[&str]| log.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    for parts in [
        ["WARN", "a message was refused", "grafana", "monitoring", "must be a JSON object", "bytes=2"],
        ["WARN", "a message was refused", "pagerduty", "athens-events", "event_action", "400"],
        ["WARN", "alerts were refused", "prometheus", "monitoring", "labels", "refused=1"],
        ["WARN", "a message was refused", "nagios", "monitoring", "at most 1048576", "bytes=1048577"],
    ] {
        assert!(told(&parts), "{parts:?} in {log}");
    }
    assert!(!log.contains(ATHENS), "{log}");
}

#[tokio::test]
async fn p12_a_report_that_is_refused_is_logged_with_its_sender_and_counted() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _logging = subscriber.set_default();
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let world = World::new().await;
    let unknown = r#"{"service":"nobody","severity":"CRIT","title":"t","message":"m"}"#;
    let other_field = r#"{"service":"athens","severity":"CRIT","title":"t","message":"m","extra":1}"#;
    let huge = format!("{{\"title\":\"{}\"}}", "x".repeat(300 * 1024));
    let refused = [
        ("/incidents", unknown, StatusCode::UNPROCESSABLE_ENTITY),
        ("/incidents", "{", StatusCode::BAD_REQUEST),
        ("/incidents", "{}", StatusCode::BAD_REQUEST),
        ("/incidents", other_field, StatusCode::BAD_REQUEST),
        ("/incidents", &huge, StatusCode::PAYLOAD_TOO_LARGE),
        ("/incidents?x=1", other_field, StatusCode::BAD_REQUEST),
    ];
    for (path, body, status) in refused {
        let answer = world.call(REPORT, Method::PUT, path, body.to_owned()).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    assert!(world.call(REPORT, Method::PUT, "/incidents", report().to_string()).await.status.is_success());
    let alert = r#"[{"labels":{"alertname":"x","service":"nobody","severity":"critical"}}]"#;
    world.call(REPORT, Method::POST, "/api/v2/alerts", alert).await;
    let told = counted.render();
    for line in [
        "inresponse_reports_refused_total{reason=\"unknown_service\"} 2",
        "inresponse_reports_refused_total{reason=\"invalid\"} 5",
    ] {
        assert!(told.contains(line), "{line} is missing in\n{told}");
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("a report was refused")).collect();
    assert_eq!(lines.len(), 6, "{log}");
    assert!(lines.iter().all(|line| line.contains("key=monitoring") && line.len() < 1000), "{log}");
    assert_eq!(lines.iter().filter(|line| line.contains("`nobody`")).count(), 1, "{log}");
    // Other systems' messages are told once each, however many alerts of them were refused.
    let messages =
        log.lines().filter(|line| line.contains("alerts were refused") && line.contains("`nobody`"));
    assert_eq!(messages.count(), 1, "{log}");
}
