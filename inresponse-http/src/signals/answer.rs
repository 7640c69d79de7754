//! The answer to a sender of several alerts: one result for each.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use inresponse_api::FieldProblem;
use inresponse_core::model::IncidentNumber;
use inresponse_core::{InvalidInput, Outage, OutageKind};
use inresponse_intake::Signal;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Taken, take};
use crate::Api;
use crate::caller::Caller;
use crate::problem::{Problem, fields};

/// The results for all alerts of a message, in order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertsView {
    alerts: Vec<AlertView>,
}

/// The result for one alert.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AlertView {
    /// `opened`, `counted`, `resolved`, `acknowledged`, `released`, `noted`, `pinged`, `unchanged` or `refused`.
    status: &'static str,
    /// The incident that the alert is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    incident_id: Option<u64>,
    /// The heartbeat of which the alert was a ping.
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<String>,
    /// Why nothing was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    /// What is wrong with the alert, if it was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

impl Taken {
    /// The name of the result on the wire and in the metrics.
    pub(crate) fn status(&self) -> &'static str {
        match self {
            Taken::Opened(_) => "opened",
            Taken::Counted(_) => "counted",
            Taken::Resolved(_) => "resolved",
            Taken::Acknowledged(_) => "acknowledged",
            Taken::Released(_) => "released",
            Taken::Noted(_) => "noted",
            Taken::Pinged(_) => "pinged",
            Taken::Unchanged(..) => "unchanged",
            Taken::Refused(_) => "refused",
            Taken::Failed(_) => "failed",
        }
    }

    /// The incident that the alert is about.
    pub(crate) fn number(&self) -> Option<IncidentNumber> {
        match self {
            Taken::Opened(n)
            | Taken::Counted(n)
            | Taken::Resolved(n)
            | Taken::Acknowledged(n)
            | Taken::Released(n)
            | Taken::Noted(n) => Some(*n),
            Taken::Unchanged(number, _) => *number,
            Taken::Pinged(_) | Taken::Refused(_) | Taken::Failed(_) => None,
        }
    }
}

impl Taken {
    /// What is wrong with the alert, if it was refused.
    pub(crate) fn refused(&self) -> Option<&InvalidInput> {
        if let Taken::Refused(invalid) = self { Some(invalid) } else { None }
    }

    /// The outage because of which the alert could not be stored.
    pub(crate) fn failed(&self) -> Option<&Outage> {
        if let Taken::Failed(outage) = self { Some(outage) } else { None }
    }
}

impl From<&Taken> for AlertView {
    fn from(taken: &Taken) -> Self {
        let view = Self {
            status: taken.status(),
            incident_id: taken.number().map(IncidentNumber::value),
            ..Self::default()
        };
        match taken {
            Taken::Pinged(heartbeat) => Self { heartbeat: Some(heartbeat.to_string()), ..view },
            Taken::Unchanged(_, why) => Self { detail: Some(why), ..view },
            Taken::Refused(invalid) => Self { errors: fields(invalid), ..view },
            Taken::Opened(_)
            | Taken::Counted(_)
            | Taken::Resolved(_)
            | Taken::Acknowledged(_)
            | Taken::Released(_)
            | Taken::Noted(_)
            | Taken::Failed(_) => view,
        }
    }
}

/// Counts the results, and logs refused alerts, because few senders show answers to their users.
fn observe(sender: &'static str, by: &Caller, taken: &[Taken]) {
    for one in taken {
        metrics::counter!("inresponse_intake_alerts_total", "sender" => sender, "outcome" => one.status())
            .increment(1);
    }
    let mut refused = taken.iter().filter_map(Taken::refused);
    if let Some(first) = refused.next() {
        let refused = 1 + refused.count();
        tracing::warn!(sender, key = %by.key, refused, of = taken.len(), %first, "alerts were refused");
    }
}

/// The status of the answer to the whole message: 503 if an alert could not be stored, because the sender must then
/// send all of them again, which is safe; 422 if all alerts were refused.
fn outcome(taken: &[Taken]) -> Result<(), Problem> {
    let mut failed = taken.iter().enumerate().filter_map(|(i, one)| Some((i, one.failed()?)));
    if let Some((i, first)) = failed.next() {
        let others = failed.count();
        let any_stored = taken.iter().any(|one| one.number().is_some());
        let text = format!("alerts[{i}] and {others} others could not be stored: {first}");
        let kind = if any_stored { OutageKind::Unknown } else { first.kind() };
        return Err(Problem::outage_of_change(&Outage::new(kind, text)));
    }
    let mut invalid = InvalidInput::default();
    for (i, one) in taken.iter().enumerate() {
        let Some(refused) = one.refused() else { return Ok(()) };
        invalid.append(refused.clone().under(&format!("alerts[{i}]")));
    }
    if invalid.is_empty() { Ok(()) } else { Err(Problem::unprocessable_fields(&invalid)) }
}

/// Executes a message that contains only one alert.
///
/// Answers 503 if the alert could not be stored, and 422 if it is invalid.
pub(crate) async fn take_one(
    api: &Api,
    sender: &'static str,
    by: &Caller,
    signal: Signal,
) -> Result<Taken, Problem> {
    let taken = take(api, by, vec![Ok(signal)]).await;
    observe(sender, by, &taken);
    let one = taken.into_iter().next().expect("one alert has one outcome");
    match one {
        Taken::Failed(outage) => Err(Problem::outage_of_change(&outage)),
        Taken::Refused(invalid) => Err(Problem::unprocessable_fields(&invalid)),
        done => Ok(done),
    }
}

/// The answer to a message of several alerts.
pub(crate) fn answer(sender: &'static str, by: &Caller, taken: &[Taken]) -> Result<Response, Problem> {
    observe(sender, by, taken);
    outcome(taken)?;
    let alerts = taken.iter().map(Into::into).collect();
    Ok((StatusCode::OK, Json(AlertsView { alerts })).into_response())
}
