//! The error of a notifier that cannot be made.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmtpErrorKind {
    /// The server's URL is invalid.
    Url,
    /// The sender's address is invalid.
    Sender,
    /// This machine trusts no certificates.
    Certificates,
    /// The outbox folder cannot be used.
    Outbox,
    /// The server cannot be reached, or refuses.
    Server,
}

/// A notifier that cannot be made.
pub type SmtpError = ErrorOf<SmtpErrorKind>;
