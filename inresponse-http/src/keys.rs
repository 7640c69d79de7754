//! API keys: who may do what.

use std::fmt;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inresponse_core::model::{Incident, IncidentNumber, KeyName, Reporter, ServiceName};
use inresponse_core::{Engine, InvalidInput, Outage};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::Api;
use crate::doors::{Act, Door, Proof};
use crate::grant::Grant;
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
    name: KeyName,
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
        Self::new(name, Sha256::digest(key.as_bytes()).into(), scopes)
    }

    fn new(name: &str, hash: [u8; 32], scopes: Vec<Scope>) -> Result<Self, InvalidInput> {
        let name = KeyName::new(name)?;
        if name == KeyName::link() {
            let message = format!("must not be `{}`: that stands for the link in an alert", KeyName::LINK);
            return Err(InvalidInput::field("name", message));
        }
        Ok(Self { name, hash, scopes, service: None, lane: Lane::default() })
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
        Self::new(name, bytes, scopes)
    }

    /// The same with what a configuration grants it.
    #[must_use]
    pub fn granted(self, grant: Grant) -> Self {
        Self { scopes: grant.scopes, service: grant.service, ..self }
    }

    /// The same, restricted to one service: with this key one reports for it and acts on its incidents only.
    ///
    /// What other systems send with it is about that service, whatever they name. What is read is not restricted, nor
    /// what the scope to administer allows.
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

    /// The entry of a key with which people sign in to the pages.
    #[cfg(feature = "pages")]
    pub(crate) fn signing_in(&self, key: &str) -> Option<&ApiKey> {
        let opens = |entry: &&ApiKey| {
            crate::doors::DOORS.iter().any(|door| door.proof == Proof::Session && entry.may(door.act))
        };
        self.find(key).filter(opens)
    }

    /// The keys of that name: two while one takes the place of the other.
    #[cfg(feature = "pages")]
    pub(crate) fn named<'a, 'n>(
        &'a self,
        name: &'n KeyName,
    ) -> impl Iterator<Item = &'a ApiKey> + use<'a, 'n> {
        self.keys.iter().filter(move |entry| entry.name == *name)
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

impl ApiKey {
    /// Its name.
    #[cfg(feature = "pages")]
    pub(crate) fn name(&self) -> &KeyName {
        &self.name
    }

    /// Its SHA-256 hash.
    #[cfg(feature = "pages")]
    pub(crate) fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Whether it has a scope for that.
    pub(crate) fn may(&self, act: Act) -> bool {
        let any_of = act.any_of();
        any_of.is_empty() || any_of.iter().any(|scope| self.scopes.contains(scope))
    }

    /// Why it has not.
    pub(crate) fn lacks(&self, act: Act) -> String {
        format!("the API key `{}` lacks the scope {}", self.name, act.who())
    }
}

/// The caller of a request, with a key that has the scope for the door that it came through.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The key's name.
    pub(crate) key: KeyName,
    /// The service that the key is restricted to.
    pub(crate) service: Option<ServiceName>,
    /// The key's lane.
    pub(crate) lane: Lane,
}

impl Caller {
    /// Who shows that key at the door which a request came through.
    pub(crate) fn at(
        api: &Api,
        method: &Method,
        extensions: &Extensions,
        key: Option<&str>,
    ) -> Result<Self, Problem> {
        Self::at_door(api, door_of(method, extensions)?, key)
    }

    fn at_door(api: &Api, door: &Door, key: Option<&str>) -> Result<Self, Problem> {
        let (ways, challenges): (_, &[_]) = match door.proof {
            Proof::SendersKey | Proof::RoutingKey => (
                "in x-api-key, or in Authorization as Bearer, GenieKey, or the password of Basic",
                &BEARER_OR_BASIC,
            ),
            Proof::Key | Proof::KeyOrSession | Proof::Session | Proof::Link | Proof::Nothing => {
                ("in x-api-key or as Authorization: Bearer", &BEARER)
            }
        };
        let missing = || unauthorized(challenges, &format!("an API key is needed, {ways}"));
        let entry = api
            .keys()
            .find(key.ok_or_else(missing)?)
            .ok_or_else(|| unauthorized(challenges, "the API key is not known").refused(Refusal::WrongKey))?;
        if entry.may(door.act) {
            return Ok(entry.into());
        }
        Err(Problem::new(StatusCode::FORBIDDEN, entry.lacks(door.act)).by_key(entry.name.as_str()))
    }

    /// As what an incident tells by whom it was reported.
    pub(crate) fn reporter(&self) -> Reporter {
        Reporter::new(self.key.clone(), self.service.clone())
    }

    /// Whether an incident was reported with this key, or with one that is restricted to the same service.
    ///
    /// One that tells no key was stored before keys were, or was reported without one: it is told by its service alone.
    pub(crate) fn reported(&self, incident: &Incident) -> bool {
        match incident.reporter() {
            Some(reporter) => reporter.shares_with(&self.reporter()),
            None => self.service.as_ref().is_none_or(|own| own == incident.service()),
        }
    }

    /// Why it may not act on that incident, if so.
    pub(crate) async fn barred(
        &self,
        engine: &Engine,
        number: IncidentNumber,
    ) -> Result<Option<String>, Outage> {
        if self.service.is_none() {
            return Ok(None);
        }
        let found = engine.get(number).await?;
        Ok(found.and_then(|record| self.barred_from(record.incident.service())))
    }

    /// Why it may not act on what is of that service, if so.
    pub(crate) fn barred_from(&self, service: &ServiceName) -> Option<String> {
        let own = self.service.as_ref().filter(|own| *own != service)?;
        Some(format!("the API key `{}` is restricted to the service `{own}`", self.key))
    }
}

impl From<&ApiKey> for Caller {
    fn from(entry: &ApiKey) -> Self {
        Self { key: entry.name.clone(), service: entry.service.clone(), lane: entry.lane.clone() }
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let door = door_of(&parts.method, &parts.extensions)?;
        match door.proof {
            Proof::SendersKey => Self::at_door(api, door, sent_in(&parts.headers).as_deref()),
            Proof::Key
            | Proof::KeyOrSession
            | Proof::RoutingKey
            | Proof::Session
            | Proof::Link
            | Proof::Nothing => Self::at_door(api, door, key_of(&parts.headers)),
        }
    }
}

fn door_of(method: &Method, extensions: &Extensions) -> Result<&'static Door, Problem> {
    let fault = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "an internal error");
    Door::of_request(method, extensions).ok_or_else(fault)
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
        assert!(ApiKey::from_plain(KeyName::LINK, "key", vec![]).is_err());
    }
}
