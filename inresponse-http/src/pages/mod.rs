//! Pages for people: the board, and the page behind the link in an alert.
//!
//! They are embedded in the program, fetch nothing from elsewhere, and work without scripts. The one script keeps
//! them up to date and tells times in the reader's zone.
//!
//! | file | holds |
//! |---|---|
//! | `claim` | the page behind the link in an alert; the link is its credential |
//! | `session` | who is signed in |
//! | `sign_in` | signing in and out |
//! | `list`, `filter` | the incidents, which of them, and how one turns the pages |
//! | `incident`, `words` | one incident with everything about it, in words |
//! | `acts` | what the forms do |
//! | `on_call` | who is on call |
//! | `changes` | who changed the roster |
//! | `events` | what changed, as it changes |
//! | `assets` | style, script, icon |

mod acts;
mod assets;
mod changes;
mod claim;
mod events;
mod filter;
mod incident;
mod list;
mod on_call;
pub(crate) mod session;
mod sign_in;
mod words;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use inresponse_core::model::Person;
use inresponse_core::{InvalidInput, Outage, OutageKind};
use tokio::sync::Semaphore;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;

/// How many streams of events are open at once, unless another number is given.
const MAX_STREAMS: usize = 256;

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Where the pages are, and how they keep up.
#[derive(Debug, Clone)]
pub struct Pages {
    /// What stands before every path: empty, or as in `/alerting`.
    prefix: Arc<str>,
    /// What a browser names as the origin of what is sent from the pages.
    origin: Option<Arc<str>>,
    transport: Transport,
    streams: Arc<Semaphore>,
    census: Arc<list::LastCensus>,
    uncovered: Arc<list::LastUncovered>,
}

/// What the pages are sent over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Https,
    Http,
}

impl Default for Pages {
    /// At the root of an https server.
    fn default() -> Self {
        Self {
            prefix: "".into(),
            origin: None,
            transport: Transport::Https,
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            census: Arc::default(),
            uncovered: Arc::default(),
        }
    }
}

impl Pages {
    /// Under the URL by which people reach the router, as in `https://example.org/alerting`.
    ///
    /// # Errors
    /// It is not an http or https URL.
    pub fn under(public_url: &str) -> Result<Self, InvalidInput> {
        let refused = || InvalidInput::field("public-url", "must be an http or https URL");
        let url: axum::http::Uri = public_url.trim().parse().map_err(|_| refused())?;
        let transport = match url.scheme_str() {
            Some("https") => Transport::Https,
            Some("http") => Transport::Http,
            Some(_) | None => return Err(refused()),
        };
        let (scheme, authority) =
            (url.scheme_str().unwrap_or_default(), url.authority().ok_or_else(refused)?);
        let origin = format!("{scheme}://{authority}").to_ascii_lowercase();
        // A browser leaves the usual port out.
        let usual = if transport == Transport::Https { ":443" } else { ":80" };
        let origin = origin.strip_suffix(usual).unwrap_or(&origin).to_owned();
        let _tried = CsrfLayer::new().add_trusted_origin(&origin).map_err(|_| refused())?;
        Ok(Self {
            prefix: url.path().trim_end_matches('/').into(),
            origin: Some(origin.into()),
            transport,
            ..Self::default()
        })
    }

    /// The same with at most that many streams of events at once; further pages ask every few seconds instead.
    ///
    /// None where every request is paid for by the time it takes.
    #[must_use]
    pub fn streams(mut self, most: usize) -> Self {
        self.streams = Arc::new(Semaphore::new(most));
        self
    }

    /// The path of the list.
    fn home(&self) -> &str {
        if self.prefix.is_empty() { "/" } else { &self.prefix }
    }
}

/// What every page has around it.
struct Frame {
    /// What every link begins with.
    at: Arc<str>,
    home: String,
    /// Who is signed in.
    by: Option<Person>,
    /// Changes with the style and the script, which are kept for long.
    version: &'static str,
    place: Place,
}

/// What the navigation marks as the current page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Incidents,
    OnCall,
    Elsewhere,
}

impl Frame {
    fn new(api: &Api, by: Option<&Person>, place: Place) -> Self {
        let pages = api.page_settings();
        Self {
            at: Arc::clone(&pages.prefix),
            home: pages.home().to_owned(),
            by: by.cloned(),
            version: assets::version(),
            place,
        }
    }

    fn is_at_incidents(&self) -> bool {
        self.place == Place::Incidents
    }

    fn is_at_on_call(&self) -> bool {
        self.place == Place::OnCall
    }
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    frame: Frame,
    text: &'a str,
}

fn message(api: &Api, by: Option<&Person>, status: StatusCode, text: &str) -> Response {
    html(status, &Message { frame: Frame::new(api, by, Place::Elsewhere), text })
}

fn outage(api: &Api, by: &Person, error: &Outage) -> Response {
    told_outage(api, Some(by), error)
}

fn told_outage(api: &Api, by: Option<&Person>, error: &Outage) -> Response {
    tracing::error!(error = %error, cause = crate::problem::cause(error), "a page failed");
    // Promise 4: what may have been done is not simply to be done again.
    let text = match error.kind() {
        OutageKind::Unknown => {
            "It is not known whether this was done. Look at the incident before you try again."
        }
        _ => "This does not work just now. Please try again.",
    };
    message(api, by, StatusCode::SERVICE_UNAVAILABLE, text)
}

/// A page as an answer.
fn html(status: StatusCode, page: &impl Template) -> Response {
    let Ok(body) = page.render() else {
        tracing::error!("a page cannot be rendered");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        // Not `no-referrer`, with which browsers keep back where a form came from.
        (REFERRER_POLICY, "same-origin"),
        (VARY, "cookie"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, body).into_response()
}

/// Go there, with GET.
fn see(path: &str) -> Response {
    let Ok(path) = HeaderValue::from_str(path) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    (StatusCode::SEE_OTHER, [(LOCATION, path), (CACHE_CONTROL, HeaderValue::from_static("no-store"))])
        .into_response()
}

/// The routes behind the link in an alert, whose address holds a secret and is told to nobody.
pub(crate) fn claim_routes() -> OpenApiRouter<Api> {
    let told_to_nobody = HeaderValue::from_static("no-referrer");
    OpenApiRouter::new()
        .routes(routes!(claim::page, claim::claim))
        .layer(SetResponseHeaderLayer::overriding(REFERRER_POLICY, told_to_nobody))
}

/// The board's routes. A form that another site sends is refused.
pub(crate) fn routes(api: &Api) -> Router<Api> {
    let mut csrf = CsrfLayer::new();
    if let Some(origin) = &api.page_settings().origin {
        csrf = csrf.add_trusted_origin(origin).expect("the origin was tried when it was given");
    }
    let refusing = api.clone();
    let csrf = csrf.with_rejection_response(move |_: ProtectionError| {
        message(
            &refusing,
            None,
            StatusCode::FORBIDDEN,
            "This was sent from another site, and nothing was done.",
        )
    });
    Router::new()
        .route("/", get(list::page))
        .route("/board/incidents/{incidentId}", get(incident::page).post(acts::act))
        .route("/board/oncall", get(on_call::page))
        .route("/board/changes", get(changes::page))
        .route("/board/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/board/sign-out", post(sign_in::sign_out))
        .route("/board/fragment", get(events::fragment))
        .route("/board/events", get(events::stream))
        .route("/board/assets/{name}", get(assets::asset))
        .layer(csrf)
}
