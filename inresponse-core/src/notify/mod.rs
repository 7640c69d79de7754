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
pub use crate::model::Outcome;

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
