//! One request to a provider, and its answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use inresponse_core::clock::Clock;
use inresponse_core::notify::Outcome;
use inresponse_outward::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use inresponse_outward::{InternalHosts, Method, Outward, OutwardError, Sent};
use url::Url;

/// The number of bytes that are read of the body of an answer.
const MAX_BODY: usize = 8192;

/// Sends requests to providers. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Poster {
    outward: Outward,
    clock: Arc<dyn Clock>,
}

/// A request.
pub(crate) struct Post {
    /// The URL. It may contain secrets.
    pub(crate) url: Url,
    /// The method, for example `POST`.
    pub(crate) method: String,
    /// The headers.
    pub(crate) headers: Vec<(String, String)>,
    /// The user name and the password for `Authorization: Basic`.
    pub(crate) basic: Option<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// The result of a request.
#[must_use]
pub(crate) enum Posted {
    /// The provider answered.
    Answered(PostAnswer),
    /// The URL is not allowed, or its host has only addresses that are not allowed. Nothing was sent.
    Refused(String),
    /// The request certainly did not arrive.
    NotSent(String),
    /// The request may have arrived.
    Unknown(String),
}

/// An answer to a request.
#[derive(Debug)]
pub(crate) struct PostAnswer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The beginning of the body. It is empty if it did not come in time.
    pub(crate) body: Vec<u8>,
    /// The outcome by the status and `Retry-After` alone: accepted, throttled, unavailable or unknown.
    pub(crate) outcome: Outcome,
}

impl Poster {
    /// Reaches those internal hosts, and the internet. Nothing is connected yet.
    ///
    /// # Errors
    /// This machine trusts no certificates.
    pub(crate) fn new(hosts: &InternalHosts, clock: Arc<dyn Clock>) -> Result<Self, OutwardError> {
        Ok(Self { outward: Outward::new(hosts)?, clock })
    }

    /// Checks what is known of a URL without resolving its host.
    ///
    /// # Errors
    /// Nothing may be sent there. The text says why, without the URL.
    pub(crate) fn check(&self, url: &Url) -> Result<(), String> {
        self.outward.gate().check(url).map_err(|refused| refused.to_string())
    }

    /// Sends one request and reads the beginning of its answer.
    pub(crate) async fn post(&self, post: Post, deadline: Duration) -> Posted {
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
        let mut request = match self.outward.request(method, post.url) {
            Ok(request) => request.headers(headers),
            Err(refused) => return Posted::Refused(refused.to_string()),
        };
        if let Some((user, password)) = &post.basic {
            request = request.basic_auth(user, Some(password));
        }
        match self.outward.send(request, post.body.into(), |_| MAX_BODY, deadline).await {
            Sent::Answered(answer) => {
                let outcome = match answer.status.is_success() {
                    true => Outcome::Accepted,
                    false => answer.not_taken("", self.clock.now()),
                };
                Posted::Answered(PostAnswer { status: answer.status.as_u16(), body: answer.body, outcome })
            }
            Sent::Refused(refused) => Posted::Refused(refused.to_string()),
            Sent::Never(reason) => Posted::NotSent(reason),
            Sent::Lost(reason) => Posted::Unknown(reason),
        }
    }
}

impl fmt::Debug for Poster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poster").field("outward", &self.outward).finish_non_exhaustive()
    }
}
