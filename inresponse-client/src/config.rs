//! Which server, with which key.

use std::fmt;
use std::time::Duration;

/// A server, the key to use with it, and how long to wait for it.
#[derive(Clone)]
pub struct ClientConfig {
    pub(crate) url: String,
    pub(crate) key: Option<String>,
    pub(crate) timeout: Duration,
}

impl ClientConfig {
    /// The server whose API is at that URL, which may have a path: `https://alerts.example.org`,
    /// `https://example.execute-api.eu-central-1.amazonaws.com/prod`. A call may take 15 s: the server gives up on a
    /// request after 10.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), key: None, timeout: Duration::from_secs(15) }
    }

    /// The same with an API key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same with another time that a call may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl fmt::Debug for ClientConfig {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("url", &self.url)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
