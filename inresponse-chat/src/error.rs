//! The error of a notifier that cannot be made.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChatErrorKind {
    /// The URL of the API is invalid or not allowed.
    Url,
    /// A token or secret is invalid.
    Secret,
}

/// The error of a notifier that cannot be made. The error contains no token and no secret.
pub type ChatError = ErrorOf<ChatErrorKind>;
