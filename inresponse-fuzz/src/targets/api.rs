//! Fuzzes the whole router with any request.

use std::cell::{Cell, OnceCell, RefCell};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use inresponse_core::Engine;
use inresponse_core::claim::TokenSecret;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Contact, ServiceName, TeamName};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::Team;
use inresponse_core::testing::{ManualClock, RecordingNotifier, RosterTestExt};
use inresponse_http::{Api, ApiKey, Keys, Scope, router};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::{now, once};

/// The number of requests after which the router is made again, so that memory stays small.
const REQUESTS: usize = 500;
/// The maximum size of an answer. A page with the incidents of [`REQUESTS`] requests is smaller.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
pub(super) const KEY: &str = "key-of-everything";

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
    static ROUTER: RefCell<Option<Router>> = const { RefCell::new(None) };
    static SENT: Cell<usize> = const { Cell::new(0) };
}

/// The router with everything in memory, and a key with all scopes.
pub(super) async fn world() -> Router {
    let notifiers = Notifiers::new().mail(RecordingNotifier::new());
    let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
    let engine = Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, ManualClock::at(now()))
        .claim_links("https://ir.example.org", vec![secret])
        .unwrap()
        .build();
    let team = TeamName::new("devops").unwrap();
    let settings = Team::builder(vec![Contact::new("ops@example.org").unwrap()]).build().unwrap();
    engine.roster().put_team(&team, &settings).await.unwrap();
    engine.roster().put_service(&ServiceName::new("athens").unwrap(), &team).await.unwrap();
    let key = ApiKey::from_plain("admin", KEY, Scope::ALL.to_vec()).unwrap();
    router(Api::new(engine, Keys::new(vec![key])))
}

/// Sends a request: a line `METHOD TARGET`, and the body.
pub(super) fn api(data: &[u8]) {
    let place = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let body = data.get(place + 1..).unwrap_or_default();
    let Ok(line) = std::str::from_utf8(&data[..place]) else { return };
    let Some((method, target)) = line.split_once(' ') else { return };
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return };
    if !target.starts_with('/') {
        return;
    }
    let request = Request::builder().method(&method).uri(target).header("x-api-key", KEY);
    let Ok(request) = request.body(Body::from(body.to_vec())) else { return };
    let runtime = || Builder::new_current_thread().enable_time().build().unwrap();
    once(&RUNTIME, runtime, |runtime| runtime.block_on(answered(&method, request)));
}

async fn answered(method: &Method, request: Request<Body>) {
    let sent = SENT.replace(SENT.get() + 1);
    if sent.is_multiple_of(REQUESTS) {
        let fresh = world().await;
        ROUTER.set(Some(fresh));
    }
    let router = ROUTER.with_borrow(Clone::clone).expect("the router was made for the first request");
    let target = request.uri().to_string();
    let response = router.oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = to_bytes(response.into_body(), MAX_ANSWER).await.expect("the size of an answer is limited");
    assert!(headers.contains_key("x-request-id"));
    let not_served = status == StatusCode::NOT_IMPLEMENTED;
    assert!(!status.is_server_error() || not_served, "{method} {target}: {status}");
    if status.is_success() || status.is_redirection() || method == Method::HEAD {
        return;
    }
    let kind = headers["content-type"].to_str().unwrap();
    if kind.starts_with("text/html") {
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && bytes.len() < 64 * 1024);
        return;
    }
    assert_eq!(kind, "application/problem+json", "{method} {target}: {status}");
    assert!(bytes.len() < 512 * 1024, "a refusal stays small");
    let problem: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(problem["status"], status.as_u16());
    let errors = problem["errors"].as_array().unwrap();
    if matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) {
        assert!(!errors.is_empty(), "{method} {target}: {problem}");
        assert!(
            errors.iter().all(|e| e["field"] != "" && e["message"] != ""),
            "{method} {target}: {problem}"
        );
    }
}
