//! The queue of the writer: each share has its own line, and a batch is filled from all lines in turn.

use std::collections::{HashMap, VecDeque};

use inresponse_core::share::Share;

/// The limits of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// The maximum number of entries.
    pub(crate) entries: usize,
    /// The maximum number of bytes. One entry alone may be larger.
    pub(crate) bytes: usize,
}

/// Entries that wait, in the line of their share.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    lines: HashMap<Share, VecDeque<(usize, T)>>,
    /// The shares with waiting entries; the first one is next.
    turns: VecDeque<Share>,
    entries: usize,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self { lines: HashMap::new(), turns: VecDeque::new(), entries: 0 }
    }

    /// The number of entries that wait.
    pub(crate) fn len(&self) -> usize {
        self.entries
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The clients that have entries here. The share of the process itself is not one of them.
    pub(crate) fn clients(&self) -> impl Iterator<Item = Share> + '_ {
        self.turns.iter().copied().filter(|share| *share != Share::OWN)
    }

    /// Puts an entry of so many bytes at the end of its share's line.
    pub(crate) fn push(&mut self, share: Share, bytes: usize, entry: T) {
        let line = self.lines.entry(share).or_default();
        if line.is_empty() {
            self.turns.push_back(share);
        }
        line.push_back((bytes, entry));
        self.entries += 1;
    }

    /// Takes one entry of each share, and again, until the room is full or nobody waits. Within a share, the order stays
    /// as it is.
    pub(crate) fn take(&mut self, room: Room) -> Vec<T> {
        let mut taken = Vec::with_capacity(room.entries.min(self.entries));
        let mut bytes = 0;
        while taken.len() < room.entries
            && let Some(share) = self.turns.pop_front()
        {
            let Some(line) = self.lines.get_mut(&share) else { continue };
            let Some((of_entry, entry)) = line.pop_front() else { continue };
            if !taken.is_empty() && bytes + of_entry > room.bytes {
                line.push_front((of_entry, entry));
                self.turns.push_front(share);
                break;
            }
            bytes += of_entry;
            taken.push(entry);
            if line.is_empty() {
                self.lines.remove(&share);
            } else {
                self.turns.push_back(share);
            }
        }
        self.entries -= taken.len();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMY: Room = Room { entries: 64, bytes: usize::MAX };

    fn stormy(storm: Share) -> Queue<(Share, u32)> {
        let mut queue = Queue::new();
        (0..1000).for_each(|n| queue.push(storm, 1, (storm, n)));
        queue
    }

    #[test]
    fn p13_in_a_storm_of_one_share_an_entry_of_another_share_is_in_the_next_batch() {
        let (storm, other) = (Share::new(), Share::new());
        let mut queue = stormy(storm);
        assert_eq!(queue.take(ROOMY).len(), 64, "one share alone fills a batch");
        queue.push(other, 1, (other, 0));
        let batch = queue.take(Room { entries: 2, ..ROOMY });
        assert!(batch.contains(&(other, 0)), "{batch:?}");
        assert_eq!(queue.len(), 1000 - 64 - 1);
    }

    #[test]
    fn p13_all_shares_get_the_same_part_of_a_batch_and_each_keeps_its_order() {
        let shares: Vec<_> = (0..4).map(|_| Share::new()).collect();
        let mut queue = stormy(shares[0]);
        for share in &shares[1..] {
            (0..40).for_each(|n| queue.push(*share, 1, (*share, n)));
        }
        let batch = queue.take(ROOMY);
        for share in &shares {
            let of_it: Vec<u32> = batch.iter().filter(|(of, _)| of == share).map(|(_, n)| *n).collect();
            assert_eq!(of_it, (0..16).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_share_with_little_leaves_its_part_to_the_others_and_everything_is_taken_once() {
        let (storm, other) = (Share::new(), Share::new());
        let mut queue = stormy(storm);
        (0..3).for_each(|n| queue.push(other, 1, (other, n)));
        let batch = queue.take(ROOMY);
        assert_eq!(batch.iter().filter(|(of, _)| *of == storm).count(), 61);
        let mut rest = 0;
        while !queue.is_empty() {
            rest += queue.take(ROOMY).len();
        }
        assert_eq!((batch.len(), rest), (64, 1003 - 64));
        assert_eq!((queue.lines.len(), queue.turns.len()), (0, 0), "nothing of a share stays behind");
    }

    #[test]
    fn a_batch_is_bounded_by_bytes_but_never_empty() {
        let share = Share::new();
        let mut queue = Queue::new();
        [30, 5, 5, 5].into_iter().for_each(|bytes| queue.push(share, bytes, bytes));
        let room = Room { entries: 64, bytes: 10 };
        assert_eq!(queue.take(room), [30]);
        assert_eq!(queue.take(room), [5, 5]);
        assert_eq!(queue.take(room), [5]);
        assert!(queue.take(room).is_empty());
    }

    #[test]
    fn the_process_itself_is_no_client() {
        let client = Share::new();
        let mut queue = Queue::new();
        queue.push(Share::OWN, 1, ());
        assert_eq!(queue.clients().count(), 0);
        queue.push(client, 1, ());
        assert_eq!(queue.clients().collect::<Vec<_>>(), [client]);
    }
}
