//! A carrier's later reports on alerts that it had accepted.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Engine, Outage};

/// The result of a message that may come from a mail carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Noticed {
    /// An alert bounced: its delivery is dead.
    Dead,
    /// The message is from the carrier, and nothing needed to be done.
    Nothing,
    /// The message looks like one of the carrier, but came from a topic that the deployment does not trust. Nothing was
    /// done.
    Untrusted,
    /// The message is not from the carrier, and is handled like any other message of a topic.
    Foreign,
}

/// Handles the reports that a mail carrier publishes to a topic. The handler gets every message with a verified
/// signature before the message can become an incident.
#[async_trait]
pub trait TakeNotices: Debug + Send + Sync + 'static {
    /// Handles the message, if it is from the carrier and `topic` is trusted.
    ///
    /// Anybody can publish to their own topic. A signature proves the topic of a message, not that the carrier wrote
    /// it.
    ///
    /// # Errors
    /// The store is unavailable: the sender must send the message again.
    async fn take(&self, engine: &Engine, topic: &str, message: &str) -> Result<Noticed, Outage>;
}
