//! Why a notifier cannot be made.

use std::error::Error as StdError;
use std::fmt;

/// What is at fault.
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

/// A notifier that cannot be made. Holds no secret: neither what is signed with nor a channel's URL.
#[derive(Debug)]
pub struct WebhookError {
    kind: WebhookErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl WebhookError {
    pub(crate) fn new(kind: WebhookErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What is at fault.
    pub fn kind(&self) -> WebhookErrorKind {
        self.kind
    }
}

impl fmt::Display for WebhookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for WebhookError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}
