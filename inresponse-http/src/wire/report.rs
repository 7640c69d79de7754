//! Converts clients' reports and updates into the core's types.

use std::time::Duration;

use inresponse_api as api;
use inresponse_core::InvalidInput;
use inresponse_core::model::{IncidentNumber, KeyName, Note, Person, Report, Severity, State, TeamName};
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::Target;

use crate::input::read_time;

/// The longest snooze, in seconds.
pub(crate) const MAX_SNOOZE: u64 = 7 * 24 * 3600;

fn required(field: &'static str, value: Option<String>, invalid: &mut InvalidInput) -> String {
    if value.is_none() {
        invalid.push(field, "is missing");
    }
    value.unwrap_or_default()
}

/// Converts the body of a report.
pub(crate) fn report(given: api::Report) -> Result<Report, InvalidInput> {
    let mut missing = InvalidInput::default();
    let service = required("service", given.service, &mut missing);
    let severity = required("severity", given.severity.map(|word| word.to_string()), &mut missing);
    let title = required("title", given.title, &mut missing);
    let message = required("message", given.message, &mut missing);

    let mut invalid = InvalidInput::default();
    let severity = invalid.keep(severity.parse::<Severity>());
    if given.state.is_some_and(|state| state != api::State::Open) {
        invalid.push("state", "must be OPEN for a new incident");
    }
    let detected_at = given.detected_at.and_then(|at| invalid.keep(read_time(&at, "detectedAt")));
    let mut report = Report::builder(service, severity.unwrap_or(Severity::Warn), title).message(message);
    if let Some(source) = given.source {
        report = report.source(source);
    }
    if let Some(at) = detected_at {
        report = report.detected_at(at);
    }
    if let Some(key) = given.dedup_key {
        report = report.dedup_key(key);
    }
    for (name, value) in given.labels.unwrap_or_default() {
        report = report.label(name, value);
    }
    for link in given.links.unwrap_or_default() {
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

/// Gives the errors of a value the field name that the API uses.
fn named<T>(field: &'static str, read: Result<T, InvalidInput>) -> Result<T, InvalidInput> {
    read.map_err(|invalid| {
        let mut renamed = InvalidInput::default();
        invalid.errors().iter().for_each(|error| renamed.push(field, error.message()));
        renamed
    })
}

/// The maximum number of targets that one request calls in.
pub(crate) const MAX_TARGETS: usize = 10;

/// Reads targets. `field` gives the name of the field of each.
pub(crate) fn targets(
    texts: &[String],
    field: impl Fn(usize) -> String,
    invalid: &mut InvalidInput,
) -> Vec<Target> {
    let mut targets = Vec::with_capacity(texts.len());
    for (i, text) in texts.iter().enumerate() {
        match text.parse::<Target>() {
            Ok(target) => targets.push(target),
            Err(error) => {
                let message = error.errors().first().map_or("is not a target", |e| e.message());
                invalid.push(field(i), message);
            }
        }
    }
    targets
}

/// Converts the body of an update, and returns the number of its incident, and the targets that it calls in.
pub(crate) fn update(
    given: api::Update,
    in_path: Option<IncidentNumber>,
    key: &KeyName,
) -> Result<(IncidentNumber, Update, Vec<Target>), InvalidInput> {
    let mut invalid = InvalidInput::default();
    let number = match (in_path, given.incident_id.map(IncidentNumber::new)) {
        (Some(path), Some(body)) if path != body => {
            invalid.push("incidentId", "is not the incident number in the path");
            None
        }
        (Some(number), _) | (None, Some(number)) => Some(number),
        (None, None) => {
            invalid.push("incidentId", "is missing");
            None
        }
    };
    let by = match given.by {
        Some(by) => invalid.keep(Person::new(by)),
        None => Some(Person::from(key)),
    };
    let take_over = if given.take_over == Some(true) { TakeOver::Yes } else { TakeOver::No };
    let change = |state| match state {
        State::Open => StateChange::Release(take_over),
        State::Claimed => StateChange::Claim(take_over),
        State::Resolved => StateChange::Resolve,
    };
    let changes = [
        ("state", given.state.and_then(|state| invalid.keep(state.as_str().parse().map(change)))),
        (
            "handTo",
            given
                .hand_to
                .and_then(|to| invalid.keep(named("handTo", Person::new(to)).map(StateChange::HandTo))),
        ),
        (
            "handToTeam",
            given.hand_to_team.and_then(|to| {
                invalid.keep(named("handToTeam", TeamName::new(to)).map(StateChange::HandToTeam))
            }),
        ),
        (
            "snoozeSeconds",
            given.snooze_seconds.and_then(|seconds| match seconds {
                1..=MAX_SNOOZE => Some(StateChange::Snooze(Duration::from_secs(seconds))),
                _ => {
                    invalid.push("snoozeSeconds", format!("must be from 1 to {MAX_SNOOZE}"));
                    None
                }
            }),
        ),
        ("escalate", given.escalate.filter(|yes| *yes).map(|_| StateChange::Escalate)),
    ];
    let mut changes = changes.into_iter().filter_map(|(field, change)| Some((field, change?)));
    let state = changes.next().map(|(_, change)| change);
    if let Some((field, _)) = changes.next() {
        invalid.push(field, "cannot be combined with another state change");
    }
    let severity = given.severity.and_then(|s| invalid.keep(s.as_str().parse::<Severity>()));
    let note = given.note.and_then(|note| invalid.keep(Note::new(note)));
    let alert = given.alert.map(|alert| {
        if alert.is_empty() || alert.len() > MAX_TARGETS {
            invalid.push("alert", format!("must have 1 to {MAX_TARGETS} targets"));
            return Vec::new();
        }
        targets(&alert, |i| format!("alert[{i}]"), &mut invalid)
    });
    let is_nothing = state.is_none() && severity.is_none() && note.is_none() && alert.is_none();
    if invalid.is_empty() && is_nothing {
        invalid.push("state", "is missing: the update changes nothing");
    }
    match (number, by) {
        (Some(number), Some(by)) if invalid.is_empty() => Ok((
            number,
            Update { key: Some(key.clone()), severity, state, note, ..Update::nothing(by) },
            alert.unwrap_or_default(),
        )),
        _ => Err(invalid),
    }
}
