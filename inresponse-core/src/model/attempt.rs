//! How an attempt to reach somebody ends.

use std::time::Duration;

use super::OutcomeKind;

/// How one attempt to reach somebody ended. A fact, never a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The carrier took responsibility for it (SMTP: 250 after the final dot).
    Accepted,
    /// The carrier refused this recipient for good: the delivery is dead. A refusal of the sender, the account or the
    /// message is [`Unavailable`](Outcome::Unavailable): every recipient would meet it, and it can be mended.
    Rejected {
        /// What the carrier said.
        reason: String,
    },
    /// The carrier asks to be given time; certainly not delivered.
    Throttled {
        /// How long it asks for; capped at 30 s.
        after: Duration,
        /// What the carrier said.
        reason: String,
    },
    /// The carrier could not be reached or could not take it now; certainly not delivered.
    Unavailable {
        /// What went wrong.
        reason: String,
    },
    /// It may have been delivered (a reply that never came).
    Unknown {
        /// What went wrong.
        reason: String,
    },
}

impl Outcome {
    /// A refusal for good.
    pub fn rejected(reason: impl Into<String>) -> Self {
        Outcome::Rejected { reason: reason.into() }
    }

    /// The carrier could not take it now.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Outcome::Unavailable { reason: reason.into() }
    }

    /// It may have been delivered.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Outcome::Unknown { reason: reason.into() }
    }

    /// The carrier asks for a pause.
    pub fn throttled(after: Duration, reason: impl Into<String>) -> Self {
        Outcome::Throttled { after, reason: reason.into() }
    }

    /// Its kind.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Outcome::Accepted => OutcomeKind::Accepted,
            Outcome::Rejected { .. } => OutcomeKind::Rejected,
            Outcome::Throttled { .. } => OutcomeKind::Throttled,
            Outcome::Unavailable { .. } => OutcomeKind::Unavailable,
            Outcome::Unknown { .. } => OutcomeKind::Unknown,
        }
    }

    /// What the carrier said or what went wrong; nothing if it was accepted.
    pub fn reason(&self) -> &str {
        match self {
            Outcome::Accepted => "",
            Outcome::Rejected { reason }
            | Outcome::Throttled { reason, .. }
            | Outcome::Unavailable { reason }
            | Outcome::Unknown { reason } => reason,
        }
    }
}
