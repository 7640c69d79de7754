//! The roster as one process sees it: a copy that lags, and that cannot always be read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{
    ChangeMark, Directory, Edited, EntryKey, EntryKind, Listed, Roster, RosterChange, RosterEdit, Standing,
    TeamPart, days_of,
};

use crate::fault::Fault;
use crate::history::Disturbance;
use crate::scenario;
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

    fn read<T>(&self, what: impl FnOnce(&scenario::Roster) -> T) -> Result<T, Outage> {
        let mut state = self.world.lock();
        let now = state.now();
        if self.outages == Outages::Occur && state.faults.strikes(Fault::RosterOutage) {
            let host = Some(self.process.host);
            state.history.disturbed(Disturbance { from: now, to: now, host, fault: Fault::RosterOutage });
            return Err(Outage::retryable("the roster is unavailable"));
        }
        let rosters = &state.history.rosters;
        let noticed = rosters.partition_point(|(edited, _)| edited + LAG <= now).saturating_sub(1);
        let shown = rosters.get(noticed.max(self.looked.load(Ordering::Relaxed)));
        shown.map(|(_, roster)| what(roster)).ok_or_else(|| Outage::permanent("there is no roster yet"))
    }
}

/// The directory of a team from `first` to `last`.
fn directory(roster: &scenario::Roster, team: &TeamName, first: NaiveDate, last: NaiveDate) -> Directory {
    let standing = if roster.knows(team.as_str()) { Standing::Known } else { Standing::Unknown };
    let plan = roster.teams.get(team.as_str());
    let days = plan.into_iter().flat_map(|plan| plan.calendar.range(first..=last));
    let days = days.map(|(day, levels)| (*day, Arc::new(scenario::rota(levels)))).collect();
    let settings = plan.map(|plan| Arc::new(plan.team()));
    Directory::new(team.clone(), TeamPart { settings, days, standing }, Arc::default())
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
        self.read(|roster| roster.services.get(service.as_str()).map(|owner| scenario::team(owner)))
    }

    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage> {
        let (first, last) = days_of(from, to);
        self.read(|roster| Arc::new(directory(roster, team, first, last)))
    }

    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage> {
        if kind != EntryKind::Team {
            return Err(Outage::permanent("the simulated roster lists only teams"));
        }
        self.read(|roster| {
            let keys: BTreeSet<_> = roster.teams.keys().chain(roster.services.values()).collect();
            let keys = keys.into_iter().map(|name| EntryKey::Team(scenario::team(name)));
            let keys = keys.filter(|key| after.is_none_or(|after| key > after));
            keys.take(limit).map(|key| Listed { key, entry: None }).collect()
        })
    }

    async fn apply(&self, _: &Person, _: DateTime<Utc>, _: &[RosterEdit]) -> Result<Edited, Outage> {
        Err(Outage::permanent("processes do not edit the simulated roster"))
    }

    async fn changes(
        &self,
        _: Option<&ChangeMark>,
        _: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        Ok(Vec::new())
    }
}
