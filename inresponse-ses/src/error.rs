//! What can go wrong outside of a send.

use std::error::Error as StdError;
use std::fmt;

/// What is at fault.
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

/// A configuration that does not hold, or a message that SES cannot have written.
#[derive(Debug)]
pub struct SesError {
    kind: SesErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl SesError {
    pub(crate) fn new(kind: SesErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What is at fault.
    pub fn kind(&self) -> SesErrorKind {
        self.kind
    }
}

impl fmt::Display for SesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for SesError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}
