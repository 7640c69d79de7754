//! Amazon SNS.

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
use crate::problem::Problem;
use crate::signals::{AlertsView, Amazon, Message, answer, take};

/// The result of a message about the subscription itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Subscription {
    /// `confirmed` or `ended`.
    subscription: &'static str,
}

/// The result of a carrier's report on an alert.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Notice {
    /// `dead`: the alert came back, and its delivery is dead. `nothing`: there was nothing to do.
    notice: &'static str,
}

/// A message of Amazon SNS: a CloudWatch alarm, the confirmation of a subscription, or what Amazon SES reports about a mail.
///
/// Its signature is checked with a certificate of Amazon. Its time must be within an hour of now. A subscription is
/// confirmed only at Amazon. Reports of Amazon SES count only from topics that this server trusts.
#[utoipa::path(post, path = "/intake/sns", tag = "intake",
    request_body(content = serde_json::Value, description = "as Amazon SNS sends it to HTTPS subscriptions"),
    responses(
        (status = 200, description = "the result", body = AlertsView),
        (status = 400, description = "not a message of this format, or its signature is invalid", body = Problem),
        (status = 403, description = "it is of Amazon SES, from a topic that is not trusted", body = Problem),
        (status = 422, description = "it is invalid", body = Problem),
        (status = 501, description = "this server fetches nothing from Amazon", body = Problem),
        (status = 503, description = "it could not be stored or checked: send it again", body = Problem),
    ))]
pub(crate) async fn message(
    State(api): State<Api>,
    sender: Caller,
    body: Message,
) -> Result<Response, Problem> {
    // An event that EventBridge sends here directly bears no signature; the key is what it is believed by.
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
            tracing::warn!("a subscription of Amazon SNS has ended: its alarms come no more");
            Ok(Json(Subscription { subscription: "ended" }).into_response())
        }
        Request::Alert(alert) => answer("sns", &sender, &take(&api, &sender, vec![alert]).await),
    }
}

/// Anybody can have Amazon SES tell a topic of theirs that an alert bounced.
fn untrusted(topic: &str) -> Problem {
    let topic: String = topic.chars().take(256).collect();
    let detail =
        format!("messages of Amazon SES are not taken from the topic {topic}: it is not in ses-topics");
    Problem::new(StatusCode::FORBIDDEN, detail)
}

/// An event of Amazon EventBridge, from an API destination: CloudWatch's "CloudWatch Alarm State Change".
#[utoipa::path(post, path = "/intake/eventbridge", tag = "intake",
    request_body(content = serde_json::Value, description = "the event as EventBridge has it"),
    responses(
        (status = 200, description = "the result", body = AlertsView),
        (status = 400, description = "not an event", body = Problem),
        (status = 422, description = "it is invalid", body = Problem),
        (status = 503, description = "it could not be stored: send it again", body = Problem),
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
    /// The certificate there, fetched once.
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
