//! The routes to report, update and read incidents.

use std::fmt::Display;

use axum::Json;
use axum::extract::State;
use axum::http::header::{HeaderName, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use inresponse_api::{Details, Incident, Listed, Page, Pinged, Report, Update, Warning};
use inresponse_core::InvalidInput;
use inresponse_core::engine::{Reported, Updated};
use inresponse_core::heartbeats::Received;
use inresponse_core::model::{
    IncidentNumber, Person, ServiceName, Severity, State as IncidentState, TeamName,
};
use inresponse_core::plan::{Refusal, StateChange};
use inresponse_core::store::{ListQuery, Record};

use crate::Api;
use crate::call_in::complete;
use crate::caller::Caller;
use crate::carry::carried_through;
use crate::common::{
    InvalidField, InvalidParameter, NoReceiver, NoSuchIncident, NotAllowedNow, TooManyHandOvers,
};
use crate::cursor;
use crate::hand_over::doubt;
use crate::here::Here;
use crate::input::{Body, NoParams, Params, Path, number};
use crate::outsiders::{Allowed, allowed};
use crate::problem::Problem;
use crate::wire::incident::{brief, details};
use crate::wire::report;

pub(super) const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 500;

/// Report an incident.
///
/// The answer is sent only after the incident is durable. The on-call engineer is alerted at once.
#[utoipa::path(put, path = "/incidents", tag = "incidents", request_body = Report,
    responses(
        (status = 201, description = "a new incident", body = Incident),
        (status = 200, description = "an incident with that dedup key is already open: the report was added to its count", body = Incident),
        (status = 202, description = "by a routing rule, the report was a ping of this heartbeat", body = Pinged),
        InvalidField,
        (status = 422, description = "unknown service", body = Problem),
        (status = 503, description = "unavailable; see mayHaveBeenRecorded", body = Problem),
    ))]
pub(crate) async fn put(
    Here(api): Here,
    headers: HeaderMap,
    key: Result<Caller, Problem>,
    params: Result<NoParams, Problem>,
    given: Result<Body<Report>, Problem>,
) -> Result<Response, Problem> {
    let key = key.inspect_err(|problem| {
        let name = api.keys().name(&headers).filter(|_| problem.status() == StatusCode::FORBIDDEN);
        if let Some(name) = name {
            refused_report(name, "forbidden", problem.detail());
        }
    })?;
    let reported = match params.and(given) {
        Ok(Body(given)) => report(&api, &key, given).await,
        Err(problem) => Err(problem),
    };
    reported.inspect_err(|problem| match problem.status() {
        StatusCode::UNPROCESSABLE_ENTITY => refused_report(&key.key, "unknown_service", problem.detail()),
        status if status.is_client_error() => refused_report(&key.key, "invalid", problem.detail()),
        _ => {}
    })
}

/// Logs and counts a refused report, because nobody is alerted for it, and its sender may not look at the answer.
fn refused_report(by: impl Display, reason: &'static str, problem: &str) {
    metrics::counter!("inresponse_reports_refused_total", "reason" => reason).increment(1);
    // The text may be long if the report has many errors.
    let problem: String = problem.chars().take(500).collect();
    tracing::warn!(key = %by, reason, problem, "a report was refused");
}

async fn report(api: &Api, key: &Caller, given: Report) -> Result<Response, Problem> {
    let report = report::report(given).map_err(|e| Problem::invalid(&e))?;
    let service = report.service().clone();
    if let Some(why) = key.barred_from(&service) {
        return Err(Problem::new(StatusCode::FORBIDDEN, why));
    }
    let report = report.reported_with(key.reporter());
    let beats = api.heartbeats().clone();
    let received = carried_through(&key.lane, async move { beats.report(report).await }).await;
    let reported = match received.map_err(|e| Problem::outage_of_change(&e))? {
        Received::Reported(reported) => reported,
        Received::Pinged(heartbeat) => {
            let pinged = Pinged { heartbeat: heartbeat.to_string() };
            return Ok((StatusCode::ACCEPTED, Json(pinged)).into_response());
        }
    };
    match reported {
        Reported::New(record) => {
            let headers = location(api, record.number());
            Ok((StatusCode::CREATED, headers, Json(brief(&record))).into_response())
        }
        Reported::Repeat(record) => Ok(Json(brief(&record)).into_response()),
        Reported::UnknownService => {
            Err(Problem::unprocessable("service", format!("no team owns the service `{service}`")))
        }
    }
}

fn location(api: &Api, number: IncidentNumber) -> Option<[(HeaderName, HeaderValue); 1]> {
    let value = HeaderValue::from_str(&format!("{}/incidents/{number}", api.prefix())).ok()?;
    Some([(LOCATION, value)])
}

/// Claim, release, resolve, hand over, escalate, call in more people, change the severity, or add a note.
#[utoipa::path(post, path = "/incidents", tag = "incidents", request_body = Update,
    responses(
        (status = 200, description = "the incident after the update", body = Details),
        InvalidField,
        NoSuchIncident,
        NotAllowedNow,
        NoReceiver,
        TooManyHandOvers,
    ))]
pub(crate) async fn post(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Body(given): Body<Update>,
) -> Result<Json<Details>, Problem> {
    update(&api, None, given, &key).await
}

/// Claim, release, resolve, hand over, escalate, call in more people, change the severity, or add a note.
#[utoipa::path(post, path = "/incidents/{incidentId}", tag = "incidents", request_body = Update,
    params(("incidentId" = u64, Path, example = 10000, description = "its number")),
    responses(
        (status = 200, description = "the incident after the update", body = Details),
        InvalidField,
        NoSuchIncident,
        NotAllowedNow,
        NoReceiver,
        TooManyHandOvers,
    ))]
pub(crate) async fn post_one(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(in_path): Path<String>,
    Body(given): Body<Update>,
) -> Result<Json<Details>, Problem> {
    let in_path = number(&in_path).map_err(|e| Problem::invalid(&e))?;
    update(&api, Some(in_path), given, &key).await
}

async fn update(
    api: &Api,
    in_path: Option<IncidentNumber>,
    given: Update,
    key: &Caller,
) -> Result<Json<Details>, Problem> {
    let (number, mut update, targets) =
        report::update(given, in_path, &key.key).map_err(|e| Problem::invalid(&e))?;
    let engine = api.engine().clone();
    if let Some(why) = key.barred(&engine, number).await.map_err(|e| Problem::outage(&e).not_recorded())? {
        return Err(Problem::new(StatusCode::FORBIDDEN, why));
    }
    let allowed = allowed(api, &key.key, number, &update).await;
    let allowed = allowed.map_err(|e| Problem::outage(&e).not_recorded())?;
    if let Some(why) = allowed.refusal(&key.key) {
        return Err(not_handed(&allowed, why));
    }
    complete(api, &key.key, number, &mut update, (&targets, |i| format!("alert[{i}]"))).await?;
    let handed = match &update.state {
        Some(StateChange::HandTo(to)) => Some((update.by.clone(), to.clone())),
        Some(_) | None => None,
    };
    let updated = carried_through(&key.lane, async move { engine.update(number, &update).await }).await;
    match updated.map_err(|e| Problem::outage_of_change(&e))? {
        Updated::Changed(record) | Updated::Unchanged(record) => {
            let view = details(&record, key.sees);
            let Some((by, to)) = handed else { return Ok(Json(view)) };
            // The hand-over is done. If the roster cannot be asked, only the warning is missing.
            let doubt = doubt(api.engine(), &record.incident, &by, &to).await.unwrap_or_default();
            Ok(Json(warned(view, doubt)))
        }
        Updated::Refused(_, Refusal::UnknownTeam(team)) => Err(Problem::unprocessable(
            "handToTeam",
            format!("team `{team}` does not exist or has nobody to alert"),
        )),
        Updated::Refused(_, refusal) => Err(refused(number, &refusal)),
        Updated::Absent => Err(absent(number)),
    }
}

/// Adds a warning about the receiver of a hand-over, if there is one.
fn warned(mut details: Details, doubt: Option<String>) -> Details {
    details.warnings.extend(doubt.map(|message| Warning { field: "handTo".to_owned(), message }));
    details
}

fn not_handed(allowed: &Allowed, why: String) -> Problem {
    match allowed {
        Allowed::NotNow(after) => Problem::new(StatusCode::TOO_MANY_REQUESTS, why)
            .header(RETRY_AFTER, HeaderValue::from(after.as_secs()))
            .not_recorded(),
        Allowed::NotThere(_) | Allowed::Yes => Problem::unprocessable("handTo", why),
    }
}

pub(crate) fn refused(number: IncidentNumber, refusal: &Refusal) -> Problem {
    let problem = Problem::new(StatusCode::CONFLICT, format!("incident {number}: {refusal}"));
    match refusal {
        Refusal::ClaimedBy(person) => problem.claimed_by(person.as_str()),
        _ => problem,
    }
}

fn absent(number: IncidentNumber) -> Problem {
    Problem::not_found(format!("there is no incident {number}"))
}

/// Read one incident by its number, or a page of incidents, newest first.
#[utoipa::path(get, path = "/incidents", tag = "incidents",
    params(
        ("incidentId" = Option<u64>, Query, description = "read only this incident, with deliveries and timeline"),
        ("state" = Option<String>, Query, description = "OPEN, CLAIMED or RESOLVED"),
        ("service" = Option<String>, Query),
        ("team" = Option<String>, Query),
        ("severity" = Option<String>, Query, description = "CRIT, ERR or WARN"),
        ("limit" = Option<usize>, Query, description = "1 to 500 (default: 50)"),
        ("cursor" = Option<String>, Query, description = "nextCursor of the previous page"),
    ),
    responses(
        (status = 200, description = "a page of incidents; with incidentId, a single incident", body = Listed),
        InvalidParameter,
        NoSuchIncident,
    ))]
pub(crate) async fn list(
    State(api): State<Api>,
    key: Caller,
    mut params: Params,
) -> Result<Json<Listed>, Problem> {
    if let Some(number) = params.take("incidentId", number) {
        params.finish()?;
        let found = find(&api, number).await?;
        return Ok(Json(Listed::One(Box::new(details(&found, key.sees)))));
    }
    let state = params.take("state", str::parse::<IncidentState>);
    let service = params.take("service", |text| ServiceName::new(text));
    let team = params.take("team", |text| TeamName::new(text));
    let severity = params.take("severity", str::parse::<Severity>);
    let limit = params.take("limit", limit).unwrap_or(DEFAULT_LIMIT);
    // One more than requested is read, to know whether there is a next page.
    let mut query = ListQuery { state, service, team, severity, below: None, limit: limit + 1 };
    query.below = params.take("cursor", |text| cursor::read(text, &query));
    params.finish()?;
    let mut records = api.engine().list(&query).await.map_err(|e| Problem::outage(&e))?;
    let more = records.len() > limit;
    records.truncate(limit);
    let cursor = records.last().filter(|_| more).map(|last| cursor::write(last.number(), &query));
    Ok(Json(Listed::Page(Page { incidents: records.iter().map(brief).collect(), cursor })))
}

pub(super) fn limit(text: &str) -> Result<usize, InvalidInput> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| InvalidInput::field("limit", format!("must be from 1 to {MAX_LIMIT}")))
}

/// Read one incident, with deliveries and timeline.
#[utoipa::path(get, path = "/incidents/{incidentId}", tag = "incidents",
    params(
        ("incidentId" = u64, Path, example = 10000, description = "its number"),
        ("handTo" = Option<String>, Query, description = "also return the `warnings` for a hand-over to this person; \
                      nothing is changed"),
        ("by" = Option<String>, Query, description = "who would hand it over (default: the key's name)"),
    ),
    responses(
        (status = 200, description = "the incident", body = Details),
        InvalidParameter,
        NoSuchIncident,
    ))]
pub(crate) async fn get_one(
    State(api): State<Api>,
    key: Caller,
    mut params: Params,
    Path(in_path): Path<String>,
) -> Result<Json<Details>, Problem> {
    let number = number(&in_path).map_err(|e| Problem::invalid(&e))?;
    let hand_to = params.take("handTo", |text| Person::new(text));
    let by = params.take("by", |text| Person::new(text));
    params.finish()?;
    let record = find(&api, number).await?;
    let view = details(&record, key.sees);
    let Some(person) = hand_to else { return Ok(Json(view)) };
    let by = by.unwrap_or_else(|| Person::from(&key.key));
    let doubt = doubt(api.engine(), &record.incident, &by, &person).await.map_err(|e| Problem::outage(&e))?;
    Ok(Json(warned(view, doubt)))
}

async fn find(api: &Api, number: IncidentNumber) -> Result<Record, Problem> {
    let found = api.engine().get(number).await.map_err(|e| Problem::outage(&e))?;
    found.ok_or_else(|| absent(number))
}
