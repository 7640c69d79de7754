//! Publishes to topics of ntfy, and changes or deletes what was published.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, Receipt, Scheme, Severity};
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Occasion, Outcome};
use inresponse_outward::header::CONTENT_TYPE;
use inresponse_outward::{Answer, Outward, StatusCode, brief, many};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::NtfyConfig;
use crate::error::{PushError, PushErrorKind};

/// A longer message becomes an attachment.
const MESSAGE: usize = 3500;
const TITLE: usize = 250;
/// A server takes at most 8 KiB in all, twice its limit of a message.
const CLICK: usize = 2048;
/// The number of bytes that are read of an answer.
const BODY: usize = 2048;

/// Why a contact is rejected.
const NOT_OURS: &str = "the contact is not a topic of ntfy";

/// Publishes alerts to topics. Cloning is cheap.
#[derive(Clone)]
pub struct NtfyNotifier {
    outward: Outward,
    config: Arc<NtfyConfig>,
    answers_at: Option<Arc<str>>,
    clock: Arc<dyn Clock>,
}

impl NtfyNotifier {
    /// A notifier that publishes as configured. It does not connect yet. If `public_url` is given, alerts have a button
    /// that claims.
    ///
    /// # Errors
    /// The URL is not allowed.
    pub fn new(
        config: NtfyConfig,
        public_url: Option<&str>,
        outward: Outward,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PushError> {
        outward.gate().check(&config.url).map_err(|refused| {
            PushError::new(PushErrorKind::Url, "the URL of ntfy is not allowed").because(refused)
        })?;
        Ok(Self { outward, config: Arc::new(config), answers_at: public_url.map(Arc::from), clock })
    }

    /// The scheme of its contacts: `ntfy`.
    pub fn scheme() -> Scheme {
        Scheme::new("ntfy").expect("the name is a scheme")
    }

    /// What is published, in the sequence of that id.
    fn message(&self, alert: &Alert, sequence: &str) -> Value {
        let incident = alert.incident();
        let mut text = String::new();
        if brief::tells_what_happened(alert) {
            text = brief::cut(incident.message(), MESSAGE / 2, char::len_utf8) + "\n\n";
        }
        text.push_str(&brief::context(alert));
        let (priority, tag) = match (alert.occasion(), incident.severity()) {
            (Occasion::Alert | Occasion::CalledIn, Severity::Crit) => (5, "rotating_light"),
            (Occasion::Alert | Occasion::CalledIn, Severity::Err) => (4, "rotating_light"),
            (Occasion::Alert | Occasion::CalledIn, Severity::Warn) => (3, "warning"),
            (Occasion::Handed, _) => (4, "point_right"),
            (Occasion::ClaimEnds, _) => (4, "hourglass_flowing_sand"),
            (Occasion::Claimed, _) => (2, "eyes"),
            (Occasion::Resolved, _) => (2, "white_check_mark"),
            (Occasion::Notice, _) => (2, "calendar"),
        };
        let mut message = json!({
            "topic": alert.contact().address(),
            "sequence_id": sequence,
            "title": brief::cut(&brief::head(alert), TITLE, char::len_utf8),
            "message": brief::cut(&text, MESSAGE, char::len_utf8),
            "priority": priority,
            "tags": [tag],
        });
        if let Some(url) = alert.board_url() {
            message["click"] = json!(url);
        }
        if let (Occasion::Alert | Occasion::CalledIn | Occasion::Handed, Some(base), Some(token)) =
            (alert.occasion(), &self.answers_at, alert.answer_token())
        {
            let url = format!("{}/channels/ntfy?token={token}", base.trim_end_matches('/'));
            let label = if alert.occasion() == Occasion::CalledIn { "I'm on it" } else { "Claim" };
            let button =
                json!({ "action": "http", "label": label, "url": url, "method": "POST", "clear": true });
            message["actions"] = json!([button]);
        }
        message
    }

    /// What is published about many incidents. A link that does not fit is left out.
    fn message_of_bundle(&self, bundle: &Bundle) -> Value {
        let worst = many::worst(bundle).map(|(head, _)| head).collect::<Vec<_>>().join("\n");
        let parts = [many::services(bundle), worst].into_iter().chain(many::others(bundle));
        let text = parts.collect::<Vec<_>>().join("\n\n");
        let (priority, tag) = match bundle.severities().first() {
            Some((Severity::Crit, _)) => (5, "rotating_light"),
            Some((Severity::Err, _)) => (4, "rotating_light"),
            Some((Severity::Warn, _)) | None => (3, "warning"),
        };
        let mut message = json!({
            "topic": bundle.contact().address(),
            "sequence_id": bundle.id(),
            "title": brief::cut(&bundle.headline(), TITLE, char::len_utf8),
            "message": brief::cut(&text, MESSAGE, char::len_utf8),
            "priority": priority,
            "tags": [tag],
        });
        if let Some(url) = bundle.claim_all_url().filter(|url| url.len() <= CLICK) {
            message["click"] = json!(url);
        }
        message
    }

    /// Publishes a message. `id` is that of the delivery or the bundle; `sequence` is what later messages replace.
    async fn publish(&self, message: &Value, id: &str, sequence: &str, deadline: Duration) -> Outcome {
        let request = match self.outward.post(self.config.url.clone()) {
            Ok(request) => request.header(CONTENT_TYPE, "application/json"),
            Err(refused) => return Outcome::unavailable(refused.to_string()),
        };
        let request = request.header("x-inresponse-delivery", id);
        let request = self.config.token.iter().fold(request, |request, token| request.bearer_auth(token));
        let body = message.to_string();
        let answer = match self.outward.send(request, body.into(), |_| BODY, deadline).await.answer() {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        if !answer.status.is_success() {
            return answer.not_taken(&said(&answer), self.clock.now());
        }
        // A message that was published has an id. The answer repeats the message, so it may be cut.
        let body = String::from_utf8_lossy(&answer.body);
        if !body.contains(r#""id":"#) {
            return match said(&answer) {
                said if said.is_empty() => Outcome::unknown("the answer cannot be read"),
                said => Outcome::unavailable(said),
            };
        }
        Receipt::new(sequence).map_or(Outcome::Accepted, Outcome::AcceptedAs)
    }

    async fn publish_alert(&self, alert: &Alert, sequence: &str, deadline: Duration) -> Outcome {
        self.publish(&self.message(alert, sequence), alert.delivery_id().as_str(), sequence, deadline).await
    }

    /// Deletes what was published in that sequence. A server that cannot do that has nothing to change.
    async fn delete(&self, alert: &Alert, sequence: &Receipt, deadline: Duration) -> Outcome {
        let path = format!("{}/{}", alert.contact().address(), sequence.as_str());
        let Ok(url) = self.config.url.join(&path) else {
            return Outcome::rejected("the contact is not a topic");
        };
        let request = match self.outward.delete(url) {
            Ok(request) => request,
            Err(refused) => return Outcome::unavailable(refused.to_string()),
        };
        let request = self.config.token.iter().fold(request, |request, token| request.bearer_auth(token));
        match self.outward.send(request, Vec::new().into(), |_| BODY, deadline).await.answer() {
            Ok(Answer { status: StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, .. }) => {
                Outcome::Accepted
            }
            Ok(answer) if answer.status.is_success() => Outcome::Accepted,
            Ok(answer) => answer.not_taken(&said(&answer), self.clock.now()),
            Err(outcome) => outcome,
        }
    }
}

/// The server's reason.
fn said(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    serde_json::from_slice::<Refusal>(&answer.body)
        .map_or_else(|_| String::new(), |refusal| brief::reason(&refusal.error))
}

#[async_trait]
impl Notifier for NtfyNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        if !self.reaches(alert.contact()) {
            return Outcome::rejected(NOT_OURS);
        }
        match alert.receipt() {
            Some(published) if !brief::is_told(alert) => self.delete(alert, published, deadline).await,
            // What was handed to somebody must ring, so it is a push of its own.
            Some(published) if alert.occasion() != Occasion::Handed => {
                self.publish_alert(alert, published.as_str(), deadline).await
            }
            Some(_) | None => self.publish_alert(alert, alert.delivery_id().as_str(), deadline).await,
        }
    }

    /// Reaches contacts whose address is the name of a topic: 1 to 64 ASCII letters, digits, hyphens and underscores.
    fn reaches(&self, contact: &Contact) -> bool {
        let topic = contact.address();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        (1..=64).contains(&topic.len()) && topic.bytes().all(is_plain)
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }
}

#[async_trait]
impl NotifyBundle for NtfyNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        if !self.reaches(bundle.contact()) {
            return Outcome::rejected(NOT_OURS);
        }
        let (message, id) = (self.message_of_bundle(bundle), bundle.id());
        // A claim of one of the incidents must not delete the message.
        self.publish(&message, &id, &id, deadline).await.without_receipt()
    }
}

impl fmt::Debug for NtfyNotifier {
    /// Shows everything except the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NtfyNotifier").field("config", &self.config).finish_non_exhaustive()
    }
}
