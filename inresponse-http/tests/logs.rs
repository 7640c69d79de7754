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
use metrics_exporter_prometheus::PrometheusBuilder;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::world::{ADMIN, REPORT, World, report};

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
    assert_eq!(lines.len(), 7, "{log}");
    assert!(lines.iter().all(|line| line.contains("key=monitoring") && line.len() < 1000), "{log}");
    assert_eq!(lines.iter().filter(|line| line.contains("`nobody`")).count(), 2, "{log}");
}
