//! What surrounds every call: time, concurrency, callers that go away, panics, ids.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use futures_util::{StreamExt, stream};
use inresponse_core::Outage;
use inresponse_core::memory::MemoryStore;
use inresponse_core::plan::Opening;
use inresponse_core::store::{Created, Store};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::store::{Question, Trouble, Troubled};
use crate::world::{ADMIN, ATHENS, REPORT, World, report};

/// Creates at once, and answers when it is let; panics when it is asked for a record.
#[derive(Debug)]
struct Slow {
    let_go: Semaphore,
    created: AtomicUsize,
}

impl Slow {
    fn new() -> Troubled<Self> {
        Troubled::by(Self { let_go: Semaphore::new(0), created: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Trouble for Slow {
    async fn create(&self, behind: &MemoryStore, opening: Opening) -> Result<Created, Outage> {
        let created = behind.create(opening).await;
        self.created.fetch_add(1, Ordering::SeqCst);
        self.let_go.acquire().await.unwrap().forget();
        created
    }

    fn asked(&self, question: Question) -> Result<(), Outage> {
        assert_ne!(question, Question::Load, "the store has a fault");
        Ok(())
    }
}

/// Waits in real time, which decides nothing here, until that holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..60_000 {
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

/// How many requests one key may have here at once, and how many of its changes the store's queue.
const SHARE: usize = 1024;
const TURNS: usize = 8;

/// As many reports under that key as it has places for.
async fn storm(world: &Arc<World>, store: &Troubled<Slow>, key: &'static str) -> Vec<JoinHandle<StatusCode>> {
    let mut storm = Vec::new();
    for _ in 0..SHARE {
        let world = Arc::clone(world);
        storm.push(tokio::spawn(async move {
            world.call(key, Method::PUT, "/incidents", report().to_string()).await.status
        }));
    }
    until("the first are stored", || store.trouble.created.load(Ordering::SeqCst) == TURNS).await;
    // Behind all that were just spawned, so that each of them has its place.
    tokio::task::yield_now().await;
    storm
}

#[tokio::test]
async fn requests_beyond_the_limit_wait_while_health_is_still_answered_and_nothing_is_lost() {
    let store = Slow::new();
    let world = Arc::new(World::over(store.clone()).await);
    let mut storm = storm(&world, &store, ADMIN).await;
    let one_more = Arc::clone(&world);
    storm.push(tokio::spawn(async move { one_more.put("/incidents", report()).await.status }));
    tokio::task::yield_now().await;
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(world.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(store.trouble.created.load(Ordering::SeqCst), TURNS, "the others wait in their lane");
    store.trouble.let_go.add_permits(SHARE + 1);
    for answered in storm {
        assert_eq!(answered.await.unwrap(), StatusCode::CREATED);
    }
    assert_eq!(
        world.engine.census().await.unwrap().open,
        SHARE as u64 + 1,
        "all that were answered, and no other"
    );
}

#[tokio::test(start_paused = true)]
async fn p04_too_much_for_too_long_is_refused_and_was_not_recorded() {
    let store = Slow::new();
    let world = Arc::new(World::over(store.clone()).await);
    let _storm = storm(&world, &store, ADMIN).await;
    let answer = world.put("/incidents", report()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.json["mayHaveBeenRecorded"], false);
    assert_eq!(store.trouble.created.load(Ordering::SeqCst), TURNS);
}

#[tokio::test]
async fn p13_a_storm_under_one_key_keeps_no_other_key_waiting() {
    let store = Slow::new();
    let world = Arc::new(World::over(store.clone()).await);
    let storm = storm(&world, &store, ADMIN).await;
    // The store's queue holds no more of the storm than its turns, so that this comes right behind them.
    let other = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.call(REPORT, Method::PUT, "/incidents", report().to_string()).await.status }
    });
    until("the other's is stored", || store.trouble.created.load(Ordering::SeqCst) == TURNS + 1).await;
    store.trouble.let_go.add_permits(TURNS + 1);
    assert_eq!(other.await.unwrap(), StatusCode::CREATED);
    assert!(storm.iter().filter(|answered| !answered.is_finished()).count() >= SHARE - 2 * TURNS);
    // Nor a storm of strangers.
    assert_eq!(world.call("", Method::PUT, "/incidents", "{}").await.status, StatusCode::UNAUTHORIZED);
}

/// A body that is announced, begun, and never ends.
fn endless() -> Body {
    let begun = stream::once(async { io::Result::Ok(b"{".to_vec()) });
    Body::from_stream(begun.chain(stream::once(pending())))
}

#[tokio::test]
async fn p13_a_client_that_only_announces_a_body_takes_nobodys_place() {
    let world = Arc::new(World::new().await);
    world.report().await;
    world.engine.tick().await.unwrap();
    let link = world.notifier.attempts()[0].claim_url.clone().unwrap();
    let link = link["https://ir.example.org".len()..].to_owned();
    let routes = ["/incidents", "/v2/enqueue", "/api/v2/alerts", "/session", &link].map(str::to_owned);
    let mut storm = Vec::new();
    for (key, route) in ["", "wrong", REPORT].into_iter().flat_map(|key| routes.iter().map(move |r| (key, r)))
    {
        for _ in 0..SHARE / 4 {
            let (world, route) = (Arc::clone(&world), route.clone());
            storm.push(tokio::spawn(
                async move { world.call(key, Method::POST, &route, endless()).await.status },
            ));
        }
    }
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.call("", Method::GET, &link, "").await.status, StatusCode::OK);
    let event = serde_json::json!({ "routing_key": ATHENS, "event_action": "trigger",
        "payload": { "summary": "down", "source": "athens", "severity": "critical" } });
    let enqueued = world.call("", Method::POST, "/v2/enqueue", event.to_string()).await;
    assert_eq!(enqueued.status, StatusCode::ACCEPTED, "{}", enqueued.text);
    assert_eq!(world.put("/incidents", report()).await.status, StatusCode::CREATED);
    assert_eq!(world.call("", Method::POST, &link, "name=jo").await.status, StatusCode::OK);
    storm.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn p09_a_report_whose_sender_goes_away_is_still_alerted_and_at_once() {
    let store = Slow::new();
    let world = Arc::new(World::over(store.clone()).await);
    let engine = world.engine.clone();
    tokio::spawn(async move { engine.run(pending()).await });
    tokio::task::yield_now().await;
    let sender = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.put("/incidents", report()).await.status }
    });
    until("the report is stored", || store.trouble.created.load(Ordering::SeqCst) == 1).await;
    sender.abort();
    assert!(sender.await.unwrap_err().is_cancelled());
    store.trouble.let_go.add_permits(1);
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
