//! API keys: who may do what.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inresponse_core::InvalidInput;
use inresponse_core::model::{Person, ServiceName};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::Api;
use crate::lanes::Lane;
use crate::problem::Problem;
use crate::refusals::Refusal;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Report incidents.
    Report,
    /// Read and update incidents.
    Respond,
    /// Read and change the roster.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Scope; 3] = [Scope::Report, Scope::Respond, Scope::Admin];

    /// The word for it in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Report => "report",
            Scope::Respond => "respond",
            Scope::Admin => "admin",
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidInput;

    fn from_str(s: &str) -> Result<Self, InvalidInput> {
        let found = Self::ALL.into_iter().find(|scope| scope.as_str() == s);
        found.ok_or_else(|| InvalidInput::field("scopes", "must be report, respond or admin"))
    }
}

/// The SHA-256 hash of a key in lower-case hexadecimal, as configurations hold it.
pub fn hash_of(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A key's name, hash and scopes. The key itself is not kept.
#[derive(Clone)]
pub struct ApiKey {
    name: Person,
    hash: [u8; 32],
    scopes: Vec<Scope>,
    service: Option<ServiceName>,
    lane: Lane,
}

impl ApiKey {
    /// The fewest characters of a key that nobody guesses, if they are random.
    pub const MIN_CHARS: usize = 16;

    /// A key by its text, of which only the hash is kept.
    ///
    /// # Errors
    /// The name is none, or the key is empty. A program that reads keys from its settings refuses those that have fewer
    /// characters than [`MIN_CHARS`](Self::MIN_CHARS).
    pub fn from_plain(name: &str, key: &str, scopes: Vec<Scope>) -> Result<Self, InvalidInput> {
        if key.is_empty() {
            return Err(InvalidInput::field("key", "must not be empty"));
        }
        Ok(Self {
            name: Person::new(name)?,
            hash: Sha256::digest(key.as_bytes()).into(),
            scopes,
            service: None,
            lane: Lane::default(),
        })
    }

    /// A key by its hash, as [`hash_of`] makes it.
    ///
    /// # Errors
    /// The name is none, or the hash is not 64 hexadecimal digits.
    pub fn from_hash(name: &str, hash: &str, scopes: Vec<Scope>) -> Result<Self, InvalidInput> {
        let refused = || InvalidInput::field("hash", "must be a SHA-256 hash of 64 hexadecimal digits");
        let digits = hash.trim().as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(refused());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| refused())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| refused())?;
        }
        Ok(Self { name: Person::new(name)?, hash: bytes, scopes, service: None, lane: Lane::default() })
    }

    /// The same for one service: what other systems report with this key is about it, where they name none.
    ///
    /// PagerDuty's and Opsgenie's protocols never name one; there, as in PagerDuty, the key is the service's.
    #[must_use]
    pub fn of_service(mut self, service: ServiceName) -> Self {
        self.service = Some(service);
        self
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// The keys that are accepted.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    keys: Vec<ApiKey>,
}

impl Keys {
    /// These keys.
    pub fn new(keys: Vec<ApiKey>) -> Self {
        Self { keys }
    }

    /// The entry of a key. Takes as long whichever it is, and whether it is one at all.
    fn find(&self, key: &str) -> Option<&ApiKey> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut found = None;
        for entry in &self.keys {
            let same: Choice = entry.hash.ct_eq(&hash);
            if bool::from(same) {
                found = Some(entry);
            }
        }
        found
    }

    /// The lane of a key with which people sign in to the pages; `None` for any other.
    #[cfg(feature = "pages")]
    pub(crate) fn responder(&self, key: &str) -> Option<&Lane> {
        let responds = |scope: &Scope| matches!(scope, Scope::Respond | Scope::Admin);
        self.find(key).filter(|entry| entry.scopes.iter().any(responds)).map(|entry| &entry.lane)
    }

    /// The name of the key that a request shows in its head, if it shows one that is known.
    pub(crate) fn name(&self, headers: &HeaderMap) -> Option<String> {
        self.find(&sent_in(headers)?).map(|entry| entry.name.as_str().to_owned())
    }

    /// The lane of the key that a request shows in its head, if it shows one that is known.
    pub(crate) fn lane(&self, headers: &HeaderMap) -> Option<&Lane> {
        self.find(&sent_in(headers)?).map(|entry| &entry.lane)
    }
}

/// The scopes of which a route needs one, as a type.
pub(crate) trait Needs: Send + Sync + 'static {
    /// None: any key will do.
    const ANY_OF: &'static [Scope];
}

macro_rules! needs {
    ($($name:ident = $any_of:expr),*) => {
        $(
            #[derive(Debug)]
            pub(crate) struct $name;
            impl Needs for $name {
                const ANY_OF: &'static [Scope] = &$any_of;
            }
        )*
    };
}

needs!(
    ToReport = [Scope::Report],
    ToRespond = [Scope::Respond],
    ToAdminister = [Scope::Admin],
    ToRespondOrAdminister = [Scope::Respond, Scope::Admin],
    AnyKey = []
);

/// Proof that the request has a key with the scope that the route needs.
#[derive(Debug)]
pub(crate) struct Authorized<N> {
    /// The key's name.
    pub(crate) name: Person,
    /// The key's lane.
    pub(crate) lane: Lane,
    _needs: PhantomData<N>,
}

impl<N: Needs> FromRequestParts<Api> for Authorized<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let key = key_of(&parts.headers).ok_or_else(|| {
            unauthorized(&BEARER, "an API key is needed, in x-api-key or as Authorization: Bearer")
        })?;
        let entry = entry(api, key, N::ANY_OF, &BEARER)?;
        Ok(Self { name: entry.name.clone(), lane: entry.lane.clone(), _needs: PhantomData })
    }
}

const BEARER: [&str; 1] = ["Bearer realm=\"inresponse\""];
/// Amazon SNS sends the name and password of a URL only once it was asked for them.
const BEARER_OR_BASIC: [&str; 2] = [BEARER[0], "Basic realm=\"inresponse\""];

fn unauthorized(challenges: &[&'static str], detail: &str) -> Problem {
    let challenge = |problem: Problem, challenge: &&'static str| {
        problem.header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    };
    challenges.iter().fold(Problem::new(StatusCode::UNAUTHORIZED, detail), challenge)
}

/// The entry of a key that has one of the scopes, or any key's where there are none.
fn entry<'a>(
    api: &'a Api,
    key: &str,
    any_of: &[Scope],
    challenges: &[&'static str],
) -> Result<&'a ApiKey, Problem> {
    let entry = api
        .keys()
        .find(key)
        .ok_or_else(|| unauthorized(challenges, "the API key is not known").refused(Refusal::WrongKey))?;
    if any_of.is_empty() || any_of.iter().any(|scope| entry.scopes.contains(scope)) {
        return Ok(entry);
    }
    let scopes = any_of.iter().map(|scope| format!("`{}`", scope.as_str())).collect::<Vec<_>>().join(" or ");
    let detail = format!("the API key `{}` lacks the scope {scopes}", entry.name);
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

fn key_of(headers: &HeaderMap) -> Option<&str> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().ok();
    }
    authorization(headers, "bearer")
}

/// What follows a scheme in the header `Authorization`.
fn authorization<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (given, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then_some(key.trim())
}

/// A system that reports, by one of our keys with the scope to report, in whatever way it can send one.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    /// The key's name.
    pub(crate) name: Person,
    /// The service that the key is for.
    pub(crate) service: Option<ServiceName>,
    /// The key's lane.
    pub(crate) lane: Lane,
}

impl Sender {
    /// Who has that key.
    pub(crate) fn by_key(api: &Api, key: Option<&str>) -> Result<Self, Problem> {
        let key = key.ok_or_else(|| {
            unauthorized(
                &BEARER_OR_BASIC,
                "an API key is needed: in x-api-key, or in Authorization as Bearer, GenieKey, or the password of Basic",
            )
        })?;
        let entry = entry(api, key, &[Scope::Report], &BEARER_OR_BASIC)?;
        Ok(Self { name: entry.name.clone(), service: entry.service.clone(), lane: entry.lane.clone() })
    }
}

impl FromRequestParts<Api> for Sender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        Self::by_key(api, sent_in(&parts.headers).as_deref())
    }
}

/// The key in the head of a request, in whichever way a system can send one.
fn sent_in(headers: &HeaderMap) -> Option<String> {
    let key = key_of(headers).or_else(|| authorization(headers, "geniekey")).map(str::to_owned);
    key.or_else(|| password(headers))
}

/// The password of basic authentication; the name is the sender's own business.
fn password(headers: &HeaderMap) -> Option<String> {
    let decoded = STANDARD.decode(authorization(headers, "basic")?).ok()?;
    let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_text_whichever_way_it_was_configured() {
        let plain = ApiKey::from_plain("a", "correct horse", vec![Scope::Report]).unwrap();
        let hashed = ApiKey::from_hash("b", &hash_of("battery staple"), vec![]).unwrap();
        let keys = Keys::new(vec![plain, hashed]);
        let name = |key| keys.find(key).map(|k| k.name.as_str().to_owned());
        assert_eq!(name("correct horse").as_deref(), Some("a"));
        assert_eq!(name("battery staple").as_deref(), Some("b"));
        assert_eq!(name("staple"), None);
        assert!(!format!("{keys:?}").contains("horse"));
        assert!(ApiKey::from_plain("a", "", vec![]).is_err());
        assert!(ApiKey::from_hash("a", "xyz", vec![]).is_err());
    }
}
