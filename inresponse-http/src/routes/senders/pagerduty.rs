//! The route for clients of PagerDuty's Events API v2.

use axum::extract::State;
use axum::http::{Extensions, Method, StatusCode};
use axum::{Extension, Json};
use inresponse_intake::pagerduty::{Event, routing_key};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Api;
use crate::admission::Admission;
use crate::caller::Caller;
use crate::common::{EventNotStored, InvalidField, NoOwner};
use crate::problem::Problem;
use crate::signals::{Message, take_one};

/// PagerDuty's answer to an event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Enqueued {
    /// Always `success`.
    status: &'static str,
    /// Always `Event processed`.
    message: &'static str,
    /// The event's dedup key; a new one if the event had none.
    dedup_key: String,
}

/// Receives an event of PagerDuty's Events API v2: trigger, acknowledge, resolve.
///
/// The routing key is the API key. The event concerns the service that the routing key belongs to.
#[utoipa::path(post, path = "/v2/enqueue", tag = "intake",
    request_body(content = serde_json::Value, description = "the body that PagerDuty's Events API v2 takes"),
    responses(
        (status = 202, description = "recorded durably", body = Enqueued),
        InvalidField,
        (status = 401, description = "the routing key is not a known API key", body = Problem),
        NoOwner,
        EventNotStored,
    ))]
pub(crate) async fn enqueue(
    State(api): State<Api>,
    Extension(admission): Extension<Admission>,
    method: Method,
    extensions: Extensions,
    body: Message,
) -> Result<(StatusCode, Json<Enqueued>), Problem> {
    let key = routing_key(&body).map_err(|e| Problem::invalid(&e))?;
    let sender = Caller::at(&api, &method, &extensions, key.as_deref())?;
    admission.enter_lane(&sender.lane).await?;
    let context = api.intake().context(&sender, api.engine().now());
    let event = Event::read(&body).and_then(|event| event.translate(&body, &context));
    let event = event.map_err(|e| Problem::invalid(&e).by_key(sender.key.as_str()))?;
    // PagerDuty's own answer does not contain the exact result either.
    let _ = take_one(&api, "pagerduty", &sender, event.signal).await?;
    let answer = Enqueued { status: "success", message: "Event processed", dedup_key: event.dedup_key };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}
