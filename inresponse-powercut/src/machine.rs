//! What the processes of a machine share while it has power: locks and memory.

use std::cell::UnsafeCell;
use std::collections::BTreeMap;

/// The id of a file, which does not change with its name.
pub(crate) type FileId = usize;

/// The id of one opening of a file.
pub(crate) type Handle = u64;

/// The level of a lock on a file, in SQLite's numbers: unlocked, shared, reserved, pending, exclusive.
pub(crate) type Level = i32;

const SHARED: Level = 1;
const RESERVED: Level = 2;
const PENDING: Level = 3;
const EXCLUSIVE: Level = 4;

/// Another opening of the file holds the lock.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Busy;

/// The locks on all files.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    last: Handle,
    held: BTreeMap<(FileId, Handle), Level>,
}

impl Locks {
    pub(crate) fn handle(&mut self) -> Handle {
        self.last += 1;
        self.last
    }

    fn highest_other(&self, file: FileId, handle: Handle) -> Level {
        let of_file = self.held.range((file, Handle::MIN)..=(file, Handle::MAX));
        of_file.filter(|((_, holder), _)| *holder != handle).map(|(_, level)| *level).max().unwrap_or(0)
    }

    pub(crate) fn lock(&mut self, file: FileId, handle: Handle, level: Level) -> Result<(), Busy> {
        let own = self.held.get(&(file, handle)).copied().unwrap_or(0);
        let others = self.highest_other(file, handle);
        let most = match level {
            SHARED => RESERVED,
            RESERVED | PENDING => SHARED,
            _ => 0,
        };
        if own >= level {
            return Ok(());
        }
        if others > most {
            // Who waits for readers to go keeps new ones away.
            if level == EXCLUSIVE && others == SHARED {
                self.held.insert((file, handle), PENDING);
            }
            return Err(Busy);
        }
        self.held.insert((file, handle), level);
        Ok(())
    }

    pub(crate) fn unlock(&mut self, file: FileId, handle: Handle, level: Level) {
        if level == 0 {
            self.held.remove(&(file, handle));
        } else {
            self.held.insert((file, handle), level);
        }
    }

    pub(crate) fn is_reserved(&self, file: FileId, handle: Handle) -> bool {
        let own = self.held.get(&(file, handle)).copied().unwrap_or(0);
        own.max(self.highest_other(file, handle)) >= RESERVED
    }
}

/// The number of locks in a file's shared memory.
const SLOTS: usize = 8;

/// The shared memory of a database file.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// The regions of memory. The regions are boxed, because SQLite keeps pointers to them.
    regions: BTreeMap<(FileId, usize), Box<[UnsafeCell<u64>]>>,
    slots: BTreeMap<FileId, [Vec<(Handle, Hold)>; SLOTS]>,
}

/// How a lock in shared memory is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The lock is shared with others.
    Shared,
    /// The lock is held alone.
    Exclusive,
}

impl Shared {
    /// A region with that many bytes, which is created if it does not exist.
    pub(crate) fn region(&mut self, file: FileId, region: usize, bytes: usize) -> &[UnsafeCell<u64>] {
        let words = bytes.div_ceil(size_of::<u64>());
        self.regions.entry((file, region)).or_insert_with(|| (0..words).map(|_| UnsafeCell::new(0)).collect())
    }

    pub(crate) fn has_region(&self, file: FileId, region: usize) -> bool {
        self.regions.contains_key(&(file, region))
    }

    pub(crate) fn lock(
        &mut self,
        file: FileId,
        handle: Handle,
        range: std::ops::Range<usize>,
        hold: Hold,
    ) -> Result<(), Busy> {
        let slots = &mut self.slots.entry(file).or_default()[range];
        let in_the_way = |(holder, held): &(Handle, Hold)| {
            *holder != handle && (hold == Hold::Exclusive || *held == Hold::Exclusive)
        };
        if slots.iter().flatten().any(in_the_way) {
            return Err(Busy);
        }
        slots.iter_mut().for_each(|slot| slot.push((handle, hold)));
        Ok(())
    }

    pub(crate) fn unlock(&mut self, file: FileId, handle: Handle, range: std::ops::Range<usize>) {
        for slot in &mut self.slots.entry(file).or_default()[range] {
            slot.retain(|(holder, _)| *holder != handle);
        }
    }

    pub(crate) fn leave(&mut self, file: FileId, handle: Handle) {
        self.unlock(file, handle, 0..SLOTS);
    }

    /// Frees the memory of a file that nobody uses.
    pub(crate) fn forget(&mut self, file: FileId) {
        self.regions.retain(|(of, _), _| *of != file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writes_while_others_read_and_nobody_else_is_there_when_one_is_alone() {
        let mut locks = Locks::default();
        let (a, b) = (locks.handle(), locks.handle());
        assert_eq!((locks.lock(0, a, SHARED), locks.lock(0, b, SHARED)), (Ok(()), Ok(())));
        assert_eq!((locks.lock(0, a, RESERVED), locks.lock(0, b, RESERVED)), (Ok(()), Err(Busy)));
        assert_eq!(locks.lock(0, a, EXCLUSIVE), Err(Busy));
        locks.unlock(0, b, 0);
        assert_eq!((locks.lock(0, b, SHARED), locks.lock(0, a, EXCLUSIVE)), (Err(Busy), Ok(())));
        assert_eq!(locks.lock(1, b, EXCLUSIVE), Ok(()), "another file is another matter");
        locks.unlock(0, a, SHARED);
        assert_eq!((locks.lock(0, b, SHARED), locks.is_reserved(0, a)), (Ok(()), false));
    }

    #[test]
    fn a_slot_is_held_by_many_or_by_one_alone() {
        let mut shared = Shared::default();
        assert_eq!(shared.lock(0, 1, 0..1, Hold::Exclusive), Ok(()));
        assert_eq!(shared.lock(0, 2, 0..2, Hold::Shared), Err(Busy));
        assert_eq!(shared.lock(0, 2, 1..2, Hold::Shared), Ok(()));
        assert_eq!(shared.lock(0, 1, 1..2, Hold::Shared), Ok(()));
        assert_eq!(shared.lock(0, 3, 1..2, Hold::Exclusive), Err(Busy));
        shared.leave(0, 1);
        shared.leave(0, 2);
        assert_eq!(shared.lock(0, 3, 0..2, Hold::Exclusive), Ok(()));
    }
}
