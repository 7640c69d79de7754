//! The shared state of the routes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::NestedPath;
use axum::http::{Extensions, Method, StatusCode};
use chrono::{DateTime, Utc};
use inresponse_core::Engine;
use inresponse_core::heartbeats::Heartbeats;
use inresponse_core::memory::MemorySettings;
use inresponse_core::notify::Channel;
use inresponse_core::settings::Settings;
use inresponse_core::store::Census;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::address::TrustedProxies;
use crate::counted::{Counted, count_once};
use crate::document::served_at;
use crate::domains::HandOverDomains;
use crate::keys::Keys;
use crate::lanes::{Lane, Places};
#[cfg(feature = "pages")]
use crate::pages::{Pages, sessions::Register};
use crate::refusals::Refusals;
use crate::signals::Intake;
use crate::site::{Site, Transport};

/// The shared state of the routes. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Api {
    inner: Arc<Inner>,
    /// The path at which another router nests this one, as seen by the current request.
    nested_at: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Inner {
    engine: Engine,
    keys: Keys,
    intake: Intake,
    channels: Vec<Arc<dyn Channel>>,
    metrics: Option<Metrics>,
    site: Site,
    settings: Arc<dyn Settings>,
    heartbeats: Heartbeats,
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
    last_census: Arc<LastCensus>,
    /// When this API was made.
    since: DateTime<Utc>,
    document: Arc<str>,
}

/// The last census (or its failure), and its time on the monotonic clock.
///
/// Anybody may query the health at any rate, so the store is asked at most once a second, and never twice at the same
/// time.
pub(crate) type LastCensus = Mutex<Option<(Duration, Option<Census>)>>;

#[derive(Clone)]
struct Metrics {
    handle: PrometheusHandle,
    /// The second of the monotonic clock in which the samples of histograms were last summed up.
    summed_up_in: Arc<AtomicU64>,
    counted: Arc<Counted>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics(…)")
    }
}

/// Whether load balancers should still send requests to this server. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    stopping: CancellationToken,
}

impl Readiness {
    /// The server is ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends readiness, because the server is about to stop. Streams of events end.
    pub fn stop(&self) {
        self.stopping.cancel();
    }
}

impl Api {
    /// The API of an engine, for clients that have one of these keys.
    pub fn new(engine: Engine, keys: Keys) -> Self {
        let public_url = engine.public_url().map(Site::under);
        let settings: Arc<dyn Settings> = Arc::new(MemorySettings::new());
        let inner = Inner {
            // An invalid URL counts as missing.
            heartbeats: Heartbeats::new(engine.clone(), settings.clone(), process()),
            site: public_url.and_then(Result::ok).unwrap_or_default(),
            since: engine.now(),
            places: Places::before(engine.queueing()),
            engine,
            keys,
            intake: Intake::default(),
            channels: Vec::new(),
            metrics: None,
            settings,
            hand_over_domains: HandOverDomains::default(),
            #[cfg(feature = "pages")]
            pages: Pages::default(),
            readiness: Readiness::new(),
            refusals: Refusals::default(),
            trusted_proxies: TrustedProxies::default(),
            strangers: Lane::default(),
            #[cfg(feature = "pages")]
            recipients: Lane::default(),
            last_census: Arc::default(),
            document: Arc::default(),
        };
        Self { inner: Arc::new(inner), nested_at: None }
    }

    /// Sets how messages of other monitoring systems are handled.
    #[must_use]
    pub fn intake_by(mut self, intake: Intake) -> Self {
        Arc::make_mut(&mut self.inner).intake = intake;
        self
    }

    /// Adds a channel over which answers come back, below `/channels/`.
    #[must_use]
    pub fn channel_by(mut self, channel: Arc<dyn Channel>) -> Self {
        Arc::make_mut(&mut self.inner).channels.push(channel);
        self
    }

    pub(crate) fn channels(&self) -> &[Arc<dyn Channel>] {
        &self.inner.channels
    }

    /// Adds `/metrics`; see [`metrics::install`](crate::metrics::install).
    #[must_use]
    pub fn metrics(mut self, handle: PrometheusHandle) -> Self {
        Arc::make_mut(&mut self.inner).metrics =
            Some(Metrics { handle, summed_up_in: Arc::default(), counted: Arc::default() });
        self
    }

    /// Sets the settings that all servers share. They also hold state that all servers need: who is signed in to the
    /// pages, and each key's recent hand-overs to people outside the roster.
    ///
    /// They also hold what heartbeats have pinged.
    ///
    /// By default the shared settings exist only in this process and are lost when it ends.
    #[must_use]
    pub fn settings(mut self, settings: impl Settings) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.settings = Arc::new(settings);
        inner.heartbeats = Heartbeats::new(inner.engine.clone(), Arc::clone(&inner.settings), process());
        self
    }

    /// The heartbeats that the routes ping. The main program runs them with [`Heartbeats::run`], so that both share what they
    /// know.
    pub fn heartbeats(&self) -> &Heartbeats {
        &self.inner.heartbeats
    }

    /// Sets the pages. The pages' address comes from the engine's claim links, if it makes any.
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

    /// Sets the trusted proxies: the address of a client is what they report.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        Arc::make_mut(&mut self.inner).trusted_proxies = proxies;
        self
    }

    /// Sets the readiness, so that the server's main program can end it.
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

    /// Sets the domains outside the roster to which incidents may be handed.
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
    pub(crate) fn sessions(&self) -> Register<'_> {
        self.inner.pages.sessions().of(self.engine(), self.keys(), self.shared())
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.inner.intake
    }

    pub(crate) fn metrics_handle(&self) -> Option<&PrometheusHandle> {
        self.inner.metrics.as_ref().map(|metrics| &metrics.handle)
    }

    /// Counts an answered request in the metrics.
    pub(crate) fn count(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        match &self.inner.metrics {
            Some(Metrics { counted, .. }) => counted.count(method, route, status, took),
            None => count_once(method, route, status, took),
        }
    }

    /// Sums up the samples of histograms once a second, because they pile up if nobody reads the metrics.
    pub(crate) fn sum_up_metrics(&self) {
        let Some(Metrics { handle, summed_up_in, .. }) = &self.inner.metrics else { return };
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

    pub(crate) fn places(&self) -> &Places {
        &self.inner.places
    }

    pub(crate) fn strangers(&self) -> &Lane {
        &self.inner.strangers
    }

    #[cfg(feature = "pages")]
    pub(crate) fn recipients(&self) -> &Lane {
        &self.inner.recipients
    }

    pub(crate) fn last_census(&self) -> &LastCensus {
        &self.inner.last_census
    }

    /// When this API was made, which is when its process began.
    pub(crate) fn since(&self) -> DateTime<Utc> {
        self.inner.since
    }

    /// Sets the text of the API document.
    pub(crate) fn documented(mut self, document: String) -> Self {
        Arc::make_mut(&mut self.inner).document = document.into();
        self
    }

    /// The API document, with the address of this API.
    pub(crate) fn document(&self) -> String {
        served_at(&self.inner.document, self.prefix())
    }
}

/// A number that no other process has.
fn process() -> u64 {
    let mut bytes = [0; 8];
    // Without random numbers two processes may do the same at the same instant, which a dedup key makes harmless.
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => u64::from(std::process::id()),
    }
}

impl Api {
    /// The path of the board's list of incidents.
    #[cfg(feature = "pages")]
    pub(crate) fn home(&self) -> &str {
        match self.prefix() {
            "" => "/",
            prefix => prefix,
        }
    }

    /// The path prefix that clients see: the path of the public URL, if it has one, because a proxy may remove it
    /// before the request arrives; otherwise the path at which the router is nested.
    pub(crate) fn prefix(&self) -> &str {
        match &*self.inner.site.prefix {
            "" => self.nested_at.as_deref().unwrap_or_default(),
            prefix => prefix,
        }
    }

    /// Whether the public URL says that clients use https.
    pub(crate) fn is_at_https(&self) -> bool {
        self.inner.site.transport == Transport::Https && self.inner.site.origin.is_some()
    }

    /// The API for a request that came through a router in which this one is nested.
    pub(crate) fn nested_as(&self, extensions: &Extensions) -> Self {
        let nested_at = extensions.get::<NestedPath>().map(|path| path.as_str().trim_end_matches('/').into());
        Self { nested_at, ..self.clone() }
    }
}
