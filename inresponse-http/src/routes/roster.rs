//! The routes of the roster: services, teams, calendars, who is on call.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use inresponse_api::{Day, DayEntry, OnCall, Owner, Service, Team, TeamSettings, Time};
use inresponse_core::InvalidInput;
use inresponse_core::model::{ServiceName, TeamName};
use inresponse_core::roster::{Directory, Effect, Entry, EntryKey, RosterEdit};

use super::changes::{edit, present};
use crate::Api;
use crate::caller::Caller;
use crate::input::{Body, NoParams, Params, Path, read_time};
use crate::problem::Problem;
use crate::wire::roster::{self as wire, Named};

fn service_name(text: &str) -> Result<ServiceName, Problem> {
    ServiceName::new(text).map_err(|e| Problem::invalid(&e))
}

fn team_name(text: &str) -> Result<TeamName, Problem> {
    TeamName::new(text).map_err(|e| Problem::invalid(&e))
}

fn day_of(text: &str) -> Result<NaiveDate, Problem> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    day.ok_or_else(|| Problem::invalid(&InvalidInput::field("day", "must be a day like 2026-12-31")))
}

fn reachable(api: &Api, contacts: &[Named]) -> Result<(), Problem> {
    match contacts.iter().find(|(_, contact)| !api.engine().can_reach(contact)) {
        None => Ok(()),
        Some((field, contact)) => {
            let message = format!("no configured channel reaches `{contact}`");
            Err(Problem::unprocessable(field.clone(), message))
        }
    }
}

/// Deletes an entry of the roster.
async fn delete(api: &Api, by: &Caller, key: EntryKey, what: &str) -> Result<StatusCode, Problem> {
    match edit(api, by, RosterEdit::Delete(key)).await? {
        Effect::Deleted | Effect::Created | Effect::Replaced | Effect::Unchanged => {
            Ok(StatusCode::NO_CONTENT)
        }
        Effect::Absent => Err(Problem::not_found(format!("there is no {what}"))),
    }
}

/// The directory of a team at an instant.
async fn directory(api: &Api, team: &TeamName, at: DateTime<Utc>) -> Result<Arc<Directory>, Problem> {
    let directory = present(api, api.engine().roster().directory(team, at, at)).await;
    directory.map_err(|e| Problem::outage(&e))
}

/// Assign a service to a team.
#[utoipa::path(put, path = "/services/{service}", tag = "roster", request_body = Owner,
    params(("service" = String, Path, example = "athens")),
    responses(
        (status = 200, description = "the stored service", body = Service),
        (status = 400, description = "a field is invalid", body = Problem),
        (status = 422, description = "the team does not exist", body = Problem),
    ))]
pub(crate) async fn put_service(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(service): Path<String>,
    Body(given): Body<Owner>,
) -> Result<Json<Service>, Problem> {
    let service = service_name(&service)?;
    let team = given.team.ok_or_else(|| Problem::invalid(&InvalidInput::field("team", "is missing")))?;
    let team = team_name(&team)?;
    let _ = edit(&api, &key, Entry::service(&service, &team).into()).await?;
    Ok(Json(Service { service: service.to_string(), team: team.to_string() }))
}

/// Read which team owns a service.
#[utoipa::path(get, path = "/services/{service}", tag = "roster",
    params(("service" = String, Path, example = "athens")),
    responses(
        (status = 200, description = "the service", body = Service),
        (status = 404, description = "no such service", body = Problem),
    ))]
pub(crate) async fn get_service(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path(service): Path<String>,
) -> Result<Json<Service>, Problem> {
    let service = service_name(&service)?;
    let team = present(&api, api.engine().roster().service(&service)).await;
    let team = team.map_err(|e| Problem::outage(&e))?;
    let team = team.ok_or_else(|| Problem::not_found(format!("there is no service `{service}`")))?;
    Ok(Json(Service { service: service.to_string(), team: team.to_string() }))
}

/// Delete a service.
#[utoipa::path(delete, path = "/services/{service}", tag = "roster",
    params(("service" = String, Path, example = "athens")),
    responses(
        (status = 204, description = "gone"),
        (status = 404, description = "no such service", body = Problem),
    ))]
pub(crate) async fn delete_service(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(service): Path<String>,
) -> Result<StatusCode, Problem> {
    let service = service_name(&service)?;
    delete(&api, &key, EntryKey::Service(service), "such service").await
}

/// Create or replace a team's settings.
#[utoipa::path(put, path = "/teams/{team}", tag = "roster", request_body = TeamSettings,
    params(("team" = String, Path, example = "devops")),
    responses(
        (status = 200, description = "the stored settings", body = Team),
        (status = 400, description = "a field is invalid", body = Problem),
        (status = 422, description = "no configured channel reaches a contact", body = Problem),
    ))]
pub(crate) async fn put_team(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(team): Path<String>,
    Body(given): Body<TeamSettings>,
) -> Result<Json<Team>, Problem> {
    let team = team_name(&team)?;
    let (settings, contacts) = wire::settings(given).map_err(|e| Problem::invalid(&e))?;
    reachable(&api, &contacts)?;
    let _ = edit(&api, &key, Entry::team(&team, settings.clone()).into()).await?;
    Ok(Json(wire::team(&team, &settings)))
}

/// Read a team's settings.
#[utoipa::path(get, path = "/teams/{team}", tag = "roster",
    params(("team" = String, Path, example = "devops")),
    responses(
        (status = 200, description = "the team", body = Team),
        (status = 404, description = "no such team", body = Problem),
    ))]
pub(crate) async fn get_team(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path(team): Path<String>,
) -> Result<Json<Team>, Problem> {
    let team = team_name(&team)?;
    let directory = directory(&api, &team, api.engine().now()).await?;
    let settings = directory.settings();
    let settings = settings.ok_or_else(|| Problem::not_found(format!("team `{team}` has no settings")))?;
    Ok(Json(wire::team(&team, settings)))
}

/// Delete a team with its calendar.
#[utoipa::path(delete, path = "/teams/{team}", tag = "roster",
    params(("team" = String, Path, example = "devops")),
    responses(
        (status = 204, description = "gone"),
        (status = 404, description = "no such team", body = Problem),
        (status = 409, description = "the team still owns services, or is the catch-all team", body = Problem),
    ))]
pub(crate) async fn delete_team(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(team): Path<String>,
) -> Result<StatusCode, Problem> {
    let team = team_name(&team)?;
    let what = format!("team `{team}`");
    delete(&api, &key, EntryKey::Team(team), &what).await
}

/// Create or replace a day of a team's calendar.
#[utoipa::path(put, path = "/teams/{team}/calendar/{day}", tag = "roster", request_body = DayEntry,
    params(("team" = String, Path, example = "devops"), ("day" = String, Path, example = "2026-12-24", description = "YYYY-MM-DD in the team's time zone")),
    responses(
        (status = 200, description = "the stored day", body = Day),
        (status = 400, description = "a field is invalid", body = Problem),
        (status = 422, description = "the team does not exist, or no configured channel reaches a contact", body = Problem),
    ))]
pub(crate) async fn put_day(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path((team, day)): Path<(String, String)>,
    Body(given): Body<DayEntry>,
) -> Result<Json<Day>, Problem> {
    let (team, day) = (team_name(&team)?, day_of(&day)?);
    let (rota, contacts) = wire::rota(&given).map_err(|e| Problem::invalid(&e))?;
    reachable(&api, &contacts)?;
    let _ = edit(&api, &key, Entry::day(&team, day, rota.clone()).into()).await?;
    Ok(Json(wire::day(&team, day, &rota)))
}

/// Read a day of a team's calendar.
#[utoipa::path(get, path = "/teams/{team}/calendar/{day}", tag = "roster",
    params(("team" = String, Path, example = "devops"), ("day" = String, Path, example = "2026-12-24")),
    responses(
        (status = 200, description = "the entry", body = Day),
        (status = 404, description = "no entry", body = Problem),
    ))]
pub(crate) async fn get_day(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path((team, day)): Path<(String, String)>,
) -> Result<Json<Day>, Problem> {
    let (team, day) = (team_name(&team)?, day_of(&day)?);
    let directory = directory(&api, &team, day.and_time(NaiveTime::MIN).and_utc()).await?;
    let rota = directory.day(day);
    let rota = rota.ok_or_else(|| Problem::not_found(format!("team `{team}` has no entry for {day}")))?;
    Ok(Json(wire::day(&team, day, rota)))
}

/// Delete a day of a team's calendar.
#[utoipa::path(delete, path = "/teams/{team}/calendar/{day}", tag = "roster",
    params(("team" = String, Path, example = "devops"), ("day" = String, Path, example = "2026-12-24")),
    responses(
        (status = 204, description = "gone"),
        (status = 404, description = "no entry", body = Problem),
    ))]
pub(crate) async fn delete_day(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path((team, day)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (team, day) = (team_name(&team)?, day_of(&day)?);
    delete(&api, &key, EntryKey::Day(team, day), "such entry").await
}

/// Read who is on call.
#[utoipa::path(get, path = "/teams/{team}/oncall", tag = "roster",
    params(
        ("team" = String, Path, example = "devops"),
        ("at" = Option<String>, Query, description = "RFC 3339 or Unix seconds (default: now)"),
    ),
    responses(
        (status = 200, description = "who is", body = OnCall),
        (status = 404, description = "no such team", body = Problem),
    ))]
pub(crate) async fn on_call(
    State(api): State<Api>,
    _: Caller,
    Path(team): Path<String>,
    mut params: Params,
) -> Result<Json<OnCall>, Problem> {
    let team = team_name(&team)?;
    let at = params.take("at", |text| match text.parse::<f64>() {
        Ok(seconds) => read_time(&Time::Seconds(seconds), "at"),
        // A plus sign in a query is a space.
        Err(_) => read_time(&Time::Text(text.replace(' ', "+")), "at"),
    });
    params.finish()?;
    let at = at.unwrap_or_else(|| api.engine().now());
    let on_call = api.engine().on_call(&team, at).await.map_err(|e| Problem::outage(&e))?;
    let on_call = on_call.ok_or_else(|| Problem::not_found(format!("there is no team `{team}`")))?;
    Ok(Json(wire::on_call(&team, at, &on_call)))
}
