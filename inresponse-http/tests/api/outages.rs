//! A store that is unavailable.

use async_trait::async_trait;
use axum::http::{Method, StatusCode};
use inresponse_core::memory::MemoryStore;
use inresponse_core::plan::Opening;
use inresponse_core::store::{Created, Store};
use inresponse_core::{Outage, OutageKind};
use serde_json::json;

use crate::store::{Question, Trouble, Troubled};
use crate::world::{ADMIN, World, report};

/// Fails with that kind; where the kind is unknown, what was asked for happens anyway.
#[derive(Debug)]
struct Failing(OutageKind);

impl Failing {
    fn outage(&self) -> Outage {
        Outage::new(self.0, "the disk is on fire")
    }
}

#[async_trait]
impl Trouble for Failing {
    async fn create(&self, behind: &MemoryStore, opening: Opening) -> Result<Created, Outage> {
        if self.0 == OutageKind::Unknown {
            let _ = behind.create(opening).await?;
        }
        Err(self.outage())
    }

    fn asked(&self, _: Question) -> Result<(), Outage> {
        Err(self.outage())
    }
}

#[tokio::test]
async fn p04_an_outage_says_whether_the_report_may_have_been_recorded() {
    let cases = [(OutageKind::Retryable, false), (OutageKind::Permanent, false), (OutageKind::Unknown, true)];
    for (kind, maybe) in cases {
        let world = World::over(Troubled::by(Failing(kind))).await;
        let answer = world.put("/incidents", report()).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{kind:?}");
        assert_eq!(answer.json["mayHaveBeenRecorded"], maybe, "{kind:?}");
        assert!(answer.json.get("incidentId").is_none() && answer.headers.contains_key("retry-after"));
        // If it was recorded, the alert goes out anyway.
        world.engine.tick().await.unwrap();
        assert_eq!(world.notifier.attempts().len(), usize::from(maybe), "{kind:?}");
    }
}

#[tokio::test]
async fn every_question_is_answered_with_503() {
    let world = World::over(Troubled::by(Failing(OutageKind::Retryable))).await;
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
