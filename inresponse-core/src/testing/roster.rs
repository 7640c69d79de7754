//! Helpers that set up and read a roster in tests.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use crate::error::Outage;
use crate::model::{Person, ServiceName, TeamName};
use crate::roster::{Edited, Effect, Entry, EntryKey, EntryKind, Roster, RosterEdit, Rota, Standing, Team};

/// Single reads and edits for tests. The person `test` makes the edits. A refused edit is an outage of kind permanent.
#[async_trait]
pub trait RosterTestExt: Roster {
    /// Makes one edit.
    async fn edit(&self, edit: RosterEdit) -> Result<Effect, Outage> {
        let by = Person::new("test").map_err(|e| Outage::permanent("no name for a test").because(e))?;
        match self.apply(&by, DateTime::UNIX_EPOCH, &[edit]).await? {
            Edited::Done(effects) => {
                effects.first().copied().ok_or_else(|| Outage::permanent("one edit has one effect"))
            }
            Edited::Refused(refusal) => Err(Outage::permanent(format!("refused: {refusal:?}"))),
        }
    }

    /// Creates or replaces a service.
    async fn put_service(&self, service: &ServiceName, team: &TeamName) -> Result<(), Outage> {
        self.edit(Entry::service(service, team).into()).await.map(drop)
    }

    /// Creates or replaces a team's settings.
    async fn put_team(&self, team: &TeamName, settings: &Team) -> Result<(), Outage> {
        self.edit(Entry::team(team, settings.clone()).into()).await.map(drop)
    }

    /// Creates or replaces a calendar entry.
    async fn put_day(&self, team: &TeamName, day: NaiveDate, rota: &Rota) -> Result<(), Outage> {
        self.edit(Entry::day(team, day, rota.clone()).into()).await.map(drop)
    }

    /// Deletes a service.
    async fn delete_service(&self, service: &ServiceName) -> Result<Effect, Outage> {
        self.edit(RosterEdit::Delete(EntryKey::Service(service.clone()))).await
    }

    /// Deletes a team with its calendar.
    async fn delete_team(&self, team: &TeamName) -> Result<Effect, Outage> {
        self.edit(RosterEdit::Delete(EntryKey::Team(team.clone()))).await
    }

    /// Deletes a calendar entry.
    async fn delete_day(&self, team: &TeamName, day: NaiveDate) -> Result<Effect, Outage> {
        self.edit(RosterEdit::Delete(EntryKey::Day(team.clone(), day))).await
    }

    /// A team's settings.
    async fn team(&self, team: &TeamName) -> Result<Option<Arc<Team>>, Outage> {
        let (from, to) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        Ok(self.directory(team, from, to).await?.settings().cloned())
    }

    /// A team's calendar entry for a day.
    async fn day(&self, team: &TeamName, day: NaiveDate) -> Result<Option<Arc<Rota>>, Outage> {
        let midnight: DateTime<Utc> = day.and_time(chrono::NaiveTime::MIN).and_utc();
        Ok(self.directory(team, midnight, midnight).await?.day(day).cloned())
    }

    /// Whether a team is known: it has settings, a calendar entry or a service.
    async fn knows_team(&self, team: &TeamName) -> Result<bool, Outage> {
        let (from, to) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        Ok(self.directory(team, from, to).await?.standing() == Standing::Known)
    }

    /// The names of all known teams, in order.
    async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        let listed = self.entries(EntryKind::Team, None, usize::MAX).await?;
        Ok(listed.iter().filter_map(|listed| listed.key.team().cloned()).collect())
    }
}

impl<R: Roster + ?Sized> RosterTestExt for R {}
