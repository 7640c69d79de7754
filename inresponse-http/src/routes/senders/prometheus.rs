//! The routes for Prometheus and Alertmanager.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use inresponse_intake::prometheus;

use crate::Api;
use crate::caller::Caller;
use crate::common::{AlertNotStored, NoValidAlert};
use crate::problem::Problem;
use crate::signals::{AlertsView, Message, answer, take};

/// Receives messages of Alertmanager's webhook (version 4).
///
/// Every alert is handled separately. A 2xx means that no alert needs to be sent again.
#[utoipa::path(post, path = "/intake/alertmanager", operation_id = "alertmanager_webhook", tag = "intake",
    request_body(content = serde_json::Value, description = "as Alertmanager's `webhook_configs` send it"),
    responses(
        (status = 200, description = "the result for each alert", body = AlertsView),
        (status = 400, description = "the body is not a message of Alertmanager", body = Problem),
        NoValidAlert,
        AlertNotStored,
    ))]
pub(crate) async fn webhook(
    State(api): State<Api>,
    sender: Caller,
    body: Message,
) -> Result<Response, Problem> {
    super::webhook(&api, &sender, "alertmanager", |context| prometheus::webhook(&body, context)).await
}

/// Receives alerts as Alertmanager's API does, from Prometheus and others.
#[utoipa::path(post, path = "/api/v2/alerts", tag = "intake",
    request_body(content = serde_json::Value, description = "an array of alerts, as Alertmanager takes it"),
    responses(
        (status = 200, description = "the result for each alert", body = AlertsView),
        (status = 400, description = "the body is not an array of alerts", body = Problem),
        NoValidAlert,
        AlertNotStored,
    ))]
pub(crate) async fn alerts(
    State(api): State<Api>,
    sender: Caller,
    body: Message,
) -> Result<Response, Problem> {
    let context = api.intake().context(&sender, api.engine().now());
    let alerts = prometheus::alerts(&body, &context).map_err(|e| Problem::invalid(&e))?;
    answer("prometheus", &sender, &take(&api, &sender, alerts).await)
}

/// Alertmanager's list of alerts is not served: read incidents with `GET /incidents`.
#[utoipa::path(get, path = "/api/v2/alerts", tag = "intake",
    responses((status = 501, description = "always", body = Problem)))]
pub(crate) async fn query(_: Caller) -> Problem {
    Problem::new(
        StatusCode::NOT_IMPLEMENTED,
        "this server keeps no alerts; read incidents with GET /incidents",
    )
}
