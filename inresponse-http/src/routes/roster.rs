//! The routes of the roster: services, teams, calendars, who is on call.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use inresponse_api::{
    Calendar, Day, DayEntry, KnownTeam, OnCall, Owner, Service, Services, Team, TeamSettings, Teams, Time,
};
use inresponse_core::InvalidInput;
use inresponse_core::model::{ServiceName, TeamName};
use inresponse_core::roster::{Directory, Effect, Entry, EntryKey, EntryKind, Listed, RosterEdit};

use super::changes::{edit, edit_naming, present};
use super::incidents::{DEFAULT_LIMIT, limit};
use crate::Api;
use crate::caller::Caller;
use crate::common::{InvalidField, InvalidParameter, NoEntry, NoSuchService, NoSuchTeam};
use crate::cursor;
use crate::input::{Body, NoParams, Params, Path, read_time};
use crate::problem::Problem;
use crate::wire::roster::{self as wire, Named};

pub(super) fn service_name(text: &str) -> Result<ServiceName, Problem> {
    ServiceName::new(text).map_err(|e| Problem::invalid(&e))
}

pub(super) fn team_name(text: &str) -> Result<TeamName, Problem> {
    TeamName::new(text).map_err(|e| Problem::invalid(&e))
}

/// A time in a query.
pub(crate) fn time_of(text: &str, field: &'static str) -> Result<DateTime<Utc>, InvalidInput> {
    match text.parse::<f64>() {
        Ok(seconds) => read_time(&Time::Seconds(seconds), field),
        // A plus sign in a query is a space.
        Err(_) => read_time(&Time::Text(text.replace(' ', "+")), field),
    }
}

fn day_of(text: &str) -> Result<NaiveDate, Problem> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    day.ok_or_else(|| Problem::invalid(&InvalidInput::field("day", "must be a day like 2026-12-31")))
}

/// Refuses an address that no channel reaches.
pub(crate) fn reachable(api: &Api, named: &[Named]) -> Result<(), Problem> {
    let contacts = named.iter().filter_map(|(field, target)| Some((field, target.contact()?)));
    match contacts.into_iter().find(|(_, contact)| !api.engine().can_reach(contact)) {
        None => Ok(()),
        Some((field, contact)) => {
            let message = format!("no configured channel reaches `{contact}`");
            Err(Problem::unprocessable(field.clone(), message))
        }
    }
}

/// Deletes an entry.
pub(super) async fn delete(api: &Api, by: &Caller, key: EntryKey, what: &str) -> Result<StatusCode, Problem> {
    match edit(api, by, RosterEdit::Delete(key)).await? {
        Effect::Deleted | Effect::Created | Effect::Replaced | Effect::Unchanged => {
            Ok(StatusCode::NO_CONTENT)
        }
        Effect::Absent => Err(Problem::not_found(format!("there is no {what}"))),
    }
}

/// The directory of a team at an instant.
pub(super) async fn directory(
    api: &Api,
    team: &TeamName,
    at: DateTime<Utc>,
) -> Result<Arc<Directory>, Problem> {
    let directory = present(api, api.engine().roster().directory(team, at, at)).await;
    directory.map_err(|e| Problem::outage(&e))
}

/// Assign a service to a team.
#[utoipa::path(put, path = "/services/{service}", tag = "roster", request_body = Owner,
    params(("service" = String, Path, example = "athens")),
    responses(
        (status = 200, description = "the stored service", body = Service),
        InvalidField,
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
    let entry = wire::service(&service, given).map_err(|e| Problem::invalid(&e))?;
    let _ = edit(&api, &key, entry.clone().into()).await?;
    Ok(Json(answered(&service, Some(entry))?))
}

/// Read which team owns a service.
#[utoipa::path(get, path = "/services/{service}", tag = "roster",
    params(("service" = String, Path, example = "athens")),
    responses(
        (status = 200, description = "the service", body = Service),
        NoSuchService,
    ))]
pub(crate) async fn get_service(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path(service): Path<String>,
) -> Result<Json<Service>, Problem> {
    let service = service_name(&service)?;
    let entry_key = EntryKey::Service(service.clone());
    let entry = present(&api, api.engine().roster().entry(&entry_key)).await;
    Ok(Json(answered(&service, entry.map_err(|e| Problem::outage(&e))?)?))
}

fn answered(service: &ServiceName, entry: Option<Entry>) -> Result<Service, Problem> {
    let service_of = entry.as_ref().and_then(wire::service_of);
    service_of.ok_or_else(|| Problem::not_found(format!("there is no service `{service}`")))
}

/// List the services.
#[utoipa::path(get, path = "/services", operation_id = "list_services", tag = "roster",
    params(
        ("limit" = Option<usize>, Query, description = "1 to 500 (default: 50)"),
        ("cursor" = Option<String>, Query, description = "from the previous page"),
    ),
    responses(
        (status = 200, description = "a page", body = Services),
        InvalidParameter,
    ))]
pub(crate) async fn list_services(
    State(api): State<Api>,
    _: Caller,
    params: Params,
) -> Result<Json<Services>, Problem> {
    let (page, cursor) = page(&api, EntryKind::Service, params).await?;
    let service = |listed: Listed| wire::service_of(&listed.entry?);
    Ok(Json(Services { services: page.into_iter().filter_map(service).collect(), cursor }))
}

/// List the teams.
#[utoipa::path(get, path = "/teams", operation_id = "list_teams", tag = "roster",
    params(
        ("limit" = Option<usize>, Query, description = "1 to 500 (default: 50)"),
        ("cursor" = Option<String>, Query, description = "from the previous page"),
    ),
    responses(
        (status = 200, description = "a page", body = Teams),
        InvalidParameter,
    ))]
pub(crate) async fn list_teams(
    State(api): State<Api>,
    _: Caller,
    params: Params,
) -> Result<Json<Teams>, Problem> {
    let (page, cursor) = page(&api, EntryKind::Team, params).await?;
    let team = |listed: Listed| {
        let team = listed.key.team().cloned()?;
        let settings = match listed.entry {
            Some(Entry::Team { settings, .. }) => Some(wire::team(&team, &settings)),
            _ => None,
        };
        Some(KnownTeam { team: team.to_string(), settings })
    };
    Ok(Json(Teams { teams: page.into_iter().filter_map(team).collect(), cursor }))
}

/// A page of entries of a kind, and where the next page begins.
pub(super) async fn page(
    api: &Api,
    kind: EntryKind,
    mut params: Params,
) -> Result<(Vec<Listed>, Option<String>), Problem> {
    let limit = params.take("limit", limit).unwrap_or(DEFAULT_LIMIT);
    let after = params.take("cursor", |text| cursor::read_entry(text, kind));
    params.finish()?;
    // One more than requested is read, to know whether there is a next page.
    let listed = present(api, api.engine().roster().entries(kind, after.as_ref(), limit + 1)).await;
    let mut listed = listed.map_err(|e| Problem::outage(&e))?;
    let more = listed.len() > limit;
    listed.truncate(limit);
    let cursor = listed.last().filter(|_| more).map(|last| cursor::write_entry(&last.key));
    Ok((listed, cursor))
}

/// Delete a service.
#[utoipa::path(delete, path = "/services/{service}", tag = "roster",
    params(("service" = String, Path, example = "athens")),
    responses(
        (status = 204, description = "gone"),
        NoSuchService,
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
        InvalidField,
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
    let (settings, named) = wire::settings(given).map_err(|e| Problem::invalid(&e))?;
    reachable(&api, &named)?;
    let _ = edit_naming(&api, &key, Entry::team(&team, settings.clone()).into(), &named).await?;
    Ok(Json(wire::team(&team, &settings)))
}

/// Read a team's settings.
#[utoipa::path(get, path = "/teams/{team}", tag = "roster",
    params(("team" = String, Path, example = "devops")),
    responses(
        (status = 200, description = "the team", body = Team),
        NoSuchTeam,
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
        NoSuchTeam,
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
        InvalidField,
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
    let (rota, named) = wire::rota(&given).map_err(|e| Problem::invalid(&e))?;
    reachable(&api, &named)?;
    let _ = edit_naming(&api, &key, Entry::day(&team, day, rota.clone()).into(), &named).await?;
    Ok(Json(wire::day(&team, day, &rota)))
}

/// Read a day of a team's calendar.
#[utoipa::path(get, path = "/teams/{team}/calendar/{day}", tag = "roster",
    params(("team" = String, Path, example = "devops"), ("day" = String, Path, example = "2026-12-24")),
    responses(
        (status = 200, description = "the entry", body = Day),
        NoEntry,
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
        NoEntry,
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

/// List the days of a team's calendar that have an entry.
#[utoipa::path(get, path = "/teams/{team}/calendar", operation_id = "list_days", tag = "roster",
    params(
        ("team" = String, Path, example = "devops"),
        ("limit" = Option<usize>, Query, description = "1 to 500 (default: 50)"),
        ("cursor" = Option<String>, Query, description = "from the previous page"),
    ),
    responses(
        (status = 200, description = "a page", body = Calendar),
        InvalidParameter,
    ))]
pub(crate) async fn list_days(
    State(api): State<Api>,
    _: Caller,
    Path(team): Path<String>,
    mut params: Params,
) -> Result<Json<Calendar>, Problem> {
    let team = team_name(&team)?;
    let limit = params.take("limit", limit).unwrap_or(DEFAULT_LIMIT);
    let after = params.take("cursor", |text| cursor::read_entry(text, EntryKind::Day));
    params.finish()?;
    // The days of all teams are one list; no calendar begins before this day.
    let first = EntryKey::Day(team.clone(), NaiveDate::MIN);
    let after = after.filter(|after| *after > first).unwrap_or(first);
    let listed = present(&api, api.engine().roster().entries(EntryKind::Day, Some(&after), limit + 1)).await;
    let listed = listed.map_err(|e| Problem::outage(&e))?;
    let mut days: Vec<_> = listed.into_iter().filter(|listed| listed.key.team() == Some(&team)).collect();
    let more = days.len() > limit;
    days.truncate(limit);
    let cursor = days.last().filter(|_| more).map(|last| cursor::write_entry(&last.key));
    let day = |listed: Listed| match listed.entry {
        Some(Entry::Day { team, day, rota }) => Some(wire::day(&team, day, &rota)),
        _ => None,
    };
    Ok(Json(Calendar { days: days.into_iter().filter_map(day).collect(), cursor }))
}

/// Read who is on call.
#[utoipa::path(get, path = "/teams/{team}/oncall", tag = "roster",
    params(
        ("team" = String, Path, example = "devops"),
        ("at" = Option<String>, Query, description = "RFC 3339 or Unix seconds (default: now)"),
    ),
    responses(
        (status = 200, description = "who is", body = OnCall),
        NoSuchTeam,
    ))]
pub(crate) async fn on_call(
    State(api): State<Api>,
    _: Caller,
    Path(team): Path<String>,
    mut params: Params,
) -> Result<Json<OnCall>, Problem> {
    let team = team_name(&team)?;
    let at = params.take("at", |text| time_of(text, "at"));
    params.finish()?;
    let at = at.unwrap_or_else(|| api.engine().now());
    let on_call = api.engine().on_call(&team, at).await.map_err(|e| Problem::outage(&e))?;
    let on_call = on_call.ok_or_else(|| Problem::not_found(format!("there is no team `{team}`")))?;
    Ok(Json(wire::on_call(&team, at, &on_call)))
}
