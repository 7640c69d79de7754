//! Each API key has a lane of its own, so that a storm under one key holds up nobody who has another.
//!
//! Two things are shared out. Places: how many requests are here at once, whatever they wait for. A lane may hold as
//! many as are free, so that one lane alone has half of them and each further one that is busy makes the share
//! smaller, but there is always room for who comes next. And turns: how many changes of a lane are in the store's
//! queue at once. The others wait in their own lane, so that a change of another lane finds a short queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use inresponse_core::Outage;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many requests are here at once; a lane alone has half of it.
pub(crate) const PLACES: usize = 2048;
/// How many changes of a lane are in the store's queue at once: as many wait for the disk together, and so long does a
/// change of another lane wait behind them.
pub(crate) const TURNS: usize = 16;
/// How long a change waits for its turn before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// The lane of a key; clones are the same lane.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    held: Arc<AtomicUsize>,
    turns: Arc<Semaphore>,
}

impl Default for Lane {
    fn default() -> Self {
        Self { held: Arc::default(), turns: Arc::new(Semaphore::new(TURNS)) }
    }
}

impl Lane {
    /// Waits until a change of this lane may be put into the store's queue.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, Outage> {
        match tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(Outage::retryable("too many changes of the same API key are waiting")),
        }
    }
}

/// The places of all lanes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    taken: Arc<AtomicUsize>,
}

/// A place in a lane, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    taken: Arc<AtomicUsize>,
    held: Arc<AtomicUsize>,
}

impl Places {
    /// A place in a lane, unless the lane has its share already.
    pub(crate) fn take(&self, lane: &Lane) -> Option<Place> {
        // Of several at once none sees more room than there is, and at worst one too many is refused.
        let taken = self.taken.fetch_add(1, Ordering::AcqRel);
        let held = lane.held.fetch_add(1, Ordering::AcqRel);
        let place = Place { taken: Arc::clone(&self.taken), held: Arc::clone(&lane.held) };
        (held < PLACES.saturating_sub(taken)).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.held.fetch_sub(1, Ordering::AcqRel);
        self.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(places: &Places, lane: &Lane) -> Vec<Place> {
        std::iter::from_fn(|| places.take(lane)).collect()
    }

    #[test]
    fn however_many_lanes_are_full_the_next_one_has_room() {
        let places = Places::default();
        let lanes: Vec<Lane> = (0..10).map(|_| Lane::default()).collect();
        let held: Vec<Vec<Place>> = lanes.iter().map(|lane| fill(&places, lane)).collect();
        let counts: Vec<usize> = held.iter().map(Vec::len).collect();
        assert_eq!(counts[..4], [PLACES / 2, PLACES / 4, PLACES / 8, PLACES / 16]);
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
        assert!(places.take(&lanes[0]).is_none());
        drop(held);
        assert_eq!(fill(&places, &lanes[0]).len(), PLACES / 2, "what was held is free again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_has_so_many_turns_and_another_lane_its_own() {
        let (busy, other) = (Lane::default(), Lane::default());
        let mut turns = Vec::new();
        for _ in 0..TURNS {
            turns.push(busy.turn().await.unwrap());
        }
        assert!(busy.turn().await.is_err(), "it waits, and not for ever");
        assert!(other.turn().await.is_ok());
        turns.pop();
        assert!(busy.turn().await.is_ok());
    }
}
