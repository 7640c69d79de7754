//! The clocks that the engine decides by.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use super::ahead::Ahead;
use crate::clock::{Clock, to_micros};

/// The clock, and how far ahead it was at a decision.
#[derive(Debug)]
pub(super) struct Clocks {
    clock: Arc<dyn Clock>,
    ahead: Ahead,
}

impl Clocks {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ahead: Ahead::default() }
    }

    /// The wall clock. Somebody decides something by it.
    pub(super) fn now(&self) -> DateTime<Utc> {
        let now = to_micros(self.clock.now());
        self.ahead.note(now, self.clock.monotonic());
        now
    }

    /// Time that never goes back.
    pub(super) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Waits.
    pub(super) fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.clock.sleep(duration)
    }

    /// The clock itself.
    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// How far the wall clock has gone back behind the farthest that anybody decided by since the last call.
    #[cfg(feature = "runner")]
    pub(super) fn went_back_by(&self, wall: DateTime<Utc>, monotonic: Duration) -> chrono::TimeDelta {
        self.ahead.take(wall, monotonic)
    }
}
