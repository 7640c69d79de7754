//! Who is signed in: a key and a name, in one cookie that no script and no other site can use.

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::byte_serialize;
use inresponse_core::model::Person;

use super::{message, see};
use crate::Api;
use crate::doors::Door;
use crate::keys::{ApiKey, Caller};
use crate::site::Transport;

/// How long one stays signed in, in seconds: 30 days.
const LIFE: u32 = 30 * 24 * 3600;
/// The longest key that fits into a cookie with a name; browsers keep 4096 bytes (RFC 6265 section 6.1).
const MAX_KEY: usize = 2048;

/// Proof that whoever asks has signed in, with a key that still holds.
#[derive(Debug)]
pub(crate) struct SignedIn {
    /// Under which name.
    pub(crate) by: Person,
    /// With which key.
    pub(crate) caller: Caller,
}

impl FromRequestParts<Api> for SignedIn {
    type Rejection = Response;

    /// Whoever has not is led to sign in, and back afterwards. Whose key lacks the scope is told so.
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Response> {
        let api = &api.nested_as(&parts.extensions);
        let Some(door) = Door::of_request(&parts.method, &parts.extensions) else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        let (by, entry) = Self::entry(api, &parts.headers).ok_or_else(|| {
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
        })?;
        if !entry.may(door.act) {
            let text = format!("This is not for you: {}.", entry.lacks(door.act));
            return Err(message(api, Some(&by), StatusCode::FORBIDDEN, &text));
        }
        Ok(Self { by, caller: entry.into() })
    }
}

impl SignedIn {
    /// Who has signed in, if anybody.
    pub(crate) fn read(api: &Api, headers: &HeaderMap) -> Option<Self> {
        Self::entry(api, headers).map(|(by, entry)| Self { by, caller: entry.into() })
    }

    fn entry<'a>(api: &'a Api, headers: &HeaderMap) -> Option<(Person, &'a ApiKey)> {
        let name = cookie_name(api);
        let given = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            given.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(given, _)| *given == name)?;
        let (key, person) = value.split_once('.')?;
        let text = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        let entry = api.keys().signing_in(&text(key)?)?;
        Some((Person::new(text(person)?).ok()?, entry))
    }
}

/// The cookie of whoever signs in with that key, which must hold, under that name; `None` for a key that no cookie can
/// hold.
pub(super) fn cookie(api: &Api, key: &str, by: &Person) -> Option<HeaderValue> {
    let (key, by) = (Some(key).filter(|key| key.len() <= MAX_KEY)?, by.as_str());
    let value = format!("{}.{}", URL_SAFE_NO_PAD.encode(key), URL_SAFE_NO_PAD.encode(by));
    let mut cookie = HeaderValue::from_str(&set_cookie(api, &value, LIFE)).ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

/// Takes the cookie back.
pub(super) fn forget(api: &Api) -> Option<(axum::http::HeaderName, HeaderValue)> {
    Some((SET_COOKIE, HeaderValue::from_str(&set_cookie(api, "", 0)).ok()?))
}

fn set_cookie(api: &Api, value: &str, life: u32) -> String {
    let secure = match api.site().transport {
        Transport::Https => "; Secure",
        Transport::Http => "",
    };
    let (name, path) = (cookie_name(api), api.home());
    format!("{name}={value}; Path={path}; Max-Age={life}; HttpOnly; SameSite=Strict{secure}")
}

/// Browsers take the first one from nobody but this very host, over TLS and for all its paths, and the second one over
/// TLS (RFC 6265bis section 4.1.3). Under a prefix there are others on this host, who are not sent it.
fn cookie_name(api: &Api) -> &'static str {
    match (api.site().transport, api.prefix()) {
        (Transport::Https, "") => "__Host-inresponse",
        (Transport::Https, _) => "__Secure-inresponse",
        (Transport::Http, _) => "inresponse",
    }
}
