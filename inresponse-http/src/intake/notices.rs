//! What a carrier tells later of alerts that it had accepted.

use std::fmt::Debug;

use async_trait::async_trait;
use inresponse_core::{Engine, Outage};

/// What became of a message that may be a carrier's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Noticed {
    /// An alert came back: its delivery is dead.
    Dead,
    /// The carrier's, and there was nothing to do.
    Nothing,
    /// Not the carrier's: it is told as whatever is published to a topic is.
    Foreign,
}

/// Takes what a carrier of mail tells through Amazon SNS. It is asked about every message that Amazon has signed,
/// before that becomes an incident.
#[async_trait]
pub trait TakeNotices: Debug + Send + Sync + 'static {
    /// Does what the message asks for, if it is the carrier's.
    ///
    /// # Errors
    /// The store is out of order: it is sent again.
    async fn take(&self, engine: &Engine, message: &str) -> Result<Noticed, Outage>;
}
