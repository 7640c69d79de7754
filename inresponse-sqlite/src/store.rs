//! The incidents in SQLite.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{DedupKey, IncidentNumber, RulesId, ServiceName, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Queueing, Record, Store};

use crate::batch::{Write, Written};
use crate::query;
use crate::readers::Readers;
use crate::writer::Writer;

/// The incidents in SQLite. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pub(crate) writer: Writer,
    /// The connections for reads that alerts wait for.
    pub(crate) readers: Readers,
    /// The connections for queries by people, however large those are.
    pub(crate) people: Readers,
}

#[async_trait]
impl Store for SqliteStore {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        match self.writer.write(Write::Create(Box::new(opening))).await? {
            Written::Created(created) => Ok(*created),
            other => Err(mismatch(&other)),
        }
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        self.readers.read(move |c| query::load(c, number)).await
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        let (service, key) = (service.clone(), key.clone());
        self.readers.read(move |c| query::find_open(c, &service, &key)).await
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.readers.read(move |c| query::due(c, now, after, limit)).await
    }

    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.readers.read(move |c| query::ahead(c, now, after, limit)).await
    }

    async fn quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.readers.read(move |c| query::quiet(c, judged_by, after, limit)).await
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        let write = Write::Commit { version, draft: Box::new(draft.clone()) };
        match self.writer.write(write).await? {
            Written::Committed(committed) => Ok(committed),
            other => Err(mismatch(&other)),
        }
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        let query = query.clone();
        self.people.read(move |c| query::list(c, &query)).await
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        self.people.read(move |c| query::census(c, waiting_before)).await
    }

    fn queueing(&self) -> Queueing {
        Queueing::ByShare
    }
}

fn mismatch(other: &Written) -> Outage {
    Outage::permanent(format!("the writer returned the result of another write: {other:?}"))
}
