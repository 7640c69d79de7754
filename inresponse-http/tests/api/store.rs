//! A store in memory that something is wrong with.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::memory::MemoryStore;
use inresponse_core::model::{DedupKey, IncidentNumber, ServiceName, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};

/// What is asked of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    Load,
    Open,
    List,
    Census,
}

/// What is wrong with it; nothing unless it is said.
#[async_trait]
pub(crate) trait Trouble: Debug + Send + Sync + 'static {
    /// Creates in the store behind it.
    async fn create(&self, behind: &MemoryStore, opening: Opening) -> Result<Created, Outage> {
        behind.create(opening).await
    }

    /// Comes before the answer to a question.
    fn asked(&self, _: Question) -> Result<(), Outage> {
        Ok(())
    }
}

/// A store with its trouble. Clones are the same store.
#[derive(Debug)]
pub(crate) struct Troubled<T> {
    behind: Arc<MemoryStore>,
    pub(crate) trouble: Arc<T>,
}

impl<T> Clone for Troubled<T> {
    fn clone(&self) -> Self {
        Self { behind: Arc::clone(&self.behind), trouble: Arc::clone(&self.trouble) }
    }
}

impl<T> Troubled<T> {
    pub(crate) fn by(trouble: T) -> Self {
        Self { behind: Arc::new(MemoryStore::new()), trouble: Arc::new(trouble) }
    }
}

#[async_trait]
impl<T: Trouble> Store for Troubled<T> {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        self.trouble.create(&self.behind, opening).await
    }
    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        self.trouble.asked(Question::Load)?;
        self.behind.load(number).await
    }
    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        self.trouble.asked(Question::Open)?;
        self.behind.find_open(service, key).await
    }
    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.behind.due(now, after, limit).await
    }
    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        self.behind.commit(version, draft).await
    }
    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        self.trouble.asked(Question::List)?;
        self.behind.list(query).await
    }
    async fn census(&self, before: DateTime<Utc>) -> Result<Census, Outage> {
        self.trouble.asked(Question::Census)?;
        self.behind.census(before).await
    }
}
