//! A clock that moves only on command.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;

/// A clock that stands still until [`advance`](Self::advance) or [`jump`](Self::jump). Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug)]
struct Hands {
    wall: DateTime<Utc>,
    monotonic: Duration,
    sleepers: Vec<Waker>,
}

impl ManualClock {
    /// A clock that shows `wall` and does not move.
    pub fn at(wall: DateTime<Utc>) -> Self {
        let hands = Hands { wall, monotonic: Duration::ZERO, sleepers: Vec::new() };
        Self { hands: Arc::new(Mutex::new(hands)) }
    }

    /// Moves both clocks forward.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        hands.monotonic += by;
        hands.wall += TimeDelta::from_std(by).unwrap_or(TimeDelta::zero());
        let sleepers = std::mem::take(&mut hands.sleepers);
        drop(hands);
        sleepers.into_iter().for_each(Waker::wake);
    }

    /// Sets the wall clock, as an operator or a time server would. The monotonic clock does not change.
    pub fn jump(&self, to: DateTime<Utc>) {
        self.hands().wall = to;
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.hands().wall
    }

    fn monotonic(&self) -> Duration {
        self.hands().monotonic
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.monotonic().saturating_add(duration);
        poll_fn(|context| {
            let mut hands = self.hands();
            if hands.monotonic >= until {
                return Poll::Ready(());
            }
            hands.sleepers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
