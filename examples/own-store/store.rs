//! A store as an integrator would write it. Its rows are what a database would keep: the body as bytes, and the values
//! that queries need.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use inresponse_core::async_trait;
use inresponse_core::chrono::{DateTime, Utc};
use inresponse_core::error::Outage;
use inresponse_core::model::{DedupKey, IncidentNumber, ServiceName, State, Version};
use inresponse_core::plan::{self, Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};

/// The number of the first incident.
const FIRST_NUMBER: u64 = 10_000;

/// A store in memory. It keeps every law of stores except durability.
#[derive(Debug, Default)]
pub(crate) struct OwnStore {
    rows: Mutex<BTreeMap<IncidentNumber, Row>>,
}

/// A row of the table of incidents.
#[derive(Debug)]
struct Row {
    version: Version,
    count: u64,
    last_reported_at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    open_key: Option<(ServiceName, DedupKey)>,
    body: Vec<u8>,
}

impl Row {
    /// Puts a draft into the row.
    fn put(&mut self, draft: &Draft) {
        self.due_at = draft.due_at();
        self.open_key = draft.open_key().map(|(service, key)| (service.clone(), key.clone()));
        self.body = draft.body();
    }

    fn record(&self) -> Result<Record, Outage> {
        Record::decode(&self.body, self.version, self.count, self.last_reported_at)
    }

    fn has_key(&self, service: &ServiceName, key: &DedupKey) -> bool {
        self.open_key.as_ref().is_some_and(|(its, own)| its == service && own == key)
    }
}

impl OwnStore {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<IncidentNumber, Row>> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for OwnStore {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        // The lock is the transaction: nobody else sees the table between the check and the change.
        let mut rows = self.rows();
        if let Some((service, key)) = opening.open_key()
            && let Some(row) = rows.values_mut().find(|row| row.has_key(service, key))
        {
            row.count += 1;
            row.last_reported_at = row.last_reported_at.max(opening.incident().created_at());
            return row.record().map(Created::Repeat);
        }
        let number = rows.keys().next_back().map_or(FIRST_NUMBER, |last| last.value() + 1);
        let draft = opening.numbered(IncidentNumber::new(number));
        let record = Record::created(draft.incident().clone());
        let mut row = Row {
            version: record.version,
            count: record.count,
            last_reported_at: record.last_reported_at,
            due_at: None,
            open_key: None,
            body: Vec::new(),
        };
        row.put(&draft);
        rows.insert(record.number(), row);
        Ok(Created::New(record))
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        self.rows().get(&number).map(Row::record).transpose()
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        self.rows().values().find(|row| row.has_key(service, key)).map(Row::record).transpose()
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let rows = self.rows();
        let mark = |(number, row): (&IncidentNumber, &Row)| {
            row.due_at.map(|due_at| DueMark { due_at, number: *number })
        };
        let mut marks: Vec<_> = rows.iter().filter_map(mark).collect();
        marks.retain(|mark| mark.due_at <= now && after.is_none_or(|after| *mark > after));
        marks.sort_unstable();
        marks.iter().take(limit).map(|mark| rows[&mark.number].record()).collect()
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        let mut rows = self.rows();
        match rows.get_mut(&draft.incident().number()).filter(|row| row.version == version) {
            Some(row) => {
                row.put(draft);
                row.version = version.next();
                Ok(Committed::At(row.version))
            }
            None => Ok(Committed::Stale),
        }
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        let wanted = |record: &Record| {
            let incident = &record.incident;
            query.state.is_none_or(|state| incident.state() == state)
                && query.service.as_ref().is_none_or(|service| incident.service() == service)
                && query.team.as_ref().is_none_or(|team| incident.team() == team)
                && query.severity.is_none_or(|severity| incident.severity() == severity)
        };
        let end = query.below.map_or(Bound::Unbounded, Bound::Excluded);
        let (rows, mut found) = (self.rows(), Vec::new());
        for (_, row) in rows.range((Bound::Unbounded, end)).rev() {
            if found.len() == query.limit {
                break;
            }
            found.extend(Some(row.record()?).filter(wanted));
        }
        Ok(found)
    }

    /// A database keeps these counts in indexes, so that resolved incidents cost nothing.
    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        let rows = self.rows();
        let next_due_at = rows.values().filter_map(|row| row.due_at).min();
        let (mut census, mut resolved) = (Census { next_due_at, ..Census::default() }, 0);
        for row in rows.values() {
            let Record { incident, .. } = row.record()?;
            match incident.state() {
                State::Open => census.open += 1,
                State::Claimed => census.claimed += 1,
                State::Resolved => resolved += 1,
            }
            let waits = plan::waiting_since(&incident).is_some_and(|since| since < waiting_before);
            census.unclaimed += u64::from(incident.is_unclaimed());
            census.undelivered += u64::from(incident.is_undelivered());
            census.waiting += u64::from(waits);
        }
        Ok(Census { resolved: Some(resolved), ..census })
    }
}
