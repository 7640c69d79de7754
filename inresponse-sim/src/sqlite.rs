//! The SQLite store without its threads: waiting writes are made as one batch, as the writer's thread does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::model::{DedupKey, IncidentNumber, RulesId, ServiceName, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};
use inresponse_core::{Outage, OutageKind};
use inresponse_sqlite::{Write, Written, prepare, query, write_batch};
use rusqlite::Connection;

/// SQLite in memory, read and written by the same plain functions as the real store.
pub struct SqliteStore {
    state: Mutex<State>,
}

struct State {
    connection: Connection,
    last_job: u64,
    waiting: Vec<(u64, Write)>,
    done: Vec<(u64, Result<Written, Outage>)>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteStore")
    }
}

/// A write that waits for the next batch. The write is dropped if nobody waits for it.
struct Job<'a>(&'a SqliteStore, u64);

impl Drop for Job<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting.retain(|(job, _)| *job != self.1);
        state.done.retain(|(job, _)| *job != self.1);
    }
}

impl SqliteStore {
    /// A new database.
    ///
    /// # Errors
    /// SQLite cannot make a database.
    pub fn new() -> Result<Self, Outage> {
        let connection = Connection::open_in_memory().map_err(read_failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        let connection = prepare(connection)?;
        let state = State { connection, last_job: 0, waiting: Vec::new(), done: Vec::new() };
        Ok(Self { state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self, write: Write) -> Result<Written, Outage> {
        let job = {
            let mut state = self.state();
            state.last_job += 1;
            let id = state.last_job;
            state.waiting.push((id, write));
            Job(self, id)
        };
        // All other writes of this moment go into the same batch.
        tokio::task::yield_now().await;
        let mut state = self.state();
        let state = &mut *state;
        if state.waiting.iter().any(|(id, _)| *id == job.1) {
            let (ids, writes): (Vec<_>, Vec<_>) = state.waiting.drain(..).unzip();
            match write_batch(&mut state.connection, writes) {
                Ok(written) => state.done.extend(ids.into_iter().zip(written)),
                Err(error) => {
                    let failed = |id| (id, Err(Outage::new(error.kind(), error.to_string())));
                    state.done.extend(ids.into_iter().map(failed));
                }
            }
        }
        let i = state.done.iter().position(|(id, _)| *id == job.1);
        i.map_or_else(|| Err(Outage::unknown("the batch was lost")), |i| state.done.swap_remove(i).1)
    }
}

fn read_failed(error: rusqlite::Error) -> Outage {
    Outage::new(OutageKind::Permanent, "the database failed").because(error)
}

fn mismatch(other: &Written) -> Outage {
    Outage::permanent(format!("the batch returned the result of another write: {other:?}"))
}

#[async_trait]
impl Store for SqliteStore {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        match self.write(Write::Create(Box::new(opening))).await? {
            Written::Created(created) => Ok(*created),
            other => Err(mismatch(&other)),
        }
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        query::load(&self.state().connection, number).map_err(read_failed)
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        query::find_open(&self.state().connection, service, key).map_err(read_failed)
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        query::due(&self.state().connection, now, after, limit).map_err(read_failed)
    }

    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        query::ahead(&self.state().connection, now, after, limit).map_err(read_failed)
    }

    async fn quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        query::quiet(&self.state().connection, judged_by, after, limit).map_err(read_failed)
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        match self.write(Write::Commit { version, draft: Box::new(draft.clone()) }).await? {
            Written::Committed(committed) => Ok(committed),
            other => Err(mismatch(&other)),
        }
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        query::list(&self.state().connection, query).map_err(read_failed)
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        query::census(&self.state().connection, waiting_before).map_err(read_failed)
    }
}
