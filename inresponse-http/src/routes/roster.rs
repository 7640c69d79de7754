//! The roster: services, teams, calendars, who is on call.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::NaiveDate;
use inresponse_core::InvalidInput;
use inresponse_core::model::{ServiceName, TeamName};
use inresponse_core::roster::told::{self, Before};
use inresponse_core::roster::{Deleted, TeamDeleted};

use super::changes::{before, note, present};
use crate::Api;
use crate::input::{Body, NoParams, Params, Path, Time};
use crate::keys::Caller;
use crate::problem::Problem;
use crate::wire::roster::{DayView, Named, OnCallView, PutDay, PutService, PutTeam, ServiceView, TeamView};

fn service_name(text: &str) -> Result<ServiceName, Problem> {
    ServiceName::new(text).map_err(|e| Problem::invalid(&e))
}

fn team_name(text: &str) -> Result<TeamName, Problem> {
    TeamName::new(text).map_err(|e| Problem::invalid(&e))
}

fn day_of(text: &str) -> Result<NaiveDate, Problem> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    day.ok_or_else(|| Problem::invalid(&InvalidInput::field("day", "must be a day, as 2026-12-31")))
}

fn reachable(api: &Api, contacts: &[Named]) -> Result<(), Problem> {
    match contacts.iter().find(|(_, contact)| !api.engine().can_reach(contact)) {
        None => Ok(()),
        Some((field, contact)) => {
            let message = format!("nothing here reaches `{contact}`");
            Err(Problem::unprocessable(field.clone(), message))
        }
    }
}

fn gone(deleted: Deleted, what: &str) -> Result<StatusCode, Problem> {
    match deleted {
        Deleted::Gone => Ok(StatusCode::NO_CONTENT),
        Deleted::Absent => Err(Problem::not_found(format!("there is no such {what}"))),
    }
}

/// Give a service to a team.
#[utoipa::path(put, path = "/services/{service}", tag = "roster", request_body = PutService,
    params(("service" = String, Path, example = "athens")),
    responses(
        (status = 200, description = "as it is now", body = ServiceView),
        (status = 400, description = "a field does not hold", body = Problem),
        (status = 422, description = "the team is not known", body = Problem),
    ))]
pub(crate) async fn put_service(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(service): Path<String>,
    Body(given): Body<PutService>,
) -> Result<Json<ServiceView>, Problem> {
    let service = service_name(&service)?;
    let team = given.team.ok_or_else(|| Problem::invalid(&InvalidInput::field("team", "is missing")))?;
    let team = team_name(&team)?;
    if !api.engine().can_alert(&team).await.map_err(|e| Problem::outage(&e))? {
        return Err(Problem::unprocessable("team", format!("there is no team `{team}`")));
    }
    let roster = api.engine().roster();
    let before = before(&api, roster.service(&service)).await;
    if !matches!(&before, Before::Was(was) if *was == team) {
        note(&api, &key, &told::service(&service, &team, &before)).await?;
    }
    let put = roster.put_service(&service, &team).await;
    put.map_err(|e| Problem::outage_of_change(&e))?;
    Ok(Json(ServiceView { service: service.to_string(), team: team.to_string() }))
}

/// Whose a service is.
#[utoipa::path(get, path = "/services/{service}", tag = "roster",
    params(("service" = String, Path, example = "athens")),
    responses(
        (status = 200, description = "the service", body = ServiceView),
        (status = 404, description = "no such service", body = Problem),
    ))]
pub(crate) async fn get_service(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path(service): Path<String>,
) -> Result<Json<ServiceView>, Problem> {
    let service = service_name(&service)?;
    let team = present(&api, api.engine().roster().service(&service)).await;
    let team = team.map_err(|e| Problem::outage(&e))?;
    let team = team.ok_or_else(|| Problem::not_found(format!("there is no service `{service}`")))?;
    Ok(Json(ServiceView { service: service.to_string(), team: team.to_string() }))
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
    let roster = api.engine().roster();
    let before = before(&api, roster.service(&service)).await;
    if before == Before::Absent {
        return gone(Deleted::Absent, "service");
    }
    note(&api, &key, &told::service_deleted(&service, &before)).await?;
    let deleted = roster.delete_service(&service).await;
    gone(deleted.map_err(|e| Problem::outage_of_change(&e))?, "service")
}

/// Create or replace a team's settings.
#[utoipa::path(put, path = "/teams/{team}", tag = "roster", request_body = PutTeam,
    params(("team" = String, Path, example = "devops")),
    responses(
        (status = 200, description = "as it is now", body = TeamView),
        (status = 400, description = "a field does not hold", body = Problem),
        (status = 422, description = "a contact cannot be reached from here", body = Problem),
    ))]
pub(crate) async fn put_team(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(team): Path<String>,
    Body(given): Body<PutTeam>,
) -> Result<Json<TeamView>, Problem> {
    let team = team_name(&team)?;
    let (settings, contacts) = given.into_team().map_err(|e| Problem::invalid(&e))?;
    reachable(&api, &contacts)?;
    let roster = api.engine().roster();
    let before = before(&api, roster.team(&team)).await;
    if !matches!(&before, Before::Was(was) if **was == settings) {
        note(&api, &key, &told::team(&team, &settings, &before)).await?;
    }
    let put = roster.put_team(&team, &settings).await;
    put.map_err(|e| Problem::outage_of_change(&e))?;
    Ok(Json(TeamView::new(&team, &settings)))
}

/// A team's settings.
#[utoipa::path(get, path = "/teams/{team}", tag = "roster",
    params(("team" = String, Path, example = "devops")),
    responses(
        (status = 200, description = "the team", body = TeamView),
        (status = 404, description = "no such team", body = Problem),
    ))]
pub(crate) async fn get_team(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path(team): Path<String>,
) -> Result<Json<TeamView>, Problem> {
    let team = team_name(&team)?;
    let settings = present(&api, api.engine().roster().team(&team)).await;
    let settings = settings.map_err(|e| Problem::outage(&e))?;
    let settings = settings.ok_or_else(|| Problem::not_found(format!("team `{team}` has no settings")))?;
    Ok(Json(TeamView::new(&team, &settings)))
}

/// Delete a team with its calendar.
#[utoipa::path(delete, path = "/teams/{team}", tag = "roster",
    params(("team" = String, Path, example = "devops")),
    responses(
        (status = 204, description = "gone"),
        (status = 404, description = "no such team", body = Problem),
        (status = 409, description = "it still owns services, or is the catch-all team", body = Problem),
    ))]
pub(crate) async fn delete_team(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(team): Path<String>,
) -> Result<StatusCode, Problem> {
    let team = team_name(&team)?;
    let roster = api.engine().roster();
    let absent = || Problem::not_found(format!("there is no team `{team}`"));
    let known = present(&api, roster.knows_team(&team)).await;
    if !known.map_err(|e| Problem::outage_of_change(&e))? {
        return Err(absent());
    }
    if api.engine().catch_all() == Some(&team) {
        let detail = format!("team `{team}` is the catch-all team of the configuration");
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    note(&api, &key, &told::team_deleted(&team)).await?;
    let deleted = roster.delete_team(&team).await;
    match deleted.map_err(|e| Problem::outage_of_change(&e))? {
        TeamDeleted::Gone => Ok(StatusCode::NO_CONTENT),
        TeamDeleted::Absent => Err(absent()),
        TeamDeleted::OwnsService(service) => {
            // Only the deletion itself finds out, and its note is there.
            note(&api, &key, &told::team_kept(&team, &service)).await?;
            let detail = format!("team `{team}` still owns the service `{service}`");
            Err(Problem::new(StatusCode::CONFLICT, detail))
        }
    }
}

/// Create or replace a day of a team's calendar.
#[utoipa::path(put, path = "/teams/{team}/calendar/{day}", tag = "roster", request_body = PutDay,
    params(("team" = String, Path, example = "devops"), ("day" = String, Path, example = "2026-12-24", description = "YYYY-MM-DD in the team's time zone")),
    responses(
        (status = 200, description = "as it is now", body = DayView),
        (status = 400, description = "a field does not hold", body = Problem),
        (status = 422, description = "the team is not known, or a contact cannot be reached", body = Problem),
    ))]
pub(crate) async fn put_day(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path((team, day)): Path<(String, String)>,
    Body(given): Body<PutDay>,
) -> Result<Json<DayView>, Problem> {
    let (team, day) = (team_name(&team)?, day_of(&day)?);
    let (rota, contacts) = given.into_rota().map_err(|e| Problem::invalid(&e))?;
    reachable(&api, &contacts)?;
    let roster = api.engine().roster();
    // A calendar alone makes a team only where the deployment has a fallback to give it.
    let known = api.engine().has_default_fallback()
        || present(&api, roster.team(&team)).await.map_err(|e| Problem::outage(&e))?.is_some();
    if !known {
        return Err(Problem::unprocessable("team", format!("there is no team `{team}`")));
    }
    let before = before(&api, roster.day(&team, day)).await;
    if !matches!(&before, Before::Was(was) if **was == rota) {
        note(&api, &key, &told::day(&team, day, &rota, &before)).await?;
    }
    roster.put_day(&team, day, &rota).await.map_err(|e| Problem::outage_of_change(&e))?;
    Ok(Json(DayView::new(&team, day, &rota)))
}

/// A day of a team's calendar.
#[utoipa::path(get, path = "/teams/{team}/calendar/{day}", tag = "roster",
    params(("team" = String, Path, example = "devops"), ("day" = String, Path, example = "2026-12-24")),
    responses(
        (status = 200, description = "the entry", body = DayView),
        (status = 404, description = "no entry", body = Problem),
    ))]
pub(crate) async fn get_day(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path((team, day)): Path<(String, String)>,
) -> Result<Json<DayView>, Problem> {
    let (team, day) = (team_name(&team)?, day_of(&day)?);
    let rota = present(&api, api.engine().roster().day(&team, day)).await;
    let rota = rota.map_err(|e| Problem::outage(&e))?;
    let rota = rota.ok_or_else(|| Problem::not_found(format!("team `{team}` has no entry for {day}")))?;
    Ok(Json(DayView::new(&team, day, &rota)))
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
    let roster = api.engine().roster();
    let before = before(&api, roster.day(&team, day)).await;
    if before == Before::Absent {
        return gone(Deleted::Absent, "entry");
    }
    note(&api, &key, &told::day_deleted(&team, day, &before)).await?;
    let deleted = roster.delete_day(&team, day).await;
    gone(deleted.map_err(|e| Problem::outage_of_change(&e))?, "entry")
}

/// Who is on call.
#[utoipa::path(get, path = "/teams/{team}/oncall", tag = "roster",
    params(
        ("team" = String, Path, example = "devops"),
        ("at" = Option<String>, Query, description = "RFC 3339 or Unix seconds; now unless given"),
    ),
    responses(
        (status = 200, description = "who is", body = OnCallView),
        (status = 404, description = "no such team", body = Problem),
    ))]
pub(crate) async fn on_call(
    State(api): State<Api>,
    _: Caller,
    Path(team): Path<String>,
    mut params: Params,
) -> Result<Json<OnCallView>, Problem> {
    let team = team_name(&team)?;
    let at = params.take("at", |text| match text.parse::<f64>() {
        Ok(seconds) => Time::Seconds(seconds).read("at"),
        // A plus sign in a query is a space.
        Err(_) => Time::Text(text.replace(' ', "+")).read("at"),
    });
    params.finish()?;
    let at = at.unwrap_or_else(|| api.engine().now());
    let on_call = api.engine().on_call(&team, at).await.map_err(|e| Problem::outage(&e))?;
    let on_call = on_call.ok_or_else(|| Problem::not_found(format!("there is no team `{team}`")))?;
    Ok(Json(OnCallView::new(&team, at, &on_call)))
}
