//! Schedules, their overrides and their shifts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use inresponse_api::{Override, OverrideEntry, Overrides, Schedule, ScheduleEntry, Schedules, Shifts};
use inresponse_core::model::{OverrideId, ScheduleName, TeamName, Zone};
use inresponse_core::roster::{self, Book, Entry, EntryKey, Timetable};

use super::changes::{edit_naming, present};
use super::roster::{delete, reachable, team_name, time_of};
use crate::Api;
use crate::caller::Caller;
use crate::common::{InvalidField, InvalidParameter, NoSuchOverride, NoSuchSchedule, UnknownName};
use crate::input::{Body, NoParams, Params, Path};
use crate::problem::Problem;
use crate::wire::schedule as wire;

pub(super) fn schedule_name(text: &str) -> Result<ScheduleName, Problem> {
    ScheduleName::new(text).map_err(|e| Problem::invalid(&e))
}

fn override_id(text: &str) -> Result<OverrideId, Problem> {
    OverrideId::new(text).map_err(|e| Problem::invalid(&e))
}

pub(super) async fn book(api: &Api) -> Result<Arc<Book>, Problem> {
    api.engine().book().await.map_err(|e| Problem::outage(&e))
}

pub(super) fn timetable<'a>(
    book: &'a Book,
    team: &TeamName,
    schedule: &ScheduleName,
) -> Result<&'a Timetable, Problem> {
    let found = book.timetable(team, schedule).filter(|timetable| timetable.schedule().is_some());
    found.ok_or_else(|| Problem::not_found(format!("team `{team}` has no schedule `{schedule}`")))
}

/// Create or replace a schedule.
///
/// Local times are of the schedule's zone.
#[utoipa::path(put, path = "/teams/{team}/schedules/{schedule}", tag = "roster", request_body = ScheduleEntry,
    params(("team" = String, Path, example = "devops"), ("schedule" = String, Path, example = "primary")),
    responses(
        (status = 200, description = "as it is now", body = Schedule),
        InvalidField,
        UnknownName,
    ))]
pub(crate) async fn put_schedule(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path((team, schedule)): Path<(String, String)>,
    Body(given): Body<ScheduleEntry>,
) -> Result<Json<Schedule>, Problem> {
    let (team, name) = (team_name(&team)?, schedule_name(&schedule)?);
    let now = api.engine().now();
    let directory = present(&api, api.engine().roster().directory(&team, now, now)).await;
    let directory = directory.map_err(|e| Problem::outage(&e))?;
    let zone = directory.settings().map_or_else(Zone::utc, |settings| settings.timezone().clone());
    let known = directory.book().timetable(&team, &name).and_then(Timetable::schedule);
    let known = known.map_or(&[][..], |schedule| schedule.feeds());
    let (schedule, named) = wire::schedule(given, zone, known).map_err(|e| Problem::invalid(&e))?;
    reachable(&api, &named)?;
    let entry = Entry::schedule(&team, &name, schedule.clone());
    let _ = edit_naming(&api, &key, entry.into(), &named).await?;
    Ok(Json(wire::schedule_of(&team, &name, &schedule)))
}

/// A schedule.
#[utoipa::path(get, path = "/teams/{team}/schedules/{schedule}", tag = "roster",
    params(("team" = String, Path, example = "devops"), ("schedule" = String, Path, example = "primary")),
    responses(
        (status = 200, description = "the schedule; the URLs of feeds are masked", body = Schedule),
        NoSuchSchedule,
    ))]
pub(crate) async fn get_schedule(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path((team, schedule)): Path<(String, String)>,
) -> Result<Json<Schedule>, Problem> {
    let (team, name) = (team_name(&team)?, schedule_name(&schedule)?);
    let book = book(&api).await?;
    match timetable(&book, &team, &name)?.schedule() {
        Some(schedule) => Ok(Json(wire::schedule_of(&team, &name, schedule))),
        None => Err(Problem::not_found(format!("team `{team}` has no schedule `{name}`"))),
    }
}

/// Delete a schedule with its overrides.
#[utoipa::path(delete, path = "/teams/{team}/schedules/{schedule}", tag = "roster",
    params(("team" = String, Path, example = "devops"), ("schedule" = String, Path, example = "primary")),
    responses(
        (status = 204, description = "gone"),
        NoSuchSchedule,
        (status = 409, description = "the schedule is still named somewhere", body = Problem),
    ))]
pub(crate) async fn delete_schedule(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path((team, schedule)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (team, name) = (team_name(&team)?, schedule_name(&schedule)?);
    let what = format!("schedule `{name}` of team `{team}`");
    delete(&api, &key, EntryKey::Schedule(team, name), &what).await
}

/// The schedules of a team.
#[utoipa::path(get, path = "/teams/{team}/schedules", tag = "roster",
    params(("team" = String, Path, example = "devops")),
    responses((status = 200, description = "all of them", body = Schedules)))]
pub(crate) async fn list_schedules(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path(team): Path<String>,
) -> Result<Json<Schedules>, Problem> {
    let team = team_name(&team)?;
    let book = book(&api).await?;
    let schedules = book
        .timetables(&team)
        .filter_map(|(name, timetable)| Some(wire::schedule_of(&team, name, timetable.schedule()?)));
    Ok(Json(Schedules { schedules: schedules.collect() }))
}

/// Create or replace an override.
#[utoipa::path(put, path = "/teams/{team}/schedules/{schedule}/overrides/{override}", tag = "roster",
    request_body = OverrideEntry,
    params(
        ("team" = String, Path, example = "devops"),
        ("schedule" = String, Path, example = "primary"),
        ("override" = String, Path, example = "swap-1"),
    ),
    responses(
        (status = 200, description = "as it is now", body = Override),
        InvalidField,
        UnknownName,
    ))]
pub(crate) async fn put_override(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path((team, schedule, id)): Path<(String, String, String)>,
    Body(given): Body<OverrideEntry>,
) -> Result<Json<Override>, Problem> {
    let (team, schedule, id) = (team_name(&team)?, schedule_name(&schedule)?, override_id(&id)?);
    let (stand_in, named) = wire::stand_in(&given).map_err(|e| Problem::invalid(&e))?;
    if let Some(timetable) = book(&api).await?.timetable(&team, &schedule).and_then(Timetable::schedule) {
        wire::in_order(&stand_in, timetable.timezone()).map_err(|e| Problem::invalid(&e))?;
    }
    reachable(&api, &named)?;
    let entry = Entry::stand_in(&team, &schedule, &id, stand_in.clone());
    let _ = edit_naming(&api, &key, entry.into(), &named).await?;
    Ok(Json(wire::override_of(&id, &stand_in)))
}

/// An override.
#[utoipa::path(get, path = "/teams/{team}/schedules/{schedule}/overrides/{override}", tag = "roster",
    params(
        ("team" = String, Path, example = "devops"),
        ("schedule" = String, Path, example = "primary"),
        ("override" = String, Path, example = "swap-1"),
    ),
    responses(
        (status = 200, description = "the override", body = Override),
        NoSuchOverride,
    ))]
pub(crate) async fn get_override(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path((team, schedule, id)): Path<(String, String, String)>,
) -> Result<Json<Override>, Problem> {
    let (team, schedule, id) = (team_name(&team)?, schedule_name(&schedule)?, override_id(&id)?);
    let book = book(&api).await?;
    let stand_in = timetable(&book, &team, &schedule)?.overrides().get(&id);
    let absent = || Problem::not_found(format!("schedule `{schedule}` has no override `{id}`"));
    Ok(Json(wire::override_of(&id, stand_in.ok_or_else(absent)?)))
}

/// Delete an override.
#[utoipa::path(delete, path = "/teams/{team}/schedules/{schedule}/overrides/{override}", tag = "roster",
    params(
        ("team" = String, Path, example = "devops"),
        ("schedule" = String, Path, example = "primary"),
        ("override" = String, Path, example = "swap-1"),
    ),
    responses(
        (status = 204, description = "gone"),
        NoSuchOverride,
    ))]
pub(crate) async fn delete_override(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path((team, schedule, id)): Path<(String, String, String)>,
) -> Result<StatusCode, Problem> {
    let (team, schedule, id) = (team_name(&team)?, schedule_name(&schedule)?, override_id(&id)?);
    delete(&api, &key, EntryKey::Override(team, schedule, id), "such override").await
}

/// The overrides of a schedule.
#[utoipa::path(get, path = "/teams/{team}/schedules/{schedule}/overrides", tag = "roster",
    params(("team" = String, Path, example = "devops"), ("schedule" = String, Path, example = "primary")),
    responses(
        (status = 200, description = "all of them", body = Overrides),
        NoSuchSchedule,
    ))]
pub(crate) async fn list_overrides(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path((team, schedule)): Path<(String, String)>,
) -> Result<Json<Overrides>, Problem> {
    let (team, schedule) = (team_name(&team)?, schedule_name(&schedule)?);
    let book = book(&api).await?;
    let overrides = timetable(&book, &team, &schedule)?.overrides().iter();
    Ok(Json(Overrides { overrides: overrides.map(|(id, one)| wire::override_of(id, one)).collect() }))
}

/// Who is on call in a schedule, and when.
#[utoipa::path(get, path = "/teams/{team}/schedules/{schedule}/shifts", tag = "roster",
    params(
        ("team" = String, Path, example = "devops"),
        ("schedule" = String, Path, example = "primary"),
        ("from" = Option<String>, Query, description = "RFC 3339 or Unix seconds (default: now)"),
        ("to" = Option<String>, Query, description = "at most 400 days later (default: 30 days after `from`)"),
    ),
    responses(
        (status = 200, description = "shifts that cover the span without gaps or overlaps", body = Shifts),
        InvalidParameter,
        NoSuchSchedule,
    ))]
pub(crate) async fn shifts(
    State(api): State<Api>,
    _: Caller,
    Path((team, schedule)): Path<(String, String)>,
    mut params: Params,
) -> Result<Json<Shifts>, Problem> {
    let (team, schedule) = (team_name(&team)?, schedule_name(&schedule)?);
    let from = params.take("from", |text| time_of(text, "from"));
    let to = params.take("to", |text| time_of(text, "to"));
    params.finish()?;
    let from = from.unwrap_or_else(|| api.engine().now());
    let to = to.unwrap_or(from + chrono::TimeDelta::days(30));
    wire::span(from, to).map_err(|e| Problem::invalid(&e))?;
    let directory = present(&api, api.engine().roster().directory(&team, from, to)).await;
    let directory = directory.map_err(|e| Problem::outage(&e))?;
    timetable(directory.book(), &team, &schedule)?;
    Ok(Json(wire::shifts(&roster::shifts(&directory, &team, &schedule, from, to))))
}
