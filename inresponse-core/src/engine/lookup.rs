//! Asks the roster who is on call.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::clocks::Clocks;
use super::known_rules::KnownRules;
use crate::error::Outage;
use crate::model::{Incident, Level, Matrix, StandIn, StatusUpdates, TeamName};
use crate::plan::{Alerted, NextRound, RoundOf};
use crate::roster::{
    self, Book, Defaults, Directory, EntryKind, QuietRules, Resolved, Roster, SettingsOf, Standing, Why,
};

/// The number of days for which somebody should be on call, including today.
pub const DAYS_AHEAD: u16 = 7;
/// The number of teams whose calendars are read concurrently.
pub(super) const AT_ONCE: usize = 16;
/// The number of teams that one query lists.
const TEAMS_AT_ONCE: usize = 1_000;

/// Who is on call for a team at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnCall {
    /// The calendar day, in the team's zone.
    pub day: NaiveDate,
    /// The matrix that a round beginning at that instant would freeze.
    pub matrix: Matrix,
}

/// A team with who is on call for it now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TeamOnCall {
    /// The team.
    pub team: TeamName,
    /// Who is on call.
    pub on_call: OnCall,
    /// The days among the next [`DAYS_AHEAD`] on which nobody is on call; none for the canary's team.
    pub uncovered: Vec<NaiveDate>,
}

/// Whether the roster contained everything that a resolution needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// Service, settings and the day's entry were found.
    Complete,
    /// A part was missing, so a fallback is used. A roster with a local copy must be refreshed first.
    FallsBack,
}

/// Who a team would alert.
#[derive(Debug)]
pub(super) struct People {
    pub(super) on_call: OnCall,
    pub(super) basis: Basis,
}

/// The team and the matrix of a round, and whether a fallback is used.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) round: NextRound,
    pub(super) basis: Basis,
}

/// The span in which the next `days` of every time zone lie.
fn span_of(days: u16) -> TimeDelta {
    TimeDelta::days(i64::from(days) + 1)
}

/// Asks the roster, and knows what the configuration names besides.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) roster: Arc<dyn Roster>,
    pub(super) clocks: Arc<Clocks>,
    /// The settings of a team that is known only from its calendar.
    pub(super) defaults: Defaults,
    /// The team that owns every service nobody else owns.
    pub(super) catch_all: Option<TeamName>,
    pub(super) status_updates: StatusUpdates,
    pub(super) rules: KnownRules,
}

impl Lookup {
    /// Who is on call for `team` at `at`; `None` for an unknown team.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub(super) async fn on_call(&self, team: &TeamName, at: DateTime<Utc>) -> Result<Option<OnCall>, Outage> {
        match self.people_of(team, at).await? {
            Some(People { on_call, basis: Basis::Complete }) => Ok(Some(on_call)),
            Some(_) | None => {
                self.look_again().await?;
                let people = self.people_of(team, at).await?;
                Ok(people.map(|people| people.on_call))
            }
        }
    }

    /// Refreshes the roster before a fallback is used or a request is refused, because the local copy may lag.
    pub(super) async fn look_again(&self) -> Result<(), Outage> {
        self.roster.refresh().await
    }

    /// The levels of a team, otherwise its fallback. If the team has no settings, the deployment's fallback.
    pub(super) async fn people_of(
        &self,
        team: &TeamName,
        at: DateTime<Utc>,
    ) -> Result<Option<People>, Outage> {
        let directory = self.roster.directory(team, at, at).await?;
        if directory.standing() == Standing::Unknown {
            return Ok(None);
        }
        Ok(self.people_in(&directory, at))
    }

    fn people_in(&self, directory: &Directory, at: DateTime<Utc>) -> Option<People> {
        let Resolved { day, matrix, why, settings, .. } = roster::resolve(directory, &self.defaults, at)?;
        let basis = match (why, settings) {
            (Why::Day | Why::Levels, SettingsOf::Team) => Basis::Complete,
            (Why::Day | Why::Levels | Why::Fallback, SettingsOf::Team | SettingsOf::Deployment) => {
                Basis::FallsBack
            }
        };
        Some(People {
            on_call: OnCall { day, matrix: matrix.with_status_updates(self.status_updates) },
            basis,
        })
    }

    /// Whether a team can be alerted: it has settings, or it has a calendar or a service and the deployment has a
    /// fallback.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub(super) async fn can_alert(&self, team: &TeamName) -> Result<bool, Outage> {
        Ok(self.on_call(team, self.clocks.now()).await?.is_some())
    }

    /// Whether a calendar alone makes a team known, because the deployment has a fallback.
    pub(super) fn has_default_fallback(&self) -> bool {
        self.defaults.team().is_some()
    }

    /// The team that the configuration names for services without an owner.
    pub(super) fn catch_all(&self) -> Option<&TeamName> {
        self.catch_all.as_ref()
    }

    /// The days among the next `days`, beginning with the day at `at`, on which nobody is on call for `team`.
    ///
    /// For an unknown team, all days are returned.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub(super) async fn uncovered_days(
        &self,
        team: &TeamName,
        at: DateTime<Utc>,
        days: u16,
    ) -> Result<Vec<NaiveDate>, Outage> {
        let directory = self.roster.directory(team, at, at + span_of(days)).await?;
        Ok(self.uncovered_in(&directory, at, days))
    }

    /// The days on which nobody is on call, in a directory for these days and one more.
    fn uncovered_in(&self, directory: &Directory, at: DateTime<Utc>, days: u16) -> Vec<NaiveDate> {
        let settings = directory.settings().map(|team| &**team).or(self.defaults.team());
        let first = settings.map_or(at.date_naive(), |team| roster::day_of(team.timezone(), at));
        // A team with levels of its own counts as covered here. The coverage check finds the gaps in its schedules.
        let has_levels = settings.is_some_and(|team| !team.levels().is_empty());
        let is_uncovered = |day: &NaiveDate| match directory.day(*day) {
            Some(rota) => rota.oncall().is_empty(),
            None => !has_levels,
        };
        first.iter_days().take(days.into()).filter(is_uncovered).collect()
    }

    /// Every known team with who is on call for it now, in the order of their names. Each team is read once.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub(super) async fn teams_on_call(&self) -> Result<Vec<TeamOnCall>, Outage> {
        self.look_again().await?;
        let (names, now) = (self.teams().await?, self.clocks.now());
        let teams = stream::iter(names).map(|team| async move {
            let directory = self.roster.directory(&team, now, now + span_of(DAYS_AHEAD)).await?;
            let people = match directory.standing() {
                Standing::Unknown => None,
                Standing::Known => self.people_in(&directory, now),
            };
            let is_canary = team.as_str() == roster::CANARY;
            let uncovered =
                if is_canary { Vec::new() } else { self.uncovered_in(&directory, now, DAYS_AHEAD) };
            Ok(people.map(|people| TeamOnCall { team, on_call: people.on_call, uncovered }))
        });
        let teams: Vec<Option<TeamOnCall>> = teams.buffered(AT_ONCE).try_collect().await?;
        Ok(teams.into_iter().flatten().collect())
    }

    /// All people and schedules, no older than this call.
    pub(super) async fn book(&self) -> Result<Arc<Book>, Outage> {
        self.look_again().await?;
        self.held_book().await
    }

    /// All people and schedules; the copy at hand may lag.
    pub(super) async fn held_book(&self) -> Result<Arc<Book>, Outage> {
        // Every team's directory has the whole book.
        let (any, now) = (TeamName::new(roster::CANARY), self.clocks.now());
        let any = any.map_err(|e| Outage::permanent("a constant name is invalid").because(e))?;
        Ok(Arc::clone(self.roster.directory(&any, now, now).await?.book()))
    }

    /// Silences and alert hours.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub(super) async fn quiet_rules(&self) -> Result<Arc<QuietRules>, Outage> {
        self.rules.read(&*self.roster, &self.clocks).await
    }

    /// Silences and alert hours, for what must not wait for the roster.
    pub(super) async fn quiet_rules_or_last(&self) -> Arc<QuietRules> {
        self.rules.read_or_last(&*self.roster, &self.clocks).await
    }

    /// The names of all known teams, in order.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub(super) async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let page = self.roster.entries(EntryKind::Team, after.as_ref(), TEAMS_AT_ONCE).await?;
            names.extend(page.iter().filter_map(|listed| listed.key.team().cloned()));
            after = match page.last() {
                Some(last) if page.len() == TEAMS_AT_ONCE => Some(last.key.clone()),
                Some(_) | None => return Ok(names),
            };
        }
    }

    /// For every team except the canary's, the days among the next [`DAYS_AHEAD`] on which nobody is on call.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub(super) async fn uncovered(&self) -> Result<BTreeMap<TeamName, Vec<NaiveDate>>, Outage> {
        let (teams, now) = (self.teams().await?, self.clocks.now());
        let teams = teams.into_iter().filter(|team| team.as_str() != roster::CANARY);
        let days = stream::iter(teams).map(|team| async move {
            let days = self.uncovered_days(&team, now, DAYS_AHEAD).await?;
            Ok((team, days))
        });
        days.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// The people whom the owner of a service alerts, even if only a part of the team's settings is left; `None` if
    /// nobody is configured anywhere.
    async fn owner(&self, owner: &TeamName, at: DateTime<Utc>) -> Result<Option<Found>, Outage> {
        let directory = self.roster.directory(owner, at, at).await?;
        self.owner_in(&directory, at).await
    }

    pub(super) async fn owner_in(
        &self,
        directory: &Directory,
        at: DateTime<Utc>,
    ) -> Result<Option<Found>, Outage> {
        let owner = directory.team();
        if let Some(People { on_call, basis }) = self.people_in(directory, at) {
            let round = NextRound { team: owner.clone(), matrix: on_call.matrix, alerted: Alerted::Team };
            return Ok(Some(Found { round, basis }));
        }
        // Neither the team nor the deployment has a fallback.
        let catch_all = self.catch_all_round(at).await?;
        let last = catch_all.as_ref().map(|found| found.round.matrix.contacts(Level::Fallback).to_vec());
        let by_calendar = roster::resolve_by_calendar(directory, last.unwrap_or_default(), at);
        Ok(match by_calendar {
            Some(matrix) => Some(self.falls_back(owner.clone(), matrix, Alerted::Team)),
            None => catch_all,
        })
    }

    /// The round of the catch-all team, if the configuration names one.
    async fn catch_all_round(&self, at: DateTime<Utc>) -> Result<Option<Found>, Outage> {
        let Some(team) = &self.catch_all else { return Ok(None) };
        Ok(self.catch_all_in(&*self.roster.directory(team, at, at).await?, at))
    }

    pub(super) fn catch_all_in(&self, directory: &Directory, at: DateTime<Utc>) -> Option<Found> {
        let People { on_call, .. } = self.people_in(directory, at)?;
        Some(self.falls_back(directory.team().clone(), on_call.matrix, Alerted::CatchAll))
    }

    pub(super) fn falls_back(&self, team: TeamName, matrix: Matrix, alerted: Alerted) -> Found {
        let matrix = matrix.with_status_updates(self.status_updates);
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
        // The rule's team is alerted as long as it is known, otherwise all is as it would be without the rule.
        if let RoundOf::Routed(team) = of
            && let Some(People { on_call, basis }) = self.people_of(team, at).await?
        {
            let round = NextRound { team: team.clone(), matrix: on_call.matrix, alerted: Alerted::Team };
            return Ok(Found { round, basis });
        }
        let owner = match of {
            RoundOf::Service | RoundOf::Routed(_) => self.roster.service(incident.service()).await?,
            RoundOf::Team(_) => None,
        };
        if let Some(owner) = owner {
            let found = self.owner(&owner, at).await?;
            let found = found.unwrap_or_else(|| self.last_round(incident, owner));
            let is_routed = matches!(of, RoundOf::Routed(_));
            return Ok(if is_routed { Found { basis: Basis::FallsBack, ..found } } else { found });
        }
        let team = match of {
            RoundOf::Team(team) => team,
            // The service is gone, so it stays with the team that had it.
            RoundOf::Service | RoundOf::Routed(_) => incident.team(),
        };
        if let Some(People { on_call, basis }) = self.people_of(team, at).await? {
            let round = NextRound { team: team.clone(), matrix: on_call.matrix, alerted: Alerted::Team };
            let is_handed = matches!(of, RoundOf::Team(_));
            return Ok(Found { round, basis: if is_handed { basis } else { Basis::FallsBack } });
        }
        let nobody = Directory::unknown(team.clone());
        if let Some(resolved) = roster::resolve(&nobody, &self.defaults, at) {
            let alerted = Alerted::StandIn(StandIn::DeploymentFallback);
            return Ok(self.falls_back(team.clone(), resolved.matrix, alerted));
        }
        let catch_all = self.catch_all_round(at).await?;
        Ok(catch_all.unwrap_or_else(|| self.last_round(incident, team.clone())))
    }

    /// A round for the people of the last round, because somebody who knows the incident is better than nobody.
    fn last_round(&self, incident: &Incident, gone: TeamName) -> Found {
        self.falls_back(gone, incident.matrix().clone(), Alerted::StandIn(StandIn::LastRound))
    }
}
