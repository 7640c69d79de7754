//! The levels of an escalation.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A level of the escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// The `n`th level of the matrix; the on-call engineer is level 1.
    At(u16),
    /// The team's fallback, after all levels.
    Fallback,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Level::At(n) => n.fmt(f),
            Level::Fallback => f.write_str("fallback"),
        }
    }
}
