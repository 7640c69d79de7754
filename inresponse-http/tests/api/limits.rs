//! What surrounds every call: time, concurrency, callers that go away, panics, ids.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use chrono::{DateTime, Utc};
use futures_util::stream;
use inresponse_core::Outage;
use inresponse_core::memory::MemoryStore;
use inresponse_core::model::{DedupKey, IncidentNumber, ServiceName, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};
use tokio::sync::Semaphore;

use crate::world::{ADMIN, World, report};

/// Creates at once, and answers when it is let; panics when it is asked for a record.
#[derive(Debug, Clone)]
struct Slow {
    inner: Arc<MemoryStore>,
    let_go: Arc<Semaphore>,
    created: Arc<AtomicUsize>,
}

impl Slow {
    fn new() -> Self {
        let inner = Arc::new(MemoryStore::new());
        Self { inner, let_go: Arc::new(Semaphore::new(0)), created: Arc::default() }
    }
}

#[async_trait]
impl Store for Slow {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        let created = self.inner.create(opening).await;
        self.created.fetch_add(1, Ordering::SeqCst);
        self.let_go.acquire().await.unwrap().forget();
        created
    }
    async fn load(&self, _: IncidentNumber) -> Result<Option<Record>, Outage> {
        panic!("the store has a fault")
    }
    async fn open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        self.inner.open(service, key).await
    }
    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.inner.due(now, after, limit).await
    }
    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        self.inner.commit(version, draft).await
    }
    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        self.inner.list(query).await
    }
    async fn census(&self, before: DateTime<Utc>) -> Result<Census, Outage> {
        self.inner.census(before).await
    }
}

/// Waits in real time, which decides nothing here, until that holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..5000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it never came to be that {what}");
}

#[tokio::test(start_paused = true)]
async fn p04_a_report_that_takes_too_long_may_have_been_recorded() {
    let world = World::over(Slow::new()).await;
    let answer = world.put("/incidents", report()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json["mayHaveBeenRecorded"], true);
    assert!(answer.json.get("incidentId").is_none());
    assert_eq!(world.engine.census().await.unwrap().open, 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let world = World::new().await;
    let body = Body::from_stream(stream::once(pending::<io::Result<Vec<u8>>>()));
    let answer = world.call(ADMIN, Method::PUT, "/incidents", body).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(world.engine.census().await.unwrap().open, 0);
}

#[tokio::test]
async fn too_much_at_once_is_refused_while_health_is_still_answered() {
    let store = Slow::new();
    let world = Arc::new(World::over(store.clone()).await);
    let at_once = 1024;
    for _ in 0..at_once {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.put("/incidents", report()).await });
    }
    until("all are being worked on", || store.created.load(Ordering::SeqCst) == at_once).await;
    let answer = world.put("/incidents", report()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.json["mayHaveBeenRecorded"], false);
    assert_eq!(store.created.load(Ordering::SeqCst), at_once);
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(world.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn p09_a_report_whose_sender_goes_away_is_alerted_all_the_same_and_at_once() {
    let store = Slow::new();
    let world = Arc::new(World::over(store.clone()).await);
    let engine = world.engine.clone();
    tokio::spawn(async move { engine.run(pending()).await });
    tokio::task::yield_now().await;
    let sender = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.put("/incidents", report()).await.status }
    });
    until("the report is stored", || store.created.load(Ordering::SeqCst) == 1).await;
    sender.abort();
    assert!(sender.await.unwrap_err().is_cancelled());
    store.let_go.add_permits(1);
    // The clock stands still, so no lease can have ended.
    until("the alert is sent", || world.notifier.attempts().len() == 1).await;
    assert_eq!(world.notifier.attempts()[0].attempt, 1);
}

#[tokio::test]
async fn a_fault_of_ours_is_a_problem_too() {
    let world = World::over(Slow::new()).await;
    assert_eq!(world.get("/incidents/10000").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let answer = world.post("/incidents/10000", serde_json::json!({ "note": "x" })).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json["mayHaveBeenRecorded"], true);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert!(!answer.text.contains("has a fault"), "{}", answer.text);
}

#[tokio::test]
async fn every_answer_has_an_id_and_keeps_a_sane_one() {
    let world = World::new().await;
    let id = async |given: &str| {
        let request = Request::builder().uri("/nowhere").header("x-request-id", given);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        answer.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id("abc-1").await, "abc-1");
    let long = "x".repeat(65);
    let mut made = Vec::new();
    for odd in ["", "a b", "\u{e9}", &long] {
        let answered = id(odd).await;
        assert!(answered != odd && !made.contains(&answered), "{odd:?}: {answered}");
        made.push(answered);
    }
}
