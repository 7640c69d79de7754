//! How people are reached: the contract of every notifier.

mod alert;
mod notices;
mod router;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

pub use alert::{Alert, Occasion};
pub use notices::{Noticed, TakeNotices};
pub use router::Notifiers;

use crate::model::Contact;

/// How one attempt to reach somebody ended. A fact, never a wish.
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
    /// The attempt was not begun: its lease was no longer good. Engines say this, notifiers never do.
    NotBegun {
        /// Why not.
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
}

/// A way to reach people, for one or more schemes of contacts.
///
/// The laws are tests in `inresponse-conformance`: run them on yours.
#[async_trait]
pub trait Notifier: Debug + Send + Sync + 'static {
    /// Makes **one** attempt to bring `alert` to its contact, and says how it ended.
    ///
    /// It never retries by itself: attempts are counted, durably, before they are made. It answers within
    /// `deadline`; when it cannot know by then, the answer is [`Outcome::Unknown`], or
    /// [`Outcome::Unavailable`] if certainly nothing was handed over. The deadline is long (two minutes unless the
    /// engine has another lease), since some carriers are slow: a notifier bounds a step that should be quick, such as
    /// a connect, by itself. The engine drops the future a little after the deadline, or before if it cannot renew its
    /// lease, and takes that as unknown, as it does a panic. The message carries [`Alert::delivery_id`], by which a
    /// recipient can tell a repeat.
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome;

    /// Whether a contact of its scheme is one that it can try to reach, as far as it knows without trying.
    ///
    /// What it cannot is refused where it would be written into the roster. Any, unless a notifier knows better.
    fn reaches(&self, _contact: &Contact) -> bool {
        true
    }
}
