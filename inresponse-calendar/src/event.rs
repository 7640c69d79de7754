//! What a calendar says about who is on call.

use chrono::{DateTime, Utc};
use jiff::Timestamp;

use crate::names::Names;
use crate::version::Version;

/// One occurrence of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it is over: the first instant that does not belong to it.
    pub to: DateTime<Utc>,
    /// The names of the people whom the event may be about, the likeliest first: its summary (without a `[L1]` at its
    /// beginning), the parts of the summary between `,`, `;`, `/`, `&` and `+`, the address and name of its only
    /// attendee, and the lines of its description.
    pub names: Vec<String>,
    /// The number in a `[L1]` at the beginning of its summary.
    pub priority: Option<u8>,
    /// What people call it: its summary, or else its UID.
    pub title: String,
    /// Its UID, which it shares with its other occurrences. It is empty if the calendar has none.
    pub uid: String,
}

impl Event {
    pub(crate) fn new(version: &Version, names: &Names, from: Timestamp, to: Timestamp) -> Option<Self> {
        let utc = |at: Timestamp| DateTime::from_timestamp(at.as_second(), 0);
        Some(Self {
            from: utc(from)?,
            to: utc(to)?,
            names: names.names.clone(),
            priority: names.priority,
            title: version.title.clone(),
            uid: version.uid.clone(),
        })
    }
}
