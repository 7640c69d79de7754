//! The dry run: what a report would lead to if nobody claimed the incident.
//!
//! The planner itself runs ahead, on simulated time. Every alert is accepted at once.

use chrono::{DateTime, Utc};

use super::Engine;
use crate::error::Outage;
use crate::model::{
    Contact, Incident, IncidentNumber, Level, MethodName, Outcome, PersonId, Report, ServiceName, Severity,
    TeamName,
};
use crate::plan::{self, Decision, Dispatch, HoldNothing, Input};
use crate::roster::{self, OnDuty, Resolved};

/// One alert of a dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryStep {
    /// When the alert begins.
    pub at: DateTime<Utc>,
    /// The round.
    pub round: u32,
    /// The level.
    pub level: Level,
    /// The address.
    pub contact: Contact,
    /// The person whose address it is, and their name for it.
    pub person: Option<(PersonId, MethodName)>,
    /// What leads to them: `fallback`, `level:1`, `day:2026-12-24`, `level:1 schedule:primary layer:weekdays`, …
    pub why: String,
}

/// The maximum number of alerts of a dry run: more than a hundred repeat rounds of a full matrix.
const MAX_STEPS: usize = 5_000;

impl Engine {
    /// Every alert that a report for `service` at `at` would lead to if nobody claimed the incident, in order.
    ///
    /// `None` for a service that nobody owns and no catch-all team takes.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn dry_run(
        &self,
        service: &ServiceName,
        severity: Severity,
        at: DateTime<Utc>,
    ) -> Result<Option<Vec<DryStep>>, Outage> {
        self.inner.roster.refresh().await?;
        let mut now = crate::clock::to_micros(at);
        let Some((team, matrix)) = self.duty(service, now).await? else { return Ok(None) };
        let report = Report::builder(service.as_str(), severity, "dry run").build();
        let report = report.map_err(|e| Outage::permanent("a dry run cannot be reported").because(e))?;
        let mut resolved = self.resolved(&team, now).await?;
        let (opening, _) = plan::open(report, team, matrix, None, now);
        let mut incident = opening.numbered(IncidentNumber::new(0)).into_incident();
        let (mut steps, mut round) = (Vec::new(), None);
        while steps.len() < MAX_STEPS {
            let input = Input::Due { lease: self.marked_lease(), hold: &HoldNothing, round: round.take() };
            let mut did_something = false;
            let sends = match plan::step(&incident, input, now) {
                Decision::NeedsRound(of) => {
                    let next = self.next_round(&incident, &of, now).await?;
                    resolved = self.resolved(&next.team, now).await?;
                    round = Some(next);
                    continue;
                }
                Decision::Change(plan) => {
                    did_something = true;
                    incident = plan.draft.into_incident();
                    plan.sends
                }
                Decision::Nothing | Decision::Refuse(_) => Vec::new(),
            };
            for send in &sends {
                steps.push(step_of(&incident, send, now, resolved.as_ref()));
                incident = accepted(incident, send, now);
            }
            match plan::due_at(&incident) {
                Some(due_at) if due_at > now => now = due_at,
                // What is due at once is done in the next turn, unless this turn did nothing.
                Some(_) if did_something => {}
                Some(_) | None => break,
            }
        }
        Ok(Some(steps))
    }

    /// Who is on call for a team and why, as far as the team resolves.
    async fn resolved(&self, team: &TeamName, at: DateTime<Utc>) -> Result<Option<Resolved>, Outage> {
        let directory = self.inner.roster.directory(team, at, at).await?;
        Ok(roster::resolve(&directory, &self.inner.defaults, at))
    }
}

fn step_of(incident: &Incident, send: &Dispatch, at: DateTime<Utc>, resolved: Option<&Resolved>) -> DryStep {
    let (round, level) = (send.delivery.round, send.delivery.level);
    let recipient = incident.matrix().recipient(level, &send.contact);
    let people = resolved.and_then(|resolved| match level {
        Level::At(n) => resolved.levels.get(usize::from(n).checked_sub(1)?),
        Level::Fallback => Some(&resolved.fallback),
        Level::News(_) => None,
    });
    let is_reached = |one: &&OnDuty| one.contacts().contains(&send.contact);
    // Whoever stands in for a team that does not resolve is somebody's fallback.
    let why = people.and_then(|people| people.iter().find(is_reached)).map(|one| one.why.clone());
    DryStep {
        at,
        round,
        level,
        contact: send.contact.clone(),
        person: recipient.map(|one| (one.person.clone(), one.method.clone())),
        why: why.unwrap_or_else(|| "fallback".to_owned()),
    }
}

fn accepted(incident: Incident, send: &Dispatch, now: DateTime<Utc>) -> Incident {
    let outcome =
        Input::Outcome { delivery: send.delivery, attempt: send.attempt, outcome: &Outcome::Accepted };
    match plan::step(&incident, outcome, now) {
        Decision::Change(plan) => plan.draft.into_incident(),
        Decision::Nothing | Decision::Refuse(_) | Decision::NeedsRound(_) => incident,
    }
}
