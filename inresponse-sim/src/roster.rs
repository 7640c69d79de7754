//! The roster as one process sees it: a copy that lags, and that cannot always be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{
    Answers, ChangeMark, Directory, Edited, EntryKey, EntryKind, Judged, Listed, Question, QuietRules,
    Roster, RosterChange, RosterEdit, Snapshot, days_of, judge_by,
};

use crate::fault::Fault;
use crate::history::Disturbance;
use crate::world::{MILLI, Micros, Process, World};

/// How far a copy lags behind the edits, unless its process refreshes it.
pub const LAG: Micros = 900 * MILLI;

/// The roster as one process sees it. Reads take no time, so that each sees one whole roster and not half of an edit.
#[derive(Debug)]
pub struct HostRoster {
    world: Arc<World>,
    process: Process,
    /// The index of the roster that the process has read last.
    looked: AtomicUsize,
    outages: Outages,
}

/// Whether the roster can always be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outages {
    Occur,
    Never,
}

impl HostRoster {
    /// A copy of the current roster.
    pub fn new(world: Arc<World>, process: Process) -> Self {
        Self::of(world, process, Outages::Occur)
    }

    /// A copy of the current roster that can always be read.
    pub fn without_faults(world: Arc<World>, process: Process) -> Self {
        Self::of(world, process, Outages::Never)
    }

    fn of(world: Arc<World>, process: Process, outages: Outages) -> Self {
        let looked = world.lock().history.rosters.len().saturating_sub(1);
        Self { world, process, looked: AtomicUsize::new(looked), outages }
    }

    fn read<T>(&self, what: impl FnOnce(&Snapshot) -> T) -> Result<T, Outage> {
        let mut state = self.world.lock();
        let now = state.now();
        if self.outages == Outages::Occur && state.faults.strikes(Fault::RosterOutage) {
            let host = Some(self.process.host);
            state.history.disturbed(Disturbance { from: now, to: now, host, fault: Fault::RosterOutage });
            return Err(Outage::retryable("the roster is unavailable"));
        }
        let rosters = &state.history.rosters;
        let noticed = rosters.partition_point(|(edited, _)| edited + LAG <= now).saturating_sub(1);
        let shown = state.history.snapshots.get(noticed.max(self.looked.load(Ordering::Relaxed)));
        shown.map(what).ok_or_else(|| Outage::permanent("there is no roster yet"))
    }
}

#[async_trait]
impl Roster for HostRoster {
    async fn refresh(&self) -> Result<(), Outage> {
        self.read(|_| ())?;
        let newest = self.world.lock().history.rosters.len().saturating_sub(1);
        self.looked.store(newest, Ordering::Relaxed);
        Ok(())
    }

    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        self.read(|roster| roster.service(service).cloned())
    }

    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage> {
        let (first, last) = days_of(from, to);
        self.read(|roster| Arc::new(roster.directory(team, first, last)))
    }

    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage> {
        self.read(|roster| roster.entries(kind, after, limit))
    }

    async fn quiet(&self) -> Result<Arc<QuietRules>, Outage> {
        self.read(|roster| Arc::clone(roster.quiet()))
    }

    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage> {
        self.read(|_| ())?;
        let mut state = self.world.lock();
        let now = state.now();
        let Some((_, roster)) = state.history.rosters.last() else {
            return Err(Outage::permanent("there is no roster yet"));
        };
        let (mut roster, snapshot) = (roster.clone(), roster.snapshot());
        let answer = |question: &Question, answers: &mut Answers| {
            snapshot.answer(question, answers);
            Ok(())
        };
        match judge_by(by, at, edits, answer)? {
            Judged::Ask(_) => Err(Outage::permanent("a question about the roster was not answered")),
            Judged::Refused(refusal) => Ok(Edited::Refused(refusal)),
            Judged::Write { effects, .. } => {
                roster.apply(edits, &effects);
                state.history.put_roster(now, roster);
                Ok(Edited::Done(effects))
            }
        }
    }

    async fn changes(
        &self,
        _: Option<&ChangeMark>,
        _: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        Ok(Vec::new())
    }
}
