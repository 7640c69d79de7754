//! Small values that all processes of a deployment share: secrets and sessions.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Outage;

/// What a swap did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Swapped {
    /// The value is the new one, durably.
    Done,
    /// The value was another than the one that was expected; nothing was changed.
    Changed,
}

/// Where small values are kept, each under a name.
///
/// The laws are tests in `inresponse-conformance`. Errors are outages only; every method ends in bounded time.
#[async_trait]
pub trait Settings: Debug + Send + Sync + 'static {
    /// The value of that name, as any process last wrote it.
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Outage>;

    /// Replaces the value of that name if it is still `was` (`None`: if there is no value yet). Durable when it
    /// returns.
    ///
    /// Comparison and change are one atomic step. A swap to the value that is already stored succeeds.
    async fn swap_setting(&self, name: &str, was: Option<&[u8]>, value: &[u8]) -> Result<Swapped, Outage>;
}
