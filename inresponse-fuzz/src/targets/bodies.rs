//! Fuzzes the bodies of the API.

use std::sync::LazyLock;
use std::time::Duration;

use inresponse_core::model::{
    HeartbeatName, Incident, IncidentNumber, KeyName, Matrix, Report, Severity, SilenceId, TeamName,
};
use inresponse_core::roster::{Entry, Matcher, QuietRules, Routes, Silence, Subject};
use inresponse_core::{InvalidInput, plan};
use inresponse_http::fuzzing;
use serde_json::{Value, json};

use super::{now, refusal_holds};

static TEAM: LazyLock<TeamName> = LazyLock::new(|| TeamName::new("devops").unwrap());
static SILENCE: LazyLock<SilenceId> = LazyLock::new(|| SilenceId::new("deploy").unwrap());
static HEARTBEAT: LazyLock<HeartbeatName> = LazyLock::new(|| HeartbeatName::new("backup").unwrap());
static KEY: LazyLock<KeyName> = LazyLock::new(|| KeyName::new("key").unwrap());

/// The incident that a report opens.
pub(super) fn incident_of(report: Report) -> Incident {
    let matrix = Matrix::without_calendar(Vec::new(), Duration::from_secs(600));
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
        Ok((_, update, called)) => {
            let asks = update.state.is_some() || update.severity.is_some() || update.note.is_some();
            assert!(asks || !called.is_empty());
            assert!(called.len() <= 10);
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

/// Checks that a silence matches something, ends after it begins, and is compared in time that does not depend on its
/// regular expressions' shape.
fn silence_holds(silence: &Silence) {
    assert!((1..=Silence::MAX_MATCHERS).contains(&silence.matchers().len()));
    assert!(silence.from() < silence.to());
    for matcher in silence.matchers() {
        let again: Matcher = matcher.to_string().parse().unwrap();
        assert_eq!(again.to_string(), matcher.to_string());
    }
    let rules = QuietRules::new([Entry::silence(&SILENCE, silence.clone())]);
    let report = Report::builder("shop", Severity::Crit, "t").label("env", "a".repeat(200)).build().unwrap();
    if let Some(quiet) = rules.judge(&Subject::reported(&report, &TEAM), now()) {
        assert!(quiet.until > now());
    }
}

pub(super) fn silence(body: &[u8]) {
    let read = |body: &[u8]| fuzzing::silence(body, now());
    same_again(body, read, |silence| {
        silence_holds(&silence);
        without(fuzzing::silence_view(&SILENCE, &silence), &["id", "by"])
    });
}

pub(super) fn alertmanager_silence(body: &[u8]) {
    match fuzzing::alertmanager_silence(body) {
        Err(invalid) => refusal_holds(&invalid),
        Ok(silence) => silence_holds(&silence),
    }
}

pub(super) fn heartbeat(body: &[u8]) {
    same_again(body, fuzzing::heartbeat, |heartbeat| {
        assert!(heartbeat.every() >= Duration::from_secs(1));
        without(fuzzing::heartbeat_view(&HEARTBEAT, &heartbeat), &["heartbeat", "state", "pings", "misses"])
    });
}
