//! The sessions of signed-in people, stored for all servers.
//!
//! A session is a random token. The settings store a hash of the token, the typed name, the name of the key, and the
//! end of the session. The session is valid while that key is configured. Only the token can prove its link to the key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{KeyName, Person};
use inresponse_core::settings::{Settings, Swapped};
use inresponse_core::{Engine, Outage};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::keys::{ApiKey, Keys};

/// How long a session lasts.
pub(super) const LIFE: TimeDelta = TimeDelta::days(7);
/// The maximum number of sessions of a key. Another sign-in ends the session that would end first.
const MAX_OF_A_KEY: usize = 100;
/// How long a session that was found valid is trusted without another look, while the person only reads.
const KNOWN_FOR: Duration = Duration::from_secs(1);
/// The maximum number of times to retry a change that lost against another server's change.
const MAX_TRIES: usize = 8;

/// The browser's cookie: the name of the key and a random token.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    key: KeyName,
    secret: [u8; 32],
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Token {
    fn random(key: &KeyName) -> Result<Self, Outage> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|e| Outage::retryable("no random numbers").because(e))?;
        Ok(Self { key: key.clone(), secret })
    }

    /// The token as the value of a cookie.
    pub(super) fn text(&self) -> String {
        format!("{}.{}", URL_SAFE_NO_PAD.encode(self.key.as_str()), URL_SAFE_NO_PAD.encode(self.secret))
    }

    /// Reads a token from a browser's cookie.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (key, secret) = text.split_once('.')?;
        let key = String::from_utf8(URL_SAFE_NO_PAD.decode(key).ok()?).ok()?;
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        Some(Self { key: KeyName::new(key).ok()?, secret })
    }

    fn hash(&self, of: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(of).chain_update(self.secret).finalize().into()
    }

    /// The name under which the session is stored. The name does not reveal the token.
    fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.hash(b"inresponse session v1\0"))
    }

    /// A value that links the token to the key. The value does not reveal the key, not even to somebody who could guess
    /// it.
    fn tie(&self, entry: &ApiKey) -> String {
        URL_SAFE_NO_PAD.encode(self.hash(&entry.hash()))
    }
}

/// Reads a browser's cookie and writes it again.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_again(text: &str) -> Option<String> {
    Token::read(text).map(|token| token.text())
}

/// A session as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    id: String,
    tie: String,
    by: Person,
    #[serde(with = "chrono::serde::ts_seconds")]
    expires_at: DateTime<Utc>,
}

/// The sessions that this process knows.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    known: Mutex<Known>,
}

/// For each key name: the sessions as last read, and the time of reading on the monotonic clock.
type Known = HashMap<KeyName, (Duration, Arc<Vec<Kept>>)>;

/// How current the answer about a session must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The session is read from the settings now.
    Now,
    /// The answer may be up to a second old.
    OfLate,
}

fn name_of(key: &KeyName) -> String {
    format!("sessions:{key}")
}

/// Decodes the stored sessions of a key. Unreadable data counts as no session.
fn decode(value: Option<&[u8]>) -> Vec<Kept> {
    value.and_then(|value| serde_json::from_slice(value).ok()).unwrap_or_default()
}

impl Sessions {
    fn known(&self) -> MutexGuard<'_, Known> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A register of sessions that uses a server's clock, keys and settings.
    pub(crate) fn of<'a>(
        &'a self,
        engine: &'a Engine,
        keys: &'a Keys,
        settings: &'a dyn Settings,
    ) -> Register<'a> {
        Register { sessions: self, engine, keys, settings }
    }
}

/// The sessions of a server's keys, with the parts of the server that they need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Register<'a> {
    sessions: &'a Sessions,
    engine: &'a Engine,
    keys: &'a Keys,
    settings: &'a dyn Settings,
}

impl Register<'_> {
    fn remember(self, key: &KeyName, kept: Vec<Kept>) -> Arc<Vec<Kept>> {
        let kept = Arc::new(kept);
        let now = self.engine.clock().monotonic();
        self.sessions.known().insert(key.clone(), (now, Arc::clone(&kept)));
        kept
    }

    /// Begins a session for the person `by`, who has shown that key.
    pub(super) async fn begin(self, entry: &ApiKey, by: &Person) -> Result<Token, Outage> {
        let token = Token::random(entry.name())?;
        let now = self.engine.now();
        let expires_at = now.checked_add_signed(LIFE).unwrap_or(now);
        let new = Kept { id: token.id(), tie: token.tie(entry), by: by.clone(), expires_at };
        self.change(entry.name(), |kept| {
            kept.retain(|session| session.expires_at > now);
            kept.sort_by_key(|session| session.expires_at);
            let beyond = (kept.len() + 1).saturating_sub(MAX_OF_A_KEY);
            kept.drain(..beyond);
            kept.push(new.clone());
        })
        .await?;
        Ok(token)
    }

    /// Ends a session, here and on every other server.
    pub(super) async fn end(self, token: &Token) -> Result<(), Outage> {
        // No session is stored for a name that is not the name of a key, so the settings need not be read.
        if self.keys.named(&token.key).is_empty() {
            return Ok(());
        }
        let (now, id) = (self.engine.now(), token.id());
        self.change(&token.key, |kept| kept.retain(|s| s.expires_at > now && s.id != id)).await
    }

    async fn change(self, key: &KeyName, change: impl Fn(&mut Vec<Kept>)) -> Result<(), Outage> {
        let (settings, name) = (self.settings, name_of(key));
        for _ in 0..MAX_TRIES {
            let was = settings.setting(&name).await?;
            let mut kept = decode(was.as_deref());
            change(&mut kept);
            let value = serde_json::to_vec(&kept)
                .map_err(|e| Outage::permanent("sessions cannot be written").because(e))?;
            match settings.swap_setting(&name, was.as_deref(), &value).await? {
                Swapped::Done => {
                    self.remember(key, kept);
                    return Ok(());
                }
                Swapped::Changed => {}
            }
        }
        Err(Outage::retryable("too many people are signing in or out"))
    }

    /// The person and the key of a session, if it is still valid.
    pub(super) async fn find(
        self,
        token: &Token,
        look: Look,
    ) -> Result<Option<(Person, Arc<ApiKey>)>, Outage> {
        if self.keys.named(&token.key).is_empty() {
            return Ok(None);
        }
        let now = self.engine.clock().monotonic();
        let known = self.sessions.known().get(&token.key).cloned();
        let kept = match known {
            Some((at, kept)) if look == Look::OfLate && now.saturating_sub(at) < KNOWN_FOR => kept,
            Some(_) | None => {
                let value = self.settings.setting(&name_of(&token.key)).await?;
                self.remember(&token.key, decode(value.as_deref()))
            }
        };
        Ok(self.holder(token, &kept))
    }

    /// The key of a session, as far as this process knows it without asking the settings. The answer need not be exact.
    pub(super) fn guess(self, token: &Token) -> Option<Arc<ApiKey>> {
        let (_, kept) = self.sessions.known().get(&token.key).cloned()?;
        self.holder(token, &kept).map(|(_, entry)| entry)
    }

    fn holder(self, token: &Token, kept: &[Kept]) -> Option<(Person, Arc<ApiKey>)> {
        let (id, now) = (token.id(), self.engine.now());
        let same = |one: &str, other: &str| bool::from(one.as_bytes().ct_eq(other.as_bytes()));
        let session = kept.iter().find(|session| same(&session.id, &id))?;
        if session.expires_at <= now {
            return None;
        }
        let mut named = self.keys.named(&token.key).into_iter();
        let entry = named.find(|entry| same(&token.tie(entry), &session.tie))?;
        Some((session.by.clone(), entry))
    }
}
