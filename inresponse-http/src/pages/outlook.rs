//! The pages of the dry run of a service and of the coverage check.

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use inresponse_core::engine::DryStep;
use inresponse_core::feeds;
use inresponse_core::model::{ServiceName, Severity, Zone};
use inresponse_core::roster::{Finding, FindingKind, Who};
use inresponse_core::{InvalidInput, Outage};

use super::form::segment;
use super::reader::{self, Reader};
use super::session::SignedIn;
use super::team::zone_of;
use super::times::{Edge, Told};
use super::words::capital;
use super::{Frame, Place, html, message, outage, problem};
use crate::Api;
use crate::here::Here;
use crate::input::{Params, Path};
use crate::problem::Problem;

/// The number of days ahead in which findings are looked for.
const DAYS: u16 = 30;
/// The maximum number of steps that are listed for a dry run.
const STEPS: usize = 500;

#[derive(Template)]
#[template(path = "plan.html")]
struct Plan {
    frame: Frame,
    service: ServiceName,
    path: String,
    zones: Vec<String>,
    severity: Severity,
    /// The time that was typed. Empty means now.
    at: String,
    shown: Told,
    steps: Vec<Step>,
    more: usize,
}

struct Step {
    at: Told,
    level: String,
    person: String,
    method: String,
    why: String,
}

impl Plan {
    fn is_severity(&self, severity: &str) -> bool {
        self.severity.as_str() == severity
    }
}

/// Who would be alerted for a service, and when.
pub(super) async fn plan(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    mut params: Params,
    headers: HeaderMap,
) -> Response {
    let chosen = reader::chosen(&mut params);
    let severity = params.take("severity", |text| {
        text.parse::<Severity>().map_err(|_| InvalidInput::field("severity", "must be CRIT, ERR or WARN"))
    });
    // The time is parsed later, when the zone is known.
    let at = params.take("at", |text| Ok(text.trim().to_owned())).unwrap_or_default();
    if let Err(error) = params.finish() {
        return problem(&api, &me.by, &error);
    }
    let absent = || message(&api, Some(&me.by), StatusCode::NOT_FOUND, "There is no such service.");
    let Some(service) = in_path.ok().and_then(|Path(text)| ServiceName::new(text).ok()) else {
        return absent();
    };
    let reader = match of_service(&api, &me, &service, &headers, chosen).await {
        Ok(reader) => reader,
        Err(error) => return outage(&api, &me.by, &error),
    };
    let clock = &reader.clock;
    let time = match at.as_str() {
        "" => clock.now,
        text => match clock.read("at", text, clock.now, Edge::Begin) {
            Ok(time) => time,
            Err(invalid) => return problem(&api, &me.by, &Problem::invalid(&invalid)),
        },
    };
    let severity = severity.unwrap_or(Severity::Crit);
    let (steps, book) =
        match (api.engine().dry_run(&service, severity, time).await, api.engine().book().await) {
            (Ok(Some(steps)), Ok(book)) => (steps, book),
            (Ok(None), Ok(_)) => return absent(),
            (Err(error), _) | (_, Err(error)) => return outage(&api, &me.by, &error),
        };
    let step = |step: &DryStep| {
        let (person, method) = match &step.person {
            Some((person, method)) => {
                (reader::name_of(&book, &Who::Person(person.clone())), method.to_string())
            }
            None => (step.contact.to_string(), step.contact.scheme().to_owned()),
        };
        Step { at: clock.told(step.at), level: capital(step.level), person, method, why: step.why.clone() }
    };
    let page = Plan {
        frame: Frame::new(&api, Some(&me.by), Place::Services),
        path: segment(service.as_str()),
        service,
        zones: reader.zones(&[]),
        severity,
        at,
        shown: clock.told(time),
        more: steps.len().saturating_sub(STEPS),
        steps: steps.iter().take(STEPS).map(step).collect(),
    };
    reader.remember(&api, html(StatusCode::OK, &page))
}

/// The reader of a page about a service: by default the times are those of its team.
async fn of_service(
    api: &Api,
    me: &SignedIn,
    service: &ServiceName,
    headers: &HeaderMap,
    chosen: Option<Zone>,
) -> Result<Reader, Outage> {
    let (engine, now) = (api.engine(), api.engine().now());
    let book = engine.book().await?;
    let zone = match engine.roster().service(service).await? {
        Some(team) => {
            let directory = engine.roster().directory(&team, now, now).await?;
            zone_of(&directory)
        }
        None => Zone::utc(),
    };
    Ok(Reader::new(api, headers, chosen, &book, &me.by, &zone))
}

#[derive(Template)]
#[template(path = "coverage.html")]
struct Coverage {
    frame: Frame,
    days: u16,
    zone: String,
    teams: Vec<Team>,
}

struct Team {
    name: String,
    path: String,
    findings: Vec<Shown>,
}

struct Shown {
    kind: &'static str,
    /// Whether somebody may not be alerted because of it.
    is_bad: bool,
    detail: String,
    span: Option<(Told, Told)>,
}

/// The page of the coverage check, with the worst team first.
pub(super) async fn coverage(Here(api): Here, me: SignedIn, params: Params, headers: HeaderMap) -> Response {
    if let Err(error) = params.finish() {
        return problem(&api, &me.by, &error);
    }
    let found = feeds::coverage(api.engine(), api.shared(), None, DAYS).await;
    let (found, book) = match (found, api.engine().book().await) {
        (Ok(found), Ok(book)) => (found, book),
        (Err(error), _) | (_, Err(error)) => return outage(&api, &me.by, &error),
    };
    let reader = Reader::new(&api, &headers, None, &book, &me.by, &Zone::utc());
    let mut found: Vec<_> = found.into_iter().filter(|(_, findings)| !findings.is_empty()).collect();
    found.sort_by_key(|(_, findings)| findings.iter().map(|finding| finding.kind).min());
    let shown = |finding: Finding| Shown {
        kind: words(finding.kind),
        is_bad: finding.kind <= FindingKind::EmptyLevel,
        detail: finding.detail,
        span: finding.span.map(|(from, to)| reader.clock.span(from, to)),
    };
    let teams = found.into_iter().map(|(team, findings)| Team {
        path: segment(team.as_str()),
        name: team.to_string(),
        findings: findings.into_iter().map(shown).collect(),
    });
    let page = Coverage {
        frame: Frame::new(&api, Some(&me.by), Place::Findings),
        days: DAYS,
        zone: reader.clock.zone.name().to_owned(),
        teams: teams.collect(),
    };
    html(StatusCode::OK, &page)
}

/// The kind of a finding for people.
const fn words(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Gap => "Nobody is scheduled",
        FindingKind::NoMethod => "Cannot be reached",
        FindingKind::UnreachedMethod => "Method of a rule not carried",
        FindingKind::AlertsCut => "Too many alerts in a round",
        FindingKind::UnknownName => "Unknown name",
        FindingKind::StaleFeed => "Calendar feed is out of date",
        FindingKind::UnreadFeed => "Calendar feed not understood",
        FindingKind::EmptyLevel => "Empty level",
        FindingKind::ForgottenClaim => "Claim looks forgotten",
        FindingKind::SilentHeartbeat => "Heartbeat has never pinged",
        FindingKind::SilenceCut => "Silence ends earlier than requested",
        FindingKind::SamePeople => "Same people twice",
        FindingKind::OnePerson => "Only one person",
        FindingKind::TwoPlaces => "On call in two places",
        FindingKind::LongHours => "Long hours",
        FindingKind::IdleOverride => "Override without effect",
        FindingKind::Unproved => "Untested method",
        FindingKind::StoppedMethod => "Stopped method",
        FindingKind::FailedTest => "Failed test",
        FindingKind::BudgetSpent => "Budget of a channel spent",
        FindingKind::UnverifiedPhone => "Number not verified",
        FindingKind::HiddenOverride => "Hidden override",
    }
}
