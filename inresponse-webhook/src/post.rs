//! Posts through the gate: one request over its own connection, its answer, and whether it may have arrived.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use inresponse_core::clock::Clock;
use inresponse_core::notify::Outcome;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use url::Url;

use crate::answer;
use crate::config::WebhookConfig;
use crate::error::{WebhookError, WebhookErrorKind};
use crate::target::{Gate, Refused};

/// The time limit to connect, TLS included. If packets are dropped, there is no error before this limit.
const CONNECT: Duration = Duration::from_secs(10);

/// The time limit for the body of an answer.
const BODY: Duration = Duration::from_secs(2);

/// The number of bytes that are read of the body of an answer to a [`Post`].
const MAX_BODY: usize = 8192;

/// Sends requests for other channels, through the same gate as webhooks. Cloning is cheap.
///
/// A URL is checked as a webhook's is: `https:` only and no internal address, unless the configuration allows the host.
/// Each request has its own connection, because a kept one may have been lost unnoticed. No redirect is followed, no
/// proxy is used, and nothing is tried twice.
#[derive(Clone)]
pub struct Poster {
    client: Client,
    pub(crate) gate: Gate,
    clock: Arc<dyn Clock>,
}

/// A request for a [`Poster`].
pub struct Post {
    /// The URL. It may contain secrets.
    pub url: Url,
    /// The method, for example `POST`.
    pub method: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The user name and the password for `Authorization: Basic`.
    pub basic: Option<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Post {
    /// Shows the method only: URL, headers and body may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("method", &self.method).finish_non_exhaustive()
    }
}

/// The result of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Posted {
    /// The receiver answered.
    Answered(PostAnswer),
    /// The URL is not allowed, or its host has only addresses that are not allowed. Nothing was sent.
    Refused(String),
    /// The request certainly did not begin.
    NotSent(String),
    /// The request began, and no answer came: it may have arrived.
    Unknown(String),
}

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the body, at most 8 KiB. It is empty if it did not come in time.
    pub body: Vec<u8>,
    /// The outcome by the table in the documentation of this crate, which looks at the status and at `Retry-After` only.
    pub outcome: Outcome,
}

impl Poster {
    /// Reaches the internal hosts of that configuration, and the internet. Nothing is connected yet.
    ///
    /// # Errors
    /// This machine trusts no certificates.
    pub fn new(config: &WebhookConfig, clock: Arc<dyn Clock>) -> Result<Self, WebhookError> {
        let gate = Gate::new(config.internal.clone());
        let client = Client::builder().pool_max_idle_per_host(0).http1_only().no_proxy();
        let client = client.redirect(redirect::Policy::none()).retry(reqwest::retry::never());
        let client = client.connect_timeout(CONNECT);
        let client =
            client.dns_resolver(gate.clone()).user_agent(concat!("inresponse/", env!("CARGO_PKG_VERSION")));
        let client = client.build().map_err(|e| {
            let message = "requests need certificates to trust: install this machine's CA certificates";
            WebhookError::new(WebhookErrorKind::Certificates, message).because(e)
        })?;
        Ok(Self { client, gate, clock })
    }

    /// Checks what is known of a URL without resolving its host.
    ///
    /// # Errors
    /// Nothing may be sent there. The text says why, without the URL.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        self.gate.check(url).map_err(|refused| refused.to_string())
    }

    /// Sends one request and reads the beginning of its answer.
    pub async fn post(&self, post: Post, deadline: Duration) -> Posted {
        if let Err(refused) = self.gate.check(&post.url) {
            return Posted::Refused(refused.to_string());
        }
        let Ok(method) = Method::from_bytes(post.method.as_bytes()) else {
            return Posted::Refused("the method is not an HTTP method".to_owned());
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &post.headers {
            let (Ok(name), Ok(mut value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
            else {
                return Posted::Refused("a header cannot be sent".to_owned());
            };
            value.set_sensitive(name == AUTHORIZATION);
            headers.insert(name, value);
        }
        let mut request = self.client.request(method, post.url).headers(headers);
        if let Some((user, password)) = &post.basic {
            request = request.basic_auth(user, Some(password));
        }
        match self.send(request, post.body, deadline, |_| Some(MAX_BODY)).await {
            Sent::Answered { status, headers, body } => {
                let outcome = answer::outcome(status, &headers, None, &[], self.clock.now());
                Posted::Answered(PostAnswer { status: status.as_u16(), body, outcome })
            }
            Sent::Refused(refused) => Posted::Refused(refused.to_string()),
            Sent::NotBegun(reason) => Posted::NotSent(reason),
            Sent::Lost(reason) => Posted::Unknown(reason),
        }
    }

    /// A request to a URL that was checked.
    pub(crate) fn request(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends a request. `reads` says how many bytes of the body are read, by the status.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        body: Vec<u8>,
        deadline: Duration,
        reads: impl FnOnce(StatusCode) -> Option<usize>,
    ) -> Sent {
        // Whether an empty body was asked for says nothing.
        let begun = Arc::new(AtomicBool::new(body.is_empty()));
        let body = Watched { body: Some(body.into()), begun: Arc::clone(&begun) };
        let began = self.clock.monotonic();
        let sent = tokio::time::timeout(deadline, request.body(reqwest::Body::wrap(body)).send()).await;
        let lost = |reason: String| match begun.load(Ordering::Acquire) {
            true => Sent::Lost(reason),
            false => Sent::NotBegun(reason),
        };
        match sent {
            Ok(Ok(mut response)) => {
                let left = deadline.saturating_sub(self.clock.monotonic().saturating_sub(began));
                let mut body = Vec::new();
                if let Some(most) = reads(response.status()) {
                    // Without it the status decides.
                    let _ =
                        tokio::time::timeout(BODY.min(left), beginning(&mut response, &mut body, most)).await;
                }
                Sent::Answered { status: response.status(), headers: response.headers().clone(), body }
            }
            Ok(Err(error)) => match refused(&error) {
                Some(refused) => Sent::Refused(refused),
                None if error.is_connect() => Sent::NotBegun(root_cause(&error)),
                None => lost(root_cause(&error)),
            },
            Err(_) => lost("the receiver did not answer in time".to_owned()),
        }
    }
}

impl fmt::Debug for Poster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poster").field("gate", &self.gate).finish_non_exhaustive()
    }
}

/// The result of a request, with the whole answer.
pub(crate) enum Sent {
    Answered { status: StatusCode, headers: HeaderMap, body: Vec<u8> },
    Refused(Refused),
    NotBegun(String),
    Lost(String),
}

/// Reads the beginning of a body.
async fn beginning(response: &mut Response, body: &mut Vec<u8>, most: usize) -> reqwest::Result<()> {
    while body.len() < most {
        let Some(chunk) = response.chunk().await? else { break };
        body.extend(chunk.iter().take(most - body.len()));
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
