//! What clients send about incidents.

use std::collections::BTreeMap;

use inresponse_core::InvalidInput;
use inresponse_core::model::{IncidentNumber, KeyName, Note, Person, Report, Severity, State, TeamName};
use inresponse_core::plan::{StateChange, TakeOver, Update};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::input::Time;

/// A new incident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({ "service": "athens", "severity": "CRIT", "title": "5xx", "message": "12 % of requests fail",
    "dedupKey": "5xx", "labels": { "region": "eu" }, "links": [{ "text": "Graph", "url": "https://example.org/5xx" }] }))]
pub(crate) struct PutIncident {
    /// The service that is in trouble.
    #[schema(required, nullable = false)]
    service: Option<String>,
    /// `CRIT`, `ERR` or `WARN`.
    #[schema(required, nullable = false)]
    severity: Option<String>,
    /// One line.
    #[schema(required, nullable = false)]
    title: Option<String>,
    /// What happened, in as many lines as it takes. May also be called `description`.
    #[serde(alias = "description")]
    #[schema(required, nullable = false)]
    message: Option<String>,
    /// Only `OPEN`.
    state: Option<String>,
    /// The kind of system that reports.
    source: Option<String>,
    /// When the trouble was detected; now unless given.
    detected_at: Option<Time>,
    /// Reports with the same key are the same incident while it is not resolved.
    dedup_key: Option<String>,
    /// Names and values.
    labels: Option<BTreeMap<String, String>>,
    /// Runbooks, graphs.
    links: Option<Vec<PutLink>>,
}

/// A link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutLink {
    /// What it is called.
    text: String,
    /// Where it leads; http or https.
    url: String,
}

fn required(field: &'static str, value: Option<String>, invalid: &mut InvalidInput) -> String {
    if value.is_none() {
        invalid.push(field, "is missing");
    }
    value.unwrap_or_default()
}

impl PutIncident {
    pub(crate) fn into_report(self) -> Result<Report, InvalidInput> {
        let mut missing = InvalidInput::default();
        let service = required("service", self.service, &mut missing);
        let severity = required("severity", self.severity, &mut missing);
        let title = required("title", self.title, &mut missing);
        let message = required("message", self.message, &mut missing);

        let mut invalid = InvalidInput::default();
        let severity = invalid.keep(severity.parse::<Severity>());
        if self.state.as_deref().is_some_and(|state| state != "OPEN") {
            invalid.push("state", "must be OPEN for a new incident");
        }
        let detected_at = self.detected_at.and_then(|at| invalid.keep(at.read("detectedAt")));
        let mut report = Report::builder(service, severity.unwrap_or(Severity::Warn), title).message(message);
        if let Some(source) = self.source {
            report = report.source(source);
        }
        if let Some(at) = detected_at {
            report = report.detected_at(at);
        }
        if let Some(key) = self.dedup_key {
            report = report.dedup_key(key);
        }
        for (name, value) in self.labels.unwrap_or_default() {
            report = report.label(name, value);
        }
        for link in self.links.unwrap_or_default() {
            report = report.link(link.text, link.url);
        }
        let report = invalid.keep(report.build());
        // A missing field is not also an empty one.
        let is_missing = |field: &str| missing.errors().iter().any(|e| e.field() == field);
        let mut all = missing.clone();
        for error in invalid.errors().iter().filter(|e| !is_missing(e.field())) {
            all.push(error.field().to_owned(), error.message());
        }
        match report {
            Some(report) if all.is_empty() => Ok(report),
            _ => Err(all),
        }
    }
}

/// A change of an incident: at least one of `state`, `handTo`, `handToTeam`, `escalate`, `severity` and `note`; of
/// the first four at most one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({ "incidentId": 10000, "state": "CLAIMED" }))]
pub(crate) struct PostIncident {
    /// Its number, where the path has none.
    incident_id: Option<u64>,
    /// `CLAIMED`, `RESOLVED`, or `OPEN` to release.
    state: Option<String>,
    /// Who does it; the API key's name unless given.
    by: Option<String>,
    /// Claim or release although somebody else has it.
    take_over: Option<bool>,
    /// Who is to have it, no matter who had it before. They are told, if this is an address. If they do nothing to it until
    /// `claimEndsAt`, it is OPEN again. The answer has `warnings` if the roster does not know them.
    hand_to: Option<String>,
    /// The team that is to have it: its on-call engineer is alerted at once.
    hand_to_team: Option<String>,
    /// `true`: the next level is to be alerted without waiting.
    escalate: Option<bool>,
    /// A new severity.
    severity: Option<String>,
    /// A note for the timeline.
    note: Option<String>,
}

/// The same, with what is wrong told of the field as it is called here.
fn named<T>(field: &'static str, read: Result<T, InvalidInput>) -> Result<T, InvalidInput> {
    read.map_err(|invalid| {
        let mut renamed = InvalidInput::default();
        invalid.errors().iter().for_each(|error| renamed.push(field, error.message()));
        renamed
    })
}

impl PostIncident {
    /// The update, and of which incident.
    pub(crate) fn into_update(
        self,
        in_path: Option<IncidentNumber>,
        key: &KeyName,
    ) -> Result<(IncidentNumber, Update), InvalidInput> {
        let mut invalid = InvalidInput::default();
        let number = match (in_path, self.incident_id.map(IncidentNumber::new)) {
            (Some(path), Some(body)) if path != body => {
                invalid.push("incidentId", "is not the one in the path");
                None
            }
            (Some(number), _) | (None, Some(number)) => Some(number),
            (None, None) => {
                invalid.push("incidentId", "is missing");
                None
            }
        };
        let by = match self.by {
            Some(by) => invalid.keep(Person::new(by)),
            None => Some(Person::from(key)),
        };
        let take_over = if self.take_over == Some(true) { TakeOver::Yes } else { TakeOver::No };
        let wish = |state| match state {
            State::Open => StateChange::Release(take_over),
            State::Claimed => StateChange::Claim(take_over),
            State::Resolved => StateChange::Resolve,
        };
        let wishes = [
            ("state", self.state.and_then(|state| invalid.keep(state.parse().map(wish)))),
            (
                "handTo",
                self.hand_to
                    .and_then(|to| invalid.keep(named("handTo", Person::new(to)).map(StateChange::HandTo))),
            ),
            (
                "handToTeam",
                self.hand_to_team.and_then(|to| {
                    invalid.keep(named("handToTeam", TeamName::new(to)).map(StateChange::HandToTeam))
                }),
            ),
            ("escalate", self.escalate.filter(|yes| *yes).map(|_| StateChange::Escalate)),
        ];
        let mut wishes = wishes.into_iter().filter_map(|(field, wish)| Some((field, wish?)));
        let state = wishes.next().map(|(_, wish)| wish);
        if let Some((field, _)) = wishes.next() {
            invalid.push(field, "cannot be wished together with another state");
        }
        let severity = self.severity.and_then(|s| invalid.keep(s.parse::<Severity>()));
        let note = self.note.and_then(|note| invalid.keep(Note::new(note)));
        if invalid.is_empty() && state.is_none() && severity.is_none() && note.is_none() {
            invalid.push("state", "is missing, and so is all else: nothing is to be changed");
        }
        match (number, by) {
            (Some(number), Some(by)) if invalid.is_empty() => {
                Ok((number, Update { by, key: Some(key.clone()), severity, state, note }))
            }
            _ => Err(invalid),
        }
    }
}
