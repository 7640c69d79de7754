//! A process's way to the roster: a copy that lags, and that cannot always be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::NaiveDate;
use inresponse_core::Outage;
use inresponse_core::model::{ServiceName, TeamName};
use inresponse_core::roster::{ChangeMark, Deleted, Roster, RosterChange, Rota, Team, TeamDeleted};

use crate::fault::Fault;
use crate::history::Disturbance;
use crate::scenario;
use crate::world::{MILLI, Micros, Process, World};

/// How far a copy lags behind what was edited, unless its process looks again.
pub const LAG: Micros = 900 * MILLI;

/// One process's way to the roster. Reads take no time, so that each sees one roster and not half of an edit.
#[derive(Debug)]
pub struct HostRoster {
    world: Arc<World>,
    process: Process,
    /// Which of the rosters it has looked at last.
    looked: AtomicUsize,
}

impl HostRoster {
    /// A copy that was made now.
    pub fn new(world: Arc<World>, process: Process) -> Self {
        let looked = world.lock().history.rosters.len().saturating_sub(1);
        Self { world, process, looked: AtomicUsize::new(looked) }
    }

    fn read<T>(&self, what: impl FnOnce(&scenario::Roster) -> T) -> Result<T, Outage> {
        let mut state = self.world.lock();
        let now = state.now();
        if state.faults.strikes(Fault::RosterOutage) {
            let host = Some(self.process.host);
            state.history.disturbed(Disturbance { from: now, to: now, host, fault: Fault::RosterOutage });
            return Err(Outage::retryable("the roster is out of order"));
        }
        let rosters = &state.history.rosters;
        let noticed = rosters.partition_point(|(edited, _)| edited + LAG <= now).saturating_sub(1);
        let shown = rosters.get(noticed.max(self.looked.load(Ordering::Relaxed)));
        shown.map(|(_, roster)| what(roster)).ok_or_else(|| Outage::permanent("there is no roster yet"))
    }
}

/// Nobody in a simulation edits through a process.
fn not_here<T>() -> Result<T, Outage> {
    Err(Outage::permanent("the roster is edited elsewhere"))
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

    async fn team(&self, team: &TeamName) -> Result<Option<Arc<Team>>, Outage> {
        self.read(|roster| roster.teams.get(team.as_str()).map(|plan| Arc::new(plan.team())))
    }

    async fn day(&self, team: &TeamName, day: NaiveDate) -> Result<Option<Arc<Rota>>, Outage> {
        self.read(|roster| {
            let levels = roster.teams.get(team.as_str())?.calendar.get(&day)?;
            Some(Arc::new(scenario::rota(levels)))
        })
    }

    async fn knows_team(&self, team: &TeamName) -> Result<bool, Outage> {
        self.read(|roster| roster.knows(team.as_str()))
    }

    async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        self.read(|roster| roster.teams.keys().map(|name| scenario::team(name)).collect())
    }

    async fn put_service(&self, _: &ServiceName, _: &TeamName) -> Result<(), Outage> {
        not_here()
    }

    async fn put_team(&self, _: &TeamName, _: &Team) -> Result<(), Outage> {
        not_here()
    }

    async fn put_day(&self, _: &TeamName, _: NaiveDate, _: &Rota) -> Result<(), Outage> {
        not_here()
    }

    async fn delete_service(&self, _: &ServiceName) -> Result<Deleted, Outage> {
        not_here()
    }

    async fn delete_team(&self, _: &TeamName) -> Result<TeamDeleted, Outage> {
        not_here()
    }

    async fn delete_day(&self, _: &TeamName, _: NaiveDate) -> Result<Deleted, Outage> {
        not_here()
    }

    async fn note_change(&self, _: &RosterChange) -> Result<(), Outage> {
        not_here()
    }

    async fn changes(
        &self,
        _: Option<&ChangeMark>,
        _: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        Ok(Vec::new())
    }
}
