//! The store as one process reaches it, with faults.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::model::{DedupKey, IncidentNumber, OutcomeKind, RulesId, ServiceName, Version};
use inresponse_core::plan::{self, Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};
use inresponse_core::{Outage, OutageKind};

use crate::fault::Fault;
use crate::history::Disturbance;
use crate::world::{MILLI, Micros, Process, SECOND, World, seconds};

/// The maximum lag of `due`.
const LAG: Micros = 4 * SECOND;

/// A function that returns the store as a process reaches it.
pub type Ways = Box<dyn Fn(Process) -> Arc<dyn Store> + Send + Sync>;

/// A store that all processes reach in the same way.
pub fn shared(store: impl Store + 'static) -> Ways {
    let store: Arc<dyn Store> = Arc::new(store);
    Box::new(move |_| Arc::clone(&store))
}

/// The store that all processes share, with the records as they were a few seconds ago.
pub struct SharedStore {
    ways: Ways,
    before: Mutex<HashMap<IncidentNumber, (Micros, Option<Record>)>>,
}

impl SharedStore {
    /// Shares a store, given how each process reaches it.
    pub fn new(ways: Ways) -> Arc<Self> {
        Arc::new(Self { ways, before: Mutex::default() })
    }

    /// The store as one process reaches it, with faults.
    pub fn way(self: &Arc<Self>, world: &Arc<World>, process: Process) -> HostStore {
        HostStore { world: Arc::clone(world), process, inner: (self.ways)(process), shared: Arc::clone(self) }
    }

    fn remember(&self, number: IncidentNumber, at: Micros, record: Option<Record>) {
        self.before.lock().unwrap_or_else(PoisonError::into_inner).insert(number, (at, record));
    }

    fn replaced_since(&self, number: IncidentNumber, since: Micros) -> Option<Option<Record>> {
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.get(&number).filter(|(at, _)| *at >= since).map(|(_, record)| record.clone())
    }
}

impl std::fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedStore")
    }
}

/// The store as one process reaches it, with faults.
#[derive(Debug)]
pub struct HostStore {
    world: Arc<World>,
    process: Process,
    inner: Arc<dyn Store>,
    shared: Arc<SharedStore>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
}

/// What happens to a call that arrives.
enum Fate {
    Answered,
    Late(Micros),
    Unknown,
    Crash,
}

impl HostStore {
    /// A step of a store call at which a dead process stops forever and a live process may crash.
    async fn gate(&self) {
        if self.world.lives(self.process) && self.world.lock().faults.strikes(Fault::CrashAtAwait) {
            self.world.crash(self.process, Fault::CrashAtAwait);
        }
        if !self.world.lives(self.process) {
            std::future::pending::<()>().await;
        }
    }

    fn disturb(&self, fault: Fault, time: Micros) {
        let mut state = self.world.lock();
        let now = state.now();
        let host = Some(self.process.host);
        state.history.disturbed(Disturbance { from: now, to: now + time, host, fault });
        drop(state);
        self.world.note(|| format!("server {}: {} ({:.3}s)", self.process.host, fault.word(), seconds(time)));
    }

    fn strikes(&self, fault: Fault) -> bool {
        self.world.lock().faults.strikes(fault)
    }

    fn delay(&self) -> Micros {
        let mut state = self.world.lock();
        if state.faults.between(0, 9) < 7 {
            state.faults.between(50 * MILLI, 2 * SECOND)
        } else {
            state.faults.between(2 * SECOND, 10 * SECOND)
        }
    }

    /// Decides what happens to a call before it takes effect. An error means that it never arrives.
    async fn before(&self, kind: Kind) -> Result<Fate, Outage> {
        self.gate().await;
        self.world.moment().await;
        if self.strikes(Fault::SlowCall) {
            let time = self.delay();
            self.disturb(Fault::SlowCall, time);
            self.world.sleep(time).await;
        }
        self.gate().await;
        for (fault, outage) in
            [(Fault::StoreRetryable, OutageKind::Retryable), (Fault::StorePermanent, OutageKind::Permanent)]
        {
            if self.strikes(fault) {
                self.disturb(fault, 0);
                return Err(Outage::new(outage, "the store is unavailable"));
            }
        }
        if kind == Kind::Write {
            if self.strikes(Fault::UnknownDidNot) {
                self.disturb(Fault::UnknownDidNot, 0);
                return Err(Outage::unknown("the store went away"));
            }
            if self.strikes(Fault::UnknownHappened) {
                self.disturb(Fault::UnknownHappened, 0);
                return Ok(Fate::Unknown);
            }
            if self.strikes(Fault::CrashAtCommit) {
                return Ok(Fate::Crash);
            }
        }
        if self.strikes(Fault::SlowAnswer) {
            let time = self.delay();
            self.disturb(Fault::SlowAnswer, time);
            return Ok(Fate::Late(time));
        }
        Ok(Fate::Answered)
    }

    /// Decides what happens to a call after it took effect.
    async fn after<T>(&self, fate: Fate, result: Result<T, Outage>) -> Result<T, Outage> {
        match fate {
            Fate::Answered => {}
            Fate::Late(time) => self.world.sleep(time).await,
            Fate::Unknown => return Err(Outage::unknown("the store went away")),
            Fate::Crash => self.world.crash(self.process, Fault::CrashAtCommit),
        }
        self.world.moment().await;
        self.gate().await;
        result
    }

    /// Makes a page of due incidents a few seconds old: later commits are missing, or show the record from before.
    fn lag(&self, now: DateTime<Utc>, after: Option<DueMark>, page: Vec<Record>) -> Vec<Record> {
        let since = self.world.now().saturating_sub(LAG);
        let is_due = |record: &Record| {
            plan::due_at(&record.incident).is_some_and(|due_at| {
                due_at <= now && after.is_none_or(|after| DueMark { due_at, number: record.number() } > after)
            })
        };
        let mut lagging: Vec<Record> = page
            .into_iter()
            .filter_map(|record| match self.shared.replaced_since(record.number(), since) {
                Some(before) => before.filter(is_due),
                None => Some(record),
            })
            .collect();
        lagging.sort_by_key(|record| (plan::due_at(&record.incident), record.number()));
        lagging
    }
}

#[async_trait]
impl Store for HostStore {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        let fate = self.before(Kind::Write).await?;
        let result = self.inner.create(opening).await;
        if let Ok(Created::New(record)) = &result {
            self.shared.remember(record.number(), self.world.now(), None);
            self.world
                .note(|| format!("server {}: store has created {}", self.process.host, record.number()));
        }
        self.after(fate, result).await
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        let fate = self.before(Kind::Read).await?;
        let result = self.inner.load(number).await;
        self.after(fate, result).await
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        let fate = self.before(Kind::Read).await?;
        let result = self.inner.find_open(service, key).await;
        self.after(fate, result).await
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let fate = self.before(Kind::Read).await?;
        let mut result = self.inner.due(now, after, limit).await;
        if self.strikes(Fault::LaggingDue) {
            self.disturb(Fault::LaggingDue, LAG);
            result = result.map(|page| self.lag(now, after, page));
        }
        self.after(fate, result).await
    }

    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let fate = self.before(Kind::Read).await?;
        let mut result = self.inner.ahead(now, after, limit).await;
        if self.strikes(Fault::LaggingDue) {
            self.disturb(Fault::LaggingDue, LAG);
            result = result.map(|page| self.lag(DateTime::<Utc>::MAX_UTC, after, page));
        }
        self.after(fate, result).await
    }

    async fn quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let fate = self.before(Kind::Read).await?;
        let result = self.inner.quiet(judged_by, after, limit).await;
        self.after(fate, result).await
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        let fate = self.before(Kind::Write).await?;
        let number = draft.incident().number();
        let before = self.inner.load(number).await.ok().flatten();
        let result = self.inner.commit(version, draft).await;
        if matches!(result, Ok(Committed::At(_))) {
            let deliveries = draft.incident().deliveries().iter();
            let not_begun = deliveries
                .filter(|d| d.last().is_some_and(|last| last.kind == OutcomeKind::NotBegun))
                .map(|d| (number, d.key().round, d.key().purpose));
            self.world.lock().history.not_begun.extend(not_begun);
            self.shared.remember(number, self.world.now(), before);
        }
        self.world.note(|| {
            let outcome = match &result {
                Ok(Committed::At(version)) => format!("at version {}", version.value()),
                Ok(Committed::Stale) => "stale".into(),
                Err(error) => error.to_string(),
            };
            let host = self.process.host;
            let events = draft.incident().timeline().entries();
            let last = events.last().map(|entry| format!("{:?}", entry.event)).unwrap_or_default();
            format!("server {host}: commit {number} on {}: {outcome}; last event {last}", version.value())
        });
        self.after(fate, result).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        let fate = self.before(Kind::Read).await?;
        let result = self.inner.list(query).await;
        self.after(fate, result).await
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        let fate = self.before(Kind::Read).await?;
        let result = self.inner.census(waiting_before).await;
        self.after(fate, result).await
    }
}
