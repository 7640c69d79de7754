//! The outcome of an attempt to reach somebody.

use std::time::Duration;

use super::{OutcomeKind, Receipt};

/// The outcome of one attempt to reach somebody. An outcome is a fact, never a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The carrier took responsibility for the message (SMTP: 250 after the final dot).
    Accepted,
    /// The carrier took responsibility for the message, and gave it a name by which it can be changed or withdrawn.
    AcceptedAs(Receipt),
    /// The carrier refused this recipient permanently: the delivery is dead. A refusal of the sender, the account or
    /// the message is [`Unavailable`](Outcome::Unavailable), because it would affect every recipient and can be
    /// corrected.
    Rejected {
        /// The carrier's answer.
        reason: String,
    },
    /// The carrier asks for a pause; the message was certainly not delivered.
    Throttled {
        /// The requested pause, limited to 30 s.
        after: Duration,
        /// The carrier's answer.
        reason: String,
    },
    /// A [limit](crate::notify::Limits) of this deployment held the message back before any carrier had it. Only the
    /// limits of a deployment give this outcome, never a notifier.
    Limited {
        /// When the limit allows the next message.
        after: Duration,
        /// The limit that was reached.
        reason: String,
    },
    /// The carrier could not be reached or could not accept the message now; the message was certainly not delivered.
    Unavailable {
        /// What went wrong.
        reason: String,
    },
    /// The message may have been delivered, for example if a reply never came.
    Unknown {
        /// What went wrong.
        reason: String,
    },
}

impl Outcome {
    /// An outcome with a permanent refusal of the recipient.
    pub fn rejected(reason: impl Into<String>) -> Self {
        Outcome::Rejected { reason: reason.into() }
    }

    /// An outcome of a carrier that could not accept the message now.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Outcome::Unavailable { reason: reason.into() }
    }

    /// An outcome of a message that may have been delivered.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Outcome::Unknown { reason: reason.into() }
    }

    /// An outcome of a carrier that asks for a pause.
    pub fn throttled(after: Duration, reason: impl Into<String>) -> Self {
        Outcome::Throttled { after, reason: reason.into() }
    }

    /// An outcome of a message that a limit of this deployment held back.
    pub fn limited(after: Duration, reason: impl Into<String>) -> Self {
        Outcome::Limited { after, reason: reason.into() }
    }

    /// The outcome without a receipt, for messages that no later message may replace.
    pub fn without_receipt(self) -> Self {
        match self {
            Outcome::AcceptedAs(_) => Outcome::Accepted,
            Outcome::Accepted
            | Outcome::Rejected { .. }
            | Outcome::Throttled { .. }
            | Outcome::Limited { .. }
            | Outcome::Unavailable { .. }
            | Outcome::Unknown { .. } => self,
        }
    }

    /// The carrier's name for the message, if it gave one.
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Outcome::AcceptedAs(receipt) => Some(receipt),
            Outcome::Accepted
            | Outcome::Rejected { .. }
            | Outcome::Throttled { .. }
            | Outcome::Limited { .. }
            | Outcome::Unavailable { .. }
            | Outcome::Unknown { .. } => None,
        }
    }

    /// The kind of the outcome.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Outcome::Accepted | Outcome::AcceptedAs(_) => OutcomeKind::Accepted,
            Outcome::Rejected { .. } => OutcomeKind::Rejected,
            Outcome::Throttled { .. } => OutcomeKind::Throttled,
            Outcome::Limited { .. } => OutcomeKind::Limited,
            Outcome::Unavailable { .. } => OutcomeKind::Unavailable,
            Outcome::Unknown { .. } => OutcomeKind::Unknown,
        }
    }

    /// The carrier's answer or the problem; empty if the message was accepted.
    pub fn reason(&self) -> &str {
        match self {
            Outcome::Accepted | Outcome::AcceptedAs(_) => "",
            Outcome::Rejected { reason }
            | Outcome::Throttled { reason, .. }
            | Outcome::Limited { reason, .. }
            | Outcome::Unavailable { reason }
            | Outcome::Unknown { reason } => reason,
        }
    }
}
