//! Remembers at which addresses a carrier has ever accepted a message.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::error::{Chain, Outage};
use crate::model::{Contact, OutcomeKind};
use crate::settings::Settings;

/// The value of a stored row. Only its existence says something.
const REACHED: &[u8] = b"1";
/// The number of addresses that a process remembers. Beyond it, it asks the settings again.
const MOST: usize = 100_000;

/// The result of the last test message to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastTest {
    /// When the test ended, in whole seconds.
    pub at: DateTime<Utc>,
    /// The kind of its outcome.
    pub outcome: OutcomeKind,
    /// How long it took, in whole milliseconds.
    pub took: Duration,
}

impl LastTest {
    fn written(&self) -> String {
        format!("{} {} {}", self.at.timestamp(), self.took.as_millis(), self.outcome.as_str())
    }

    /// `None` for a kind that this version does not know.
    fn read(stored: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(stored).ok()?.split(' ');
        let at = DateTime::from_timestamp(words.next()?.parse().ok()?, 0)?;
        let took = Duration::from_millis(words.next()?.parse().ok()?);
        let kinds = [
            OutcomeKind::Accepted,
            OutcomeKind::Rejected,
            OutcomeKind::Throttled,
            OutcomeKind::Limited,
            OutcomeKind::Unavailable,
            OutcomeKind::Unknown,
        ];
        let word = words.next()?;
        let outcome = kinds.into_iter().find(|kind| kind.as_str() == word)?;
        Some(Self { at, outcome, took })
    }

    /// Whether the test shows that messages do not arrive: a limit of the deployment does not.
    pub fn has_failed(&self) -> bool {
        !matches!(self.outcome, OutcomeKind::Accepted | OutcomeKind::Limited)
    }
}

/// Remembers at which addresses a carrier has ever accepted a message. Clones share their memory.
///
/// One row of the settings for each address, under a hash of the address.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    settings: Arc<dyn Settings>,
    known: Arc<Mutex<HashSet<String>>>,
}

impl Reached {
    pub(super) fn new(settings: Arc<dyn Settings>) -> Self {
        Self { settings, known: Arc::default() }
    }

    /// Remembers that a carrier accepted a message for the contact. If the settings are unavailable, the next message
    /// is remembered.
    pub(super) async fn note(&self, contact: &Contact) {
        let name = row_of("reached", contact);
        if self.known().contains(&name) {
            return;
        }
        // If there is a row already, it says the same.
        match self.settings.swap_setting(&name, None, REACHED).await {
            Ok(_) => self.keep(name),
            Err(error) => {
                tracing::debug!(error = %Chain::of(&error), "that an address was reached is not remembered");
            }
        }
    }

    /// Whether a carrier has ever accepted a message for the contact.
    pub(super) async fn has(&self, contact: &Contact) -> Result<bool, Outage> {
        let name = row_of("reached", contact);
        if self.known().contains(&name) {
            return Ok(true);
        }
        let is_reached = self.settings.setting(&name).await?.is_some();
        if is_reached {
            self.keep(name);
        }
        Ok(is_reached)
    }

    /// Keeps the result of a test message to the contact. If the settings are unavailable, the one before stays.
    pub(super) async fn keep_test(&self, contact: &Contact, test: LastTest) {
        let name = row_of("tested", contact);
        let kept = async {
            let was = self.settings.setting(&name).await?;
            self.settings.swap_setting(&name, was.as_deref(), test.written().as_bytes()).await
        };
        // If another process kept another result at the same time, either of them is the last.
        if let Err(error) = kept.await {
            tracing::debug!(error = %Chain::of(&error), "the result of a test is not kept");
        }
    }

    /// The result of the last test message to the contact.
    pub(super) async fn last_test(&self, contact: &Contact) -> Result<Option<LastTest>, Outage> {
        let stored = self.settings.setting(&row_of("tested", contact)).await?;
        Ok(stored.and_then(|stored| LastTest::read(&stored)))
    }

    fn keep(&self, name: String) {
        let mut known = self.known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(name);
    }

    fn known(&self) -> MutexGuard<'_, HashSet<String>> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of the row of an address, which does not tell the address.
pub(super) fn row_of(what: &str, contact: &Contact) -> String {
    let hash = Sha256::digest(contact.as_str().as_bytes());
    hash[..16].iter().fold(format!("{what}-"), |mut name, byte| {
        // Writing into a string does not fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}
