//! Why a notifier cannot be made.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookErrorKind {
    /// The secret to sign with.
    Secret,
    /// A channel's name or URL.
    Channel,
    /// The certificates that this machine trusts.
    Certificates,
}

/// A notifier that cannot be made. Holds no secret: neither what is signed with nor a channel's URL.
pub type WebhookError = ErrorOf<WebhookErrorKind>;
