//! The signed-in person, known by a cookie that no script and no other site can use.

use axum::Extension;
use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use form_urlencoded::byte_serialize;
use inresponse_core::Outage;
use inresponse_core::model::Person;

use super::sessions::{LIFE, Look, Token};
use super::{message, see, told_outage};
use crate::Api;
use crate::caller::Caller;
use crate::doors::Door;
use crate::lanes::Lane;
use crate::refusals::Refusal;
use crate::site::Transport;

/// Proof that the person has signed in with a key that is still valid and has the scope.
#[derive(Debug)]
pub(crate) struct SignedIn {
    /// The name under which the person signed in.
    pub(crate) by: Person,
    /// The key with which the person signed in.
    pub(crate) caller: Caller,
    token: Token,
}

impl FromRequestParts<Api> for SignedIn {
    type Rejection = Response;

    /// Redirects a person who has not signed in to the sign-in page, and back afterwards. If the key lacks the scope,
    /// the page says so.
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Response> {
        let api = &api.nested_as(&parts.extensions);
        let Some(door) = Door::of_request(&parts.method, &parts.extensions) else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        let lead_to_sign_in = || {
            let looks = matches!(parts.method, Method::GET | Method::HEAD);
            let query = parts.uri.query().filter(|_| looks).map(|query| format!("?{query}"));
            let prefix = api.prefix();
            let here = match parts.uri.path() {
                "/" => api.home().to_owned(),
                path => format!("{prefix}{path}"),
            };
            let next = here + &query.unwrap_or_default();
            let next: String = byte_serialize(next.as_bytes()).collect();
            see(&format!("{prefix}/board/sign-in?next={next}"))
        };
        let token = token(api, &parts.headers).ok_or_else(lead_to_sign_in)?;
        let found = api.sessions().find(&token, Look::Now).await;
        let refused = || (Extension(Refusal::Session), lead_to_sign_in()).into_response();
        let (by, entry) = found.map_err(|e| told_outage(api, None, &e))?.ok_or_else(refused)?;
        if !entry.may(door.act) {
            let text = format!("You do not have access: {}.", entry.lacks(door.act));
            return Err(message(api, Some(&by), StatusCode::FORBIDDEN, &text));
        }
        Ok(Self { by, caller: Caller::from(&*entry), token })
    }
}

impl SignedIn {
    /// Whether the session is valid. The answer may be up to a second old.
    pub(super) async fn holds(&self, api: &Api) -> Result<bool, Outage> {
        Ok(api.sessions().find(&self.token, Look::OfLate).await?.is_some())
    }
}

/// The session in a request's cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// The session is valid: somebody has signed in.
    Known,
    /// The session has ended or never existed.
    Unknown,
    /// The request has no session cookie.
    Nothing,
}

/// Finds the session that a request shows.
pub(super) async fn shown(api: &Api, headers: &HeaderMap) -> Result<Shown, Outage> {
    let Some(token) = token(api, headers) else { return Ok(Shown::Nothing) };
    let found = api.sessions().find(&token, Look::Now).await?;
    Ok(if found.is_some() { Shown::Known } else { Shown::Unknown })
}

/// Who is signed in, for a page that everybody may see. The answer may be up to a second old.
pub(super) async fn reader(api: &Api, headers: &HeaderMap) -> Option<Person> {
    let found = api.sessions().find(&token(api, headers)?, Look::OfLate).await;
    found.ok().flatten().map(|(by, _)| by)
}

/// Ends the session of the signed-in person, if there is one.
pub(super) async fn end(api: &Api, headers: &HeaderMap) -> Result<(), Outage> {
    match token(api, headers) {
        Some(token) => api.sessions().end(&token).await,
        None => Ok(()),
    }
}

/// The lane of the signed-in person's key, as far as it is known.
pub(crate) fn lane(api: &Api, headers: &HeaderMap) -> Option<Lane> {
    let entry = api.sessions().guess(&token(api, headers)?)?;
    Some(entry.lane().clone())
}

/// The session token that a browser sends.
fn token(api: &Api, headers: &HeaderMap) -> Option<Token> {
    let name = cookie_name(api);
    let given = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        given.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(given, _)| *given == name)?;
    Token::read(value)
}

/// The `Set-Cookie` header that begins a session.
pub(super) fn cookie(api: &Api, token: &Token) -> Option<HeaderValue> {
    let mut cookie = HeaderValue::from_str(&set_cookie(api, &token.text(), LIFE.num_seconds())).ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

/// The `Set-Cookie` header that deletes the cookie.
pub(super) fn forget(api: &Api) -> Option<(HeaderName, HeaderValue)> {
    Some((SET_COOKIE, HeaderValue::from_str(&set_cookie(api, "", 0)).ok()?))
}

fn set_cookie(api: &Api, value: &str, seconds: i64) -> String {
    let secure = match api.site().transport {
        Transport::Https => "; Secure",
        Transport::Http => "",
    };
    let (name, path) = (cookie_name(api), api.home());
    format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// The name of the session cookie. Browsers accept the prefix `__Host-` only from this host, over TLS and for all its
/// paths, and `__Secure-` only over TLS (RFC 6265bis section 4.1.3). Under a path prefix, `__Secure-` is used, because
/// other programs on this host must not get the cookie.
fn cookie_name(api: &Api) -> &'static str {
    match (api.site().transport, api.prefix()) {
        (Transport::Https, "") => "__Host-inresponse",
        (Transport::Https, _) => "__Secure-inresponse",
        (Transport::Http, _) => "inresponse",
    }
}
