//! What a carrier tells later of alerts that it had accepted.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Engine, Outage};

/// What became of a message that may be a carrier's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Noticed {
    /// An alert came back: its delivery is dead.
    Dead,
    /// The carrier's, and there was nothing to do.
    Nothing,
    /// It reads as the carrier's, but came from a topic that the deployment does not trust: nothing was done.
    Untrusted,
    /// Not the carrier's: it is told as whatever is published to a topic is.
    Foreign,
}

/// Takes what a carrier of mail publishes to a topic. It is asked about every published message whose signature was
/// verified, before that becomes an incident.
#[async_trait]
pub trait TakeNotices: Debug + Send + Sync + 'static {
    /// Does what the message asks for, if it is the carrier's and `topic` is trusted.
    ///
    /// Anybody can publish to a topic of their own: a signature says from which topic a message comes, not that the
    /// carrier wrote it.
    ///
    /// # Errors
    /// The store is unavailable: the message is to be sent again.
    async fn take(&self, engine: &Engine, topic: &str, message: &str) -> Result<Noticed, Outage>;
}
