//! The last good copy of a calendar feed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The events of a feed as they were last read: promise 18.
///
/// A copy holds the events from 30 days before its reading to 400 days after it. Its age is stored elsewhere, because
/// it changes with every reading of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedCopy {
    /// The events, by their beginning.
    pub events: Vec<FeedEvent>,
    /// The parts of the calendar that could not be read, in words for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// An event of a feed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedEvent {
    /// When the event begins.
    pub from: DateTime<Utc>,
    /// When the event ends.
    pub to: DateTime<Utc>,
    /// Everything in the event that may name somebody: its summary and the parts of it, its attendee, its description.
    pub names: Vec<String>,
}

impl FeedCopy {
    /// The maximum length of a copy as it is stored, in bytes.
    pub const MAX_BYTES: usize = 300_000;
}
