//! The routes for health, readiness, metrics and the API document.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use inresponse_api::{Health, HealthStatus};
use inresponse_core::store::Census;

use crate::Api;
use crate::caller::Caller;
use crate::here::Here;
use crate::problem::Problem;

/// The time limit of a query about the server's health.
const PATIENCE: Duration = Duration::from_secs(3);

/// The maximum age of a health answer.
const COUNTED_FOR: Duration = Duration::from_secs(1);

async fn census(api: &Api) -> Result<Census, Problem> {
    let late = || Problem::unavailable("the store did not answer in time");
    // A second caller waits for the answer to the first.
    let last = tokio::time::timeout(PATIENCE, api.last_census().lock());
    let mut last = last.await.map_err(|_| late())?;
    let now = api.engine().clock().monotonic();
    if let Some((at, census)) = &*last
        && now.saturating_sub(*at) < COUNTED_FOR
    {
        return census.clone().ok_or_else(|| Problem::unavailable("the store did not answer a moment ago"));
    }
    let census = match tokio::time::timeout(PATIENCE, api.engine().census()).await {
        Ok(census) => census.map_err(|e| Problem::outage(&e)),
        Err(_) => Err(late()),
    };
    *last = Some((api.engine().clock().monotonic(), census.as_ref().ok().cloned()));
    census
}

/// Read whether the server works, and which incidents reach nobody. The answer is at most a second old.
#[utoipa::path(get, path = "/healthz", tag = "system",
    responses(
        (status = 200, description = "it works", body = Health),
        (status = 503, description = "the store is unavailable", body = Problem),
    ))]
pub(crate) async fn healthz(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    let Census { unclaimed, undelivered, waiting, .. } = census(&api).await?;
    let status =
        if unclaimed + undelivered + waiting == 0 { HealthStatus::Ok } else { HealthStatus::Degraded };
    Ok(Json(Health {
        status,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        unclaimed,
        undelivered,
        waiting,
    }))
}

/// Read whether this server should get requests.
#[utoipa::path(get, path = "/readyz", tag = "system",
    responses(
        (status = 200, description = "the server should get requests", body = Health),
        (status = 503, description = "the server is stopping, or the store is unavailable", body = Problem),
    ))]
pub(crate) async fn readyz(api: State<Api>) -> Result<Json<Health>, Problem> {
    if api.is_stopping() {
        return Err(Problem::unavailable("it is stopping"));
    }
    healthz(api).await
}

/// Read the metrics, in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "system",
    responses((status = 200, description = "the metrics", body = String)))]
pub(crate) async fn metrics(State(api): State<Api>, _: Caller) -> Result<Response, Problem> {
    let Some(handle) = api.metrics_handle() else {
        return Err(Problem::not_found("metrics are not collected here"));
    };
    if let Ok(census) = census(&api).await {
        crate::metrics::show(&census, api.engine().now());
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response())
}

/// Read this API document.
#[utoipa::path(get, path = "/openapi.json", tag = "system",
    responses((status = 200, description = "OpenAPI 3.1")))]
pub(crate) async fn openapi(Here(api): Here, _: Caller) -> Response {
    ([(CONTENT_TYPE, "application/json")], api.document()).into_response()
}
