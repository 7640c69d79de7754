//! The notifier: one attempt over its own connection.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, Scheme};
use inresponse_core::notify::{Alert, Notifier, Outcome};
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use url::Url;

use crate::answer;
use crate::config::{Chat, WebhookConfig};
use crate::error::{WebhookError, WebhookErrorKind};
use crate::message;
use crate::post::{Poster, Sent};
use crate::sign::SigningKey;
use crate::target::Refused;

/// Posts alerts to webhooks. Cloning is cheap.
#[derive(Clone)]
pub struct WebhookNotifier {
    poster: Poster,
    key: Option<SigningKey>,
    channels: Arc<BTreeMap<(Chat, String), Url>>,
    clock: Arc<dyn Clock>,
}

impl WebhookNotifier {
    /// A notifier that posts as configured. The notifier does not connect yet.
    ///
    /// # Errors
    /// A channel's URL is not allowed, or this machine trusts no certificates.
    pub fn new(config: WebhookConfig, clock: Arc<dyn Clock>) -> Result<Self, WebhookError> {
        let poster = Poster::new(&config, Arc::clone(&clock))?;
        for ((chat, name), url) in &config.channels {
            poster.gate.check(url).map_err(|refused| {
                let message = format!("the channel {}:{name} cannot be posted to", chat.name());
                WebhookError::new(WebhookErrorKind::Channel, message).because(refused)
            })?;
        }
        Ok(Self { poster, key: config.key, channels: Arc::new(config.channels), clock })
    }

    /// The schemes that the notifier reaches: `https`, `http` if an internal host is allowed, and those of chats with
    /// channels.
    pub fn schemes(&self) -> Vec<Scheme> {
        let http = self.poster.gate.takes_http().then_some("http");
        let web = ["https"].into_iter().chain(http).map(|name| Scheme::new(name).expect("is a scheme"));
        let has_channel = |chat: &Chat| self.channels.keys().any(|(of, _)| of == chat);
        web.chain(Chat::ALL.into_iter().filter(has_channel).map(Chat::scheme)).collect()
    }

    /// The URL for a contact, and the message format.
    fn target(&self, contact: &Contact) -> Result<(Url, Option<Chat>), String> {
        let chat = Chat::ALL.into_iter().find(|chat| chat.name() == contact.scheme());
        let url = match chat {
            Some(chat) => {
                let channel = self.channels.get(&(chat, contact.address().to_owned()));
                channel.cloned().ok_or_else(|| format!("there is no channel {contact}"))?
            }
            None => Url::parse(contact.as_str()).map_err(|_| Refused::NoUrl.to_string())?,
        };
        self.poster.gate.check(&url).map_err(|refused| refused.to_string())?;
        Ok((url, chat))
    }

    /// The request without its body.
    fn request(&self, alert: &Alert, url: Url, chat: Option<Chat>) -> (RequestBuilder, Vec<u8>) {
        let (id, now) = (alert.delivery_id().as_str(), self.clock.now());
        let request = self.poster.request(url).header(CONTENT_TYPE, "application/json");
        let request = request.header("x-inresponse-delivery", id);
        match chat {
            Some(Chat::Slack) => (request, message::slack(alert)),
            Some(Chat::Teams) => (request, message::teams(alert)),
            None => {
                let body = message::json(alert, now);
                let request = request.header("webhook-id", id).header("webhook-timestamp", now.timestamp());
                let signature = self.key.as_ref().map(|key| key.sign(id, now, &body));
                (signature.into_iter().fold(request, |r, s| r.header("webhook-signature", s)), body)
            }
        }
    }
}

#[async_trait]
impl Notifier for WebhookNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let (url, chat) = match self.target(alert.contact()) {
            Ok(target) => target,
            Err(reason) => return Outcome::rejected(reason),
        };
        let (request, body) = self.request(alert, url, chat);
        let reads = |status| answer::tells(chat, status).then_some(answer::MAX_BODY);
        match self.poster.send(request, body, deadline, reads).await {
            Sent::Answered { status, headers, body } => {
                answer::outcome(status, &headers, chat, &body, self.clock.now())
            }
            Sent::Refused(refused) => Outcome::rejected(refused.to_string()),
            Sent::NotBegun(reason) => Outcome::unavailable(reason),
            Sent::Lost(reason) => Outcome::unknown(reason),
        }
    }

    /// Does not reach unknown channels, nor contacts whose URL contains an internal address.
    fn reaches(&self, contact: &Contact) -> bool {
        self.target(contact).is_ok()
    }
}

impl fmt::Debug for WebhookNotifier {
    /// Shows everything except the secret and the channels' URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<_> = self.channels.keys().collect();
        f.debug_struct("WebhookNotifier")
            .field("gate", &self.poster.gate)
            .field("signs", &self.key.is_some())
            .field("channels", &channels)
            .finish_non_exhaustive()
    }
}
