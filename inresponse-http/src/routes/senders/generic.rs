//! The route for any JSON, read by a mapping.

use axum::extract::State;
use axum::response::Response;
use inresponse_intake::generic;

use crate::Api;
use crate::caller::Caller;
use crate::common::{AlertNotStored, NoValidAlert};
use crate::input::Path;
use crate::problem::Problem;
use crate::signals::{AlertsView, Message, answer, take};

/// Receives any JSON or form, read by the configured mapping of that name.
#[utoipa::path(post, path = "/intake/generic/{name}", tag = "intake",
    params(("name" = String, Path, description = "the mapping's name")),
    request_body(content = serde_json::Value, description = "any JSON or form that the mapping can read"),
    responses(
        (status = 200, description = "the result for each alert", body = AlertsView),
        (status = 400, description = "neither JSON nor a form, or no alerts at the place that the mapping names", body = Problem),
        (status = 404, description = "no mapping has that name", body = Problem),
        NoValidAlert,
        AlertNotStored,
    ))]
pub(crate) async fn mapped(
    State(api): State<Api>,
    sender: Caller,
    Path(name): Path<String>,
    body: Message,
) -> Result<Response, Problem> {
    let mapping = api.intake().mapping(&name);
    let mapping = mapping.ok_or_else(|| Problem::not_found("there is no mapping of that name"))?;
    let context = api.intake().context(&sender, api.engine().now());
    let alerts = generic::alerts(&body, &name, mapping, &context).map_err(|e| Problem::invalid(&e))?;
    answer("generic", &sender, &take(&api, &sender, alerts).await)
}
