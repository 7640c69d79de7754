//! A carrier's later reports on alerts that it had accepted.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Engine, Outage};

/// The result of a message that may be a carrier's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Noticed {
    /// An alert came back: its delivery is dead.
    Dead,
    /// The carrier's, and there was nothing to do.
    Nothing,
    /// It reads as the carrier's, but came from a topic that the deployment does not trust: nothing was done.
    Untrusted,
    /// Not the carrier's: it is handled like any other message of a topic.
    Foreign,
}

/// Handles messages that a mail carrier publishes to a topic. It gets every message with a verified signature before it
/// becomes an incident.
#[async_trait]
pub trait TakeNotices: Debug + Send + Sync + 'static {
    /// Handles the message, if it is the carrier's and `topic` is trusted.
    ///
    /// Anybody can publish to their own topic. A signature proves the topic of a message, not that the carrier wrote
    /// it.
    ///
    /// # Errors
    /// The store is unavailable: the sender must send the message again.
    async fn take(&self, engine: &Engine, topic: &str, message: &str) -> Result<Noticed, Outage>;
}
