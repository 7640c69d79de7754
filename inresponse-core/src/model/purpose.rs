//! What a delivery is for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Level;

/// What a delivery is for: to alert somebody, to call somebody in, or to tell somebody who has the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub enum Purpose {
    /// An alert at that level.
    Alert(Level),
    /// The `n`th call for more people in a round: it alerts them although somebody may have the incident.
    CallIn(u16),
    /// The `n`th status update of a round.
    StatusUpdate(u16),
}

impl Purpose {
    /// The level of an alert; a call for more people and a status update belong to none.
    pub const fn level(self) -> Option<Level> {
        match self {
            Purpose::Alert(level) => Some(level),
            Purpose::CallIn(_) | Purpose::StatusUpdate(_) => None,
        }
    }

    /// Whether it is a status update, which alerts nobody.
    pub const fn is_status_update(self) -> bool {
        matches!(self, Purpose::StatusUpdate(_))
    }

    /// Whether it calls somebody in.
    pub const fn is_call_in(self) -> bool {
        matches!(self, Purpose::CallIn(_))
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Purpose::Alert(level) => level.fmt(f),
            Purpose::CallIn(_) => f.write_str("call-in"),
            Purpose::StatusUpdate(_) => f.write_str("status update"),
        }
    }
}

/// A purpose as records have always had it, in the field `level`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Stored {
    At(u16),
    Fallback,
    CallIn(u16),
    News(u16),
}

impl From<Stored> for Purpose {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::At(n) => Purpose::Alert(Level::At(n)),
            Stored::Fallback => Purpose::Alert(Level::Fallback),
            Stored::CallIn(n) => Purpose::CallIn(n),
            Stored::News(n) => Purpose::StatusUpdate(n),
        }
    }
}

impl From<Purpose> for Stored {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Alert(Level::At(n)) => Stored::At(n),
            Purpose::Alert(Level::Fallback) => Stored::Fallback,
            Purpose::CallIn(n) => Stored::CallIn(n),
            Purpose::StatusUpdate(n) => Stored::News(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_stored_under_the_names_that_they_have_always_had() {
        for (purpose, stored) in [
            (Purpose::Alert(Level::At(2)), r#"{"at":2}"#),
            (Purpose::Alert(Level::Fallback), r#""fallback""#),
            (Purpose::CallIn(1), r#"{"callIn":1}"#),
            (Purpose::StatusUpdate(3), r#"{"news":3}"#),
        ] {
            assert_eq!(serde_json::to_string(&purpose).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Purpose>(stored).unwrap(), purpose);
        }
    }
}
