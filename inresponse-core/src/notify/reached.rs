//! Remembers at which addresses a carrier has ever accepted a message.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::error::{Chain, Outage};
use crate::model::Contact;
use crate::settings::Settings;

/// The value of a stored row. Only its existence says something.
const REACHED: &[u8] = b"1";
/// The number of addresses that a process remembers. Beyond it, it asks the settings again.
const MOST: usize = 100_000;

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
        let name = name(contact);
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
        let name = name(contact);
        if self.known().contains(&name) {
            return Ok(true);
        }
        let is_reached = self.settings.setting(&name).await?.is_some();
        if is_reached {
            self.keep(name);
        }
        Ok(is_reached)
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

/// The name of the row of an address.
fn name(contact: &Contact) -> String {
    let hash = Sha256::digest(contact.as_str().as_bytes());
    hash[..16].iter().fold("reached-".to_owned(), |mut name, byte| {
        // Writing into a string does not fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}
