//! The notifier: posts messages with buttons, and updates them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, Receipt, Scheme};
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Occasion, Outcome};
use inresponse_outward::header::CONTENT_TYPE;
use inresponse_outward::{Answer, Outward, slack};
use serde_json::{Value, json};
use url::Url;

use super::{blocks, verdict};
use crate::alert::alert_id;
use crate::config::SlackConfig;
use crate::error::{ChatError, ChatErrorKind};

/// The number of bytes that are read of an answer. An answer to `chat.postMessage` contains the message.
const BODY: usize = 256 * 1024;

/// Why a contact is rejected.
const NOT_OURS: &str = "the contact is neither a channel nor a user of Slack";

/// Alerts through an app. Cloning is cheap.
#[derive(Clone)]
pub struct SlackNotifier {
    outward: Outward,
    config: Arc<SlackConfig>,
    clock: Arc<dyn Clock>,
}

impl SlackNotifier {
    /// A notifier for that app. It does not connect yet.
    ///
    /// # Errors
    /// The URL is not allowed.
    pub fn new(config: SlackConfig, outward: Outward, clock: Arc<dyn Clock>) -> Result<Self, ChatError> {
        outward.gate().check(&config.url).map_err(|refused| {
            ChatError::new(ChatErrorKind::Url, "the URL of Slack is not allowed").because(refused)
        })?;
        Ok(Self { outward, config: Arc::new(config), clock })
    }

    /// The scheme of its contacts: `slack`.
    pub fn scheme() -> Scheme {
        Scheme::new("slack").expect("the name is a scheme")
    }

    /// Calls a method of the Web API.
    pub(super) async fn call(
        &self,
        method: &str,
        arguments: &Value,
        deadline: Duration,
    ) -> Result<Answer, Outcome> {
        let url = self.config.url.join(method);
        let url = url.map_err(|_| Outcome::unavailable("the URL of Slack cannot be joined"))?;
        let request = self.outward.post(url).map_err(|refused| Outcome::unavailable(refused.to_string()))?;
        let request = request.header(CONTENT_TYPE, "application/json; charset=utf-8");
        let request = request.bearer_auth(&self.config.bot_token);
        self.outward.send(request, arguments.to_string().into(), |_| BODY, deadline).await.answer()
    }

    /// Posts to a URL that Slack gave with a request.
    pub(super) async fn respond(
        &self,
        url: Url,
        body: &Value,
        deadline: Duration,
    ) -> Result<Answer, Outcome> {
        let request = self.outward.post(url).map_err(|refused| Outcome::unavailable(refused.to_string()))?;
        let request = request.header(CONTENT_TYPE, "application/json; charset=utf-8");
        self.outward.send(request, body.to_string().into(), |_| 1024, deadline).await.answer()
    }

    pub(super) fn signing_secret(&self) -> &str {
        &self.config.signing_secret
    }

    async fn post(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let mut message = blocks::message(alert, alert.delivery_id().as_str());
        message["channel"] = json!(alert.contact().address());
        match self.call("chat.postMessage", &message, deadline).await {
            Ok(answer) => verdict::posted(&answer, self.clock.now()),
            Err(outcome) => outcome,
        }
    }

    /// Posts a message about many incidents. It has no receipt: a status update of one of them must not replace it.
    async fn post_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        let mut message = slack::bundle(bundle);
        message["channel"] = json!(bundle.contact().address());
        let posted = match self.call("chat.postMessage", &message, deadline).await {
            Ok(answer) => verdict::posted(&answer, self.clock.now()),
            Err(outcome) => outcome,
        };
        posted.without_receipt()
    }

    async fn update(&self, alert: &Alert, receipt: &Receipt, deadline: Duration) -> Outcome {
        let Some((channel, ts)) = receipt.as_str().split_once('/') else {
            return Outcome::rejected("the receipt is not one of Slack");
        };
        let mut message = blocks::message(alert, &alert_id(alert));
        message["channel"] = json!(channel);
        message["ts"] = json!(ts);
        match self.call("chat.update", &message, deadline).await {
            Ok(answer) => verdict::updated(&answer, self.clock.now()),
            Err(outcome) => outcome,
        }
    }
}

#[async_trait]
impl Notifier for SlackNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        if !self.reaches(alert.contact()) {
            return Outcome::rejected(NOT_OURS);
        }
        match alert.receipt() {
            // An update does not ring, and what was handed to somebody must.
            Some(receipt) if alert.occasion() != Occasion::Handed => {
                self.update(alert, receipt, deadline).await
            }
            Some(_) | None => self.post(alert, deadline).await,
        }
    }

    /// Reaches contacts whose address is the id of a channel or a user, or the name of a channel with or without `#`.
    fn reaches(&self, contact: &Contact) -> bool {
        let name = contact.address();
        let name = name.strip_prefix('#').unwrap_or(name);
        let count = name.chars().count();
        (1..=80).contains(&count) && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }
}

#[async_trait]
impl NotifyBundle for SlackNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        if !self.reaches(bundle.contact()) {
            return Outcome::rejected(NOT_OURS);
        }
        self.post_bundle(bundle, deadline).await
    }
}

impl fmt::Debug for SlackNotifier {
    /// Shows everything except the token and the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackNotifier").field("config", &self.config).finish_non_exhaustive()
    }
}
