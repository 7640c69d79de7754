//! Fuzzes the bodies of the API.

use std::sync::LazyLock;

use inresponse_core::model::{Incident, IncidentNumber, KeyName, Matrix, Report, TeamName};
use inresponse_core::roster::Routes;
use inresponse_core::{InvalidInput, plan};
use inresponse_http::fuzzing;
use serde_json::{Value, json};

use super::{now, refusal_holds};

static TEAM: LazyLock<TeamName> = LazyLock::new(|| TeamName::new("devops").unwrap());
static KEY: LazyLock<KeyName> = LazyLock::new(|| KeyName::new("key").unwrap());

/// The incident that a report opens.
pub(super) fn incident_of(report: Report) -> Incident {
    let matrix = Matrix::without_calendar(Vec::new(), std::time::Duration::from_secs(600));
    let (opening, _) = plan::open(report, TEAM.clone(), matrix, None, now());
    opening.numbered(IncidentNumber::new(10_001)).into_incident()
}

/// Reads a body, writes the value, and checks that reading again gives the same value.
fn same_again<T: std::fmt::Debug>(
    body: &[u8],
    read: impl Fn(&[u8]) -> Result<T, InvalidInput>,
    write: impl Fn(T) -> Value,
) {
    match read(body) {
        Err(invalid) => refusal_holds(&invalid),
        Ok(first) => {
            let written = write(first);
            let again = read(written.to_string().as_bytes());
            let again = again.unwrap_or_else(|e| panic!("{written} is refused: {e}"));
            assert_eq!(write(again), written);
        }
    }
}

pub(super) fn report(body: &[u8]) {
    same_again(body, fuzzing::report, |report| {
        let incident = incident_of(report);
        let lines = |text: &str| text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
        assert!(!incident.title().is_empty() && incident.title().len() <= Report::MAX_TITLE_BYTES);
        assert!(!incident.title().chars().any(char::is_control) && lines(incident.message()));
        assert!(incident.message().len() <= Report::MAX_MESSAGE_BYTES);
        assert!(serde_json::to_vec(&incident).unwrap().len() < 64 * 1024, "a record stays small");
        let links: Vec<_> =
            incident.links().iter().map(|l| json!({ "text": l.text(), "url": l.url() })).collect();
        json!({
            "service": incident.service().as_str(), "severity": incident.severity().as_str(),
            "title": incident.title(), "message": incident.message(), "labels": incident.labels(), "links": links,
            "detectedAt": incident.detected_at(), "source": incident.source().map(|s| s.as_str()),
            "dedupKey": incident.dedup_key().map(|k| k.as_str()),
        })
    });
}

pub(super) fn update(body: &[u8]) {
    match fuzzing::update(body, &KEY) {
        Err(invalid) => refusal_holds(&invalid),
        Ok((_, update)) => {
            assert!(update.state.is_some() || update.severity.is_some() || update.note.is_some());
            let by = update.by.as_str();
            assert!(!by.trim().is_empty() && by == by.trim() && by.len() <= KeyName::MAX_BYTES);
        }
    }
}

/// A view without the fields that cannot be written.
fn without(mut view: Value, names: &[&str]) -> Value {
    let fields = view.as_object_mut().unwrap();
    fields.retain(|name, _| !names.contains(&name.as_str()));
    view
}

pub(super) fn team(body: &[u8]) {
    same_again(body, fuzzing::team, |team| {
        assert!(!team.fallback().is_empty());
        without(fuzzing::team_view(&TEAM, &team), &["team"])
    });
}

pub(super) fn routes(body: &[u8]) {
    same_again(body, fuzzing::routes, |routes| {
        // What a store keeps is read again.
        let stored = serde_json::to_string(&routes).unwrap();
        assert_eq!(serde_json::from_str::<Routes>(&stored).unwrap(), routes);
        fuzzing::routes_view(&routes)
    });
}

pub(super) fn day(body: &[u8]) {
    same_again(body, fuzzing::day, |rota| without(fuzzing::day_view(&TEAM, &rota), &["team", "day"]));
}
