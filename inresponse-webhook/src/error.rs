//! The error of a notifier that cannot be made.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookErrorKind {
    /// The signing secret is invalid.
    Secret,
    /// A channel's name or URL is invalid.
    Channel,
    /// This machine trusts no certificates.
    Certificates,
}

/// The error of a notifier that cannot be made. The error contains neither the signing secret nor a channel's URL.
pub type WebhookError = ErrorOf<WebhookErrorKind>;
