//! Errors outside of a send.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SesErrorKind {
    /// The sender's address.
    Sender,
    /// The name of the configuration set.
    ConfigurationSet,
    /// The resource name of a topic.
    Topic,
    /// A message that should have come from SES.
    Notice,
}

/// An invalid configuration, or a message that SES cannot have written.
pub type SesError = ErrorOf<SesErrorKind>;
