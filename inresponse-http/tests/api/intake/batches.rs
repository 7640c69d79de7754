//! Messages of many alerts: each is taken by itself, and nothing is lost in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::http::StatusCode;
use inresponse_core::memory::MemoryStore;
use inresponse_core::plan::Opening;
use inresponse_core::store::{Created, Store};
use inresponse_core::{Outage, OutageKind};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{alert, over, statuses, webhook};
use crate::store::{Trouble, Troubled};
use crate::world::World;

/// Creates when it is let.
#[derive(Debug)]
struct Hesitant {
    asked: Semaphore,
    let_go: Semaphore,
}

#[async_trait]
impl Trouble for Hesitant {
    async fn create(&self, behind: &MemoryStore, opening: Opening) -> Result<Created, Outage> {
        self.asked.add_permits(1);
        self.let_go.acquire().await.unwrap().forget();
        behind.create(opening).await
    }
}

/// Fails every third create until it is mended; where the kind is unknown, it happens anyway.
#[derive(Debug)]
struct Flaky {
    kind: OutageKind,
    creates: AtomicUsize,
    until: usize,
}

impl Flaky {
    fn new(kind: OutageKind, until: usize) -> Troubled<Self> {
        Troubled::by(Self { kind, creates: AtomicUsize::new(0), until })
    }
}

#[async_trait]
impl Trouble for Flaky {
    async fn create(&self, behind: &MemoryStore, opening: Opening) -> Result<Created, Outage> {
        let nth = self.creates.fetch_add(1, Ordering::SeqCst);
        if nth < self.until && nth % 3 == 2 {
            if self.kind == OutageKind::Unknown {
                let _ = behind.create(opening).await?;
            }
            return Err(Outage::new(self.kind, "the disk is on fire"));
        }
        behind.create(opening).await
    }
}

fn many(n: usize) -> Vec<Value> {
    (0..n).map(|i| alert(&format!("A{i}"), 30)).collect()
}

#[tokio::test]
async fn a_hundred_alerts_of_usual_size_are_one_message() {
    let world = World::new().await;
    let mut alerts = many(100);
    for alert in &mut alerts {
        alert["annotations"]["description"] = json!("x".repeat(1500));
    }
    let answer = world.told("/intake/alertmanager", &webhook(&alerts)).await;
    assert_eq!(statuses(&answer), vec!["opened"; 100]);
    let mut numbers: Vec<_> =
        answer.json["alerts"].as_array().unwrap().iter().map(|a| a["incidentId"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (10_000..10_100).collect::<Vec<_>>());
    world.engine.tick().await.unwrap();
    assert_eq!(world.notifier.attempts().len(), 100);
}

#[tokio::test]
async fn every_alert_is_taken_or_refused_by_itself() {
    let world = World::new().await;
    let mut alerts = many(5);
    alerts[1]["labels"] = json!({});
    alerts[2]["labels"] = json!(5);
    alerts[3]["labels"]["service"] = json!("nobody-owns-this");
    let answer = world.told("/intake/alertmanager", &webhook(&alerts)).await;
    assert_eq!(statuses(&answer), ["opened", "refused", "refused", "refused", "opened"]);
    let field = |i: usize| answer.json["alerts"][i]["errors"][0]["field"].as_str().unwrap();
    assert_eq!((field(1), field(2), field(3)), ("labels", "labels", "service"));
    assert_eq!(world.all().await.len(), 2);
    let answer = world.told("/api/v2/alerts", &json!(alerts[1..4])).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "nothing of it can be taken");
    assert_eq!(answer.fields(), ["alerts[0].labels", "alerts[1].labels", "alerts[2].service"]);
    assert_eq!(statuses(&world.told("/api/v2/alerts", &json!([])).await), Vec::<&str>::new());
}

#[tokio::test]
async fn alerts_of_one_key_are_taken_in_their_order() {
    let world = World::new().await;
    let alerts = [alert("A", 10), over(alert("A", 10), 20), alert("A", 30), alert("A", 30)];
    let answer = world.told("/api/v2/alerts", &json!(alerts)).await;
    assert_eq!(statuses(&answer), ["opened", "resolved", "opened", "counted"]);
    assert_eq!(world.all().await, [("RESOLVED".to_owned(), 1), ("OPEN".to_owned(), 2)]);
}

#[tokio::test]
async fn p09_what_could_not_be_stored_is_told_as_a_whole_and_sent_again_harms_nothing() {
    for kind in [OutageKind::Retryable, OutageKind::Permanent, OutageKind::Unknown] {
        let world = World::over(Flaky::new(kind, 30)).await;
        let message = webhook(&many(30));
        let answer = world.told("/intake/alertmanager", &message).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{kind:?}");
        assert_eq!(answer.json["mayHaveBeenRecorded"], true, "some of them were");
        assert!(answer.headers.contains_key("retry-after"));
        assert!(answer.text.contains("the disk is on fire"), "{}", answer.text);
        let answer = world.told("/intake/alertmanager", &message).await;
        let opened = statuses(&answer).into_iter().filter(|s| *s == "opened").count();
        assert_eq!(opened, if kind == OutageKind::Unknown { 0 } else { 10 }, "{kind:?}");
        assert_eq!(world.all().await.len(), 30, "{kind:?}: none lost, none doubled");
    }
}

#[tokio::test]
async fn p16_a_message_is_bounded() {
    let world = World::new().await;
    let huge = format!("[{}]", " ".repeat(1024 * 1024));
    let answer = world.call(crate::world::REPORT, axum::http::Method::POST, "/api/v2/alerts", huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    for path in ["/api/v2/alerts", "/intake/alertmanager"] {
        for body in [
            "",
            "null",
            "5",
            "{}",
            "[",
            "\u{0}",
            "[]x",
            "{\"alerts\":{}}",
            "{\"version\":\"3\",\"alerts\":[]}",
        ] {
            let answer = world.call(crate::world::REPORT, axum::http::Method::POST, path, body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body}");
            assert_eq!(answer.fields().len(), 1, "{path} {body}: {}", answer.text);
        }
    }
    assert_eq!(world.all().await, []);
}

#[tokio::test]
async fn an_end_that_overtakes_its_beginning_ends_it() {
    let store = Troubled::by(Hesitant { asked: Semaphore::new(0), let_go: Semaphore::new(0) });
    let world = Arc::new(World::over(store.clone()).await);
    let begins = tokio::spawn({
        let world = Arc::clone(&world);
        async move {
            let answer = world.told("/intake/alertmanager", &webhook(&[alert("A", 10)])).await;
            statuses(&answer)[0].to_owned()
        }
    });
    store.trouble.asked.acquire().await.unwrap().forget();
    // Nothing is open yet.
    let ended = world.told("/intake/alertmanager", &webhook(&[over(alert("A", 10), 20)])).await;
    assert_eq!(statuses(&ended), ["unchanged"]);
    store.trouble.let_go.add_permits(1);
    assert_eq!(begins.await.unwrap(), "resolved");
    assert_eq!(world.incident(10_000).await["state"], "RESOLVED");
}
