//! The error of a notifier that cannot be made.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushErrorKind {
    /// The URL of the service is invalid or not allowed.
    Url,
    /// The token is invalid.
    Token,
}

/// The error of a notifier that cannot be made. The error contains no token.
pub type PushError = ErrorOf<PushErrorKind>;
