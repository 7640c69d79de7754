//! InResponse's HTTP API as an [`axum`] router that any program can mount.
//!
//! ```no_run
//! # async fn mount(engine: inresponse_core::Engine) -> Result<(), Box<dyn std::error::Error>> {
//! use inresponse_http::{Api, ApiKey, Keys, Scope, router};
//!
//! // With `.claim_links("https://example.org/alerting", secrets)?`, the links in mails lead there.
//!
//! let keys = Keys::new(vec![ApiKey::from_plain("monitoring", "a long random key", vec![Scope::Report])?]);
//! let app = axum::Router::new().nest("/alerting", router(Api::new(engine, keys)));
//! # let _ = app;
//! # Ok(()) }
//! ```
//!
//! What every address begins with (links and forms of the pages, cookies, redirects, `location`, the API document) is the
//! path of the engine's public URL, so that it is right behind a proxy that takes a prefix away; without such a path it
//! is where the router is nested.
//!
//! | file | holds |
//! |---|---|
//! | `routes` | the calls: incidents, roster, other systems' messages, health and metrics |
//! | `pages` | pages for people: the board, and the one behind the link in an alert |
//! | `api_page` | the API document to be browsed, behind the feature `docs` |
//! | `intake` | does what other systems' messages ask for |
//! | `wire` | what goes over the wire |
//! | `doors` | who may do what: one table of every route |
//! | `document` | what the API document says of every call |
//! | `outsiders` | how many incidents a key hands to people outside the roster, and where to |
//! | `hand_over` | whether somebody who is given an incident may never learn of it |
//! | `input` | reading bodies and queries, naming the field that is wrong |
//! | `cursor` | where the next page of a list begins |
//! | `problem` | errors as RFC 9457 problem details |
//! | `keys` | API keys and scopes |
//! | `grant` | what a configuration grants a key |
//! | `admission` | when a request has its place |
//! | `lanes` | what each key has of places and of the store's queue |
//! | `limits` | request ids, logs, time, panics |
//! | `client` | who sent a request, and the proxies whose word on that is taken |
//! | `refusals` | wrong keys and failed sign-ins: told, counted, slowed down |
//! | `site` | what every address begins with |
//! | `visible` | how what strangers wrote is put into pages |
//! | `metrics` | what is counted |

mod admission;
#[cfg(feature = "docs")]
mod api_page;
mod client;
mod cursor;
mod document;
mod doors;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod grant;
mod hand_over;
mod input;
mod intake;
mod keys;
mod lanes;
mod limits;
pub mod metrics;
mod outsiders;
#[cfg(feature = "pages")]
mod pages;
mod problem;
mod refusals;
mod routes;
mod site;
#[cfg(feature = "pages")]
mod visible;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use inresponse_core::Engine;
use inresponse_core::memory::MemorySettings;
use inresponse_core::settings::Settings;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey as ApiKeyScheme, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::lanes::{Lane, Places};
use crate::refusals::Refusals;
use crate::site::Site;

pub use client::TrustedProxies;
pub use doors::{Act, DOORS, Door, Proof};
pub use grant::Grant;
pub use inresponse_intake::generic::Mapping;
pub use inresponse_intake::{Rule, sns::AmazonUrl};
pub use intake::{FetchFromAmazon, Intake};
pub use keys::{ApiKey, Keys, Scope, hash_of};
pub use outsiders::HandOverDomains;
#[cfg(feature = "pages")]
pub use pages::Pages;
pub use refusals::HeldBack;

/// What the routes work on. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    inner: Arc<Inner>,
    /// Where the router is nested in another one, by the request that is answered.
    nested_at: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Inner {
    engine: Engine,
    keys: Keys,
    intake: Intake,
    metrics: Option<Metrics>,
    site: Site,
    settings: Arc<dyn Settings>,
    hand_over_domains: HandOverDomains,
    #[cfg(feature = "pages")]
    pages: Pages,
    readiness: Readiness,
    places: Places,
    refusals: Refusals,
    trusted_proxies: TrustedProxies,
    /// The lane of requests without a known key, session or link.
    strangers: Lane,
    /// The lane of requests with the link of an alert.
    #[cfg(feature = "pages")]
    recipients: Lane,
    last_census: Arc<routes::system::LastCensus>,
    document: Arc<str>,
}

#[derive(Clone)]
struct Metrics {
    handle: PrometheusHandle,
    /// The second of the monotonic clock in which samples were last summed up.
    summed_up_in: Arc<AtomicU64>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics(…)")
    }
}

/// Whether requests should still be sent here. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    stopping: CancellationToken,
}

impl Readiness {
    /// Ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// No longer ready: the server is about to stop. Streams of events end.
    pub fn stop(&self) {
        self.stopping.cancel();
    }
}

impl Api {
    /// The API of an engine, for whoever has one of these keys.
    pub fn new(engine: Engine, keys: Keys) -> Self {
        let public_url = engine.public_url().map(Site::under);
        let inner = Inner {
            // What is no URL at all serves as none.
            site: public_url.and_then(Result::ok).unwrap_or_default(),
            engine,
            keys,
            intake: Intake::default(),
            metrics: None,
            settings: Arc::new(MemorySettings::new()),
            hand_over_domains: HandOverDomains::default(),
            #[cfg(feature = "pages")]
            pages: Pages::default(),
            readiness: Readiness::new(),
            places: Places::default(),
            refusals: Refusals::default(),
            trusted_proxies: TrustedProxies::default(),
            strangers: Lane::default(),
            #[cfg(feature = "pages")]
            recipients: Lane::default(),
            last_census: Arc::default(),
            document: document().into(),
        };
        Self { inner: Arc::new(inner), nested_at: None }
    }

    /// The same with other systems' messages taken that way.
    #[must_use]
    pub fn intake_by(mut self, intake: Intake) -> Self {
        Arc::make_mut(&mut self.inner).intake = intake;
        self
    }

    /// The same with `/metrics`; see [`metrics::install`].
    #[must_use]
    pub fn metrics(mut self, handle: PrometheusHandle) -> Self {
        Arc::make_mut(&mut self.inner).metrics = Some(Metrics { handle, summed_up_in: Arc::default() });
        self
    }

    /// The same with what all servers share kept there: who has signed in to the pages, and how many incidents each key has
    /// handed to people outside the roster of late.
    ///
    /// Unless given, this process alone knows it, and forgets it when it ends.
    #[must_use]
    pub fn settings(mut self, settings: impl Settings) -> Self {
        Arc::make_mut(&mut self.inner).settings = Arc::new(settings);
        self
    }

    /// The same with these pages. Where they are is known from the engine's claim links, if it makes any.
    #[cfg(feature = "pages")]
    #[must_use]
    pub fn pages(mut self, mut pages: Pages) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        if let Some(site) = pages.take_site() {
            inner.site = site;
        }
        inner.pages = pages;
        self
    }

    /// The same behind these proxies: the address of a client is what they say it is.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        Arc::make_mut(&mut self.inner).trusted_proxies = proxies;
        self
    }

    /// The same with a readiness that somebody else can end.
    #[must_use]
    pub fn readiness(mut self, readiness: Readiness) -> Self {
        Arc::make_mut(&mut self.inner).readiness = readiness;
        self
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// The same with only these domains outside the roster to which incidents may be handed.
    #[must_use]
    pub fn hand_over_to(mut self, domains: HandOverDomains) -> Self {
        Arc::make_mut(&mut self.inner).hand_over_domains = domains;
        self
    }

    pub(crate) fn hand_over_domains(&self) -> &HandOverDomains {
        &self.inner.hand_over_domains
    }

    pub(crate) fn shared(&self) -> &dyn Settings {
        &*self.inner.settings
    }

    #[cfg(feature = "pages")]
    pub(crate) fn sessions(&self) -> &pages::sessions::Sessions {
        self.inner.pages.sessions()
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.inner.intake
    }

    pub(crate) fn metrics_handle(&self) -> Option<&PrometheusHandle> {
        self.inner.metrics.as_ref().map(|metrics| &metrics.handle)
    }

    /// Sums up the samples of histograms, once a second: they pile up where nobody reads the metrics.
    pub(crate) fn sum_up_metrics(&self) {
        let Some(Metrics { handle, summed_up_in }) = &self.inner.metrics else { return };
        let second = self.engine().clock().monotonic().as_secs();
        if summed_up_in.swap(second, Ordering::Relaxed) != second {
            handle.run_upkeep();
        }
    }

    #[cfg(feature = "pages")]
    pub(crate) fn page_settings(&self) -> &Pages {
        &self.inner.pages
    }

    #[cfg(feature = "pages")]
    pub(crate) fn site(&self) -> &Site {
        &self.inner.site
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.inner.refusals
    }

    pub(crate) fn proxies(&self) -> &TrustedProxies {
        &self.inner.trusted_proxies
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.inner.readiness.stopping.is_cancelled()
    }

    #[cfg(feature = "pages")]
    pub(crate) fn stopped(&self) -> CancellationToken {
        self.inner.readiness.stopping.clone()
    }

    /// The lane of a request: that of its key, be it in the head or in the cookie of the pages; or that of the
    /// links in alerts.
    pub(crate) fn lane(&self, request: &Request) -> Lane {
        let headers = request.headers();
        if let Some(lane) = self.keys().lane(headers) {
            return lane.clone();
        }
        #[cfg(feature = "pages")]
        if pages::has_link(self, request.uri()) {
            return self.recipients().clone();
        }
        #[cfg(feature = "pages")]
        if let Some(lane) = pages::session::lane(self, headers) {
            return lane;
        }
        self.strangers().clone()
    }

    pub(crate) fn places(&self) -> &Places {
        &self.inner.places
    }

    fn strangers(&self) -> &Lane {
        &self.inner.strangers
    }

    #[cfg(feature = "pages")]
    pub(crate) fn recipients(&self) -> &Lane {
        &self.inner.recipients
    }

    pub(crate) fn last_census(&self) -> &routes::system::LastCensus {
        &self.inner.last_census
    }

    /// The API document, with where this API is.
    pub(crate) fn document(&self) -> String {
        document::served_at(&self.inner.document, self.prefix())
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "InResponse",
        description = "Incident alerting and escalation: report an incident, get a number; whoever is on call is \
                       alerted until somebody claims it."
    ),
    tags(
        (name = "incidents", description = "report, claim, release, resolve, read"),
        (name = "intake", description = "what other monitoring systems send"),
        (name = "roster", description = "services, teams, calendars"),
        (name = "system", description = "health, metrics, this document"),
    )
)]
struct Document;

/// The calls that do the work.
fn work() -> OpenApiRouter<Api> {
    use routes::intake::{generic, grafana, nagios, opsgenie, pagerduty, prometheus, sns};
    use routes::{changes, incidents, roster};
    let routes = OpenApiRouter::new()
        .routes(routes!(incidents::put, incidents::post, incidents::list))
        .routes(routes!(incidents::get_one, incidents::post_one))
        .routes(routes!(roster::put_service, roster::get_service, roster::delete_service))
        .routes(routes!(roster::put_team, roster::get_team, roster::delete_team))
        .routes(routes!(roster::put_day, roster::get_day, roster::delete_day))
        .routes(routes!(roster::on_call))
        .routes(routes!(changes::list))
        .routes(routes!(prometheus::webhook))
        .routes(routes!(prometheus::alerts, prometheus::query))
        .routes(routes!(grafana::webhook))
        .routes(routes!(sns::message))
        .routes(routes!(sns::eventbridge))
        .routes(routes!(nagios::notification))
        .routes(routes!(generic::mapped))
        .routes(routes!(pagerduty::enqueue))
        .routes(routes!(opsgenie::create))
        .routes(routes!(opsgenie::acknowledge))
        .routes(routes!(opsgenie::unacknowledge))
        .routes(routes!(opsgenie::add_note))
        .routes(routes!(opsgenie::close))
        .routes(routes!(opsgenie::status));
    #[cfg(feature = "pages")]
    let routes = routes.merge(pages::claim_routes());
    routes
}

/// The calls that tell how the work goes, which must be answered even while there is too much of it.
fn system() -> OpenApiRouter<Api> {
    use routes::system;
    let mut document = Document::openapi();
    let components = document.components.get_or_insert_default();
    let key = SecurityScheme::ApiKey(ApiKeyScheme::Header(ApiKeyValue::new("x-api-key")));
    components.add_security_scheme("key", key);
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)));
    let genie_key = ApiKeyValue::with_description("authorization", "`GenieKey` and the key");
    components.add_security_scheme("genieKey", SecurityScheme::ApiKey(ApiKeyScheme::Header(genie_key)));
    OpenApiRouter::with_openapi(document)
        .routes(routes!(system::healthz))
        .routes(routes!(system::readyz))
        .routes(routes!(system::metrics))
        .routes(routes!(system::openapi))
}

/// The OpenAPI 3.1 document of the API, as JSON.
pub fn document() -> String {
    let (_, document) = system().merge(work()).split_for_parts();
    document::complete(&document)
}

/// The routes, with their limits around them.
pub fn router(api: Api) -> Router {
    let work = work();
    #[cfg(feature = "pages")]
    let work = work.merge(pages::routes(&api).into());
    let work = work.layer(from_fn_with_state(api.clone(), limits::bound));
    let (routes, _) = system().merge(work).split_for_parts();
    #[cfg(feature = "docs")]
    let routes = routes.merge(api_page::routes(&api));
    routes
        .fallback(limits::no_route)
        .method_not_allowed_fallback(limits::no_method)
        .layer(CatchPanicLayer::custom(limits::panicked))
        .layer(from_fn_with_state(api.clone(), limits::observe))
        .with_state(api)
}
