//! Health, readiness, metrics, the API document.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use inresponse_api::{Health, HealthStatus};
use inresponse_core::store::Census;
use tokio::sync::Mutex;

use crate::Api;
use crate::keys::Caller;
use crate::problem::Problem;
use crate::site::Here;

/// How long a question about health may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How old what is told of health may be.
const COUNTED_FOR: Duration = Duration::from_secs(1);

/// The last census, or that there was none, and when it was taken by the monotonic clock.
///
/// Strangers may ask for health as often as they like; the store is asked once a second, and not twice at a time.
#[derive(Debug, Default)]
pub(crate) struct LastCensus(Mutex<Option<(Duration, Option<Census>)>>);

async fn census(api: &Api) -> Result<Census, Problem> {
    let late = || Problem::unavailable("the store does not answer in time");
    // The second one waits for the answer to the first.
    let last = tokio::time::timeout(PATIENCE, api.last_census().0.lock());
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

/// Whether it works, and what does not get through; at most a second old.
#[utoipa::path(get, path = "/healthz", tag = "system",
    responses(
        (status = 200, description = "it works", body = Health),
        (status = 503, description = "the store is out of order", body = Problem),
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

/// Whether requests should be sent here.
#[utoipa::path(get, path = "/readyz", tag = "system",
    responses(
        (status = 200, description = "they should", body = Health),
        (status = 503, description = "it is stopping, or the store is out of order", body = Problem),
    ))]
pub(crate) async fn readyz(api: State<Api>) -> Result<Json<Health>, Problem> {
    if api.is_stopping() {
        return Err(Problem::unavailable("it is stopping"));
    }
    healthz(api).await
}

/// Metrics, in Prometheus' text format.
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

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "system",
    responses((status = 200, description = "OpenAPI 3.1")))]
pub(crate) async fn openapi(Here(api): Here, _: Caller) -> Response {
    ([(CONTENT_TYPE, "application/json")], api.document()).into_response()
}
