//! A router over everything in memory, and a way to call it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use inresponse_core::Engine;
use inresponse_core::claim::TokenSecret;
use inresponse_core::engine::EngineBuilder;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::ServiceName;
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::Roster;
use inresponse_core::store::Store;
use inresponse_core::testing::{ManualClock, RecordingNotifier};
use inresponse_http::{Api, ApiKey, Keys, Readiness, Scope, router};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const ADMIN: &str = "key-of-everything";
pub(crate) const REPORT: &str = "key-of-report";
/// The key of the service `athens`, which may only report.
pub(crate) const ATHENS: &str = "key-of-athens";
pub(crate) const RESPOND: &str = "key-of-respond";
/// May change the roster, and nothing else.
pub(crate) const ADMIN_ONLY: &str = "key-of-the-roster";
/// May report, as `REPORT` may, and is another key.
pub(crate) const OTHER: &str = "key-of-another-sender";
/// May respond to what is of `athens`.
pub(crate) const RESPOND_ATHENS: &str = "key-of-respond-to-athens";
/// Was removed from the configuration.
pub(crate) const REMOVED: &str = "key-that-was-removed";

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) notifier: RecordingNotifier,
    pub(crate) clock: ManualClock,
    pub(crate) readiness: Readiness,
    pub(crate) keys: Keys,
    api: Api,
    router: Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    /// The fields that a problem names.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|e| e["field"].as_str().unwrap()).collect()
    }
}

impl World {
    /// With a team `devops` that owns `athens`.
    pub(crate) async fn new() -> Self {
        Self::over(MemoryStore::new()).await
    }

    pub(crate) async fn over(store: impl Store) -> Self {
        Self::with(store, MemoryRoster::new()).await
    }

    /// Whose engine was told that people reach it there, or was told nothing.
    pub(crate) async fn found_at(public_url: Option<&str>) -> Self {
        Self::with_links(MemoryStore::new(), MemoryRoster::new(), public_url).await
    }

    pub(crate) async fn with(store: impl Store, roster: impl Roster) -> Self {
        Self::with_links(store, roster, Some("https://ir.example.org")).await
    }

    async fn with_links(store: impl Store, roster: impl Roster, public_url: Option<&str>) -> Self {
        let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
        Self::built(store, roster, |engine| match public_url {
            Some(url) => engine.claim_links(url, vec![secret]).unwrap(),
            None => engine,
        })
        .await
    }

    /// With an engine that is finished in another way.
    pub(crate) async fn made(
        store: impl Store,
        roster: impl Roster,
        finish: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
        Self::built(store, roster, |engine| {
            finish(engine.claim_links("https://ir.example.org", vec![secret]).unwrap())
        })
        .await
    }

    async fn built(
        store: impl Store,
        roster: impl Roster,
        finish: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        Self::keyed(keys(), store, roster, finish).await
    }

    /// With other keys.
    pub(crate) async fn keyed(
        keys: Vec<ApiKey>,
        store: impl Store,
        roster: impl Roster,
        finish: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        let clock = ManualClock::at("2026-11-24T03:00:00Z".parse().unwrap());
        let notifier = RecordingNotifier::new();
        let notifiers = Notifiers::new().mail(notifier.clone());
        let engine = finish(Engine::builder(store, roster, notifiers, clock.clone())).build();
        let readiness = Readiness::new();
        let keys = Keys::new(keys);
        let api = Api::new(engine.clone(), keys.clone()).readiness(readiness.clone());
        let router = router(api.clone());
        let world = Self { engine, notifier, clock, readiness, keys, api, router };
        let team = json!({ "fallback": ["ops@example.org"] });
        assert_eq!(world.put("/teams/devops", team).await.status, StatusCode::OK);
        assert_eq!(world.put("/services/athens", json!({ "team": "devops" })).await.status, StatusCode::OK);
        world
    }

    /// The same, nested in another program's router.
    pub(crate) fn nested(self, at: &str) -> Self {
        self.routed(|router| Router::new().nest(at, router))
    }

    /// The same, as part of another program's router.
    pub(crate) fn routed(mut self, into: impl FnOnce(Router) -> Router) -> Self {
        self.router = into(self.router);
        self
    }

    /// The same, with other systems' messages taken that way.
    pub(crate) fn taking(mut self, intake: inresponse_http::Intake) -> Self {
        self.api = self.api.intake_by(intake);
        self.router = router(self.api.clone());
        self
    }

    /// The same behind these proxies.
    pub(crate) fn behind(mut self, proxies: inresponse_http::TrustedProxies) -> Self {
        self.api = self.api.trusted_proxies(proxies);
        self.router = router(self.api.clone());
        self
    }

    /// The same, as another server of the deployment that keeps its settings there.
    pub(crate) fn sharing(mut self, settings: impl inresponse_core::settings::Settings) -> Self {
        self.api = self.api.settings(settings);
        self.router = router(self.api.clone());
        self
    }

    /// Allows only these domains outside the roster for hand-overs.
    pub(crate) fn handing_to(mut self, domains: inresponse_http::HandOverDomains) -> Self {
        self.api = self.api.hand_over_to(domains);
        self.router = router(self.api.clone());
        self
    }

    /// Adds `/metrics`.
    pub(crate) fn measured(mut self, handle: metrics_exporter_prometheus::PrometheusHandle) -> Self {
        self.router = router(self.api.clone().metrics(handle));
        self
    }

    /// Adds the pages at that address.
    #[cfg(feature = "pages")]
    pub(crate) fn showing(mut self, pages: inresponse_http::Pages) -> Self {
        self.api = self.api.pages(pages);
        self.router = router(self.api.clone());
        self
    }

    /// What is answered, before its body came.
    pub(crate) async fn respond(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.respond(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 10_000_000).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let is_json = headers.get("content-type").is_some_and(|kind| kind.to_str().unwrap().contains("json"));
        if status.is_client_error() && is_json {
            assert_eq!(headers["content-type"], "application/problem+json");
            assert_eq!(json["status"], status.as_u16());
            assert!(json["errors"].is_array(), "{text}");
        }
        Answer { status, headers, text, json }
    }

    pub(crate) async fn call(&self, key: &str, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("x-api-key", key);
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(ADMIN, Method::PUT, path, body.to_string()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(ADMIN, Method::POST, path, body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(ADMIN, Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(ADMIN, Method::DELETE, path, Body::empty()).await
    }

    /// Reports an incident of `athens` and answers its number.
    pub(crate) async fn report(&self) -> u64 {
        let answer = self.put("/incidents", report()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json["incidentId"].as_u64().unwrap()
    }
}

/// A report that holds.
pub(crate) fn report() -> Value {
    json!({ "service": "athens", "severity": "CRIT", "title": "5xx", "message": "many" })
}

/// The keys of every scope and kind.
pub(crate) fn keys() -> Vec<ApiKey> {
    let key = |name, key, scopes| ApiKey::from_plain(name, key, scopes).unwrap();
    let athens = || ServiceName::new("athens").unwrap();
    vec![
        key("admin", ADMIN, Scope::ALL.to_vec()),
        key("roster", ADMIN_ONLY, vec![Scope::Admin]),
        key("other", OTHER, vec![Scope::Report]),
        key("athens-responder", RESPOND_ATHENS, vec![Scope::Respond]).of_service(athens()),
        key("monitoring", REPORT, vec![Scope::Report]),
        key("responder", RESPOND, vec![Scope::Respond]),
        key("athens-events", ATHENS, vec![Scope::Report]).of_service(athens()),
    ]
}
