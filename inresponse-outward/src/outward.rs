//! The client: one attempt over its own connection.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use url::Url;

use crate::error::{OutwardError, OutwardErrorKind};
use crate::gate::{Gate, Refused};
use crate::hosts::InternalHosts;
use crate::watched::{Begun, Watched};

/// The time limit to connect, TLS included. If packets are dropped, there is no error before this limit.
const CONNECT: Duration = Duration::from_secs(10);

/// The time limit for the body of an answer.
const BODY: Duration = Duration::from_secs(5);

/// Sends requests to checked addresses. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Outward {
    client: Client,
    gate: Gate,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The beginning of the body, as far as it was wanted and came in time.
    pub body: Vec<u8>,
}

/// The result of one attempt.
#[derive(Debug)]
#[must_use]
pub enum Sent {
    /// There is an answer.
    Answered(Answer),
    /// The name has no allowed address; nothing was connected.
    Refused(Refused),
    /// The request certainly did not arrive.
    Never(String),
    /// The request may have arrived.
    Lost(String),
}

impl Outward {
    /// A client that reaches those internal hosts, and the internet. It does not connect yet.
    ///
    /// # Errors
    /// This machine trusts no certificates.
    pub fn new(hosts: &InternalHosts) -> Result<Self, OutwardError> {
        Self::connecting_within(hosts, CONNECT)
    }

    /// The same, with a time limit to connect, TLS included.
    ///
    /// # Errors
    /// This machine trusts no certificates.
    pub fn connecting_within(hosts: &InternalHosts, limit: Duration) -> Result<Self, OutwardError> {
        let gate = Gate::new(hosts.clone());
        // A kept connection may have been lost unnoticed. Then it would be unknown whether a message arrived.
        let client = Client::builder().pool_max_idle_per_host(0).http1_only().no_proxy();
        let client = client.redirect(redirect::Policy::none()).retry(reqwest::retry::never());
        let client = client.connect_timeout(limit).dns_resolver(gate.clone());
        let client = client.user_agent(concat!("inresponse/", env!("CARGO_PKG_VERSION"))).build();
        let client = client.map_err(|e| {
            let message = "requests need certificates to trust: install this machine's CA certificates";
            OutwardError::new(OutwardErrorKind::Certificates, message).because(e)
        })?;
        Ok(Self { client, gate })
    }

    /// Decides which URLs are allowed.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// A `POST` to a URL, to be [sent](Self::send).
    ///
    /// # Errors
    /// The URL is not allowed.
    pub fn post(&self, url: Url) -> Result<RequestBuilder, Refused> {
        self.gate.check(&url)?;
        Ok(self.client.post(url))
    }

    /// A request to a URL, to be [sent](Self::send).
    ///
    /// # Errors
    /// The URL is not allowed.
    pub fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, Refused> {
        self.gate.check(&url)?;
        Ok(self.client.request(method, url))
    }

    /// A `GET` of a URL, to be [sent](Self::send) with an empty body.
    ///
    /// # Errors
    /// The URL is not allowed.
    pub fn get(&self, url: Url) -> Result<RequestBuilder, Refused> {
        self.gate.check(&url)?;
        Ok(self.client.get(url))
    }

    /// A `DELETE` of a URL, to be [sent](Self::send) with an empty body.
    ///
    /// # Errors
    /// The URL is not allowed.
    pub fn delete(&self, url: Url) -> Result<RequestBuilder, Refused> {
        self.gate.check(&url)?;
        Ok(self.client.delete(url))
    }

    /// Makes one attempt within the deadline. `wanted` is the maximum number of bytes to read of the body; if the body
    /// does not come in time, what has come of it is returned.
    pub async fn send(
        &self,
        request: RequestBuilder,
        body: Bytes,
        wanted: impl Fn(StatusCode) -> usize + Send,
        deadline: Duration,
    ) -> Sent {
        // Nobody asks for an empty body, so it does not say whether the request began.
        let begun = if body.is_empty() { Begun::already() } else { Begun::default() };
        let request = request.body(reqwest::Body::wrap(Watched::new(body, begun.clone())));
        let mut answer = None;
        let exchange = async {
            let mut response = request.send().await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let answer = answer.insert(Answer { status, headers, body: Vec::new() });
            let read = beginning(&mut response, &mut answer.body, wanted(status));
            // Without the rest of the body, the status decides.
            let _ = tokio::time::timeout(BODY, read).await;
            Ok::<_, reqwest::Error>(())
        };
        let ended = tokio::time::timeout(deadline, exchange).await;
        if let Some(answer) = answer {
            return Sent::Answered(answer);
        }
        let reason = match ended {
            Ok(Err(error)) => match refused(&error) {
                Some(refused) => return Sent::Refused(refused),
                None if error.is_connect() => return Sent::Never(root_cause(&error)),
                None => root_cause(&error),
            },
            Ok(Ok(())) | Err(_) => "the receiver did not answer in time".to_owned(),
        };
        if begun.has_begun() { Sent::Lost(reason) } else { Sent::Never(reason) }
    }
}

/// Reads the beginning of a body.
async fn beginning(response: &mut Response, body: &mut Vec<u8>, max: usize) -> reqwest::Result<()> {
    while body.len() < max {
        let Some(chunk) = response.chunk().await? else { break };
        body.extend(chunk.iter().take(max - body.len()));
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
