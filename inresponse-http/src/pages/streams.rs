//! Limits how many event streams are open at once, in total and for each key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use inresponse_core::model::KeyName;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One key may have this fraction of all streams: one in four.
const SHARE: usize = 4;

/// The streams that may be open. Clones share the limit.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    all: Arc<Semaphore>,
    of_a_key: usize,
    /// The open streams of each key. The map has no more entries than there are keys.
    by_key: Arc<Mutex<HashMap<KeyName, Arc<Semaphore>>>>,
}

/// A slot for one open stream. Dropping this value frees the slot.
#[derive(Debug)]
pub(super) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_key: OwnedSemaphorePermit,
}

impl Streams {
    /// Sets the maximum number of streams in total.
    pub(super) fn new(most: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            of_a_key: most.div_ceil(SHARE).min(Semaphore::MAX_PERMITS),
            by_key: Arc::default(),
        }
    }

    /// Takes a place for a stream of that key, if one is free.
    pub(super) fn take(&self, key: &KeyName) -> Option<Place> {
        let own = {
            // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
            let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
            let own = by_key.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.of_a_key)));
            Arc::clone(own)
        };
        let of_key = own.try_acquire_owned().ok()?;
        let of_all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Place { _of_all: of_all, _of_key: of_key })
    }
}
