//! Each API key has its own lane, so that a storm under one key does not delay other keys.
//!
//! Places and turns are shared among the lanes. *Places* limit concurrent requests, whatever they wait for. A lane may
//! use as many places as are free. So one lane alone gets half of them, and each further busy lane makes the share
//! smaller, but the next lane always finds room. *Turns* limit how many changes to a lane are in the store's queue at
//! once. The other changes wait in their own lane, so that a change to another lane finds a short queue. If no other
//! lane is busy, there are more turns, because changes that wait together are written together. A store that takes waiting
//! changes from all lanes in turn by itself needs no turns: there, each lane is a share of the store's queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use inresponse_core::Outage;
use inresponse_core::share::Share;
use inresponse_core::store::Queueing;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The maximum number of concurrent requests. A lane that is alone may use half of the places.
pub(crate) const PLACES: usize = 2048;
/// The turns of a lane that is alone: this many changes share one disk write.
pub(crate) const TURNS_ALONE: u32 = 64;
/// The turns of a lane while other lanes also have changes. A change to another lane waits for at most this many changes
/// of the lane.
pub(crate) const TURNS: u32 = 8;
/// The weight of a change that needs no turn.
const NO_TURN: u32 = 0;
/// How long a lane does not count as alone after a change to another lane.
const COMPANY: Duration = Duration::from_secs(1);
/// How long a request waits for a place, or a change for its turn, before it is refused. A client that is refused at
/// once tries again at once, and a refusal costs as much as an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The lane of a key. Clones are the same lane.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    held: Arc<AtomicUsize>,
    /// Notifies that a place of this lane became free.
    freed: Arc<Notify>,
    turns: Arc<Semaphore>,
    /// The number of permits of `turns` that one change takes.
    weight: Arc<AtomicU32>,
    /// The share of the store's queue.
    share: Share,
}

impl Default for Lane {
    fn default() -> Self {
        let turns = Arc::new(Semaphore::new(TURNS_ALONE as usize));
        Self {
            held: Arc::default(),
            freed: Arc::default(),
            turns,
            weight: Arc::new(AtomicU32::new(TURNS_ALONE / TURNS)),
            share: Share::new(),
        }
    }
}

impl Lane {
    /// The share of the store's queue in which changes of this lane wait.
    pub(crate) fn share(&self) -> Share {
        self.share
    }

    /// Waits until a change of this lane may be put into the store's queue. `None`: the store queues by share, so the
    /// change may go there at once.
    pub(crate) async fn turn(&self) -> Result<Option<OwnedSemaphorePermit>, Outage> {
        let weight = self.weight.load(Ordering::Relaxed);
        if weight == NO_TURN {
            return Ok(None);
        }
        match tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_many_owned(weight)).await {
            Ok(Ok(turn)) => Ok(Some(turn)),
            Ok(Err(_)) | Err(_) => Err(Outage::retryable("too many changes of the same API key are waiting")),
        }
    }

    /// The id of the lane, unique while the lane exists.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.held).addr()
    }
}

/// The places of all lanes, and the lane that changed something last.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    taken: Arc<AtomicUsize>,
    latest: Arc<Latest>,
    queueing: Queueing,
}

#[derive(Debug, Default)]
struct Latest {
    lane: AtomicUsize,
    /// The time until which the last lane is not alone, in microseconds of the monotonic clock.
    company_until: AtomicU64,
}

/// A place in a lane. Dropping this value frees the place.
#[derive(Debug)]
pub(crate) struct Place {
    taken: Arc<AtomicUsize>,
    held: Arc<AtomicUsize>,
    freed: Arc<Notify>,
}

impl Places {
    /// The places in front of a store that queues like this.
    pub(crate) fn before(queueing: Queueing) -> Self {
        Self { taken: Arc::default(), latest: Arc::default(), queueing }
    }

    /// Takes a place in a lane, unless the lane already has its share.
    pub(crate) fn take(&self, lane: &Lane) -> Option<Place> {
        // If several requests come at the same time, none of them sees too much room. At worst, one too many is
        // refused.
        let taken = self.taken.fetch_add(1, Ordering::AcqRel);
        let held = lane.held.fetch_add(1, Ordering::AcqRel);
        if held < PLACES.saturating_sub(taken) {
            let (taken, held) = (Arc::clone(&self.taken), Arc::clone(&lane.held));
            return Some(Place { taken, held, freed: Arc::clone(&lane.freed) });
        }
        lane.held.fetch_sub(1, Ordering::AcqRel);
        self.taken.fetch_sub(1, Ordering::AcqRel);
        None
    }

    /// Takes a place, like [`take`](Self::take), as soon as the lane has room.
    pub(crate) async fn take_soon(&self, lane: &Lane) -> Option<Place> {
        let soon = async {
            loop {
                let freed = lane.freed.notified();
                match self.take(lane) {
                    Some(place) => return place,
                    None => freed.await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, soon).await.ok()
    }

    /// Waits until the lane has room, and returns whether it has.
    pub(crate) async fn has_room_soon(&self, lane: &Lane) -> bool {
        // The place is given back at once. The request takes it when its body has arrived.
        self.take_soon(lane).await.is_some()
    }

    /// Records that a lane changes something; `now` is on the monotonic clock.
    pub(crate) fn changes(&self, lane: &Lane, now: Duration) {
        match self.queueing {
            Queueing::ByShare => return lane.weight.store(NO_TURN, Ordering::Relaxed),
            Queueing::InOrder => {}
        }
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let latest = &self.latest;
        if latest.lane.swap(lane.id(), Ordering::Relaxed) != lane.id() {
            latest.company_until.store(micros(now + COMPANY), Ordering::Relaxed);
        }
        let alone = latest.company_until.load(Ordering::Relaxed) <= micros(now);
        lane.weight.store(if alone { 1 } else { TURNS_ALONE / TURNS }, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.held.fetch_sub(1, Ordering::AcqRel);
        self.taken.fetch_sub(1, Ordering::AcqRel);
        self.freed.notify_one();
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
        let places = Places::before(Queueing::InOrder);
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
    async fn a_request_that_finds_its_lane_full_waits_for_a_place_and_not_forever() {
        let (places, lane) = (Places::before(Queueing::InOrder), Lane::default());
        let mut held = fill(&places, &lane);
        assert!(places.take_soon(&lane).await.is_none());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let (places, lane) = (places.clone(), lane.clone());
                tokio::spawn(async move { places.take_soon(&lane).await.is_some() })
            })
            .collect();
        tokio::task::yield_now().await;
        held.truncate(PLACES / 4);
        for waits in waiting {
            assert!(waits.await.unwrap());
        }
        assert!(places.has_room_soon(&lane).await);
        assert_eq!(lane.held.load(Ordering::Relaxed), PLACES / 4, "a reader keeps none");
    }

    async fn all_turns(lane: &Lane) -> Vec<OwnedSemaphorePermit> {
        let mut turns = Vec::new();
        while let Ok(turn) = lane.turn().await {
            turns.push(turn.unwrap());
        }
        turns
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_queues_by_share_needs_no_turns() {
        let (busy, other, places) = (Lane::default(), Lane::default(), Places::before(Queueing::ByShare));
        assert_ne!(busy.share(), other.share());
        places.changes(&busy, Duration::ZERO);
        let mut turns = Vec::new();
        for _ in 0..10 * TURNS_ALONE {
            turns.push(busy.turn().await.unwrap());
        }
        assert!(turns.iter().all(Option::is_none));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_has_so_many_turns_and_another_lane_its_own() {
        let (busy, other) = (Lane::default(), Lane::default());
        let mut turns = all_turns(&busy).await;
        assert_eq!(turns.len(), TURNS as usize);
        assert!(busy.turn().await.is_err(), "it waits, and not forever");
        assert!(other.turn().await.is_ok());
        turns.pop();
        assert!(busy.turn().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_has_more_turns_while_no_other_changes_anything() {
        let (busy, other, places) = (Lane::default(), Lane::default(), Places::before(Queueing::InOrder));
        let second = Duration::from_secs;
        places.changes(&busy, second(1));
        assert_eq!(all_turns(&busy).await.len(), TURNS as usize, "who was here before is not known");
        places.changes(&busy, second(2));
        let turns = all_turns(&busy).await;
        assert_eq!(turns.len(), TURNS_ALONE as usize);
        drop(turns);
        places.changes(&other, second(10));
        places.changes(&busy, second(10));
        assert_eq!(all_turns(&busy).await.len(), TURNS as usize);
        places.changes(&busy, second(10) + COMPANY - Duration::from_micros(1));
        assert_eq!(all_turns(&busy).await.len(), TURNS as usize);
        places.changes(&busy, second(11));
        assert_eq!(all_turns(&busy).await.len(), TURNS_ALONE as usize);
    }
}
