//! Why a notifier cannot be made.

use inresponse_core::ErrorOf;

/// The cause of the error.
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
pub type SmtpError = ErrorOf<SmtpErrorKind>;
