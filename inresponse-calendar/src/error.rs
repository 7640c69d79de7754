//! Why bytes are not a calendar.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// Something else than a calendar: nothing at all, a web page, …
    NotACalendar,
    /// The beginning of a calendar without its end, or a calendar whose parts do not end where they should.
    Incomplete,
    /// More bytes, parts or levels than [`limits`](crate::limits) allow.
    TooLarge,
}

/// Bytes that cannot be read as a calendar.
///
/// The reader of a feed keeps the last good copy of it.
pub type ReadError = ErrorOf<ReadErrorKind>;
