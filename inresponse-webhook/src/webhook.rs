//! The notifier: one attempt over its own connection.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, Scheme};
use inresponse_core::notify::{Alert, Notifier, Outcome};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response, redirect};
use url::Url;

use crate::answer;
use crate::config::{Chat, WebhookConfig};
use crate::error::{WebhookError, WebhookErrorKind};
use crate::message;
use crate::sign::SigningKey;
use crate::target::{Gate, Refused};

/// The time limit to connect, TLS included. If packets are dropped, there is no error before this limit.
const CONNECT: Duration = Duration::from_secs(10);

/// The time limit for the body of a chat's refusal.
const BODY: Duration = Duration::from_secs(2);

/// Posts alerts to webhooks. Cloning is cheap.
#[derive(Clone)]
pub struct WebhookNotifier {
    client: Client,
    gate: Gate,
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
        let gate = Gate::new(config.internal);
        for ((chat, name), url) in &config.channels {
            gate.check(url).map_err(|refused| {
                let message = format!("the channel {}:{name} cannot be posted to", chat.name());
                WebhookError::new(WebhookErrorKind::Channel, message).because(refused)
            })?;
        }
        // A kept connection may have been lost unnoticed. Then it would be unknown whether a message arrived.
        let client = Client::builder().pool_max_idle_per_host(0).http1_only().no_proxy();
        let client = client.redirect(redirect::Policy::none()).retry(reqwest::retry::never());
        let client = client.connect_timeout(CONNECT);
        let client =
            client.dns_resolver(gate.clone()).user_agent(concat!("inresponse/", env!("CARGO_PKG_VERSION")));
        let client = client.build().map_err(|e| {
            let message = "webhooks need certificates to trust: install this machine's CA certificates";
            WebhookError::new(WebhookErrorKind::Certificates, message).because(e)
        })?;
        Ok(Self { client, gate, key: config.key, channels: Arc::new(config.channels), clock })
    }

    /// The schemes that the notifier reaches: `https`, `http` if an internal host is allowed, and those of chats with
    /// channels.
    pub fn schemes(&self) -> Vec<Scheme> {
        let http = self.gate.takes_http().then_some("http");
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
        self.gate.check(&url).map_err(|refused| refused.to_string())?;
        Ok((url, chat))
    }

    /// The request without its body.
    fn request(&self, alert: &Alert, url: Url, chat: Option<Chat>) -> (RequestBuilder, Vec<u8>) {
        let (id, now) = (alert.delivery_id().as_str(), self.clock.now());
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json");
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
        let begun = Arc::new(AtomicBool::new(false));
        let body = Watched { body: Some(body.into()), begun: Arc::clone(&begun) };
        let began = self.clock.monotonic();
        let sent = tokio::time::timeout(deadline, request.body(reqwest::Body::wrap(body)).send()).await;
        let lost = |reason: String| match begun.load(Ordering::Acquire) {
            true => Outcome::unknown(reason),
            false => Outcome::unavailable(reason),
        };
        match sent {
            Ok(Ok(mut response)) => {
                let left = deadline.saturating_sub(self.clock.monotonic().saturating_sub(began));
                let mut body = Vec::new();
                if answer::tells(chat, response.status()) {
                    // Without it the status decides.
                    let _ = tokio::time::timeout(BODY.min(left), beginning(&mut response, &mut body)).await;
                }
                answer::outcome(response.status(), response.headers(), chat, &body, self.clock.now())
            }
            Ok(Err(error)) => match refused(&error) {
                Some(refused) => Outcome::rejected(refused.to_string()),
                None => lost(root_cause(&error)),
            },
            Err(_) => lost("the receiver did not answer in time".to_owned()),
        }
    }

    /// Does not reach unknown channels, nor contacts whose URL contains an internal address.
    fn reaches(&self, contact: &Contact) -> bool {
        self.target(contact).is_ok()
    }
}

/// Reads the beginning of a body.
async fn beginning(response: &mut Response, body: &mut Vec<u8>) -> reqwest::Result<()> {
    while body.len() < answer::MAX_BODY {
        let Some(chunk) = response.chunk().await? else { break };
        body.extend(chunk.iter().take(answer::MAX_BODY - body.len()));
    }
    Ok(())
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Why nothing was connected, if the addresses of a name are not allowed.
fn refused(error: &reqwest::Error) -> Option<Refused> {
    causes(error).find_map(|cause| cause.downcast_ref::<Refused>().copied())
}

/// The innermost cause, which says what went wrong. The outermost contains the URL.
fn root_cause(error: &reqwest::Error) -> String {
    causes(error)
        .last()
        .filter(|cause| !cause.is::<reqwest::Error>())
        .map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}

/// A body that records when the connection asks for it. When the connection asks for the body, it is established, and
/// the request begins to be written.
struct Watched {
    body: Option<Bytes>,
    begun: Arc<AtomicBool>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.begun.store(true, Ordering::Release);
        Poll::Ready(self.body.take().map(|body| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |body| body.len() as u64))
    }
}

impl fmt::Debug for WebhookNotifier {
    /// Shows everything except the secret and the channels' URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<_> = self.channels.keys().collect();
        f.debug_struct("WebhookNotifier")
            .field("gate", &self.gate)
            .field("signs", &self.key.is_some())
            .field("channels", &channels)
            .finish_non_exhaustive()
    }
}
