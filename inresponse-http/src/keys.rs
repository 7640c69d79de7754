//! API keys, and how a request sends its key.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inresponse_core::InvalidInput;
use inresponse_core::model::{KeyName, ServiceName};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::doors::Act;
#[cfg(feature = "pages")]
use crate::doors::{DOORS, Proof};
use crate::grant::Grant;
use crate::lanes::Lane;
use crate::scope::Scope;
use crate::verified::Verified;

/// The SHA-256 hash of a key in lower-case hexadecimal, as configurations contain it.
pub fn hash_of(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An API key: its name, hash and scopes. The key itself is not kept.
#[derive(Clone)]
pub struct ApiKey {
    name: KeyName,
    hash: [u8; 32],
    scopes: Vec<Scope>,
    service: Option<ServiceName>,
    lane: Lane,
}

impl ApiKey {
    /// The minimum length of a key, in characters. A random key of this length cannot be guessed.
    pub const MIN_CHARS: usize = 16;

    /// Makes an entry from the text of a key; only the hash is kept.
    ///
    /// # Errors
    /// The name is invalid, or the key is empty. A program that reads keys from its settings must refuse keys with
    /// fewer characters than [`MIN_CHARS`](Self::MIN_CHARS).
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
        if name.as_channel().is_some() {
            let message = format!("must not begin with `{}`: that stands for answers", KeyName::CHANNEL);
            return Err(InvalidInput::field("name", message));
        }
        Ok(Self { name, hash, scopes, service: None, lane: Lane::default() })
    }

    /// Makes an entry from the hash of a key, as [`hash_of`] returns it.
    ///
    /// # Errors
    /// The name is invalid, or the hash is not 64 hexadecimal digits.
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

    /// Gives the key the permissions that a configuration grants.
    #[must_use]
    pub fn granted(self, grant: Grant) -> Self {
        Self { scopes: grant.scopes, service: grant.service, ..self }
    }

    /// Restricts the key to one service: it reports only for that service and acts only on its incidents.
    ///
    /// Messages that other systems send with this key are about that service, even if they name another. The
    /// restriction does not apply to reading, nor to the scope `admin`.
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

/// The API keys that the server accepts. Clones share them, so a program that keeps a clone can
/// [replace](Self::replace) them while the server runs.
///
/// ```
/// use inresponse_http::{ApiKey, Keys, Scope};
///
/// let key = |text| ApiKey::from_plain("monitoring", text, vec![Scope::Report]);
/// let keys = Keys::new(vec![key("the key of last year")?]);
/// // The server gets a clone: `Api::new(engine, keys.clone())`.
/// keys.replace(vec![key("the key of this year")?]);
/// # Ok::<(), inresponse_core::InvalidInput>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Keys {
    current: Arc<RwLock<Arc<Accepted>>>,
}

/// The keys that are accepted until others replace them.
#[derive(Debug, Default)]
struct Accepted {
    keys: Vec<Arc<ApiKey>>,
    verified: Verified,
}

impl Accepted {
    fn new(keys: Vec<ApiKey>) -> Self {
        Self { verified: Verified::new(keys.len()), keys: keys.into_iter().map(Arc::new).collect() }
    }
}

impl Keys {
    /// Accepts these keys.
    pub fn new(keys: Vec<ApiKey>) -> Self {
        Self { current: Arc::new(RwLock::new(Arc::new(Accepted::new(keys)))) }
    }

    /// Accepts these keys from now on, and no others.
    ///
    /// A request that was let in before goes on. A session of the board ends with the key that began it. A key that stays
    /// keeps its share of the server: the requests that it already has in progress still count.
    pub fn replace(&self, mut keys: Vec<ApiKey>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        for key in &mut keys {
            if let Some(same) = current.keys.iter().find(|known| known.hash == key.hash) {
                key.lane = same.lane.clone();
            }
        }
        *current = Arc::new(Accepted::new(keys));
    }

    fn current(&self) -> Arc<Accepted> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Finds the entry of a key.
    ///
    /// The first search takes the same time for every key, known or unknown. Later searches for a known key take less, but
    /// only a caller that has the key can make them.
    pub(crate) fn find(&self, key: &str) -> Option<Arc<ApiKey>> {
        let accepted = self.current();
        let seal = accepted.verified.seal(key);
        if let Some(place) = accepted.verified.find(seal) {
            return accepted.keys.get(place).cloned();
        }
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut found = None;
        for (place, entry) in accepted.keys.iter().enumerate() {
            let same: Choice = entry.hash.ct_eq(&hash);
            if bool::from(same) {
                found = Some((place, entry));
            }
        }
        let (place, entry) = found?;
        accepted.verified.note(place, seal);
        Some(Arc::clone(entry))
    }

    /// The entry of a key, if people may sign in to the pages with it.
    #[cfg(feature = "pages")]
    pub(crate) fn signing_in(&self, key: &str) -> Option<Arc<ApiKey>> {
        let opens = |entry: &Arc<ApiKey>| {
            DOORS.iter().any(|door| door.proof == Proof::Session && entry.may(door.act))
        };
        self.find(key).filter(opens)
    }

    /// The keys with that name: two while a new key replaces an old one.
    #[cfg(feature = "pages")]
    pub(crate) fn named(&self, name: &KeyName) -> Vec<Arc<ApiKey>> {
        self.current().keys.iter().filter(|entry| entry.name == *name).cloned().collect()
    }

    /// The name of the key in a request's headers, if the key is known.
    pub(crate) fn name(&self, headers: &HeaderMap) -> Option<String> {
        self.find(&sent_in(headers)?).map(|entry| entry.name.as_str().to_owned())
    }

    /// The lane of the key in a request's headers, if the key is known.
    pub(crate) fn lane(&self, headers: &HeaderMap) -> Option<Lane> {
        self.find(&sent_in(headers)?).map(|entry| entry.lane.clone())
    }
}

impl ApiKey {
    /// The name of the key.
    pub(crate) fn name(&self) -> &KeyName {
        &self.name
    }

    /// The SHA-256 hash of the key.
    #[cfg(feature = "pages")]
    pub(crate) fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The service that the key is restricted to.
    pub(crate) fn service(&self) -> Option<&ServiceName> {
        self.service.as_ref()
    }

    /// The lane of the key.
    pub(crate) fn lane(&self) -> &Lane {
        &self.lane
    }

    /// Whether the key has a scope for that action.
    pub(crate) fn may(&self, act: Act) -> bool {
        let any_of = act.any_of();
        any_of.is_empty() || any_of.iter().any(|scope| self.scopes.contains(scope))
    }

    /// The error text for a key that lacks the scope for an action.
    pub(crate) fn lacks(&self, act: Act) -> String {
        format!("the API key `{}` lacks the scope {}", self.name, act.who())
    }
}

/// The key in the headers of a request, as clients of this API send it.
pub(crate) fn key_of(headers: &HeaderMap) -> Option<&str> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().ok();
    }
    authorization(headers, "bearer")
}

/// The part of the header `Authorization` after the scheme.
fn authorization<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (given, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then_some(key.trim())
}

/// The key in the headers of a request, in any form that a monitoring system may use.
pub(crate) fn sent_in(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let key = key_of(headers).or_else(|| authorization(headers, "geniekey")).map(Cow::Borrowed);
    key.or_else(|| password(headers).map(Cow::Owned))
}

/// The password of basic authentication. The user name is ignored.
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
        assert_eq!(name("battery staple").as_deref(), Some("b"), "a verified key is found again");
        assert_eq!(name("staple"), None);
        assert!(!format!("{keys:?}").contains("horse"));
        assert!(ApiKey::from_plain("a", "", vec![]).is_err());
        assert!(ApiKey::from_hash("a", "xyz", vec![]).is_err());
        assert!(ApiKey::from_plain(KeyName::LINK, "key", vec![]).is_err());
        assert!(ApiKey::from_plain("channel:sms", "key", vec![]).is_err());
    }

    #[test]
    fn replaced_keys_are_accepted_by_every_clone_and_the_old_ones_by_none() {
        let key = |name: &str| ApiKey::from_plain(name, &format!("the key of {name}"), vec![]).unwrap();
        let keys = Keys::new(vec![key("jo"), key("kim")]);
        let server = keys.clone();
        let name =
            |of: &str| server.find(&format!("the key of {of}")).map(|key| key.name.as_str().to_owned());
        let lane = || server.find("the key of kim").unwrap().lane.id();
        let before = lane();
        // Kim's key is at another place now, and jo's was verified before.
        assert_eq!(name("jo").as_deref(), Some("jo"));
        keys.replace(vec![key("lee"), key("kim")]);
        assert_eq!(["jo", "kim", "lee"].map(name), [None, Some("kim".to_owned()), Some("lee".to_owned())]);
        assert_eq!(lane(), before, "its requests in progress still count");
        keys.replace(Vec::new());
        assert_eq!(["jo", "kim", "lee"].map(name), [None, None, None]);
    }
}
