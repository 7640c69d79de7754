//! Pages for people: the board, and the page behind the link in an alert.
//!
//! They are embedded in the program, fetch nothing from elsewhere, and work without scripts. The one script keeps
//! them up to date and tells times in the reader's zone.
//!
//! | file | holds |
//! |---|---|
//! | `claim` | the page behind the link in an alert; the link is its credential |
//! | `session` | who is signed in, by their cookie |
//! | `sessions` | who has signed in, as all servers know it |
//! | `sign_in` | signing in and out |
//! | `list`, `filter` | the incidents, which of them, and how one turns the pages |
//! | `incident`, `words` | one incident with everything about it, in words |
//! | `acts` | what the forms do |
//! | `on_call` | who is on call |
//! | `changes` | who changed the roster |
//! | `events` | what changed, as it changes |
//! | `streams` | how many streams of events there are at once |
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
pub(crate) mod sessions;
mod sign_in;
mod streams;
mod words;

use std::sync::Arc;

use askama::Template;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use inresponse_core::model::Person;
use inresponse_core::{Chain, InvalidInput, Outage, OutageKind};
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;
use crate::site::{Here, Site};

pub(crate) use claim::has_link;

/// How many streams of events are open at once, unless another number is given.
const MAX_STREAMS: usize = 256;

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// How the pages keep up; and where they are, if the engine's claim links do not say it.
#[derive(Debug, Clone)]
pub struct Pages {
    site: Option<Site>,
    streams: streams::Streams,
    sessions: Arc<sessions::Sessions>,
    census: Arc<list::LastCensus>,
    uncovered: Arc<list::LastUncovered>,
}

impl Default for Pages {
    /// Where the engine's claim links lead; without any, at the root of an https server, or where the router is nested.
    fn default() -> Self {
        Self {
            site: None,
            streams: streams::Streams::new(MAX_STREAMS),
            sessions: Arc::default(),
            census: Arc::default(),
            uncovered: Arc::default(),
        }
    }
}

impl Pages {
    /// Under the URL by which people reach the router, as in `https://example.org/alerting`: for an engine without claim
    /// links.
    ///
    /// # Errors
    /// It is not an http or https URL.
    pub fn under(public_url: &str) -> Result<Self, InvalidInput> {
        Ok(Self { site: Some(Site::under(public_url)?), ..Self::default() })
    }

    /// The same with at most that many streams of events at once, of which one key has a quarter; further pages ask every
    /// few seconds instead.
    ///
    /// None where every request is paid for by the time it takes.
    #[must_use]
    pub fn streams(mut self, most: usize) -> Self {
        self.streams = streams::Streams::new(most);
        self
    }

    pub(crate) fn sessions(&self) -> &sessions::Sessions {
        &self.sessions
    }

    pub(crate) fn take_site(&mut self) -> Option<Site> {
        self.site.take()
    }
}

impl Api {
    /// The path of the list.
    fn home(&self) -> &str {
        match self.prefix() {
            "" => "/",
            prefix => prefix,
        }
    }
}

/// What every page has around it.
struct Frame {
    /// What every link begins with.
    at: String,
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
        Self {
            at: api.prefix().to_owned(),
            home: api.home().to_owned(),
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
    tracing::error!(error = %Chain::of(error), "a page failed");
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
    if let Some(origin) = &api.site().origin {
        csrf = csrf.add_trusted_origin(origin).expect("the origin was tried when it was given");
    }
    let csrf = csrf.with_rejection_response(|_: ProtectionError| {
        (StatusCode::FORBIDDEN, Extension(FromElsewhere)).into_response()
    });
    board()
        .into_iter()
        .fold(Router::new(), |router, (path, route)| router.route(path, route))
        .layer(csrf)
        .layer(from_fn_with_state(api.clone(), tell_from_elsewhere))
}

/// Every path of the board, and what is there.
fn board() -> [(&'static str, MethodRouter<Api>); 9] {
    [
        ("/", get(list::page)),
        ("/board/incidents/{incidentId}", get(incident::page).post(acts::act)),
        ("/board/oncall", get(on_call::page)),
        ("/board/changes", get(changes::page)),
        ("/board/sign-in", get(sign_in::page).post(sign_in::sign_in)),
        ("/board/sign-out", post(sign_in::sign_out)),
        ("/board/fragment", get(events::fragment)),
        ("/board/events", get(events::stream)),
        ("/board/assets/{name}", get(assets::asset)),
    ]
}

/// A form that another site has sent.
#[derive(Debug, Clone, Copy)]
struct FromElsewhere;

async fn tell_from_elsewhere(Here(api): Here, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.extensions().get::<FromElsewhere>().is_none() {
        return response;
    }
    message(&api, None, StatusCode::FORBIDDEN, "This was sent from another site, and nothing was done.")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::board;
    use crate::doors::DOORS;

    #[test]
    fn every_route_of_the_board_is_a_door() {
        let mut routes = BTreeSet::new();
        for (path, route) in board() {
            // How a route of axum shows the methods that it takes.
            let shown = format!("{route:?}");
            for (method, field) in
                [("GET", "get"), ("POST", "post"), ("PUT", "put"), ("DELETE", "delete"), ("PATCH", "patch")]
            {
                assert!(shown.contains(&format!(" {field}: ")), "{shown}");
                if !shown.contains(&format!(" {field}: None")) {
                    routes.insert((method, path));
                }
            }
        }
        let is_board = |path: &str| path == "/" || path.starts_with("/board/");
        let doors = DOORS.iter().filter(|door| is_board(door.path)).map(|door| (door.method, door.path));
        assert_eq!(routes, doors.collect());
    }
}
