//! Room for large messages, shared out.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The largest message, in bytes.
pub(super) const MAX_BYTES: usize = 1024 * 1024;
/// How many bytes of larger messages are here at once, from their arrival to their answer.
const ROOM: usize = 32 * MAX_BYTES;

/// Room for large messages. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM)))
    }
}

impl Room {
    /// Waits for that many bytes of room, and takes them.
    pub(super) async fn take(&self, bytes: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).acquire_many_owned(bytes).await.ok()
    }
}
