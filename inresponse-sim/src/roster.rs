//! A process's way to the roster, which may fail.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use inresponse_core::Outage;
use inresponse_core::memory::MemoryRoster;
use inresponse_core::model::{ServiceName, TeamName};
use inresponse_core::roster::{ChangeMark, Deleted, Roster, RosterChange, Rota, Team, TeamDeleted};

use crate::fault::Fault;
use crate::history::Disturbance;
use crate::world::{Process, World};

/// One process's way to the roster. Reads take no time, so that each sees one roster and not half of an edit.
#[derive(Debug)]
pub struct HostRoster {
    /// Where it is.
    pub world: Arc<World>,
    /// Whose way it is.
    pub process: Process,
    /// The roster that all share.
    pub shared: Arc<MemoryRoster>,
}

impl HostRoster {
    fn read(&self) -> Result<(), Outage> {
        let mut state = self.world.lock();
        if state.faults.strikes(Fault::RosterOutage) {
            let now = state.now();
            let host = Some(self.process.host);
            state.history.disturbed(Disturbance { from: now, to: now, host, fault: Fault::RosterOutage });
            return Err(Outage::retryable("the roster is out of order"));
        }
        Ok(())
    }
}

#[async_trait]
impl Roster for HostRoster {
    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        self.read()?;
        self.shared.service(service).await
    }

    async fn team(&self, team: &TeamName) -> Result<Option<Arc<Team>>, Outage> {
        self.read()?;
        self.shared.team(team).await
    }

    async fn day(&self, team: &TeamName, day: NaiveDate) -> Result<Option<Arc<Rota>>, Outage> {
        self.read()?;
        self.shared.day(team, day).await
    }

    async fn knows_team(&self, team: &TeamName) -> Result<bool, Outage> {
        self.read()?;
        self.shared.knows_team(team).await
    }

    async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        self.read()?;
        self.shared.teams().await
    }

    async fn put_service(&self, service: &ServiceName, team: &TeamName) -> Result<(), Outage> {
        self.shared.put_service(service, team).await
    }

    async fn put_team(&self, team: &TeamName, settings: &Team) -> Result<(), Outage> {
        self.shared.put_team(team, settings).await
    }

    async fn put_day(&self, team: &TeamName, day: NaiveDate, rota: &Rota) -> Result<(), Outage> {
        self.shared.put_day(team, day, rota).await
    }

    async fn delete_service(&self, service: &ServiceName) -> Result<Deleted, Outage> {
        self.shared.delete_service(service).await
    }

    async fn delete_team(&self, team: &TeamName) -> Result<TeamDeleted, Outage> {
        self.shared.delete_team(team).await
    }

    async fn delete_day(&self, team: &TeamName, day: NaiveDate) -> Result<Deleted, Outage> {
        self.shared.delete_day(team, day).await
    }

    async fn note_change(&self, change: &RosterChange) -> Result<(), Outage> {
        self.shared.note_change(change).await
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        self.read()?;
        self.shared.changes(before, limit).await
    }
}
