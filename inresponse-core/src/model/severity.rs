//! The severity of an incident.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::InvalidInput;

/// The severity of an incident. The order is `Warn < Err < Crit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Somebody should have a look.
    Warn,
    /// Something is broken.
    Err,
    /// Users are affected now.
    Crit,
}

impl Severity {
    /// All severities, the lowest first.
    pub const ALL: [Severity; 3] = [Severity::Warn, Severity::Err, Severity::Crit];

    /// The name of the severity on the wire: `WARN`, `ERR`, `CRIT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Warn => "WARN",
            Severity::Err => "ERR",
            Severity::Crit => "CRIT",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = InvalidInput;

    fn from_str(s: &str) -> Result<Self, InvalidInput> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == s)
            .ok_or_else(|| InvalidInput::field("severity", "must be CRIT, ERR or WARN"))
    }
}
