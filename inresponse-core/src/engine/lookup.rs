//! Asks the roster who is on call.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::Engine;
use crate::error::Outage;
use crate::model::{Incident, Level, Matrix, ServiceName, StandIn, TeamName};
use crate::plan::{Alerted, NextRound, RoundOf};
use crate::roster::{self, Book, Directory, EntryKind, Resolved, SettingsOf, Standing, Team, Why};

/// How many days ahead somebody should be on call, today included.
pub const DAYS_AHEAD: u16 = 7;
/// Teams whose calendars are looked through at once.
pub(super) const AT_ONCE: usize = 16;
/// Teams that one look lists.
const TEAMS_AT_ONCE: usize = 1_000;

/// Who is on call for a team at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCall {
    /// The calendar day, in the team's zone.
    pub day: NaiveDate,
    /// The matrix that a round beginning at that instant would freeze.
    pub matrix: Matrix,
}

/// Whether a team is known, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It is named, by a service or by the configuration.
    Named,
    /// It must stand in the roster itself.
    IfListed,
}

/// Whether a resolution found everything it asked the roster for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    /// Service, settings and the day's entry were there.
    Complete,
    /// Something was not, so it falls back. A roster that keeps a copy at hand must look again first.
    FallsBack,
}

/// Who a team would alert.
#[derive(Debug)]
struct People {
    on_call: OnCall,
    basis: Basis,
}

/// A round, and whether it falls back.
#[derive(Debug)]
struct Found {
    round: NextRound,
    basis: Basis,
}

impl Engine {
    /// Who is on call for `team` at `at`; `None` for a team that is not known.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn on_call(&self, team: &TeamName, at: DateTime<Utc>) -> Result<Option<OnCall>, Outage> {
        match self.people_of(team, Known::IfListed, at).await? {
            Some(People { on_call, basis: Basis::Complete }) => Ok(Some(on_call)),
            Some(_) | None => {
                self.look_again().await?;
                let people = self.people_of(team, Known::IfListed, at).await?;
                Ok(people.map(|people| people.on_call))
            }
        }
    }

    /// Before anything falls back or is refused: the copy of the roster that is at hand may lag.
    async fn look_again(&self) -> Result<(), Outage> {
        self.inner.roster.refresh().await
    }

    /// The levels of a team, else its fallback; the deployment's fallback if it has no settings.
    async fn people_of(
        &self,
        team: &TeamName,
        known: Known,
        at: DateTime<Utc>,
    ) -> Result<Option<People>, Outage> {
        let directory = self.inner.roster.directory(team, at, at).await?;
        if known == Known::IfListed && directory.standing() == Standing::Unknown {
            return Ok(None);
        }
        Ok(self.people_in(&directory, at))
    }

    fn people_in(&self, directory: &Directory, at: DateTime<Utc>) -> Option<People> {
        let Resolved { day, matrix, why, settings, .. } =
            roster::resolve(directory, &self.inner.defaults, at)?;
        let basis = match (why, settings) {
            (Why::Day | Why::Levels, SettingsOf::Team) => Basis::Complete,
            (Why::Day | Why::Levels | Why::Fallback, SettingsOf::Team | SettingsOf::Deployment) => {
                Basis::FallsBack
            }
        };
        Some(People { on_call: OnCall { day, matrix: matrix.telling(self.inner.news) }, basis })
    }

    /// Whether a team can be alerted: it has settings, or a calendar or a service and the deployment a fallback.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn can_alert(&self, team: &TeamName) -> Result<bool, Outage> {
        Ok(self.on_call(team, self.now()).await?.is_some())
    }

    /// Whether a calendar alone makes a team: the deployment has a fallback.
    pub fn has_default_fallback(&self) -> bool {
        self.inner.defaults.team().is_some()
    }

    /// The team that the configuration names for services that nobody owns.
    pub fn catch_all(&self) -> Option<&TeamName> {
        self.inner.catch_all.as_ref()
    }

    /// The calendar days among the next `days`, the one at `at` included, on which nobody is on call for `team`.
    ///
    /// All of them for a team that is not known.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn uncovered_days(
        &self,
        team: &TeamName,
        at: DateTime<Utc>,
        days: u16,
    ) -> Result<Vec<NaiveDate>, Outage> {
        // A day more, since the days are those of the team's zone.
        let to = at + TimeDelta::days(i64::from(days) + 1);
        let directory = self.inner.roster.directory(team, at, to).await?;
        let settings = directory.settings().map(|team| &**team).or(self.inner.defaults.team());
        let first = settings.map_or(at.date_naive(), |team| roster::day_of(team.timezone(), at));
        // Whether a team's own levels have gaps is asked of its schedules.
        let has_levels = settings.is_some_and(|team| !team.levels().is_empty());
        let is_uncovered = |day: &NaiveDate| match directory.day(*day) {
            Some(rota) => rota.oncall().is_empty(),
            None => !has_levels,
        };
        let uncovered = first.iter_days().take(days.into()).filter(is_uncovered).collect();
        Ok(uncovered)
    }

    /// All people and schedules, no older than this call.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn book(&self) -> Result<Arc<Book>, Outage> {
        self.look_again().await?;
        // Every team's directory has the whole book.
        let (any, now) = (TeamName::new(roster::CANARY), self.now());
        let any = any.map_err(|e| Outage::permanent("a constant name is invalid").because(e))?;
        Ok(Arc::clone(self.inner.roster.directory(&any, now, now).await?.book()))
    }

    /// The names of all teams that are known, in order; for people.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let page = self.inner.roster.entries(EntryKind::Team, after.as_ref(), TEAMS_AT_ONCE).await?;
            names.extend(page.iter().filter_map(|listed| listed.key.team().cloned()));
            after = match page.last() {
                Some(last) if page.len() == TEAMS_AT_ONCE => Some(last.key.clone()),
                Some(_) | None => return Ok(names),
            };
        }
    }

    /// The days among the next [`DAYS_AHEAD`] on which nobody is on call, for every team but the canary's.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn uncovered(&self) -> Result<BTreeMap<TeamName, Vec<NaiveDate>>, Outage> {
        let (teams, now) = (self.teams().await?, self.now());
        let teams = teams.into_iter().filter(|team| team.as_str() != roster::CANARY);
        let days = stream::iter(teams).map(|team| async move {
            let days = self.uncovered_days(&team, now, DAYS_AHEAD).await?;
            Ok((team, days))
        });
        days.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Promise 12: who is alerted for a report; `None` only for a service that nobody owns and no catch-all team takes.
    pub(super) async fn duty(
        &self,
        service: &ServiceName,
        at: DateTime<Utc>,
    ) -> Result<Option<(TeamName, Matrix)>, Outage> {
        let mut found = self.duty_by_copy(service, at).await?;
        if found.as_ref().is_none_or(|found| found.basis == Basis::FallsBack) {
            self.look_again().await?;
            found = self.duty_by_copy(service, at).await?;
        }
        Ok(found.map(|Found { round, .. }| (round.team, round.matrix)))
    }

    async fn duty_by_copy(&self, service: &ServiceName, at: DateTime<Utc>) -> Result<Option<Found>, Outage> {
        match self.inner.roster.service(service).await? {
            None => self.catch_all_round(at).await,
            Some(owner) => {
                let found = self.owner(&owner, at).await?;
                // Nobody is named anywhere: it is recorded, and shows as undelivered.
                Ok(Some(found.unwrap_or_else(|| {
                    let matrix = Matrix::new(Vec::new(), Vec::new(), Team::DEFAULT_WAIT);
                    self.falls_back(owner, matrix, Alerted::Team)
                })))
            }
        }
    }

    /// Whom the owner of a service alerts, even if only part of the team's settings is left; `None` if nobody is
    /// configured anywhere.
    async fn owner(&self, owner: &TeamName, at: DateTime<Utc>) -> Result<Option<Found>, Outage> {
        let directory = self.inner.roster.directory(owner, at, at).await?;
        if let Some(People { on_call, basis }) = self.people_in(&directory, at) {
            let round = NextRound { team: owner.clone(), matrix: on_call.matrix, alerted: Alerted::Team };
            return Ok(Some(Found { round, basis }));
        }
        // Neither it nor the deployment has a fallback.
        let catch_all = self.catch_all_round(at).await?;
        let last = catch_all.as_ref().map(|found| found.round.matrix.contacts(Level::Fallback).to_vec());
        let by_calendar = roster::resolve_by_calendar(&directory, last.unwrap_or_default(), at);
        Ok(match by_calendar {
            Some(matrix) => Some(self.falls_back(owner.clone(), matrix, Alerted::Team)),
            None => catch_all,
        })
    }

    /// The catch-all team, if the configuration names one.
    async fn catch_all_round(&self, at: DateTime<Utc>) -> Result<Option<Found>, Outage> {
        let Some(team) = self.inner.catch_all.clone() else { return Ok(None) };
        let people = self.people_of(&team, Known::Named, at).await?;
        Ok(people.map(|people| self.falls_back(team, people.on_call.matrix, Alerted::CatchAll)))
    }

    fn falls_back(&self, team: TeamName, matrix: Matrix, alerted: Alerted) -> Found {
        let matrix = matrix.telling(self.inner.news);
        Found { round: NextRound { team, matrix, alerted }, basis: Basis::FallsBack }
    }

    /// Who is alerted in a new round of `incident`.
    pub(super) async fn next_round(
        &self,
        incident: &Incident,
        of: &RoundOf,
        at: DateTime<Utc>,
    ) -> Result<NextRound, Outage> {
        let mut found = self.round_by_copy(incident, of, at).await?;
        if found.basis == Basis::FallsBack {
            self.look_again().await?;
            found = self.round_by_copy(incident, of, at).await?;
        }
        Ok(found.round)
    }

    async fn round_by_copy(
        &self,
        incident: &Incident,
        of: &RoundOf,
        at: DateTime<Utc>,
    ) -> Result<Found, Outage> {
        let owner = match of {
            RoundOf::Service => self.inner.roster.service(incident.service()).await?,
            RoundOf::Team(_) => None,
        };
        if let Some(owner) = owner {
            let found = self.owner(&owner, at).await?;
            return Ok(found.unwrap_or_else(|| self.last_round(incident, owner)));
        }
        let team = match of {
            RoundOf::Team(team) => team,
            // The service is gone, so it stays with the team that had it.
            RoundOf::Service => incident.team(),
        };
        if let Some(People { on_call, basis }) = self.people_of(team, Known::IfListed, at).await? {
            let round = NextRound { team: team.clone(), matrix: on_call.matrix, alerted: Alerted::Team };
            let is_handed = matches!(of, RoundOf::Team(_));
            return Ok(Found { round, basis: if is_handed { basis } else { Basis::FallsBack } });
        }
        let nobody = Directory::unknown(team.clone());
        if let Some(resolved) = roster::resolve(&nobody, &self.inner.defaults, at) {
            let alerted = Alerted::StandIn(StandIn::DeploymentFallback);
            return Ok(self.falls_back(team.clone(), resolved.matrix, alerted));
        }
        let catch_all = self.catch_all_round(at).await?;
        Ok(catch_all.unwrap_or_else(|| self.last_round(incident, team.clone())))
    }

    /// Somebody who knows of it is better than nobody.
    fn last_round(&self, incident: &Incident, gone: TeamName) -> Found {
        self.falls_back(gone, incident.matrix().clone(), Alerted::StandIn(StandIn::LastRound))
    }
}
