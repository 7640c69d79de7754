//! Asks the roster who is on call.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::Engine;
use crate::error::Outage;
use crate::model::{Incident, Matrix, ServiceName, TeamName};
use crate::planted::planted;
use crate::roster::{self, Team};

/// How many days ahead somebody should be on call, today included.
pub const DAYS_AHEAD: u16 = 7;
/// Teams whose calendars are looked through at once.
pub(super) const AT_ONCE: usize = 16;

/// Who is on call for a team at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCall {
    /// The calendar day, in the team's zone.
    pub day: NaiveDate,
    /// The matrix that a round beginning at that instant would freeze.
    pub matrix: Matrix,
}

impl Engine {
    /// Who is on call for `team` at `at`; `None` for a team that is not known.
    ///
    /// # Errors
    /// The roster is out of order.
    pub async fn on_call(&self, team: &TeamName, at: DateTime<Utc>) -> Result<Option<OnCall>, Outage> {
        let roster = &self.inner.roster;
        let settings: Arc<Team>;
        let team_settings = match roster.team(team).await? {
            Some(found) => {
                settings = found;
                &*settings
            }
            None => match self.inner.defaults.team() {
                Some(defaults) if roster.knows_team(team).await? => defaults,
                Some(_) | None => return Ok(None),
            },
        };
        let day = roster::day_of(team_settings.timezone(), at);
        let rota = roster.day(team, day).await?;
        let matrix = roster::matrix(team_settings, rota.as_deref()).telling(self.inner.news);
        Ok(Some(OnCall { day, matrix }))
    }

    /// Whether a team can be alerted: it has settings, or a calendar and the deployment a fallback.
    ///
    /// # Errors
    /// The roster is out of order.
    pub async fn can_alert(&self, team: &TeamName) -> Result<bool, Outage> {
        Ok(self.on_call(team, self.now()).await?.is_some())
    }

    /// Whether a calendar alone makes a team: the deployment has a fallback.
    pub fn has_default_fallback(&self) -> bool {
        self.inner.defaults.team().is_some()
    }

    /// The calendar days among the next `days`, the one at `at` included, on which nobody is on call for `team`.
    ///
    /// All of them for a team that is not known.
    ///
    /// # Errors
    /// The roster is out of order.
    pub async fn uncovered_days(
        &self,
        team: &TeamName,
        at: DateTime<Utc>,
        days: u16,
    ) -> Result<Vec<NaiveDate>, Outage> {
        let settings = self.inner.roster.team(team).await?;
        let team_settings = settings.as_deref().or(self.inner.defaults.team());
        let first = team_settings.map_or(at.date_naive(), |team| roster::day_of(team.timezone(), at));
        let mut uncovered = Vec::new();
        for day in first.iter_days().take(days.into()) {
            let rota = self.inner.roster.day(team, day).await?;
            if rota.is_none_or(|rota| rota.oncall().is_empty()) {
                uncovered.push(day);
            }
        }
        Ok(uncovered)
    }

    /// The days among the next [`DAYS_AHEAD`] on which nobody is on call, for every team but the canary's.
    ///
    /// # Errors
    /// The roster is out of order.
    pub async fn uncovered(&self) -> Result<BTreeMap<TeamName, Vec<NaiveDate>>, Outage> {
        let (teams, now) = (self.inner.roster.teams().await?, self.now());
        let teams = teams.into_iter().filter(|team| team.as_str() != roster::CANARY);
        let days = stream::iter(teams).map(|team| async move {
            let days = self.uncovered_days(&team, now, DAYS_AHEAD).await?;
            Ok((team, days))
        });
        days.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// The team that answers for a service, with its matrix at `at`.
    pub(super) async fn duty(
        &self,
        service: &ServiceName,
        at: DateTime<Utc>,
    ) -> Result<Option<(TeamName, Matrix)>, Outage> {
        let taken = planted!(UnknownServiceTaken).then(|| TeamName::new("t0").ok()).flatten();
        let catch_all = || self.inner.catch_all.clone().or(taken);
        let Some(team) = self.inner.roster.service(service).await?.or_else(catch_all) else {
            return Ok(None);
        };
        Ok(self.on_call(&team, at).await?.map(|on_call| (team, on_call.matrix)))
    }

    /// The matrix for a new round of `incident`; that of its last round where its team is gone.
    pub(super) async fn next_matrix(&self, incident: &Incident, at: DateTime<Utc>) -> Result<Matrix, Outage> {
        let on_call = self.on_call(incident.team(), at).await?;
        Ok(on_call.map_or_else(|| incident.matrix().clone(), |on_call| on_call.matrix))
    }
}
