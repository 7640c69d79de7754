//! The contract of every notifier, and helpers to use several.

mod alert;
mod bundle;
mod channel;
mod limits;
mod meter;
mod nobodys;
mod notice;
mod notices;
mod reached;
mod router;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

pub use alert::{Alert, Occasion};
pub use bundle::{Bundle, NotifyBundle, OfService};
pub use channel::{CameBack, Channel, Linking, Reply};
pub use limits::{ChannelLimits, Limits, Window};
pub use notice::Notice;
pub use notices::{Noticed, TakeNotices};
pub use reached::LastTest;
pub use router::Notifiers;

use crate::model::Contact;
pub use crate::model::Outcome;

/// A way to reach people, for one or more schemes of contacts.
///
/// Each [`Outcome`] makes a promise:
///
/// - [`Accepted`](Outcome::Accepted): the carrier took responsibility for the message.
/// - [`Rejected`](Outcome::Rejected): the carrier refused this recipient permanently. The delivery is dead.
/// - [`Throttled`](Outcome::Throttled): the carrier asks for a pause, and the message was certainly not delivered.
/// - [`Unavailable`](Outcome::Unavailable): the carrier could not be reached or could not accept the message now, and the
///   message was certainly not delivered.
/// - [`Unknown`](Outcome::Unknown): the message may have been delivered.
///
/// The laws are tests in `inresponse-conformance`: run them on your notifier. `Arc<N>` and `Box<N>` are notifiers if `N` is
/// one.
#[async_trait]
pub trait Notifier: Debug + Send + Sync + 'static {
    /// Makes **one** attempt to send `alert` to its contact, and returns its [`Outcome`].
    ///
    /// The notifier never retries: the engine counts attempts durably before they are made. The method returns within
    /// `deadline`. If the outcome is not known by then, it returns [`Outcome::Unknown`], or [`Outcome::Unavailable`] if
    /// the message was certainly not handed over. The deadline is long (two minutes by default), because some carriers
    /// are slow. So a notifier must set its own limits for quick steps such as a connect. The engine drops the future a
    /// little after the deadline, or earlier if it cannot renew its lease, and counts that as unknown. A panic also
    /// counts as unknown. The message contains [`Alert::delivery_id`], so that a recipient can recognise a repeat.
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome;

    /// Whether the notifier can try to reach a contact of its scheme, as far as it knows without an attempt.
    ///
    /// By default this is true for every contact. The HTTP API refuses to put contacts for which it is false into the
    /// roster. [`Engine::edit_roster`](crate::Engine::edit_roster) does not ask: there, ask
    /// [`Engine::can_reach`](crate::Engine::can_reach) before, or read the findings of the coverage check.
    fn reaches(&self, _contact: &Contact) -> bool {
        true
    }

    /// The part of the notifier that sends many alerts to the contact in one message (promise 23); `None` if it cannot.
    /// Then each alert is sent on its own, however many there are. By default there is no such part.
    fn bundler(&self, _contact: &Contact) -> Option<&dyn NotifyBundle> {
        None
    }
}
