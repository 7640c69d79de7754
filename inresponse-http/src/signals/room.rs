//! The memory for large messages, shared among senders.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The maximum size of a message, in bytes.
pub(super) const MAX_BYTES: usize = 1024 * 1024;
/// The maximum total size of large messages in memory, from their arrival to their answer.
const ROOM: usize = 32 * MAX_BYTES;

/// The memory for large messages. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM)))
    }
}

impl Room {
    /// Waits until that many bytes of memory are free, and takes them.
    pub(super) async fn take(&self, bytes: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).acquire_many_owned(bytes).await.ok()
    }
}
