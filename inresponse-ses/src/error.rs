//! Errors that occur outside of a send.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SesErrorKind {
    /// The sender's address is invalid.
    Sender,
    /// The name of the configuration set is invalid.
    ConfigurationSet,
    /// The resource name of a topic is invalid.
    Topic,
    /// A message that should come from SES cannot be read.
    Notice,
}

/// An invalid configuration, or a message that SES cannot have written.
pub type SesError = ErrorOf<SesErrorKind>;
