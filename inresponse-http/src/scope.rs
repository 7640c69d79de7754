//! Scopes: what an API key may do.

use std::str::FromStr;

use inresponse_core::InvalidInput;

/// A permission of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Report incidents.
    Report,
    /// Read and update incidents.
    Respond,
    /// Read and change the roster.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Scope; 3] = [Scope::Report, Scope::Respond, Scope::Admin];

    /// The name of the scope in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Report => "report",
            Scope::Respond => "respond",
            Scope::Admin => "admin",
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidInput;

    fn from_str(s: &str) -> Result<Self, InvalidInput> {
        let found = Self::ALL.into_iter().find(|scope| scope.as_str() == s);
        found.ok_or_else(|| InvalidInput::field("scopes", "must be report, respond or admin"))
    }
}
