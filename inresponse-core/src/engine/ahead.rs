//! Remembers how far ahead the wall clock was when decisions were made.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

#[cfg(feature = "runner")]
use chrono::TimeDelta;
use chrono::{DateTime, Utc};

/// The largest lead of the wall clock over the monotonic clock at any reading.
///
/// A clock may jump ahead and back while the runner waits for a slow store. A decision made in between still has a time
/// in the future (promise 14).
#[derive(Debug)]
pub(super) struct Ahead {
    micros: AtomicI64,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { micros: AtomicI64::new(i64::MIN) }
    }
}

impl Ahead {
    /// Records that a decision uses this time.
    pub(super) fn note(&self, wall: DateTime<Utc>, monotonic: Duration) {
        self.micros.fetch_max(offset(wall, monotonic), Ordering::Relaxed);
    }

    /// How far the clock has gone back behind the farthest time that was recorded since the last call.
    #[cfg(feature = "runner")]
    pub(super) fn take(&self, wall: DateTime<Utc>, monotonic: Duration) -> TimeDelta {
        let now = offset(wall, monotonic);
        let farthest = self.micros.swap(now, Ordering::Relaxed).max(now);
        TimeDelta::microseconds(farthest.saturating_sub(now))
    }
}

fn offset(wall: DateTime<Utc>, monotonic: Duration) -> i64 {
    wall.timestamp_micros().saturating_sub(i64::try_from(monotonic.as_micros()).unwrap_or(i64::MAX))
}
