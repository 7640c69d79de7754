//! Why bytes are not a calendar.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The bytes are not a calendar: they are empty, a web page, …
    NotACalendar,
    /// The end of the calendar is missing, or its parts do not end where they should.
    Incomplete,
    /// The calendar has more bytes, parts or levels than [`limits`](crate::limits) allow.
    TooLarge,
}

/// Bytes that cannot be read as a calendar.
///
/// The caller keeps the last good copy of the feed.
pub type ReadError = ErrorOf<ReadErrorKind>;
