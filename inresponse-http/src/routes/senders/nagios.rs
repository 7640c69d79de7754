//! The route for Nagios and Icinga.

use axum::extract::State;
use axum::response::Response;
use inresponse_intake::nagios;

use crate::Api;
use crate::caller::Caller;
use crate::common::InvalidAlert;
use crate::problem::Problem;
use crate::signals::{AlertsView, Message, answer, take};

/// Receives a notification of Nagios or Icinga, as a form.
#[utoipa::path(post, path = "/intake/nagios", tag = "intake",
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`type`, `host`, `check`, `state`, `output`, `since`, `author`, `url`, `label.NAME`"),
    responses(
        (status = 200, description = "the result", body = AlertsView),
        InvalidAlert,
        (status = 503, description = "the notification could not be stored: send it again", body = Problem),
    ))]
pub(crate) async fn notification(
    State(api): State<Api>,
    sender: Caller,
    body: Message,
) -> Result<Response, Problem> {
    let context = api.intake().context(&sender, api.engine().now());
    let alert = nagios::notification(&body, &context);
    answer("nagios", &sender, &take(&api, &sender, vec![alert]).await)
}
