//! Who made a change, and when.

use chrono::serde::ts_microseconds as micros;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Person, Unknown};

/// Who made a change, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The person who made the change.
    pub by: Person,
    /// When the change was made.
    #[serde(with = "micros")]
    pub at: DateTime<Utc>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Signature {
    pub(crate) fn new(by: Person, at: DateTime<Utc>) -> Self {
        Self { by, at, unknown: Unknown::default() }
    }
}
