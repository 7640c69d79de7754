//! Why a notifier cannot be made.

use std::error::Error as StdError;
use std::fmt;

/// What is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmtpErrorKind {
    /// The server's URL.
    Url,
    /// The sender's address.
    Sender,
    /// The certificates that this machine trusts.
    Certificates,
    /// The outbox folder.
    Outbox,
    /// The server: it cannot be reached, or refuses.
    Server,
}

/// A notifier that cannot be made.
#[derive(Debug)]
pub struct SmtpError {
    kind: SmtpErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl SmtpError {
    pub(crate) fn new(kind: SmtpErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What is at fault.
    pub fn kind(&self) -> SmtpErrorKind {
        self.kind
    }
}

impl fmt::Display for SmtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for SmtpError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}
