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

/// The notifier cannot be made. The error contains neither the signing secret nor a channel's URL.
pub type WebhookError = ErrorOf<WebhookErrorKind>;
