//! The dry run: what a report would lead to if nobody claimed the incident.
//!
//! The planner itself runs ahead, on simulated time. Every alert is accepted at once.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::duty::Duty;
use super::lookup::Lookup;
use crate::error::Outage;
use crate::model::{
    Contact, Delivery, HeartbeatName, Incident, IncidentNumber, Level, MethodName, Outcome, PersonId,
    Purpose, QuietWhy, Report, Routed, RuleName, Severity, TeamName,
};
use crate::plan::{self, Decision, Dispatch, HoldNothing, Input, NextRound, Ruled};
use crate::roster::{self, Explained, OnDuty, Pings, QuietRules};

/// One alert of a dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
    /// The way from the level to them: `fallback`, `level:1`, `day:2026-12-24`, `level:1 schedule:primary
    /// layer:weekdays`, … If the round began late, then what held it: `level:1, after silence:deploy`.
    pub why: String,
}

/// What a report would lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// The routing rule that matches, and what it decides.
    pub ruled: DryRule,
    /// The team that would have the incident.
    pub team: Option<TeamName>,
    /// The severity of the incident.
    pub severity: Severity,
    /// Every alert, in order.
    pub steps: Vec<DryStep>,
}

/// What routing rules decide about a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DryRule {
    /// No rule matches.
    None,
    /// The first rule that matches decides this.
    Routed(Routed),
    /// The rule of that name makes a ping of the report.
    Ping(HeartbeatName, RuleName),
}

/// The maximum number of alerts of a dry run: more than a hundred repeat rounds of a full matrix.
const MAX_STEPS: usize = 5_000;

/// The lease of a dry run. A dry run never waits for its end.
const LEASE: Duration = Duration::from_secs(30);

/// See [`Engine::dry_route`](super::Engine::dry_route).
pub(super) async fn dry_run(
    lookup: &Lookup,
    report: Report,
    at: DateTime<Utc>,
) -> Result<Option<DryRun>, Outage> {
    lookup.roster.refresh().await?;
    let mut now = crate::clock::to_micros(at);
    let (team, matrix, routed) = match lookup.duty(&report, Pings::Allowed, now).await? {
        None => return Ok(None),
        Some(Duty::Ping(heartbeat, rule)) => {
            let ruled = DryRule::Ping(heartbeat, rule);
            return Ok(Some(DryRun { ruled, team: None, severity: report.severity(), steps: Vec::new() }));
        }
        Some(Duty::Alert { team, matrix, routed }) => (team, matrix, routed),
    };
    let report = report.routed_by(routed.clone());
    let severity = report.severity();
    let mut explained = explained(lookup, &team, now).await?;
    let (opening, _) = plan::open(report, team.clone(), matrix, None, now);
    let mut incident = opening.numbered(IncidentNumber::new(0)).into_incident();
    let rules = lookup.quiet_rules().await?;
    let (mut steps, mut round, mut deferred) = (Vec::new(), None, Deferred::default());
    while steps.len() < MAX_STEPS {
        let decision = due(&incident, &rules, round.take(), now);
        let mut did_something = false;
        let sends = match decision {
            Decision::NeedsRound(of) => {
                let next = lookup.next_round(&incident, &of, now).await?;
                explained = self::explained(lookup, &next.team, now).await?;
                round = Some(next);
                continue;
            }
            Decision::Change(plan) => {
                did_something = true;
                incident = plan.draft.into_incident();
                deferred.note(&incident);
                plan.sends
            }
            Decision::Nothing | Decision::Refuse(_) => Vec::new(),
        };
        for send in &sends {
            let step = step_of(&incident, send, now, explained.as_ref());
            steps.extend(step.map(|step| DryStep { why: deferred.told(incident.round(), step.why), ..step }));
            incident = accepted(incident, send, now);
        }
        match plan::due_at(&incident) {
            Some(due_at) if due_at > now => now = due_at,
            // Work that is due at once is done in the next turn, unless this turn did nothing.
            Some(_) if did_something => {}
            Some(_) | None => break,
        }
    }
    let ruled = routed.map_or(DryRule::None, DryRule::Routed);
    Ok(Some(DryRun { ruled, team: Some(team), severity, steps }))
}

fn due(incident: &Incident, rules: &QuietRules, round: Option<NextRound>, now: DateTime<Utc>) -> Decision {
    let hold = Ruled { hold: &HoldNothing, rules };
    plan::step(incident, Input::Due { lease: LEASE, hold: &hold, round }, now)
}

/// What made a round of a dry run begin late.
#[derive(Default)]
struct Deferred {
    by: Vec<QuietWhy>,
    round: Option<u32>,
}

impl Deferred {
    fn note(&mut self, incident: &Incident) {
        match incident.quiet() {
            Some(quiet) => *self = Self { by: quiet.why.clone(), round: None },
            None => _ = self.round.get_or_insert(incident.round()),
        }
    }

    fn told(&self, round: u32, why: String) -> String {
        if self.by.is_empty() || self.round != Some(round) {
            return why;
        }
        let by: Vec<_> = self.by.iter().map(ToString::to_string).collect();
        format!("{why}, after {}", by.join(", "))
    }
}

/// Resolves who is on call for a team, and why. `None` if neither the team nor the deployment has settings.
async fn explained(lookup: &Lookup, team: &TeamName, at: DateTime<Utc>) -> Result<Option<Explained>, Outage> {
    let directory = lookup.roster.directory(team, at, at).await?;
    Ok(roster::explain(&directory, &lookup.defaults, at))
}

/// The step of an alert. `None` for a status update or a call for more people, which do not occur in a dry run.
fn step_of(
    incident: &Incident,
    send: &Dispatch,
    at: DateTime<Utc>,
    explained: Option<&Explained>,
) -> Option<DryStep> {
    let round = send.delivery.round;
    let Purpose::Alert(level) = send.delivery.purpose else { return None };
    let delivery = incident.deliveries().iter().find(|delivery| delivery.key() == send.delivery);
    let after = delivery.map_or(Duration::ZERO, Delivery::after);
    let recipient = incident.matrix().recipient_after(level, &send.contact, after, incident.severity());
    let people = explained.and_then(|explained| match level {
        Level::At(n) => explained.levels.get(usize::from(n).checked_sub(1)?),
        Level::Fallback => Some(&explained.fallback),
    });
    let is_reached = |one: &&OnDuty| one.contacts().contains(&send.contact);
    // If the team cannot be resolved, the people who are alerted instead are shown as the fallback.
    let why = people.and_then(|people| people.iter().find(is_reached)).map(|one| one.why.clone());
    Some(DryStep {
        at,
        round,
        level,
        contact: send.contact.clone(),
        person: recipient.map(|one| (one.person.clone(), one.method.clone())),
        why: why.unwrap_or_else(|| "fallback".to_owned()),
    })
}

fn accepted(incident: Incident, send: &Dispatch, now: DateTime<Utc>) -> Incident {
    let outcome =
        Input::Outcome { delivery: send.delivery, attempt: send.attempt, outcome: &Outcome::Accepted };
    match plan::step(&incident, outcome, now) {
        Decision::Change(plan) => plan.draft.into_incident(),
        Decision::Nothing | Decision::Refuse(_) | Decision::NeedsRound(_) => incident,
    }
}
