//! Connections that are kept.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::session::Session;

/// How many idle connections are kept.
const MAX_IDLE: usize = 16;
/// How long an idle one is kept; servers commonly hang up after a minute or more.
const MAX_IDLE_TIME: Duration = Duration::from_secs(20);
/// How many mails go over one; OpenSMTPD refuses the 101st.
const MAX_MAILS: u32 = 90;

/// A connection and what it has been used for.
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

/// Idle connections, the one last used on top. Times are monotonic.
#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<Vec<Kept>>,
}

impl Pool {
    /// An idle connection that is not too old.
    pub(crate) fn take(&self, now: Duration) -> Option<Kept> {
        let mut idle = self.idle();
        idle.retain(|kept| now.saturating_sub(kept.idle_since) < MAX_IDLE_TIME);
        idle.pop()
    }

    /// Keeps a connection over which a mail was just sent, unless it is worn out.
    pub(crate) fn put(&self, mut kept: Kept, now: Duration) {
        kept.mails += 1;
        kept.idle_since = now;
        let mut idle = self.idle();
        if kept.mails < MAX_MAILS && idle.len() < MAX_IDLE {
            idle.push(kept);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Kept>> {
        // Nothing panics while it holds the lock, so what a poisoned lock guards is whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
