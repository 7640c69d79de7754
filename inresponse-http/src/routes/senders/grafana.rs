//! The route for Grafana.

use axum::extract::State;
use axum::response::Response;
use inresponse_intake::grafana;

use crate::Api;
use crate::caller::Caller;
use crate::common::{AlertNotStored, NoValidAlert};
use crate::problem::Problem;
use crate::signals::{AlertsView, Message};

/// Receives messages of Grafana's webhook contact point.
///
/// Every alert is handled separately. A 2xx means that no alert needs to be sent again.
#[utoipa::path(post, path = "/intake/grafana", operation_id = "grafana_webhook", tag = "intake",
    request_body(content = serde_json::Value, description = "as Grafana's webhook contact point sends it"),
    responses(
        (status = 200, description = "the result for each alert", body = AlertsView),
        (status = 400, description = "the body is not a message of Grafana", body = Problem),
        NoValidAlert,
        AlertNotStored,
    ))]
pub(crate) async fn webhook(
    State(api): State<Api>,
    sender: Caller,
    body: Message,
) -> Result<Response, Problem> {
    super::webhook(&api, &sender, "grafana", |context| grafana::webhook(&body, context)).await
}
