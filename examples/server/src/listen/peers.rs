//! Open connections, and the choice of the one that is closed for a new one.
//!
//! The number of connections is limited, and any client can keep one open by sending a byte a second. So if all places
//! are taken, the server closes an old connection instead of refusing the new one. First it closes a connection that
//! sends a request slowly, reads an answer slowly or is idle: the one whose last activity is the oldest. Next is a
//! connection that has sent nothing yet, but not at once, because the first bytes take time. A request that has arrived
//! is answered first.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The number of connections that are examined to find one to close.
const LOOKED_AT: usize = 256;
/// How long a new connection may send nothing without risking its place.
pub(super) const FIRST_BYTE: Duration = Duration::from_millis(200);
/// The interval between attempts to find a connection to close.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// All connections.
#[derive(Debug)]
pub(super) struct Peers {
    most: usize,
    connected: Mutex<Connected>,
    /// Counts the activity on all connections, to find the connection whose last activity is the oldest.
    moves: Arc<AtomicU64>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Connected {
    peers: Vec<Arc<Peer>>,
    /// The index at which the search for a connection to close begins.
    hand: usize,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Peer {
    moves: Arc<AtomicU64>,
    moved: AtomicU64,
    phase: AtomicU8,
    answered: Notify,
    goes: CancellationToken,
}

/// The connection is new.
const NEW: u8 = 0;
/// The connection has sent nothing for a while.
const SILENT: u8 = 1;
/// A request is arriving, an answer is being sent, or the connection is idle.
const MOVING: u8 = 2;
/// A request has arrived completely, and its answer has not begun.
const HERE: u8 = 3;

impl Peer {
    /// Records that a byte was sent or received.
    pub(super) fn moved(&self) {
        self.moved.store(self.moves.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        if self.phase.load(Ordering::Relaxed) != HERE {
            self.phase.store(MOVING, Ordering::Relaxed);
        }
    }

    /// Records that a new connection has sent nothing for a while.
    pub(super) fn waited_for(&self) {
        let _it_sent_something =
            self.phase.compare_exchange(NEW, SILENT, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Records that the request has arrived completely.
    pub(super) fn arrived(&self) {
        self.phase.store(HERE, Ordering::Relaxed);
    }

    /// Records that the answer begins.
    pub(super) fn answered(&self) {
        self.phase.store(MOVING, Ordering::Relaxed);
        self.answered.notify_one();
    }

    /// Resolves when this connection must close and no request is waiting for its answer.
    pub(super) async fn must_go(&self) {
        self.goes.cancelled().await;
        while self.phase.load(Ordering::Relaxed) == HERE {
            self.answered.notified().await;
        }
    }

    /// The connection's rank: the lowest is closed first. `None`: it must not be closed.
    fn rank(&self) -> Option<(u8, u64)> {
        let moved = self.moved.load(Ordering::Relaxed);
        match self.phase.load(Ordering::Relaxed) {
            _ if self.goes.is_cancelled() => None,
            MOVING => Some((0, moved)),
            SILENT => Some((1, moved)),
            _ => None,
        }
    }
}

/// The place of a connection. Dropping this value frees the place.
#[derive(Debug)]
pub(super) struct Place {
    peers: Arc<Peers>,
    pub(super) peer: Arc<Peer>,
}

impl Peers {
    pub(super) fn new(most: usize) -> Arc<Self> {
        let (connected, moves, left) = (Mutex::default(), Arc::default(), Notify::new());
        Arc::new(Self { most: most.max(1), connected, moves, left })
    }

    /// Waits for a place for a new connection.
    pub(super) async fn take_in(self: &Arc<Self>) -> Place {
        loop {
            let left = self.left.notified();
            if let Some(place) = self.try_take_in() {
                return place;
            }
            let _looked_long_enough = tokio::time::timeout(LOOK_AGAIN, left).await;
        }
    }

    fn try_take_in(self: &Arc<Self>) -> Option<Place> {
        let mut connected = self.connected();
        if connected.peers.len() >= self.most {
            connected.let_one_go();
            return None;
        }
        let peer = Arc::new(Peer {
            moves: Arc::clone(&self.moves),
            moved: AtomicU64::new(self.moves.fetch_add(1, Ordering::Relaxed)),
            phase: AtomicU8::new(NEW),
            answered: Notify::new(),
            goes: CancellationToken::new(),
        });
        connected.peers.push(Arc::clone(&peer));
        Some(Place { peers: Arc::clone(self), peer })
    }

    fn connected(&self) -> MutexGuard<'_, Connected> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected {
    /// Closes one of the next candidates: the one that should be closed first. If none of these candidates may be
    /// closed, the other connections are examined.
    fn let_one_go(&mut self) {
        let many = self.peers.len();
        let (mut first, mut looked_at) = (None, 0);
        for i in 0..many {
            looked_at += 1;
            let peer = &self.peers[(self.hand + i) % many];
            if let Some(rank) = peer.rank()
                && first.as_ref().is_none_or(|(first, _)| rank < *first)
            {
                first = Some((rank, Arc::clone(peer)));
            }
            if looked_at >= LOOKED_AT && first.is_some() {
                break;
            }
        }
        if let Some((_, peer)) = first {
            peer.goes.cancel();
        }
        self.hand = (self.hand + looked_at) % many.max(1);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.peers.connected().peers.retain(|peer| !Arc::ptr_eq(peer, &self.peer));
        self.peers.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(peers: &Arc<Peers>) -> Vec<Place> {
        (0..peers.most).map(|_| peers.try_take_in().unwrap()).collect()
    }

    fn who_goes(peers: &Arc<Peers>, places: &[Place]) -> Vec<usize> {
        assert!(peers.try_take_in().is_none());
        (0..places.len()).filter(|i| places[*i].peer.goes.is_cancelled()).collect()
    }

    #[test]
    fn p13_the_connection_that_moved_longest_ago_goes() {
        let peers = Peers::new(3);
        let places = places(&peers);
        for i in [0, 1, 2, 0] {
            places[i].peer.moved();
        }
        assert_eq!(who_goes(&peers, &places), [1]);
        assert_eq!(who_goes(&peers, &places), [1, 2]);
        assert_eq!(who_goes(&peers, &places), [0, 1, 2]);
    }

    #[test]
    fn p13_a_connection_that_has_sent_nothing_yet_goes_last_and_not_at_once() {
        let peers = Peers::new(3);
        let places = places(&peers);
        places[2].peer.moved();
        places[2].peer.waited_for();
        assert_eq!(who_goes(&peers, &places), [2]);
        assert_eq!(who_goes(&peers, &places), [2], "the others have just connected");
        places[1].peer.waited_for();
        assert_eq!(who_goes(&peers, &places), [1, 2]);
    }

    #[tokio::test]
    async fn p13_a_request_that_has_arrived_is_answered_first() {
        let peers = Peers::new(2);
        let places = places(&peers);
        let [one, other] = [0, 1].map(|i| Arc::clone(&places[i].peer));
        one.moved();
        one.arrived();
        assert_eq!(who_goes(&peers, &places), [0; 0]);
        one.answered();
        assert_eq!(who_goes(&peers, &places), [0]);
        // It arrived in the moment in which it was chosen.
        other.moved();
        assert_eq!(who_goes(&peers, &places), [0, 1]);
        other.arrived();
        let mut going = std::pin::pin!(other.must_go());
        assert!(futures_util::poll!(going.as_mut()).is_pending());
        other.answered();
        going.await;
    }

    #[test]
    fn among_many_that_are_answered_the_one_that_is_not_is_found() {
        let many = 4 * LOOKED_AT;
        let peers = Peers::new(many);
        let places = places(&peers);
        for (i, place) in places.iter().enumerate() {
            place.peer.moved();
            if i != many - 3 {
                place.peer.arrived();
            }
        }
        assert_eq!(who_goes(&peers, &places), [many - 3]);
    }

    #[tokio::test]
    async fn a_waiting_connection_has_a_place_once_another_left() {
        let peers = Peers::new(1);
        let first = peers.take_in().await;
        first.peer.moved();
        let gone = Arc::clone(&first.peer);
        let leaving = tokio::spawn(async move {
            gone.must_go().await;
            drop(first);
        });
        let second = peers.take_in().await;
        leaving.await.unwrap();
        assert!(!second.peer.goes.is_cancelled());
    }
}
