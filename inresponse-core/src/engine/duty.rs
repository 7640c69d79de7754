//! What happens to a report: the first routing rule that matches, and who is alerted.

use chrono::{DateTime, Utc};

use super::lookup::{Basis, Found, Lookup, People};
use crate::error::Outage;
use crate::model::{HeartbeatName, Matrix, Report, Routed, RuleName, TeamName};
use crate::plan::{Alerted, NextRound};
use crate::roster::{self, Pings, Rule, Ruling, Subject, Team, TeamIs};

/// What happens to a report.
#[derive(Debug)]
pub(super) enum Duty {
    /// A team has the incident.
    Alert {
        team: TeamName,
        matrix: Matrix,
        /// What a routing rule decided, if one matched.
        routed: Option<Routed>,
    },
    /// The report is a ping of this heartbeat, by that rule.
    Ping(HeartbeatName, RuleName),
}

impl Lookup {
    /// What happens to a report: who is alerted (promise 12), by the first routing rule that matches. `None` only if
    /// nobody owns the service and there is no catch-all team.
    pub(super) async fn duty(
        &self,
        report: &Report,
        pings: Pings,
        at: DateTime<Utc>,
    ) -> Result<Option<Duty>, Outage> {
        let mut found = self.duty_by_copy(report, pings, at).await?;
        if found.as_ref().is_none_or(|(_, basis)| *basis == Basis::FallsBack) {
            self.look_again().await?;
            found = self.duty_by_copy(report, pings, at).await?;
        }
        Ok(found.map(|(duty, _)| duty))
    }

    async fn duty_by_copy(
        &self,
        report: &Report,
        pings: Pings,
        at: DateTime<Utc>,
    ) -> Result<Option<(Duty, Basis)>, Outage> {
        let owner = self.roster.service(report.service()).await?;
        let Some(team) = owner.as_ref().or(self.catch_all.as_ref()) else { return Ok(None) };
        let directory = self.roster.directory(team, at, at).await?;
        let found = match &owner {
            None => self.catch_all_in(&directory, at),
            Some(owner) => {
                let found = self.owner_in(&directory, at).await?;
                // Nobody is named anywhere: it is recorded, and shows as undelivered.
                Some(found.unwrap_or_else(|| {
                    let matrix = Matrix::new(Vec::new(), Vec::new(), Team::DEFAULT_WAIT);
                    self.falls_back(owner.clone(), matrix, Alerted::Team)
                }))
            }
        };
        let Some(found) = found else { return Ok(None) };
        let rules = directory.book().routes().filter(|_| report.service().as_str() != roster::CANARY);
        let subject = Subject::reported(report, &found.round.team);
        let rule = rules.and_then(|rules| rules.first(&subject)).cloned();
        match rule {
            Some(rule) => self.by_rule(&rule, report, found, pings, at).await.map(Some),
            None => Ok(Some(found.alerting(None))),
        }
    }

    /// What happens to a report by a rule that matches. `without` is what would happen to it without the rule.
    async fn by_rule(
        &self,
        rule: &Rule,
        report: &Report,
        without: Found,
        pings: Pings,
        at: DateTime<Utc>,
    ) -> Result<(Duty, Basis), Outage> {
        let (people, known) = match &rule.team {
            None => (None, TeamIs::Known),
            Some(team) => match self.people_of(team, at).await? {
                Some(people) => (Some((team, people)), TeamIs::Known),
                None => (None, TeamIs::Unknown),
            },
        };
        let routed = match rule.ruling(known, pings, report.severity()) {
            Ruling::Ping(heartbeat) => {
                return Ok((Duty::Ping(heartbeat, rule.name.clone()), Basis::Complete));
            }
            Ruling::Incident(routed) => routed,
        };
        if let Some(why) = &routed.ignored {
            tracing::warn!(rule = %rule.name, service = %report.service(), ?why, "a routing rule is ignored");
        }
        let found = match people.filter(|_| routed.ignored.is_none()) {
            Some((team, People { on_call, basis })) => {
                let round = NextRound { team: team.clone(), matrix: on_call.matrix, alerted: Alerted::Team };
                Found { round, basis }
            }
            None => without,
        };
        let (duty, basis) = found.alerting(Some(routed));
        Ok((duty, if known == TeamIs::Known { basis } else { Basis::FallsBack }))
    }
}

impl Found {
    fn alerting(self, routed: Option<Routed>) -> (Duty, Basis) {
        let Self { round: NextRound { team, matrix, .. }, basis } = self;
        (Duty::Alert { team, matrix, routed }, basis)
    }
}
