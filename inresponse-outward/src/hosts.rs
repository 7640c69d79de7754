//! The internal hosts that may be reached.

use std::collections::BTreeSet;

use url::Host;

/// The internal hosts that may be reached, by name or address, also by plain `http:`.
///
/// Without an allowed host, nothing is sent by `http:` or to a loopback, private, link-local or metadata address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InternalHosts(BTreeSet<String>);

impl InternalHosts {
    /// No internal host.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows a host, by name or address.
    #[must_use]
    pub fn allow(mut self, host: &str) -> Self {
        self.0.insert(Host::parse(host).map_or_else(|_| host.to_ascii_lowercase(), |host| host.to_string()));
        self
    }

    /// Whether no host is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the host is allowed. An IPv6 address has no brackets.
    pub(crate) fn contains(&self, host: &str) -> bool {
        self.0.contains(host)
    }
}
