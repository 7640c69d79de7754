//! The layers around every route: request ids, logs, time limits, panics.

use std::any::Any;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, STRICT_TRANSPORT_SECURITY};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use inresponse_core::InvalidInput;
use tracing::Instrument;

use crate::Api;
use crate::address::Client;
use crate::admission::{Admission, Intent};
use crate::doors;
use crate::here::Here;
use crate::lanes::Lane;
#[cfg(feature = "pages")]
use crate::pages;
use crate::problem::Problem;
use crate::refusals::{HeldBack, Refusal};
use crate::signals::{SENDERS, Watched};

/// The time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit of a request that may contain thousands of alerts.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(60);

/// The maximum size of a request's head, in bytes.
const MAX_HEAD: usize = 32 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives every request an id, counts it, and logs failures. Queries are never logged, because the query of a claim link
/// contains a secret.
pub(crate) async fn observe(Here(api): Here, request: Request, next: Next) -> Response {
    let sane =
        |v: &&HeaderValue| (1..=64).contains(&v.len()) && v.as_bytes().iter().all(u8::is_ascii_graphic);
    let id = request.headers().get(REQUEST_ID).filter(sane).cloned().unwrap_or_else(new_id);
    let method = request.method().clone();
    let route = doors::route(request.extensions()).to_owned();
    let watched = Watched::new(&api, &route, &request);
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), %method, route);
    let client = Client::of(&request, api.proxies());
    let held_back = request.extensions().get::<HeldBack>().cloned();
    let began = api.engine().clock().monotonic();
    let mut response = match bad_head(&request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).instrument(span.clone()).await,
    };
    let took = api.engine().clock().monotonic().saturating_sub(began);
    let status = response.status();
    let late = span.in_scope(|| {
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), ?took, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), ?took, "answered");
        }
        if let Some(watched) = watched {
            watched.answered(&response);
        }
        let refusal = response.extensions().get::<Refusal>();
        refusal.and_then(|refusal| api.refusals().note(*refusal, &client, began))
    });
    api.count(&method, &route, status, took);
    api.sum_up_metrics();
    response.headers_mut().insert(REQUEST_ID, id);
    guard(&api, &mut response);
    // The request has no place while it waits, so it keeps nobody else out.
    if let Some(late) = late {
        held_back.iter().for_each(HeldBack::tell);
        api.engine().clock().sleep(late).await;
    }
    response
}

/// The problem with the head of a request, if there is one.
fn bad_head(request: &Request) -> Option<Problem> {
    // A proxy may use the other one of two hosts.
    if request.headers().get_all(HOST).iter().nth(1).is_some() {
        return Some(Problem::invalid(&InvalidInput::field("host", "must be given once")));
    }
    let uri = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let field =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + ": \r\n".len();
    let bytes = uri + request.headers().iter().map(field).sum::<usize>();
    let detail = || format!("the head of the request must be at most {MAX_HEAD} bytes");
    (bytes > MAX_HEAD).then(|| Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail()))
}

/// Adds security headers to an answer: caches do not keep it, and browsers come back only by https if the public URL is
/// https.
fn guard(api: &Api, response: &mut Response) {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_data =
        ["application/json", "application/problem+json", "text/plain"].iter().any(|k| kind.starts_with(k));
    if is_data && !response.headers().contains_key(CACHE_CONTROL) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if api.is_at_https() {
        response
            .headers_mut()
            .insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// A request id that is unique across processes. Process ids are not: they repeat from container to container.
fn new_id() -> HeaderValue {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
    static COUNTER: AtomicU64 = AtomicU64::new(1);
    let text = format!("{:016x}-{:x}", *PROCESS, COUNTER.fetch_add(1, Ordering::Relaxed));
    HeaderValue::from_str(&text).expect("hexadecimal digits and a hyphen make a header")
}

/// The routes whose handlers find the key in the body. Requests for these routes take a place in the key's lane when
/// the key is known.
const KEY_IN_BODY: [&str; 1] = ["/v2/enqueue"];

/// The lane of a request: the lane of its key (from the headers or from the cookie of the pages), or the lane of links
/// in alerts.
fn lane(api: &Api, request: &Request) -> Lane {
    let headers = request.headers();
    if let Some(lane) = api.keys().lane(headers) {
        return lane;
    }
    #[cfg(feature = "pages")]
    if pages::has_link(api, request.uri()) {
        return api.recipients().clone();
    }
    #[cfg(feature = "pages")]
    if let Some(lane) = pages::session::lane(api, headers) {
        return lane;
    }
    api.strangers().clone()
}

/// Refuses requests above the limit of concurrent requests, and ends requests that take too long.
pub(crate) async fn bound(Here(api): Here, mut request: Request, next: Next) -> Response {
    let intent = match *request.method() {
        Method::GET | Method::HEAD => Intent::Read,
        _ => Intent::Change,
    };
    let route = doors::route(request.extensions());
    let is_message = SENDERS.iter().any(|(of, _)| route.starts_with(of));
    let key_in_body = KEY_IN_BODY.contains(&route);
    let admission = Admission::new(api.clone(), intent, lane(&api, &request));
    if key_in_body && intent == Intent::Change {
        request.extensions_mut().insert(admission.clone());
    } else if intent == Intent::Read || request.body().is_end_stream() {
        if let Err(problem) = admission.enter().await {
            return problem.into_response();
        }
    } else {
        if let Err(problem) = admission.find_room().await {
            return problem.into_response();
        }
        request = request.map(|body| admission.clone().until_end_of(body));
    }
    let timeout = if is_message { MESSAGE_TIMEOUT } else { TIMEOUT };
    let answer = tokio::time::timeout(timeout, next.run(request)).await;
    if let Some(problem) = admission.refused() {
        return problem.into_response();
    }
    match answer {
        Ok(response) => response,
        Err(_) => {
            let problem = Problem::unavailable("the request took too long");
            match intent {
                Intent::Read => problem.into_response(),
                Intent::Change => problem.maybe_recorded().into_response(),
            }
        }
    }
}

/// Answers 500 after a panic in a handler. The panic affects no other request.
pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "an internal error").maybe_recorded().into_response()
}

pub(crate) async fn no_route() -> Problem {
    Problem::not_found("there is nothing here")
}

pub(crate) async fn no_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not accept that method")
}
