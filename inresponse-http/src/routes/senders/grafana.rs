//! Grafana.

use axum::extract::State;
use axum::response::Response;
use inresponse_intake::grafana;

use crate::Api;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::signals::{AlertsView, Message};

/// Grafana's webhook contact point.
///
/// Every alert is taken by itself; a 2xx says that none of them needs to be sent again.
#[utoipa::path(post, path = "/intake/grafana", operation_id = "grafana_webhook", tag = "intake",
    request_body(content = serde_json::Value, description = "as Grafana's webhook contact point sends it"),
    responses(
        (status = 200, description = "what became of each alert", body = AlertsView),
        (status = 400, description = "it is no such message", body = Problem),
        (status = 422, description = "no alert of it can be taken", body = Problem),
        (status = 503, description = "an alert could not be stored: send it all again", body = Problem),
    ))]
pub(crate) async fn webhook(
    State(api): State<Api>,
    sender: Caller,
    body: Message,
) -> Result<Response, Problem> {
    super::webhook(&api, &sender, "grafana", |context| grafana::webhook(&body, context)).await
}
