//! A roster whose reads fail or take their time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::clock::Clock as _;
use inresponse_core::memory::MemoryRoster;
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{
    ChangeMark, Directory, Edited, EntryKey, EntryKind, Listed, QuietRules, Roster, RosterChange, RosterEdit,
};
use inresponse_core::testing::ManualClock;

/// What happens to the reads of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reads {
    #[default]
    Succeed,
    Fail,
    /// They take so long.
    Take(Duration),
}

/// A roster in memory, whose reads are told what to do.
#[derive(Debug, Clone)]
pub struct FaultyRoster {
    roster: Arc<MemoryRoster>,
    clock: ManualClock,
    of_teams: Arc<Mutex<Reads>>,
    of_quiet: Arc<Mutex<Reads>>,
}

impl FaultyRoster {
    pub fn new(clock: &ManualClock) -> Self {
        let (of_teams, of_quiet) = (Arc::default(), Arc::default());
        Self { roster: Arc::default(), clock: clock.clone(), of_teams, of_quiet }
    }

    /// From now on, that happens when a team is read.
    pub fn teams(&self, reads: Reads) {
        *self.of_teams.lock().unwrap() = reads;
    }

    /// From now on, that happens when silences and alert hours are read.
    pub fn quiet_rules(&self, reads: Reads) {
        *self.of_quiet.lock().unwrap() = reads;
    }

    async fn read(&self, of: &Mutex<Reads>) -> Result<(), Outage> {
        let reads = *of.lock().unwrap();
        match reads {
            Reads::Succeed => {}
            Reads::Fail => return Err(Outage::retryable("the roster cannot be read")),
            Reads::Take(time) => self.clock.sleep(time).await,
        }
        Ok(())
    }
}

#[async_trait]
impl Roster for FaultyRoster {
    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage> {
        self.roster.apply(by, at, edits).await
    }

    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        self.roster.service(service).await
    }

    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage> {
        self.read(&self.of_teams).await?;
        self.roster.directory(team, from, to).await
    }

    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage> {
        self.roster.entries(kind, after, limit).await
    }

    async fn quiet(&self) -> Result<Arc<QuietRules>, Outage> {
        self.read(&self.of_quiet).await?;
        self.roster.quiet().await
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        self.roster.changes(before, limit).await
    }
}
