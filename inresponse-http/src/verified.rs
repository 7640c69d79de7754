//! Recognises keys that were verified before, without computing their SHA-256 hash again.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// The seals of verified keys: one for each key that the server accepts, so there are never more.
///
/// A seal is a hash of 128 bits under random keys of this process. So neither can anybody find another text with the same
/// seal, nor does a seal say what the key is. Other keys get other
/// seals, so a seal never becomes wrong.
#[derive(Default)]
pub(crate) struct Verified {
    random: [RandomState; 2],
    seals: Box<[OnceLock<Seal>]>,
}

/// The seal of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal([u64; 2]);

impl Verified {
    /// Has room for the seals of so many keys.
    pub(crate) fn new(keys: usize) -> Self {
        let seals = (0..keys).map(|_| OnceLock::new()).collect();
        Self { random: Default::default(), seals }
    }

    /// The seal of a text.
    pub(crate) fn seal(&self, key: &str) -> Seal {
        Seal([0, 1].map(|half: usize| self.random[half].hash_one(key)))
    }

    /// The place of the key with that seal, if it was verified before.
    pub(crate) fn find(&self, seal: Seal) -> Option<usize> {
        self.seals.iter().position(|known| known.get() == Some(&seal))
    }

    /// Records that the key at that place was verified.
    pub(crate) fn note(&self, place: usize, seal: Seal) {
        if let Some(known) = self.seals.get(place) {
            // Only the same seal can be there already.
            let _same = known.set(seal);
        }
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_once_it_was_verified_and_no_other_text_is() {
        let verified = Verified::new(2);
        let (known, other) = (verified.seal("known key"), verified.seal("other key"));
        assert_eq!(verified.find(known), None);
        verified.note(1, known);
        assert_eq!((verified.find(known), verified.find(other)), (Some(1), None));
        verified.note(7, other);
        assert_eq!(verified.find(other), None, "there is room for the accepted keys only");
    }

    #[test]
    fn another_server_has_other_seals() {
        assert!(Verified::new(1).seal("key") != Verified::new(1).seal("key"));
        assert!(!format!("{:?}", Verified::new(1)).contains("RandomState"));
    }
}
