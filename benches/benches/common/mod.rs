//! The data that the benchmarks use: an incident with three levels.

#![allow(dead_code, reason = "not every benchmark needs all of this")]

#[cfg(feature = "dynamo")]
pub(crate) mod dynamo;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{Contact, Incident, IncidentNumber, Matrix, Report, Severity, TeamName};
use inresponse_core::notify::{Alert, Outcome};
use inresponse_core::plan::{self, Decision, Draft, Input, Opening};
use inresponse_core::roster::{Defaults, Directory, Rota, Standing, Team, TeamPart, Zone, day_of};

pub(crate) const LEASE: Duration = Duration::from_secs(30);

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(crate) fn contact(name: &str) -> Contact {
    Contact::new(format!("{name}@example.org")).unwrap()
}

pub(crate) fn team_name() -> TeamName {
    TeamName::new("devops").unwrap()
}

pub(crate) fn rota() -> Rota {
    Rota::new(vec![contact("jo")], vec![vec![contact("kim")], vec![contact("lee"), contact("max")]]).unwrap()
}

pub(crate) fn team() -> Team {
    Team::builder(vec![contact("ops")]).timezone(Zone::new("Europe/Athens").unwrap()).build().unwrap()
}

pub(crate) fn directory() -> Directory {
    let (team, today) = (team(), day_of(&Zone::new("Europe/Athens").unwrap(), now()));
    let days = [(today, Arc::new(rota()))].into();
    let own = TeamPart { settings: Some(Arc::new(team)), days, standing: Standing::Known };
    Directory::new(team_name(), own, Arc::default())
}

pub(crate) fn parts() -> (Report, TeamName, Matrix) {
    let report =
        Report::builder("athens", Severity::Crit, "5xx error spike").message("12 % of requests fail");
    (
        report.build().unwrap(),
        team_name(),
        inresponse_core::roster::resolve(&directory(), &Defaults::none(), now()).unwrap().matrix,
    )
}

/// A report with a dedup key that is always the same.
pub(crate) fn keyed() -> Opening {
    let (_, team, matrix) = parts();
    let report = Report::builder("athens", Severity::Crit, "5xx error spike").dedup_key("hot");
    plan::open(report.build().unwrap(), team, matrix, Some(LEASE), now()).0
}

/// A new incident, with the lease of its first alert.
pub(crate) fn opening() -> Opening {
    let (report, team, matrix) = parts();
    plan::open(report, team, matrix, Some(LEASE), now()).0
}

pub(crate) fn leased() -> (Incident, plan::Dispatch) {
    let (report, team, matrix) = parts();
    let (opening, mut sends) = plan::open(report, team, matrix, Some(LEASE), now());
    (opening.numbered(IncidentNumber::new(10_000)).into_incident(), sends.remove(0))
}

/// The change that is committed once the first alert was accepted.
pub(crate) fn accepted(incident: &Incident, send: &plan::Dispatch) -> Draft {
    let (delivery, attempt, outcome) = (send.delivery, send.attempt, &Outcome::Accepted);
    let accepted = Input::Outcome { delivery, attempt, outcome };
    match plan::step(incident, accepted, now() + TimeDelta::milliseconds(20)) {
        Decision::Change(plan) => plan.draft,
        other => panic!("{other:?}"),
    }
}

/// An alert for a notifier.
pub(crate) fn alert() -> Alert {
    let (incident, send) = leased();
    Alert::new(Arc::new(incident), 1, send.delivery, send.attempt, send.contact)
        .with_claim_url("https://ir.example.org/incidents/10000/claim?token=abc.def".to_owned())
        .with_board_url("https://ir.example.org/board/incidents/10000".to_owned())
}
