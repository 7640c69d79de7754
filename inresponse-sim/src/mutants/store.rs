//! Stores with a bug.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::memory::MemoryStore;
use inresponse_core::model::{DedupKey, IncidentNumber, ServiceName, State, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};

/// A bug of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreBug {
    /// Some create calls report success and store nothing.
    AnsweredNotStored,
    /// A read returns the record from before its last commit.
    StaleReads,
    /// Some create calls return the number of the previous incident.
    NumberTwice,
    /// The guard of a dedup key is not removed when its incident is resolved.
    GuardNotFreed,
    /// A repeat is acknowledged but not counted.
    RepeatNotCounted,
    /// A commit ignores the version.
    NoVersionCheck,
    /// A commit that found another version is answered as done.
    StaleIsSuccess,
    /// A record with more than one commit is never due.
    DueForgetsRetries,
}

impl StoreBug {
    /// All bugs of stores.
    pub const ALL: [StoreBug; 8] = [
        StoreBug::AnsweredNotStored,
        StoreBug::StaleReads,
        StoreBug::NumberTwice,
        StoreBug::GuardNotFreed,
        StoreBug::RepeatNotCounted,
        StoreBug::NoVersionCheck,
        StoreBug::StaleIsSuccess,
        StoreBug::DueForgetsRetries,
    ];

    /// The promise that the bug breaks.
    pub fn promise(self) -> u8 {
        match self {
            StoreBug::AnsweredNotStored | StoreBug::StaleReads => 1,
            StoreBug::NumberTwice => 2,
            StoreBug::GuardNotFreed | StoreBug::RepeatNotCounted => 3,
            StoreBug::NoVersionCheck | StoreBug::StaleIsSuccess => 5,
            StoreBug::DueForgetsRetries => 9,
        }
    }

    /// The bug's effect.
    pub fn what(self) -> &'static str {
        match self {
            StoreBug::AnsweredNotStored => "the store answers some creates without keeping them",
            StoreBug::StaleReads => "the store returns a record from before its last commit",
            StoreBug::NumberTwice => "the store answers the number of another incident",
            StoreBug::GuardNotFreed => {
                "the store keeps the guard of a dedup key after the incident was resolved"
            }
            StoreBug::RepeatNotCounted => "the store does not count repeats",
            StoreBug::NoVersionCheck => "the store commits without a check of the version",
            StoreBug::StaleIsSuccess => "the store answers a stale commit as done",
            StoreBug::DueForgetsRetries => "the store forgets the due time after a second commit",
        }
    }
}

/// A store in memory with a bug.
#[derive(Debug)]
pub(super) struct BuggyStore {
    inner: MemoryStore,
    bug: StoreBug,
    state: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    creates: u64,
    last: Option<Record>,
    keys: HashMap<(String, String), IncidentNumber>,
    before: HashMap<IncidentNumber, Record>,
}

impl BuggyStore {
    pub(super) fn new(bug: StoreBug) -> Self {
        Self { inner: MemoryStore::new(), bug, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, Memory> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for BuggyStore {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        let key = opening.open_key().map(|(s, k)| (s.as_str().to_owned(), k.as_str().to_owned()));
        let known = key.as_ref().and_then(|key| self.state().keys.get(key).copied());
        if let Some(number) = known
            && let Some(record) = self.inner.load(number).await?
        {
            let resolved = record.incident.state() == State::Resolved;
            let kept = self.bug == StoreBug::GuardNotFreed && resolved;
            if kept || (self.bug == StoreBug::RepeatNotCounted && !resolved) {
                return Ok(Created::Repeat(record));
            }
        }
        let creates = {
            let mut state = self.state();
            state.creates += 1;
            state.creates
        };
        if self.bug == StoreBug::AnsweredNotStored && creates.is_multiple_of(4) {
            let number = IncidentNumber::new(20_000 + creates);
            return Ok(Created::New(Record::created(opening.numbered(number).into_incident())));
        }
        let created = self.inner.create(opening).await?;
        let Created::New(record) = &created else { return Ok(created) };
        let mut state = self.state();
        if let Some(key) = key {
            state.keys.insert(key, record.number());
        }
        let last = state.last.replace(record.clone());
        match last {
            Some(last) if self.bug == StoreBug::NumberTwice && creates.is_multiple_of(4) => {
                Ok(Created::New(last))
            }
            _ => Ok(created),
        }
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        let before = self.state().before.get(&number).cloned();
        match before {
            Some(before) if self.bug == StoreBug::StaleReads => Ok(Some(before)),
            _ => self.inner.load(number).await,
        }
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        self.inner.find_open(service, key).await
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let mut due = self.inner.due(now, after, limit).await?;
        if self.bug == StoreBug::DueForgetsRetries {
            due.retain(|record| record.version.value() < 3);
        }
        Ok(due)
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        let before = self.inner.load(draft.incident().number()).await?;
        let committed = self.inner.commit(version, draft).await?;
        if committed != Committed::Stale {
            let state = &mut self.state();
            before.map(|before| state.before.insert(before.number(), before));
            return Ok(committed);
        }
        match (self.bug, before) {
            (StoreBug::NoVersionCheck, Some(before)) => self.inner.commit(before.version, draft).await,
            (StoreBug::StaleIsSuccess, _) => Ok(Committed::At(version.next())),
            _ => Ok(committed),
        }
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        self.inner.list(query).await
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        self.inner.census(waiting_before).await
    }
}
