//! The store in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::Outage;
use crate::model::{DedupKey, IncidentNumber, RulesId, ServiceName, State, Version};
use crate::plan::{self, Draft, Opening};
use crate::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};

/// The number of the first incident.
const FIRST_NUMBER: u64 = 10_000;

/// The store in memory. The store keeps every law of stores except durability.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    records: BTreeMap<IncidentNumber, Record>,
    due: BTreeSet<DueMark>,
    open_keys: HashMap<(ServiceName, DedupKey), IncidentNumber>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn put(&mut self, record: Record, draft: &Draft) {
        let number = record.number();
        if let Some(due_at) = draft.due_at() {
            self.due.insert(DueMark { due_at, number });
        }
        if let Some((service, key)) = draft.open_key() {
            self.open_keys.insert((service.clone(), key.clone()), number);
        }
        self.records.insert(number, record);
    }

    fn forget(&mut self, draft: &Draft) {
        let number = draft.incident().number();
        if let Some(due_at) = draft.due_at() {
            self.due.remove(&DueMark { due_at, number });
        }
        if let Some((service, key)) = draft.open_key() {
            self.open_keys.remove(&(service.clone(), key.clone()));
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        let mut tables = self.tables();
        if let Some((service, key)) = opening.open_key() {
            let open = tables.open_keys.get(&(service.clone(), key.clone())).copied();
            if let Some(record) = open.and_then(|number| tables.records.get_mut(&number)) {
                record.count += 1;
                record.last_reported_at = record.last_reported_at.max(opening.incident().created_at());
                return Ok(Created::Repeat(record.clone()));
            }
        }
        let number = tables.records.keys().next_back().map_or(FIRST_NUMBER, |last| last.value() + 1);
        let draft = opening.numbered(IncidentNumber::new(number));
        let record = Record::created(draft.incident().clone());
        tables.put(record.clone(), &draft);
        Ok(Created::New(record))
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        Ok(self.tables().records.get(&number).cloned())
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        let tables = self.tables();
        let number = tables.open_keys.get(&(service.clone(), key.clone()));
        Ok(number.and_then(|number| tables.records.get(number)).cloned())
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let tables = self.tables();
        let marks = tables.due.iter().filter(|mark| after.is_none_or(|after| **mark > after));
        let due = marks.take_while(|mark| mark.due_at <= now).take(limit);
        Ok(due.filter_map(|mark| tables.records.get(&mark.number).cloned()).collect())
    }

    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let tables = self.tables();
        let marks = tables.due.iter().filter(|mark| after.is_none_or(|after| **mark > after));
        let records = marks.filter_map(|mark| tables.records.get(&mark.number).cloned());
        Ok(records.filter(|r| Draft::new(r.incident.clone()).latest_at() > now).take(limit).collect())
    }

    async fn quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let tables = self.tables();
        let marks = tables.due.iter().filter(|mark| after.is_none_or(|after| **mark > after));
        let records = marks.filter_map(|mark| tables.records.get(&mark.number).cloned());
        let by_others = |record: &Record| plan::judged_by(&record.incident).is_some_and(|by| by != judged_by);
        Ok(records.filter(by_others).take(limit).collect())
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        let mut tables = self.tables();
        let current = tables.records.get(&draft.incident().number()).filter(|r| r.version == version);
        let Some(current) = current.cloned() else { return Ok(Committed::Stale) };
        tables.forget(&Draft::new(current.incident.clone()));
        let next = Record { incident: draft.incident().clone(), version: version.next(), ..current };
        tables.put(next, draft);
        Ok(Committed::At(version.next()))
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        let wanted = |record: &&Record| {
            let incident = &record.incident;
            query.state.is_none_or(|state| incident.state() == state)
                && query.service.as_ref().is_none_or(|service| incident.service() == service)
                && query.team.as_ref().is_none_or(|team| incident.team() == team)
                && query.severity.is_none_or(|severity| incident.severity() == severity)
                && query.below.is_none_or(|below| incident.number() < below)
        };
        let tables = self.tables();
        Ok(tables.records.values().rev().filter(wanted).take(query.limit).cloned().collect())
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        let tables = self.tables();
        let next_due_at = tables.due.first().map(|mark| mark.due_at);
        let (mut census, mut resolved) = (Census { next_due_at, ..Census::default() }, 0);
        for Record { incident, .. } in tables.records.values() {
            match incident.state() {
                State::Open => census.open += 1,
                State::Claimed => census.claimed += 1,
                State::Resolved => resolved += 1,
            }
            census.unclaimed += u64::from(incident.is_unclaimed());
            census.undelivered += u64::from(incident.is_undelivered());
            census.waiting +=
                u64::from(plan::waiting_since(incident).is_some_and(|since| since < waiting_before));
        }
        Ok(Census { resolved: Some(resolved), ..census })
    }
}
