//! The roster in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::NaiveDate;

use crate::error::Outage;
use crate::model::{ServiceName, TeamName};
use crate::roster::{ChangeMark, Deleted, Roster, RosterChange, Rota, Team, TeamDeleted};

/// How many changes are kept.
const CHANGES_KEPT: usize = 10_000;

/// Services, teams and calendars in memory, and the newest 10,000 changes that were noted.
#[derive(Debug, Default)]
pub struct MemoryRoster {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    services: BTreeMap<ServiceName, TeamName>,
    teams: BTreeMap<TeamName, Arc<Team>>,
    calendars: BTreeMap<TeamName, BTreeMap<NaiveDate, Arc<Rota>>>,
    changes: BTreeMap<u64, RosterChange>,
}

impl MemoryRoster {
    /// An empty roster.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Nothing panics while it holds the lock, so what a poisoned lock guards is whole.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn deleted<T>(found: Option<T>) -> Deleted {
    if found.is_some() { Deleted::Gone } else { Deleted::Absent }
}

#[async_trait]
impl Roster for MemoryRoster {
    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        Ok(self.tables().services.get(service).cloned())
    }

    async fn team(&self, team: &TeamName) -> Result<Option<Arc<Team>>, Outage> {
        Ok(self.tables().teams.get(team).cloned())
    }

    async fn day(&self, team: &TeamName, day: NaiveDate) -> Result<Option<Arc<Rota>>, Outage> {
        Ok(self.tables().calendars.get(team).and_then(|days| days.get(&day)).cloned())
    }

    async fn knows_team(&self, team: &TeamName) -> Result<bool, Outage> {
        let tables = self.tables();
        let has_days = tables.calendars.get(team).is_some_and(|days| !days.is_empty());
        Ok(has_days || tables.teams.contains_key(team) || tables.services.values().any(|owner| owner == team))
    }

    async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        let tables = self.tables();
        let with_days = tables.calendars.iter().filter(|(_, days)| !days.is_empty()).map(|(team, _)| team);
        let names: BTreeSet<&TeamName> =
            tables.teams.keys().chain(with_days).chain(tables.services.values()).collect();
        Ok(names.into_iter().cloned().collect())
    }

    async fn put_service(&self, service: &ServiceName, team: &TeamName) -> Result<(), Outage> {
        self.tables().services.insert(service.clone(), team.clone());
        Ok(())
    }

    async fn put_team(&self, team: &TeamName, settings: &Team) -> Result<(), Outage> {
        self.tables().teams.insert(team.clone(), Arc::new(settings.clone()));
        Ok(())
    }

    async fn put_day(&self, team: &TeamName, day: NaiveDate, rota: &Rota) -> Result<(), Outage> {
        self.tables().calendars.entry(team.clone()).or_default().insert(day, Arc::new(rota.clone()));
        Ok(())
    }

    async fn delete_service(&self, service: &ServiceName) -> Result<Deleted, Outage> {
        Ok(deleted(self.tables().services.remove(service)))
    }

    async fn delete_team(&self, team: &TeamName) -> Result<TeamDeleted, Outage> {
        let mut tables = self.tables();
        if let Some((service, _)) = tables.services.iter().find(|(_, owner)| *owner == team) {
            return Ok(TeamDeleted::OwnsService(service.clone()));
        }
        let (settings, days) = (tables.teams.remove(team), tables.calendars.remove(team));
        let was_there = settings.is_some() || days.is_some_and(|days| !days.is_empty());
        Ok(if was_there { TeamDeleted::Gone } else { TeamDeleted::Absent })
    }

    async fn delete_day(&self, team: &TeamName, day: NaiveDate) -> Result<Deleted, Outage> {
        Ok(deleted(self.tables().calendars.get_mut(team).and_then(|days| days.remove(&day))))
    }

    async fn note_change(&self, change: &RosterChange) -> Result<(), Outage> {
        let changes = &mut self.tables().changes;
        let next = changes.last_key_value().map_or(1, |(last, _)| last + 1);
        changes.insert(next, change.clone());
        if changes.len() > CHANGES_KEPT {
            changes.pop_first();
        }
        Ok(())
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        let end = before.map_or(Bound::Unbounded, |mark| Bound::Excluded(mark.number().unwrap_or(0)));
        let tables = self.tables();
        let newest_first = tables.changes.range((Bound::Unbounded, end)).rev().take(limit);
        Ok(newest_first.map(|(number, change)| (ChangeMark::numbered(*number), change.clone())).collect())
    }
}
