//! Routing rules, and what would happen to a report by them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use inresponse_api::convert::ignored;
use inresponse_api::{Route, Routes, RoutesEntry};
use inresponse_core::InvalidInput;
use inresponse_core::engine::{DryRule, DryRun};
use inresponse_core::model::{Report, Severity};
use inresponse_core::roster;

use super::changes::{edit, present};
use super::outlook::step;
use super::roster::{delete, service_name, time_of};
use crate::Api;
use crate::caller::Caller;
use crate::common::{InvalidField, InvalidParameter, NoEntry, UnknownName};
use crate::input::{Body, NoParams, Params};
use crate::problem::Problem;
use crate::wire::rules as wire;

/// Set the routing rules, all at once. The first rule that matches a report decides what happens to it.
#[utoipa::path(put, path = "/routes", tag = "roster", request_body = RoutesEntry,
    responses(
        (status = 200, description = "as they are now", body = Routes),
        InvalidField,
        UnknownName,
    ))]
pub(crate) async fn put_routes(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Body(given): Body<RoutesEntry>,
) -> Result<Json<Routes>, Problem> {
    let routes = wire::routes(given).map_err(|e| Problem::invalid(&e))?;
    let _ = edit(&api, &key, roster::Entry::routes(routes.clone()).into()).await?;
    Ok(Json(wire::routes_of(&routes)))
}

/// Read the routing rules. Without rules, the list is empty.
#[utoipa::path(get, path = "/routes", tag = "roster",
    responses((status = 200, description = "the rules, in their order", body = Routes)))]
pub(crate) async fn get_routes(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
) -> Result<Json<Routes>, Problem> {
    Ok(Json(current(&api).await?.as_deref().map(wire::routes_of).unwrap_or_default()))
}

/// Delete all routing rules: every report alerts the owner of its service.
#[utoipa::path(delete, path = "/routes", tag = "roster",
    responses(
        (status = 204, description = "gone"),
        NoEntry,
    ))]
pub(crate) async fn delete_routes(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
) -> Result<StatusCode, Problem> {
    delete(&api, &key, roster::EntryKey::Routes, "routing rule").await
}

/// The routing rules as they are now.
pub(crate) async fn current(api: &Api) -> Result<Option<Arc<roster::Routes>>, Problem> {
    let entry = present(api, api.engine().roster().entry(&roster::EntryKey::Routes)).await;
    Ok(match entry.map_err(|e| Problem::outage(&e))? {
        Some(roster::Entry::Routes(routes)) => Some(routes),
        Some(_) | None => None,
    })
}

/// Read what would happen to a report: the routing rule that matches, and every alert if nobody claimed the incident.
#[utoipa::path(get, path = "/route", operation_id = "dry_route", tag = "roster",
    params(
        ("service" = String, Query, example = "athens"),
        ("severity" = Option<String>, Query, description = "CRIT, ERR or WARN (default: CRIT)"),
        ("label" = Option<Vec<String>>, Query, description = "a label, `name=value`; may be given several times"),
        ("at" = Option<String>, Query, description = "RFC 3339 or Unix seconds (default: now)"),
    ),
    responses(
        (status = 200, description = "the rule and its effect", body = Route),
        InvalidParameter,
        (status = 404, description = "no such service, and no catch-all team", body = Problem),
    ))]
pub(crate) async fn route(
    State(api): State<Api>,
    _: Caller,
    mut params: Params,
) -> Result<Json<Route>, Problem> {
    let service = params.take_required("service");
    let severity = params.take("severity", |text| {
        text.parse::<Severity>().map_err(|_| InvalidInput::field("severity", "must be CRIT, ERR or WARN"))
    });
    let at = params.take("at", |text| time_of(text, "at"));
    let labels = params.take_all("label", Report::MAX_LABELS, |text| {
        let (name, value) =
            text.split_once('=').ok_or_else(|| InvalidInput::field("label", "must be like `name=value`"))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    params.finish()?;
    let service = service_name(&service.unwrap_or_default())?;
    let report = Report::builder(service.as_str(), severity.unwrap_or(Severity::Crit), "dry run");
    let report = labels.into_iter().fold(report, |report, (name, value)| report.label(name, value));
    let report = report.build().map_err(|invalid| {
        let texts = invalid.errors().iter().map(|e| format!("{}: {}", e.field(), e.message()));
        Problem::invalid(&InvalidInput::field("label", texts.collect::<Vec<_>>().join(", ")))
    })?;
    let at = at.unwrap_or_else(|| api.engine().now());
    let run = api.engine().dry_route(report, at).await.map_err(|e| Problem::outage(&e))?;
    run.map(|run| Json(view(run)))
        .ok_or_else(|| Problem::not_found(format!("there is no service `{service}`")))
}

fn view(run: DryRun) -> Route {
    let DryRun { ruled, team, severity, steps } = run;
    let route = Route {
        rule: None,
        ignored: None,
        heartbeat: None,
        team: team.map(|team| team.to_string()),
        severity: severity.as_str().into(),
        record_only: false,
        steps: steps.into_iter().map(step).collect(),
    };
    match ruled {
        DryRule::None => route,
        DryRule::Routed(routed) => Route {
            rule: Some(routed.rule.to_string()),
            ignored: routed.ignored.as_ref().map(ignored),
            record_only: routed.record_only,
            ..route
        },
        DryRule::Ping(heartbeat, rule) => {
            Route { rule: Some(rule.to_string()), heartbeat: Some(heartbeat.to_string()), ..route }
        }
    }
}
