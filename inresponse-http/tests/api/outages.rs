//! A store that is out of order.

use std::sync::Mutex;

use async_trait::async_trait;
use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use inresponse_core::memory::MemoryStore;
use inresponse_core::model::{DedupKey, IncidentNumber, ServiceName, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};
use inresponse_core::{Outage, OutageKind};
use serde_json::json;

use crate::world::{ADMIN, World, report};

/// Fails with that kind; where the kind is unknown, what was asked for happens all the same.
#[derive(Debug)]
struct Failing {
    kind: Mutex<Option<OutageKind>>,
    inner: MemoryStore,
}

impl Failing {
    fn with(kind: OutageKind) -> Self {
        Self { kind: Mutex::new(Some(kind)), inner: MemoryStore::new() }
    }

    fn fails(&self) -> Result<(), Outage> {
        let kind = *self.kind.lock().unwrap();
        kind.map_or(Ok(()), |kind| Err(Outage::new(kind, "the disk is on fire")))
    }
}

#[async_trait]
impl Store for Failing {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        if *self.kind.lock().unwrap() == Some(OutageKind::Unknown) {
            let _ = self.inner.create(opening.clone()).await?;
        }
        self.fails()?;
        self.inner.create(opening).await
    }
    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        self.fails()?;
        self.inner.load(number).await
    }
    async fn open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        self.fails()?;
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
        self.fails()?;
        self.inner.list(query).await
    }
    async fn census(&self, before: DateTime<Utc>) -> Result<Census, Outage> {
        self.fails()?;
        self.inner.census(before).await
    }
}

#[tokio::test]
async fn p04_an_outage_says_whether_the_report_may_have_been_recorded() {
    let cases = [(OutageKind::Retryable, false), (OutageKind::Permanent, false), (OutageKind::Unknown, true)];
    for (kind, maybe) in cases {
        let world = World::over(Failing::with(kind)).await;
        let answer = world.put("/incidents", report()).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{kind:?}");
        assert_eq!(answer.json["mayHaveBeenRecorded"], maybe, "{kind:?}");
        assert!(answer.json.get("incidentId").is_none() && answer.headers.contains_key("retry-after"));
        // If it was recorded, the alert goes out all the same.
        world.engine.tick().await.unwrap();
        assert_eq!(world.notifier.attempts().len(), usize::from(maybe), "{kind:?}");
    }
}

#[tokio::test]
async fn every_question_is_answered_with_503() {
    let world = World::over(Failing::with(OutageKind::Retryable)).await;
    let claim = json!({ "incidentId": 10000, "state": "CLAIMED" }).to_string();
    for (method, path, body) in [
        (Method::GET, "/incidents", String::new()),
        (Method::GET, "/incidents/10000", String::new()),
        (Method::POST, "/incidents", claim),
        (Method::GET, "/healthz", String::new()),
        (Method::GET, "/readyz", String::new()),
    ] {
        let answer = world.call(ADMIN, method, path, body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}
