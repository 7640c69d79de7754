//! What is logged; a program of its own, since what another thread does decides what is logged in this one.

#![cfg(feature = "pages")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic, helpers too")]

#[path = "api/world.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod world;

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::world::{ADMIN, ATHENS, REPORT, World};

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
