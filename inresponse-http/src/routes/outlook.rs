//! The routes of the dry run and of the coverage check.

use axum::Json;
use axum::extract::State;
use inresponse_api::convert::level;
use inresponse_api::{Coverage, Finding, Plan, Step};
use inresponse_core::InvalidInput;
use inresponse_core::engine::DryStep;
use inresponse_core::feeds;
use inresponse_core::model::{Severity, TeamName};

use super::roster::{service_name, time_of};
use crate::Api;
use crate::caller::Caller;
use crate::common::{InvalidParameter, NoSuchTeam};
use crate::input::{Params, Path};
use crate::problem::Problem;

/// Read which alerts a report would cause if nobody claimed the incident.
///
/// The planner itself runs ahead on simulated time. Every alert counts as accepted at once.
#[utoipa::path(get, path = "/services/{service}/plan", operation_id = "dry_run", tag = "roster",
    params(
        ("service" = String, Path, example = "athens"),
        ("severity" = Option<String>, Query, description = "CRIT, ERR or WARN (default: CRIT)"),
        ("at" = Option<String>, Query, description = "RFC 3339 or Unix seconds (default: now)"),
    ),
    responses(
        (status = 200, description = "every step, in order", body = Plan),
        InvalidParameter,
        (status = 404, description = "no such service, and no catch-all team", body = Problem),
    ))]
pub(crate) async fn plan(
    State(api): State<Api>,
    _: Caller,
    Path(service): Path<String>,
    mut params: Params,
) -> Result<Json<Plan>, Problem> {
    let service = service_name(&service)?;
    let severity = params.take("severity", |text| {
        text.parse::<Severity>().map_err(|_| InvalidInput::field("severity", "must be CRIT, ERR or WARN"))
    });
    let at = params.take("at", |text| time_of(text, "at"));
    params.finish()?;
    let at = at.unwrap_or_else(|| api.engine().now());
    let steps = api.engine().dry_run(&service, severity.unwrap_or(Severity::Crit), at).await;
    let steps = steps.map_err(|e| Problem::outage(&e))?;
    let steps = steps.ok_or_else(|| Problem::not_found(format!("there is no service `{service}`")))?;
    Ok(Json(Plan { steps: steps.into_iter().map(step).collect() }))
}

/// The maximum number of days that the coverage check looks ahead.
const MAX_DAYS: u16 = 400;

/// Read what is missing or odd in the roster.
#[utoipa::path(get, path = "/coverage", operation_id = "coverage", tag = "roster",
    params(
        ("days" = Option<u16>, Query, description = "how many days ahead, 1 to 400 (default: 30)"),
        ("team" = Option<String>, Query, description = "of one team only"),
    ),
    responses(
        (status = 200, description = "the findings of each team, the worst first", body = Coverage),
        InvalidParameter,
        NoSuchTeam,
    ))]
pub(crate) async fn coverage(
    State(api): State<Api>,
    _: Caller,
    mut params: Params,
) -> Result<Json<Coverage>, Problem> {
    let days = params.take("days", |text| {
        let days = text.parse::<u16>().ok().filter(|days| (1..=MAX_DAYS).contains(days));
        days.ok_or_else(|| InvalidInput::field("days", format!("must be from 1 to {MAX_DAYS}")))
    });
    let team = params.take("team", |text| TeamName::new(text));
    params.finish()?;
    let found = feeds::coverage(api.engine(), api.shared(), team.as_ref(), days.unwrap_or(30)).await;
    let found = found.map_err(|e| Problem::outage(&e))?;
    if let Some(team) = team.filter(|_| found.is_empty()) {
        return Err(Problem::not_found(format!("there is no team `{team}`")));
    }
    let findings = found.into_iter().flat_map(|(team, findings)| {
        findings.into_iter().map(move |found| Finding {
            team: team.to_string(),
            kind: found.kind.as_str().to_owned(),
            from: found.span.map(|(from, _)| from),
            to: found.span.map(|(_, to)| to),
            detail: found.detail,
        })
    });
    Ok(Json(Coverage { findings: findings.collect() }))
}

/// Converts an alert of a dry run into the API's type.
pub(super) fn step(step: DryStep) -> Step {
    let (person, method) = match step.person {
        Some((person, method)) => (format!("person:{person}"), method.to_string()),
        None => (step.contact.to_string(), step.contact.scheme().to_owned()),
    };
    Step { at: step.at, level: level(step.level), person, method, why: step.why }
}
