//! Small values that all processes of a deployment share: secrets and sessions.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Outage;

/// The result of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Swapped {
    /// The new value is stored durably.
    Done,
    /// The current value was not the expected one. Nothing was changed.
    Changed,
}

/// Stores small values, each under a name.
///
/// The laws are tests in `inresponse-conformance`. Errors are only outages. Every method ends in bounded time.
#[async_trait]
pub trait Settings: Debug + Send + Sync + 'static {
    /// The value stored under that name, as any process last wrote it.
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Outage>;

    /// Replaces the value stored under that name if it is still `was` (`None`: if there is no value yet). The change is
    /// durable when the method returns.
    ///
    /// Comparison and change are one atomic step. A swap to the value that is already stored succeeds.
    async fn swap_setting(&self, name: &str, was: Option<&[u8]>, value: &[u8]) -> Result<Swapped, Outage>;
}
