//! The error of a notifier that cannot be made.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhoneErrorKind {
    /// The id of the account is invalid.
    AccountSid,
    /// The secret of the account is invalid.
    AuthToken,
    /// The sender is invalid.
    From,
    /// The URL of the API is invalid, or nothing may be sent there.
    ApiUrl,
    /// A number that is allowed is invalid.
    Number,
    /// A setting of a gateway is invalid.
    Gateway,
    /// This machine trusts no certificates.
    Certificates,
}

/// The error of a notifier that cannot be made. The error contains no secret.
pub type PhoneError = ErrorOf<PhoneErrorKind>;
