//! A notifier as an integrator would write it: it posts alerts to a chat's webhook, whose URL is the contact.
//!
//! Plug it in with `Notifiers::new().with(Scheme::new("http")?, ChatNotifier::new()?)`. For https, enable reqwest's
//! `rustls`.

use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::notify::{Alert, Notifier, Outcome};
use reqwest::{Client, StatusCode, header::RETRY_AFTER, redirect};
use serde_json::json;

/// Posts alerts to webhooks.
#[derive(Debug)]
pub struct ChatNotifier {
    client: Client,
}

impl ChatNotifier {
    /// Makes a notifier that follows no redirects and never retries: the planner retries, and counts attempts.
    ///
    /// # Errors
    /// The HTTP client cannot be built.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder().redirect(redirect::Policy::none()).retry(reqwest::retry::never());
        Ok(Self { client: client.no_proxy().pool_max_idle_per_host(0).build()? })
    }
}

#[async_trait]
impl Notifier for ChatNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let incident = alert.incident();
        let (severity, number, service) = (incident.severity(), incident.number(), incident.service());
        let claim = alert.claim_url().map(|url| format!("\nClaim it: {url}")).unwrap_or_default();
        let head = format!("[{severity}] #{number} {service}: {}", incident.title());
        let text = format!("{head}\n{}{claim}", incident.message());
        let post = self.client.post(alert.contact().as_str()).timeout(deadline);
        let post = post.header("X-InResponse-Delivery", alert.delivery_id().as_str());
        match post.json(&json!({ "text": text })).send().await {
            Ok(answer) => match answer.status() {
                status if status.is_success() => Outcome::Accepted,
                StatusCode::TOO_MANY_REQUESTS => {
                    let after = answer.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
                    Outcome::throttled(Duration::from_secs(after.unwrap_or(10)), "too many requests")
                }
                // The server behind the gateway may have taken it.
                StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Outcome::unknown("a gateway failed"),
                // Only an answer that says that the recipient is permanently gone ends the delivery. After all others
                // it is tried again.
                StatusCode::GONE => Outcome::rejected("the webhook is gone"),
                status => Outcome::unavailable(status.to_string()),
            },
            // Before there is a connection nothing was handed over; after that, who knows.
            Err(error) if error.is_connect() => Outcome::unavailable("nobody is there"),
            Err(error) if error.is_builder() => Outcome::rejected("the contact is not a URL"),
            Err(_) => Outcome::unknown("no answer"),
        }
    }
}
