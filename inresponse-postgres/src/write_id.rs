//! The id of a write, by which a write that was already done is recognised.

/// The id of one write. It is random, so that no two writes on one incident have the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WriteId(i64);

impl WriteId {
    pub(crate) fn new() -> Self {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
        Self(i64::from_ne_bytes(bytes))
    }

    /// The value of the id in every column.
    pub(crate) fn value(self) -> i64 {
        self.0
    }
}
