//! The error of a client that cannot be made.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutwardErrorKind {
    /// This machine trusts no certificates.
    Certificates,
}

/// The error of a client that cannot be made.
pub type OutwardError = ErrorOf<OutwardErrorKind>;
