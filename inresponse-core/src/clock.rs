//! The clock, the only source of time.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// The only source of time.
///
/// All other code gets the time as an argument. The trait has two clocks because a wall clock can jump. Stored times
/// are wall-clock times. Durations within one process are measured with the monotonic clock.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall-clock time, in UTC.
    fn now(&self) -> DateTime<Utc>;

    /// The time since some fixed point in the life of this process. The monotonic time never goes back.
    fn monotonic(&self) -> Duration;

    /// Returns when `duration` has passed on the monotonic clock. Cancel-safe.
    async fn sleep(&self, duration: Duration);
}

/// The instant in whole microseconds, the precision of every store.
pub(crate) fn to_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

/// That much after an instant; the end of time if there is no such instant.
pub(crate) fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// That much before an instant; the beginning of time if there is no such instant.
pub(crate) fn earlier(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_sub_signed(by)).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

#[cfg(feature = "runner")]
pub use system::SystemClock;

#[cfg(feature = "runner")]
mod system {
    use super::{Clock, DateTime, Duration, Utc, async_trait};

    /// The machine's clocks and tokio's timer.
    #[derive(Debug, Clone)]
    pub struct SystemClock {
        began: std::time::Instant,
    }

    impl SystemClock {
        /// A clock whose monotonic time begins now.
        #[allow(clippy::disallowed_methods, reason = "only this place reads the clock")]
        #[allow(clippy::new_without_default, reason = "two such clocks differ")]
        pub fn new() -> Self {
            Self { began: std::time::Instant::now() }
        }
    }

    #[async_trait]
    #[allow(clippy::disallowed_methods, reason = "only this place reads the clock")]
    impl Clock for SystemClock {
        fn now(&self) -> DateTime<Utc> {
            Utc::now()
        }

        fn monotonic(&self) -> Duration {
            self.began.elapsed()
        }

        async fn sleep(&self, duration: Duration) {
            tokio::time::sleep(duration).await;
        }
    }
}
