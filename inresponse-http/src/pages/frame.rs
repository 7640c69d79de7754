//! The frame around every page, and pages that show one message.

use askama::Template;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use inresponse_core::model::Person;
use inresponse_core::{Chain, Outage, OutageKind};

use super::assets;
use crate::Api;
use crate::problem::Problem;

/// The content security policy of every page: nothing from other sites, nothing inline, and no site may frame it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The frame around every page.
pub(super) struct Frame {
    /// The prefix of every link.
    pub(super) at: String,
    pub(super) home: String,
    /// Who is signed in.
    pub(super) by: Option<Person>,
    /// The version of style and script, which browsers cache for long. The version changes when one of the files
    /// changes.
    pub(super) version: &'static str,
    /// The navigation, which is the same on every page.
    pub(super) nav: Vec<Link>,
}

/// A link of the navigation.
pub(super) struct Link {
    pub(super) name: &'static str,
    pub(super) href: String,
    pub(super) is_here: bool,
}

/// The current page, as the navigation marks it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Incidents,
    OnCall,
    People,
    Services,
    Silences,
    Heartbeats,
    Findings,
    Settings,
    Elsewhere,
}

/// The pages of the navigation, with their paths.
const PAGES: [(Place, &str, &str); 8] = [
    (Place::Incidents, "Incidents", ""),
    (Place::OnCall, "On call", "/board/oncall"),
    (Place::People, "People", "/board/people"),
    (Place::Services, "Services", "/board/services"),
    (Place::Silences, "Silences", "/board/silences"),
    (Place::Heartbeats, "Heartbeats", "/board/heartbeats"),
    (Place::Findings, "Findings", "/board/coverage"),
    (Place::Settings, "Settings", "/board/settings"),
];
/// The number of pages that a phone shows without the menu.
const IN_SIGHT: usize = 2;

impl Frame {
    pub(super) fn new(api: &Api, by: Option<&Person>, place: Place) -> Self {
        let link = |(of, name, path): (Place, &'static str, &str)| Link {
            name,
            href: if path.is_empty() { api.home().to_owned() } else { format!("{}{path}", api.prefix()) },
            is_here: of == place,
        };
        Self {
            at: api.prefix().to_owned(),
            home: api.home().to_owned(),
            by: by.cloned(),
            version: assets::version(),
            nav: PAGES.map(link).into(),
        }
    }

    /// The links that a phone shows without the menu.
    pub(super) fn in_sight(&self) -> &[Link] {
        &self.nav[..IN_SIGHT]
    }

    /// The links in a phone's menu.
    pub(super) fn in_menu(&self) -> &[Link] {
        &self.nav[IN_SIGHT..]
    }

    /// The current page, if it is in a phone's menu.
    pub(super) fn here_in_menu(&self) -> Option<&Link> {
        self.in_menu().iter().find(|link| link.is_here)
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    frame: Frame,
    text: &'a str,
}

/// A page that shows one message.
pub(super) fn message(api: &Api, by: Option<&Person>, status: StatusCode, text: &str) -> Response {
    html(status, &Message { frame: Frame::new(api, by, Place::Elsewhere), text })
}

/// The page that says why something was refused or does not work.
pub(super) fn problem(api: &Api, by: &Person, problem: &Problem) -> Response {
    let text = if problem.may_have_been_recorded() {
        "It is not known whether this was done. Look at the roster before you try again.".to_owned()
    } else if problem.status().is_server_error() {
        "This is not working right now. Please try again.".to_owned()
    } else {
        format!("{}.", problem.detail())
    };
    message(api, Some(by), problem.status(), &text)
}

/// A page that says that a request cannot be served now, for the person who is signed in.
pub(super) fn outage(api: &Api, by: &Person, error: &Outage) -> Response {
    told_outage(api, Some(by), error)
}

/// A page that says that a request cannot be served now, for anybody.
pub(super) fn told_outage(api: &Api, by: Option<&Person>, error: &Outage) -> Response {
    tracing::error!(error = %Chain::of(error), "a page failed");
    // Promise 4: a change that may have been made must not simply be made again.
    let text = match error.kind() {
        OutageKind::Unknown => {
            "It is unknown whether your change was recorded. Look at the incident before you try again."
        }
        _ => "This is not working right now. Please try again.",
    };
    message(api, by, StatusCode::SERVICE_UNAVAILABLE, text)
}

/// Renders a page into a response.
pub(super) fn html(status: StatusCode, page: &impl Template) -> Response {
    let Ok(body) = page.render() else {
        tracing::error!("a page cannot be rendered");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        // This is not `no-referrer`, because browsers would then hide the origin of a form.
        (REFERRER_POLICY, "same-origin"),
        (VARY, "cookie"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, body).into_response()
}

/// A redirect to that path, which the browser follows with GET.
pub(super) fn see(path: &str) -> Response {
    let Ok(path) = HeaderValue::from_str(path) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    (StatusCode::SEE_OTHER, [(LOCATION, path), (CACHE_CONTROL, HeaderValue::from_static("no-store"))])
        .into_response()
}
