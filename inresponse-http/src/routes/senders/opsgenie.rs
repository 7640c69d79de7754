//! The routes for clients of Opsgenie's alert API.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::store::Record;
use inresponse_intake::Signal;
use inresponse_intake::opsgenie::{self, Asked, RequestId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Api;
use crate::caller::Caller;
use crate::common::{ChangeNotStored, InvalidField, NoOwner};
use crate::input::{Params, Path};
use crate::problem::Problem;
use crate::signals::{Message, take_one};

/// Opsgenie's answer to a change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Requested {
    /// Always `Request will be processed`, although the request is already done.
    result: &'static str,
    /// The processing time, in seconds.
    took: f64,
    /// The id for `GET /v2/alerts/requests/{requestId}`, which returns the result.
    request_id: String,
}

/// The answer about the result of a request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestStatus {
    data: RequestData,
    /// The processing time, in seconds.
    took: f64,
    request_id: String,
}

/// The result of a request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RequestData {
    success: bool,
    is_success: bool,
    /// `Create`, `Acknowledge`, `UnAcknowledge`, `AddNote` or `Close`.
    action: &'static str,
    processed_at: DateTime<Utc>,
    integration_id: &'static str,
    status: &'static str,
    /// The alert's id; empty if there was no such alert.
    alert_id: String,
    /// The alert's alias.
    alias: String,
}

type Accepted = (StatusCode, Json<Requested>);

async fn requested(api: &Api, sender: &Caller, asked: Asked, signal: Signal) -> Result<Accepted, Problem> {
    let began = api.engine().clock().monotonic();
    let taken = take_one(api, "opsgenie", sender, signal).await?;
    let took = took(api, began);
    let request_id = RequestId { action: asked, incident: taken.number() }.text();
    Ok((StatusCode::ACCEPTED, Json(Requested { result: "Request will be processed", took, request_id })))
}

fn took(api: &Api, began: Duration) -> f64 {
    api.engine().clock().monotonic().saturating_sub(began).as_secs_f64()
}

fn invalid(invalid: InvalidInput) -> Problem {
    Problem::invalid(&invalid)
}

/// Create an alert, as in Opsgenie.
///
/// The API key gives the service. Alerts with the same alias are one incident.
#[utoipa::path(post, path = "/v2/alerts", tag = "intake",
    request_body(content = serde_json::Value, description = "the body that Opsgenie's alert API takes"),
    responses(
        (status = 202, description = "recorded durably", body = Requested),
        InvalidField,
        NoOwner,
        ChangeNotStored,
    ))]
pub(crate) async fn create(
    State(api): State<Api>,
    sender: Caller,
    body: Message,
) -> Result<Accepted, Problem> {
    let context = api.intake().context(&sender, api.engine().now());
    let signal = opsgenie::create(&body, &context).map_err(invalid)?;
    requested(&api, &sender, Asked::Create, signal).await
}

/// Acknowledge an alert, as in Opsgenie: claims the incident.
#[utoipa::path(post, path = "/v2/alerts/{identifier}/acknowledge", tag = "intake",
    params(
        ("identifier" = String, Path, description = "the alert's id, tiny id or alias"),
        ("identifierType" = Option<String>, Query, description = "the kind of identifier: id, tiny or alias (default: id)"),
    ),
    request_body(content = serde_json::Value, description = "the body that Opsgenie's alert API takes; may be empty"),
    responses(
        (status = 202, description = "the change is durable, if there is such an alert", body = Requested),
        InvalidField,
        ChangeNotStored,
    ))]
pub(crate) async fn acknowledge(
    State(api): State<Api>,
    sender: Caller,
    params: Params,
    Path(identifier): Path<String>,
    body: Message,
) -> Result<Accepted, Problem> {
    changed(&api, &sender, Asked::Acknowledge, params, &identifier, &body).await
}

/// Unacknowledge an alert, as in Opsgenie: releases the incident.
#[utoipa::path(post, path = "/v2/alerts/{identifier}/unacknowledge", tag = "intake",
    params(
        ("identifier" = String, Path, description = "the alert's id, tiny id or alias"),
        ("identifierType" = Option<String>, Query, description = "the kind of identifier: id, tiny or alias (default: id)"),
    ),
    request_body(content = serde_json::Value, description = "the body that Opsgenie's alert API takes"),
    responses(
        (status = 202, description = "the change is durable, if there is such an alert", body = Requested),
        InvalidField,
        ChangeNotStored,
    ))]
pub(crate) async fn unacknowledge(
    State(api): State<Api>,
    sender: Caller,
    params: Params,
    Path(identifier): Path<String>,
    body: Message,
) -> Result<Accepted, Problem> {
    changed(&api, &sender, Asked::Unacknowledge, params, &identifier, &body).await
}

/// Add a note to an alert, as in Opsgenie.
#[utoipa::path(post, path = "/v2/alerts/{identifier}/notes", tag = "intake",
    params(
        ("identifier" = String, Path, description = "the alert's id, tiny id or alias"),
        ("identifierType" = Option<String>, Query, description = "the kind of identifier: id, tiny or alias (default: id)"),
    ),
    request_body(content = serde_json::Value, description = "the body that Opsgenie's alert API takes"),
    responses(
        (status = 202, description = "the change is durable, if there is such an alert", body = Requested),
        InvalidField,
        ChangeNotStored,
    ))]
pub(crate) async fn add_note(
    State(api): State<Api>,
    sender: Caller,
    params: Params,
    Path(identifier): Path<String>,
    body: Message,
) -> Result<Accepted, Problem> {
    changed(&api, &sender, Asked::Note, params, &identifier, &body).await
}

/// Close an alert, as in Opsgenie: resolves the incident.
#[utoipa::path(post, path = "/v2/alerts/{identifier}/close", tag = "intake",
    params(
        ("identifier" = String, Path, description = "the alert's id, tiny id or alias"),
        ("identifierType" = Option<String>, Query, description = "the kind of identifier: id, tiny or alias (default: id)"),
    ),
    request_body(content = serde_json::Value, description = "the body that Opsgenie's alert API takes; may be empty"),
    responses(
        (status = 202, description = "the change is durable, if there is such an alert", body = Requested),
        InvalidField,
        ChangeNotStored,
    ))]
pub(crate) async fn close(
    State(api): State<Api>,
    sender: Caller,
    params: Params,
    Path(identifier): Path<String>,
    body: Message,
) -> Result<Accepted, Problem> {
    changed(&api, &sender, Asked::Close, params, &identifier, &body).await
}

/// Changes the alert that path and query name. Other parameters in the query are ignored.
async fn changed(
    api: &Api,
    sender: &Caller,
    asked: Asked,
    mut params: Params,
    identifier: &str,
    body: &[u8],
) -> Result<Accepted, Problem> {
    let kind = params.take("identifierType", |text| Ok(text.to_owned()));
    let subject = opsgenie::subject(identifier, kind.as_deref()).map_err(invalid)?;
    let context = api.intake().context(sender, api.engine().now());
    let signal = opsgenie::act(asked, subject, body, &context).map_err(invalid)?;
    requested(api, sender, asked, signal).await
}

/// Read the status of a request, as in Opsgenie.
#[utoipa::path(get, path = "/v2/alerts/requests/{requestId}", tag = "intake",
    params(("requestId" = String, Path, description = "the requestId in the answer to a change")),
    responses(
        (status = 200, description = "the result", body = RequestStatus),
        (status = 404, description = "there is no request with this id", body = Problem),
    ))]
pub(crate) async fn status(
    State(api): State<Api>,
    sender: Caller,
    Path(request_id): Path<String>,
) -> Result<Json<RequestStatus>, Problem> {
    let began = api.engine().clock().monotonic();
    let absent = || Problem::not_found("there is no such request");
    let id = RequestId::parse(&request_id).ok_or_else(absent)?;
    let record = match id.incident {
        // A key may not read what another key reported.
        Some(number) => Some(find(&api, &sender, number).await?.ok_or_else(absent)?),
        None => None,
    };
    let (action, done) = match id.action {
        Asked::Create => ("Create", "Created alert"),
        Asked::Acknowledge => ("Acknowledge", "Acknowledged alert"),
        Asked::Unacknowledge => ("UnAcknowledge", "Unacknowledged alert"),
        Asked::Note => ("AddNote", "Added note"),
        Asked::Close => ("Close", "Closed alert"),
    };
    let success = record.is_some();
    let incident = record.as_ref().map(|record| &record.incident);
    let alert_id = |number| RequestId { action: Asked::Create, incident: Some(number) }.text();
    let data = RequestData {
        success,
        is_success: success,
        action,
        processed_at: incident.map_or_else(|| api.engine().now(), |incident| incident.updated_at()),
        integration_id: "",
        status: if success { done } else { "Alert does not exist" },
        alert_id: id.incident.map(alert_id).unwrap_or_default(),
        alias: incident.and_then(|i| i.dedup_key()).map(|key| key.as_str().to_owned()).unwrap_or_default(),
    };
    Ok(Json(RequestStatus { data, took: took(&api, began), request_id }))
}

async fn find(
    api: &Api,
    sender: &Caller,
    number: inresponse_core::model::IncidentNumber,
) -> Result<Option<Record>, Problem> {
    let found = api.engine().get(number).await.map_err(|e| Problem::outage(&e))?;
    Ok(found.filter(|record| sender.reported(&record.incident)))
}
