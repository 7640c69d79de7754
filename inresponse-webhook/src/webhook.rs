//! The notifier: one attempt over its own connection.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, Scheme};
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Outcome};
use inresponse_outward::header::CONTENT_TYPE;
use inresponse_outward::{Outward, Refused, RequestBuilder, Sent, StatusCode, json, json_of_bundle};
use url::Url;

use crate::answer;
use crate::config::{Chat, WebhookConfig};
use crate::error::{WebhookError, WebhookErrorKind, without_certificates};
use crate::message;
use crate::sign::SigningKey;

/// Posts alerts to webhooks. Cloning is cheap.
#[derive(Clone)]
pub struct WebhookNotifier {
    outward: Outward,
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
        let outward = Outward::new(&config.internal).map_err(without_certificates)?;
        for ((chat, name), url) in &config.channels {
            outward.gate().check(url).map_err(|refused| {
                let message = format!("the channel {}:{name} cannot be posted to", chat.name());
                WebhookError::new(WebhookErrorKind::Channel, message).because(refused)
            })?;
        }
        Ok(Self { outward, key: config.key, channels: Arc::new(config.channels), clock })
    }

    /// The schemes that the notifier reaches: `https`, `http` if an internal host is allowed, and those of chats with
    /// channels.
    pub fn schemes(&self) -> Vec<Scheme> {
        let http = self.outward.gate().takes_http().then_some("http");
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
        self.outward.gate().check(&url).map_err(|refused| refused.to_string())?;
        Ok((url, chat))
    }

    /// The request without its body, and the body. `id` is the same in every attempt.
    fn request(
        &self,
        what: What<'_>,
        url: Url,
        chat: Option<Chat>,
    ) -> Result<(RequestBuilder, Vec<u8>), Refused> {
        let (id, now) = (what.id(), self.clock.now());
        let request = self.outward.post(url)?.header(CONTENT_TYPE, "application/json");
        let request = request.header("x-inresponse-delivery", &id);
        let body = match (chat, what) {
            (Some(Chat::Slack), What::One(alert)) => message::slack(alert),
            (Some(Chat::Slack), What::Many(bundle)) => message::slack_of_bundle(bundle),
            (Some(Chat::Teams), What::One(alert)) => message::teams(alert),
            (Some(Chat::Teams), What::Many(bundle)) => message::teams_of_bundle(bundle),
            (None, What::One(alert)) => json(alert, now),
            (None, What::Many(bundle)) => json_of_bundle(bundle, now),
        };
        if chat.is_some() {
            return Ok((request, body));
        }
        let request = request.header("webhook-id", &id).header("webhook-timestamp", now.timestamp());
        let signature = self.key.as_ref().map(|key| key.sign(&id, now, &body));
        Ok((signature.into_iter().fold(request, |r, s| r.header("webhook-signature", s)), body))
    }

    async fn send(&self, what: What<'_>, contact: &Contact, deadline: Duration) -> Outcome {
        let (url, chat) = match self.target(contact) {
            Ok(target) => target,
            Err(reason) => return Outcome::rejected(reason),
        };
        let (request, body) = match self.request(what, url, chat) {
            Ok(request) => request,
            Err(refused) => return Outcome::rejected(refused.to_string()),
        };
        let wanted = |status: StatusCode| if answer::tells(chat, status) { answer::MAX_BODY } else { 0 };
        match self.outward.send(request, body.into(), wanted, deadline).await {
            Sent::Answered(answer) => {
                answer::outcome(answer.status, &answer.headers, chat, &answer.body, self.clock.now())
            }
            // The URL itself was checked above. What a resolver answers may change, so the contact is not dead.
            Sent::Refused(refused) => Outcome::unavailable(refused.to_string()),
            Sent::Never(reason) => Outcome::unavailable(reason),
            Sent::Lost(reason) => Outcome::unknown(reason),
        }
    }
}

/// What a message is about.
#[derive(Clone, Copy)]
enum What<'a> {
    One(&'a Alert),
    Many(&'a Bundle),
}

impl What<'_> {
    fn id(self) -> String {
        match self {
            What::One(alert) => alert.delivery_id().to_string(),
            What::Many(bundle) => bundle.id(),
        }
    }
}

#[async_trait]
impl Notifier for WebhookNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        self.send(What::One(alert), alert.contact(), deadline).await
    }

    /// Does not reach unknown channels, nor contacts whose URL contains an internal address.
    fn reaches(&self, contact: &Contact) -> bool {
        self.target(contact).is_ok()
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }
}

#[async_trait]
impl NotifyBundle for WebhookNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        self.send(What::Many(bundle), bundle.contact(), deadline).await
    }
}

impl fmt::Debug for WebhookNotifier {
    /// Shows everything except the secret and the channels' URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<_> = self.channels.keys().collect();
        f.debug_struct("WebhookNotifier")
            .field("outward", &self.outward)
            .field("signs", &self.key.is_some())
            .field("channels", &channels)
            .finish_non_exhaustive()
    }
}
