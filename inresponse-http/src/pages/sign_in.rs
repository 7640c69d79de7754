//! The pages to sign in and to sign out.

use askama::Template;
use axum::Extension;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use inresponse_core::model::Person;

use super::session::Shown;
use super::{Frame, Place, html, message, see, session, told_outage};
use crate::Api;
use crate::doors::Act;
use crate::here::Here;
use crate::input::{Bytes, Params};
use crate::refusals::Refusal;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    frame: Frame,
    next: String,
    name: String,
    trouble: Option<String>,
}

/// A page that redirects the browser to the sign-in page again. A browser that came from another site sends its cookie
/// only then.
#[derive(Template)]
#[template(path = "onward.html")]
struct Onward {
    frame: Frame,
    next: String,
}

/// The sign-in form. A person who is already signed in is redirected to the page that they came for.
pub(super) async fn page(Here(api): Here, mut params: Params, headers: HeaderMap) -> Response {
    let next = params.take("next", |text| Ok(local(&api, text))).unwrap_or_else(|| api.home().to_owned());
    let shown = match session::shown(&api, &headers).await {
        Ok(shown) => shown,
        Err(error) => return told_outage(&api, None, &error),
    };
    match shown {
        Shown::Known => see(&next),
        Shown::Unknown => (Extension(Refusal::Session), form(&api, next, &headers)).into_response(),
        Shown::Nothing => form(&api, next, &headers),
    }
}

fn form(api: &Api, next: String, headers: &HeaderMap) -> Response {
    let frame = Frame::new(api, None, Place::Elsewhere);
    // If a link on another site led here (such as a mail in a web client), the browser does not send the cookie. It
    // sends the cookie when this page redirects to itself.
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        return html(StatusCode::OK, &Onward { frame, next });
    }
    html(StatusCode::OK, &Page { frame, next, name: String::new(), trouble: None })
}

/// Checks key and name, and begins a session.
pub(super) async fn sign_in(Here(api): Here, Bytes(form): Bytes) -> Response {
    let (mut key, mut name, mut next) = (String::new(), String::new(), String::new());
    for (field, value) in form_urlencoded::parse(&form) {
        match &*field {
            "key" => key = value.trim().to_owned(),
            "name" => name = value.into_owned(),
            "next" => next = local(&api, &value),
            _ => {}
        }
    }
    let refused = |status, text: String, next, name| {
        let frame = Frame::new(&api, None, Place::Elsewhere);
        html(status, &Page { frame, next, name, trouble: Some(text) })
    };
    let by = match Person::new(&name) {
        Ok(by) => by,
        Err(error) => {
            let what = error.errors().first().map_or("is invalid", |e| e.message());
            return refused(StatusCode::BAD_REQUEST, format!("Your name {what}."), next, name);
        }
    };
    let Some(entry) = api.keys().signing_in(&key) else {
        let text = "Unknown API key, or it lacks the respond permission";
        let page = refused(StatusCode::FORBIDDEN, text.to_owned(), next, name);
        return (Extension(Refusal::SignIn), page).into_response();
    };
    let token = match api.sessions().begin(&entry, &by).await {
        Ok(token) => token,
        Err(error) => return told_outage(&api, None, &error),
    };
    // The page to show first if the person came for no particular page.
    let is_home = next.is_empty() || next == api.home();
    let next = match (is_home, entry.may(Act::Respond)) {
        (true, true) => api.home().to_owned(),
        (true, false) => format!("{}/board/oncall", api.prefix()),
        (false, _) => next,
    };
    let mut response = see(&next);
    if let Some(cookie) = session::cookie(&api, &token) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Ends the session of the person who was signed in.
pub(super) async fn sign_out(Here(api): Here, headers: HeaderMap) -> Response {
    if let Err(error) = session::end(&api, &headers).await {
        return told_outage(&api, None, &error);
    }
    let page = message(&api, None, StatusCode::OK, "You are signed out.");
    (session::forget(&api).map(|cookie| [cookie]), page).into_response()
}

/// The path, if it leads to this site. A path that begins with two slashes, or a slash and a backslash, would lead to
/// another host.
fn local(api: &Api, path: &str) -> String {
    let rest = path.strip_prefix(api.prefix()).unwrap_or_default();
    let is_plain = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let is_ours = path == api.home() || (rest.starts_with(['/', '?']) && path.starts_with('/'));
    if is_plain && is_ours && !path.starts_with("//") { path.to_owned() } else { api.home().to_owned() }
}
