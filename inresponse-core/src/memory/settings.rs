//! The settings in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::Outage;
use crate::settings::{Settings, Swapped};

/// The settings in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemorySettings {
    values: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl MemorySettings {
    /// Empty settings.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Settings for MemorySettings {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Outage> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        Ok(self.values.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    async fn swap_setting(&self, name: &str, was: Option<&[u8]>, value: &[u8]) -> Result<Swapped, Outage> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let now = values.get(name).map(Vec::as_slice);
        if now != was && now != Some(value) {
            return Ok(Swapped::Changed);
        }
        values.insert(name.to_owned(), value.to_vec());
        Ok(Swapped::Done)
    }
}
