//! Sends one HTTP request and reads its answer.

use std::time::Duration;

use inresponse_api::Problem;
use reqwest::header::{HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::ClientConfig;
use crate::error::{ClientError, ClientErrorKind as Kind};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The maximum size of an answer, in bytes. A page of 500 incidents is a few megabytes at most.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// How long an idle connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(5);

/// Sends requests to one server.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    base: Url,
    /// The API key as a header, marked sensitive so that no log shows it.
    key: Option<HeaderValue>,
}

/// Whether a call changes anything. The effect decides what a lost answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Reads,
    Changes,
}

impl Http {
    pub(crate) fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let wrong = |what: &str| ClientError::new(Kind::Config, what);
        let base =
            Url::parse(&config.url).map_err(|e| wrong("the server's URL cannot be read").because(e))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(wrong("the server's URL must begin with http:// or https://"));
        }
        let key = config.key.map(|key| {
            let mut key =
                HeaderValue::from_str(&key).map_err(|_| wrong("the API key has invalid characters"))?;
            key.set_sensitive(true);
            Ok(key)
        });
        let key = key.transpose()?;
        // A redirect could lead the key elsewhere.
        let client = reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(config.timeout);
        let client = client.connect_timeout(config.timeout / 3).retry(reqwest::retry::never());
        // The client closes an idle connection earlier than servers do. The result of a request that is sent while the
        // server closes the connection would be unknown.
        let client = client.pool_idle_timeout(IDLE);
        let client = client.user_agent(concat!("inresponse-client/", env!("CARGO_PKG_VERSION"))).build();
        let client = client.map_err(|e| {
            wrong("a connection needs certificates to trust: install this machine's CA certificates")
                .because(e)
        })?;
        Ok(Self { client, base, key })
    }

    /// The URL of a path, with its parts percent-encoded.
    pub(crate) fn url(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        url.path_segments_mut().expect("only URLs with a path were accepted").pop_if_empty().extend(parts);
        url
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, ClientError> {
        let (_, body) = self.call(Method::GET, url, None::<&()>).await?;
        read(&body, Effect::Reads).map_err(|e| e.at(&self.base))
    }

    /// Sends a change, and returns the status with the answer.
    pub(crate) async fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: &impl Serialize,
    ) -> Result<(StatusCode, T), ClientError> {
        let (status, body) = self.call(method, url, Some(body)).await?;
        Ok((status, read(&body, Effect::Changes).map_err(|e| e.at(&self.base))?))
    }

    pub(crate) async fn delete(&self, url: Url) -> Result<(), ClientError> {
        self.call(Method::DELETE, url, None::<&()>).await.map(drop)
    }

    async fn call(
        &self,
        method: Method,
        url: Url,
        body: Option<&impl Serialize>,
    ) -> Result<(StatusCode, Vec<u8>), ClientError> {
        self.attempt(method, url, body).await.map_err(|error| error.at(&self.base))
    }

    async fn attempt(
        &self,
        method: Method,
        url: Url,
        body: Option<&impl Serialize>,
    ) -> Result<(StatusCode, Vec<u8>), ClientError> {
        let effect = if method == Method::GET { Effect::Reads } else { Effect::Changes };
        let mut request = self.client.request(method, url);
        if let Some(key) = &self.key {
            request = request.header(API_KEY, key.clone());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|e| lost(e, effect))?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = whole(response, effect).await?;
        if status.is_success() {
            Ok((status, body))
        } else {
            Err(refused(status, &body, retry_after, effect))
        }
    }
}

/// The error for a request without an answer.
fn lost(error: reqwest::Error, effect: Effect) -> ClientError {
    let server = error.url().map(|url| url.origin().ascii_serialization());
    let error = error.without_url();
    // Without a connection, no request was sent.
    if error.is_connect() || error.is_builder() {
        let server =
            server.map_or_else(|| "the server".to_owned(), |origin| format!("the server at {origin}"));
        return ClientError::new(Kind::Transport, format!("{server} cannot be reached")).because(error);
    }
    match effect {
        Effect::Reads => ClientError::new(Kind::Transport, "the server did not answer").because(error),
        Effect::Changes => {
            let message = "the server did not answer: the change may have been recorded";
            ClientError::new(Kind::UnknownCommit, message).because(error)
        }
    }
}

async fn whole(mut response: Response, effect: Effect) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| lost(e, effect))? {
        if body.len() + chunk.len() > MAX_BYTES {
            let kind = match effect {
                Effect::Reads => Kind::Protocol,
                // The server answered, so the change may have been made.
                Effect::Changes => Kind::UnknownCommit,
            };
            return Err(ClientError::new(kind, format!("the answer is larger than {MAX_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse::<u32>().ok()?;
    Some(Duration::from_secs(seconds.into()))
}

fn read<T: DeserializeOwned>(body: &[u8], effect: Effect) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|e| {
        // The server accepted the change. Only the new state is unknown.
        let kind = if effect == Effect::Changes { Kind::UnknownCommit } else { Kind::Protocol };
        ClientError::new(kind, "the answer does not come from this API").because(e)
    })
}

/// The error for an answer that is not a success.
fn refused(status: StatusCode, body: &[u8], retry_after: Option<Duration>, effect: Effect) -> ClientError {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let may_have_been = match problem.may_have_been_recorded {
        Some(may) => may,
        // Promise 4: a change may have been recorded unless the server says that it was not. A 429 is sent before any
        // work.
        None => status.is_server_error(),
    };
    let kind = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Kind::Unauthorized,
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::CONFLICT => Kind::Conflict,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            Kind::Invalid
        }
        StatusCode::TOO_MANY_REQUESTS => Kind::Overloaded,
        status if status.is_server_error() && effect == Effect::Changes && may_have_been => {
            Kind::UnknownCommit
        }
        status if status.is_server_error() => Kind::Overloaded,
        _ => Kind::Protocol,
    };
    let message = match problem.detail.as_str() {
        "" if status.is_redirection() => format!("the server answered {status}: it redirects to another URL"),
        "" => format!("the server answered {status}"),
        detail => detail.to_owned(),
    };
    ClientError::new(kind, message).with(problem, retry_after)
}
