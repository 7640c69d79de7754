//! Keeps connections for the next mails.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::session::Session;

/// The maximum number of idle connections.
const MAX_IDLE: usize = 16;
/// How long an idle connection is kept. Servers commonly close it after a minute or more.
const MAX_IDLE_TIME: Duration = Duration::from_secs(20);
/// The maximum number of mails on one connection. OpenSMTPD refuses the 101st.
const MAX_MAILS: u32 = 90;

/// A connection, with its last use and its number of mails.
pub(crate) struct Kept {
    pub(crate) session: Session,
    mails: u32,
    idle_since: Duration,
}

impl Kept {
    pub(crate) fn new(session: Session) -> Self {
        Self { session, mails: 0, idle_since: Duration::ZERO }
    }
}

/// Idle connections, the one that was used last on top. Times are monotonic.
#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<Vec<Kept>>,
}

impl Pool {
    /// Takes an idle connection that is not too old.
    pub(crate) fn take(&self, now: Duration) -> Option<Kept> {
        let mut idle = self.idle();
        idle.retain(|kept| now.saturating_sub(kept.idle_since) < MAX_IDLE_TIME);
        idle.pop()
    }

    /// Keeps a connection on which a mail was just sent, unless it has sent too many.
    pub(crate) fn put(&self, mut kept: Kept, now: Duration) {
        kept.mails += 1;
        kept.idle_since = now;
        let mut idle = self.idle();
        if kept.mails < MAX_MAILS && idle.len() < MAX_IDLE {
            idle.push(kept);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Kept>> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
