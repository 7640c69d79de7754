//! The error of a notifier that cannot be made.

use inresponse_core::ErrorOf;
use inresponse_outward::OutwardError;

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

/// The error of a machine that trusts no certificates.
pub(crate) fn without_certificates(error: OutwardError) -> WebhookError {
    WebhookError::new(WebhookErrorKind::Certificates, error.to_string()).because(error)
}
