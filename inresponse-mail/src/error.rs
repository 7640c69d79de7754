//! The error of a mail that cannot be made.

use std::error::Error as StdError;
use std::fmt;

use inresponse_core::notify::Outcome;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailErrorKind {
    /// The configured sender is invalid.
    Sender,
    /// The recipient's address is invalid.
    Recipient,
    /// The message cannot be built.
    Message,
}

/// A mail that cannot be made.
#[derive(Debug)]
pub struct MailError {
    kind: MailErrorKind,
    message: &'static str,
    source: Box<dyn StdError + Send + Sync>,
}

impl MailError {
    pub(crate) fn new(
        kind: MailErrorKind,
        message: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, message, source: source.into() }
    }

    /// The cause of the error.
    pub fn kind(&self) -> MailErrorKind {
        self.kind
    }

    /// The outcome of a send that failed with this error: *rejected* only if no mail can have this recipient's address.
    pub fn outcome(&self) -> Outcome {
        let reason = format!("{}: {}", self.message, self.source);
        match self.kind {
            MailErrorKind::Recipient => Outcome::rejected(reason),
            MailErrorKind::Sender | MailErrorKind::Message => Outcome::unavailable(reason),
        }
    }
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl StdError for MailError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
