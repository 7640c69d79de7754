//! The routes for Amazon SNS and Amazon EventBridge.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use inresponse_core::InvalidInput;
use inresponse_core::notify::Noticed;
use inresponse_intake::sns::{Envelope, Request, event};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Api;
use crate::caller::Caller;
use crate::common::{EventNotStored, InvalidAlert};
use crate::problem::Problem;
use crate::signals::{AlertsView, Amazon, Message, answer, take};

/// The result of a message that begins or ends a subscription.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Subscription {
    /// `confirmed` or `ended`.
    subscription: &'static str,
}

/// The result of a mail carrier's report about an alert.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Notice {
    /// `dead`: the alert bounced, and its delivery is dead. `nothing`: there was nothing to do.
    notice: &'static str,
}

/// Receives a message of Amazon SNS: a CloudWatch alarm, the confirmation of a subscription, or a report of Amazon SES
/// about a mail.
///
/// The signature of the message is checked with a certificate of Amazon. The message's time must be within an hour of
/// now. A subscription is confirmed only at Amazon's own hosts. Reports of Amazon SES count only from topics that this
/// server trusts.
#[utoipa::path(post, path = "/intake/sns", tag = "intake",
    request_body(content = serde_json::Value, description = "the message that Amazon SNS sends to HTTPS subscriptions"),
    responses(
        (status = 200, description = "the result", body = AlertsView),
        (status = 400, description = "the body is not a message of Amazon SNS, or its signature is invalid", body = Problem),
        (status = 403, description = "a report of Amazon SES from a topic that is not trusted", body = Problem),
        InvalidAlert,
        (status = 501, description = "this server fetches nothing from Amazon", body = Problem),
        (status = 503, description = "the message could not be stored or checked: send it again", body = Problem),
    ))]
pub(crate) async fn message(
    State(api): State<Api>,
    sender: Caller,
    body: Message,
) -> Result<Response, Problem> {
    // An event that EventBridge sends here directly has no signature. It is accepted because of its key.
    if let Some(alert) = event(&body, &api.intake().context(&sender, api.engine().now())) {
        return answer("eventbridge", &sender, &take(&api, &sender, vec![alert]).await);
    }
    let amazon = api.intake().amazon().ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_IMPLEMENTED,
            "this server fetches nothing from Amazon, so it cannot check",
        )
    })?;
    let envelope = Envelope::read(&body).map_err(|e| Problem::invalid(&e))?;
    let url = envelope.certificate_url().map_err(|e| Problem::invalid(&e))?;
    let certificate = amazon.certificate(&url).await?;
    let now = api.engine().now();
    let verified = envelope.verify(&certificate, now).map_err(|e| Problem::invalid(&e))?;
    if let (Some(notices), Some(message)) = (api.intake().notices(), verified.message()) {
        let taken = notices.take(api.engine(), verified.topic(), message).await;
        let notice = match taken.map_err(|outage| Problem::outage_of_change(&outage))? {
            Noticed::Dead => Some("dead"),
            Noticed::Nothing => Some("nothing"),
            Noticed::Untrusted => return Err(untrusted(verified.topic())),
            Noticed::Foreign => None,
        };
        if let Some(notice) = notice {
            return Ok(Json(Notice { notice }).into_response());
        }
    }
    let context = api.intake().context(&sender, now);
    match verified.translate(&context).map_err(|e| Problem::invalid(&e))? {
        Request::Confirm(url) => {
            amazon.fetch(&url).await?;
            tracing::info!("a subscription of Amazon SNS was confirmed");
            Ok(Json(Subscription { subscription: "confirmed" }).into_response())
        }
        Request::Unsubscribed => {
            tracing::warn!("a subscription of Amazon SNS has ended: it sends no more alarms");
            Ok(Json(Subscription { subscription: "ended" }).into_response())
        }
        Request::Alert(alert) => answer("sns", &sender, &take(&api, &sender, vec![alert]).await),
    }
}

/// The error for a topic that is not trusted. Anybody can have Amazon SES report to their own topic that an alert
/// bounced.
fn untrusted(topic: &str) -> Problem {
    let topic: String = topic.chars().take(256).collect();
    let detail =
        format!("reports of Amazon SES are not accepted from the topic {topic}: it is not in ses-topics");
    Problem::new(StatusCode::FORBIDDEN, detail)
}

/// Receives an event of Amazon EventBridge from an API destination: CloudWatch's "CloudWatch Alarm State Change".
#[utoipa::path(post, path = "/intake/eventbridge", tag = "intake",
    request_body(content = serde_json::Value, description = "the event of EventBridge"),
    responses(
        (status = 200, description = "the result", body = AlertsView),
        (status = 400, description = "not an event", body = Problem),
        InvalidAlert,
        EventNotStored,
    ))]
pub(crate) async fn eventbridge(
    State(api): State<Api>,
    sender: Caller,
    body: Message,
) -> Result<Response, Problem> {
    let alert = event(&body, &api.intake().context(&sender, api.engine().now()));
    let invalid = || Problem::invalid(&InvalidInput::field("body", "must be an event of EventBridge"));
    let alert = alert.ok_or_else(invalid)?;
    answer("eventbridge", &sender, &take(&api, &sender, vec![alert]).await)
}

impl Amazon {
    /// The signing certificate at that URL, fetched once.
    async fn certificate(
        &self,
        url: &inresponse_intake::sns::AmazonUrl,
    ) -> Result<axum::body::Bytes, Problem> {
        if let Some(known) = self.known(url) {
            return Ok(known);
        }
        let fetched = self.fetch(url).await?;
        self.keep(url, &fetched);
        Ok(fetched)
    }

    async fn fetch(&self, url: &inresponse_intake::sns::AmazonUrl) -> Result<axum::body::Bytes, Problem> {
        let fetched = self.fetcher().get(url).await;
        fetched.map_err(|reason| {
            tracing::error!(url = url.as_str(), reason, "Amazon could not be asked");
            Problem::unavailable("Amazon could not be asked whether it sent this message").not_recorded()
        })
    }
}
