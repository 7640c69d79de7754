//! The configuration of the client: the server's URL, the API key and the timeout.

use std::fmt;
use std::time::Duration;

/// The configuration of the client: a server, the key to use with it, and how long to wait for it.
#[derive(Clone)]
pub struct ClientConfig {
    pub(crate) url: String,
    pub(crate) key: Option<String>,
    pub(crate) timeout: Duration,
}

impl ClientConfig {
    /// A configuration for the server at that URL, which may have a path: `https://alerts.example.org`,
    /// `https://example.execute-api.eu-central-1.amazonaws.com/prod`. By default a call may take 15 s, because the
    /// server gives up on a request after 10.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), key: None, timeout: Duration::from_secs(15) }
    }

    /// Sets the API key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the time limit of a call.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl fmt::Debug for ClientConfig {
    /// Shows everything except the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("url", &self.url)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
