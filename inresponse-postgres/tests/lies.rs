//! Stores on a real server that lie, each in one way, and the law that catches each.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use std::future::Future;
use std::panic::AssertUnwindSafe;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use inresponse_conformance::store::{
    p01_what_was_answered_survives_a_crash, p04_a_commit_whose_answer_was_lost_is_not_told_as_undone,
    p04_a_create_whose_answer_was_lost_is_not_told_as_undone,
    p04_a_repeat_whose_answer_was_lost_is_counted_once_at_most,
};
use inresponse_conformance::{Durable, Harness, Interrupted, Line};
use inresponse_core::model::{DedupKey, IncidentNumber, ServiceName, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};
use inresponse_core::{Outage, OutageKind};
use inresponse_postgres::PostgresStore;
use support::harness::OnPostgres;

/// What a store says of a write that may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// That nothing was created or counted.
    NotCreated,
    /// That somebody else committed first.
    Stale,
}

#[derive(Debug)]
struct Liar {
    store: PostgresStore,
    lie: Lie,
}

#[async_trait]
impl Store for Liar {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        match self.store.create(opening).await {
            Err(outage) if outage.kind() == OutageKind::Unknown && self.lie == Lie::NotCreated => {
                Err(Outage::retryable("nothing was created").because(outage))
            }
            created => created,
        }
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        match self.store.commit(version, draft).await {
            Err(outage) if outage.kind() == OutageKind::Unknown && self.lie == Lie::Stale => {
                Ok(Committed::Stale)
            }
            committed => committed,
        }
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        self.store.load(number).await
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        self.store.find_open(service, key).await
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.store.due(now, after, limit).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        self.store.list(query).await
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        self.store.census(waiting_before).await
    }
}

struct Liars {
    on: OnPostgres<PostgresStore>,
    lie: Lie,
}

fn liars(lie: Lie) -> Liars {
    Liars { on: OnPostgres::new(), lie }
}

impl Harness for Liars {
    type Subject = Liar;

    async fn fresh(&self) -> Liar {
        Liar { store: self.on.fresh().await, lie: self.lie }
    }
}

impl Interrupted for Liars {
    async fn over(&self, first: &Liar, line: &Line) -> Liar {
        Liar { store: self.on.over(&first.store, line).await, lie: self.lie }
    }
}

/// A store whose commits are answered before they are durable: triggers set `synchronous_commit=off` in each
/// transaction, whatever the session has set.
struct Hasty(OnPostgres<PostgresStore>);

const HASTY: [&str; 3] = [
    "CREATE FUNCTION hasten() RETURNS TRIGGER LANGUAGE plpgsql AS
        $$ BEGIN PERFORM set_config('synchronous_commit', 'off', true); RETURN NULL; END $$",
    "CREATE TRIGGER hastens BEFORE INSERT OR UPDATE ON incident FOR EACH STATEMENT EXECUTE FUNCTION hasten()",
    "CHECKPOINT",
];

impl Harness for Hasty {
    type Subject = PostgresStore;

    async fn fresh(&self) -> PostgresStore {
        let store = self.0.fresh().await;
        let server = self.0.server.lock().unwrap();
        for statement in HASTY {
            server.sql(statement);
        }
        store
    }
}

impl Durable for Hasty {
    async fn reopen(&self, crashed: PostgresStore) -> PostgresStore {
        self.0.reopen(crashed).await
    }
}

/// Checks that a law complains, in words that contain `expected`.
async fn must_catch(law: impl Future<Output = ()>, expected: &str) {
    let complaint = AssertUnwindSafe(law).catch_unwind().await.expect_err("the law passes a store that lies");
    let complaint = match complaint.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => other.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned()),
    };
    assert!(complaint.contains(expected), "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_a_store_that_answers_before_its_commits_are_durable_is_caught() {
    // Nothing else makes the last commit durable before the crash.
    let hasty =
        Hasty(OnPostgres::with(&["autovacuum=off", "wal_writer_delay=10s", "wal_writer_flush_after=1GB"]));
    must_catch(p01_what_was_answered_survives_a_crash(&hasty), "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_store_that_tells_a_lost_create_as_undone_is_caught() {
    let liars = liars(Lie::NotCreated);
    must_catch(
        p04_a_create_whose_answer_was_lost_is_not_told_as_undone(&liars),
        "says that nothing was changed, but the incident exists",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_store_that_tells_a_lost_repeat_as_undone_is_caught() {
    let liars = liars(Lie::NotCreated);
    must_catch(
        p04_a_repeat_whose_answer_was_lost_is_counted_once_at_most(&liars),
        "says that nothing was changed, but the report was counted",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_store_that_tells_a_lost_commit_as_stale_is_caught() {
    let liars = liars(Lie::Stale);
    must_catch(
        p04_a_commit_whose_answer_was_lost_is_not_told_as_undone(&liars),
        "it must recognise its own commit",
    )
    .await;
}
