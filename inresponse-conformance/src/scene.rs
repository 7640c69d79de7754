//! Test data for the laws: reports, teams, and changes to incidents that the planner makes.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{
    Contact, Incident, Matrix, Note, Person, Report, ReportBuilder, ServiceName, Severity, SilenceId,
    TeamName,
};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{
    self, Decision, Dispatch, Draft, HoldNothing, Input, NextRound, Opening, Plan, StateChange, TakeOver,
    Update,
};
use inresponse_core::roster::{Entry, MatchOp, Matcher, QuietRules, Silence};

/// The duration of leases.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// The wait of a level.
pub(crate) const WAIT: Duration = Duration::from_secs(600);

/// One microsecond: the smallest difference between two times.
pub(crate) const MICRO: TimeDelta = TimeDelta::microseconds(1);

/// The instant `second` seconds after the start time of the laws. The start time is not a whole millisecond.
pub(crate) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_366_400 + second, 123_456_000).unwrap()
}

pub(crate) fn contact(name: &str) -> Contact {
    Contact::new(format!("{name}@conformance.example")).unwrap()
}

/// A matrix with one person on call, one in the next level, and a fallback.
pub(crate) fn matrix() -> Matrix {
    Matrix::new(vec![vec![contact("one")], vec![contact("two")]], vec![contact("last")], WAIT)
}

/// A report for `service` without a dedup key.
pub(crate) fn report(service: &str) -> ReportBuilder {
    Report::builder(service, Severity::Err, "something is wrong")
}

/// A report for `service` with the dedup key `key`.
pub(crate) fn keyed(service: &str, key: &str) -> ReportBuilder {
    report(service).dedup_key(key)
}

/// The opening of an incident for a report at `now`. The first level is due at that time.
pub(crate) fn opening(report: ReportBuilder, now: DateTime<Utc>) -> Opening {
    opening_with(report, matrix(), now)
}

/// The opening of an incident, like [`opening`], with another matrix.
pub(crate) fn opening_with(report: ReportBuilder, matrix: Matrix, now: DateTime<Utc>) -> Opening {
    let team = TeamName::new("conformance").unwrap();
    plan::open(report.build().unwrap(), team, matrix, None, now).0
}

pub(crate) fn service(name: &str) -> ServiceName {
    ServiceName::new(name).unwrap()
}

/// The incident after its deliveries that are due at `now` were leased, with their sends.
pub(crate) fn leased(incident: &Incident, now: DateTime<Utc>) -> Plan {
    change(incident, Input::Due { lease: LEASE, hold: &HoldNothing, round: None }, now)
}

/// The incident after a send ended with that outcome.
pub(crate) fn ended(incident: &Incident, send: &Dispatch, outcome: &Outcome, now: DateTime<Utc>) -> Draft {
    change(incident, Input::Outcome { delivery: send.delivery, attempt: send.attempt, outcome }, now).draft
}

/// Silences of every incident of the laws, each with its name and the second at which it ends.
pub(crate) fn silences(silences: &[(&str, i64)]) -> QuietRules {
    let silence = |(name, ends): &(&str, i64)| {
        let matcher = Matcher::new("team", MatchOp::Equal, "conformance").unwrap();
        let silence = Silence::new(vec![matcher], at(0), at(*ends)).unwrap();
        Entry::silence(&SilenceId::new(name).unwrap(), silence)
    };
    QuietRules::new(silences.iter().map(silence))
}

/// The incident after it was judged by these rules, by which it is quiet.
pub(crate) fn quieted(incident: &Incident, rules: &QuietRules, now: DateTime<Utc>) -> Draft {
    change(incident, Input::Judge { rules, round: None }, now).draft
}

pub(crate) fn claimed(incident: &Incident, by: &str, now: DateTime<Utc>) -> Draft {
    updated(incident, Update::state(person(by), StateChange::Claim(TakeOver::No)), now)
}

pub(crate) fn released(incident: &Incident, by: &str, now: DateTime<Utc>) -> Draft {
    updated(incident, Update::state(person(by), StateChange::Release(TakeOver::No)), now)
}

pub(crate) fn resolved(incident: &Incident, now: DateTime<Utc>) -> Draft {
    updated(incident, Update::state(person("jo"), StateChange::Resolve), now)
}

pub(crate) fn noted(incident: &Incident, text: &str, now: DateTime<Utc>) -> Draft {
    let note = Note::new(text).unwrap();
    updated(incident, Update::note(person("jo"), note), now)
}

/// The incident after it was handed to another team.
pub(crate) fn handed_to(incident: &Incident, team: &str, now: DateTime<Utc>) -> Draft {
    let request = StateChange::HandToTeam(TeamName::new(team).unwrap());
    updated(incident, Update::state(person("jo"), request), now)
}

fn person(name: &str) -> Person {
    Person::new(name).unwrap()
}

fn updated(incident: &Incident, update: Update, now: DateTime<Utc>) -> Draft {
    let team = match &update.state {
        Some(StateChange::HandToTeam(team)) => team,
        Some(_) | None => incident.team(),
    };
    let round = NextRound::of(team.clone(), matrix());
    change(incident, Input::Update { update: &update, round: Some(round) }, now).draft
}

fn change(incident: &Incident, input: Input<'_>, now: DateTime<Utc>) -> Plan {
    match plan::step(incident, input, now) {
        Decision::Change(plan) => *plan,
        other @ (Decision::Nothing | Decision::Refuse(_) | Decision::NeedsRound(_)) => {
            panic!("the test data is invalid: {other:?}")
        }
    }
}

pub(crate) fn with_severity(incident: &Incident, severity: Severity, now: DateTime<Utc>) -> Draft {
    updated(
        incident,
        Update {
            by: person("jo"),
            key: None,
            severity: Some(severity),
            state: None,
            note: None,
            reach: Vec::new(),
            call_in: None,
            asked_at: None,
        },
        now,
    )
}

/// A report that uses every field, with scripts and characters that are easily lost.
pub(crate) fn rich_report() -> ReportBuilder {
    Report::builder("Αθήνα/eu west 1 100%", Severity::Crit, "“5xx” \\ <b>&amp; 🔥 \u{202e}gnp.exe 'x' --")
        .message("first line\r\n\tsecond {\"line\": null}\n\n日本語 e\u{301}")
        .source("prometheus")
        .detected_at(at(-86_400) + MICRO)
        .dedup_key("key with spaces, \"quotes\" and ünï¢ødé")
        .label("region", "eu")
        .label("empty", "")
        .label("Ünï", "%s ${x} {{y}}")
        .link("Runbook “A”", "https://runbooks.example/a?b=c&d=%20#e")
        .link("graph", "http://graphs.example/")
}

/// The incident with fields and an event that this version does not know, in a format that this version must leave to
/// newer ones.
pub(crate) fn written_by_a_newer_version(incident: &Incident) -> Incident {
    let mut body = serde_json::to_value(incident).unwrap();
    body["format"] = u32::MAX.into();
    body["fromLater"] = serde_json::json!({ "a": [1, 2.5, null, "“x”"] });
    body["deliveries"][0]["fromLater"] = "kept".into();
    body["timeline"][0]["fromLater"] = 7.into();
    let event = serde_json::json!({ "at": at(0).timestamp_micros(), "event": "fromLater", "by": ["x"] });
    body["timeline"].as_array_mut().unwrap().push(event);
    serde_json::from_value(body).unwrap()
}
