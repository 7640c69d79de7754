//! The laws of every [`Notifier`].
//!
//! The laws test one attempt and whether its outcome is true. So the harness must control the recipients' side: a local
//! server that can accept, refuse, hang, or take a message without an answer.

mod accepted;
mod bundle;
mod failing;
mod hanging;
mod post;

use std::future::Future;
use std::time::Duration;

use inresponse_core::model::Contact;
use inresponse_core::notify::Notifier;

pub use accepted::*;
pub use bundle::*;
pub use failing::*;
pub use hanging::*;

/// Makes the notifier under test, and controls all its recipients.
///
/// Recipients are identified by their contacts. Every recipient accepts alerts until its behaviour is changed.
pub trait NotifierHarness: Send + Sync {
    /// The notifier under test.
    type Notifier: Notifier;

    /// Makes a new notifier.
    fn notifier(&self) -> impl Future<Output = Self::Notifier> + Send;

    /// The address of the `n`th recipient, a different one for every `n`.
    fn contact(&self, n: usize) -> Contact;

    /// Makes `contact` behave like this from now on.
    ///
    /// The laws never call this with an excepted behaviour. If a behaviour cannot apply to a single recipient, such as
    /// an unreachable relay, it may apply to all recipients.
    fn behave(&self, contact: &Contact, behaviour: Behaviour) -> impl Future<Output = ()> + Send;

    /// The number of attempts for `contact` that reached the recipients' side, whatever their outcome.
    fn attempts(&self, contact: &Contact) -> impl Future<Output = usize> + Send;

    /// The messages that `contact` has received so far, in order, including those taken without a reply.
    fn arrived(&self, contact: &Contact) -> impl Future<Output = Vec<Arrival>> + Send;

    /// The secrets in the notifier's configuration that it must never show: passwords, tokens.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A behaviour of the recipients' side. To except a behaviour, give its word in brackets to the macro.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// The carrier takes the message and confirms it. Cannot be excepted.
    Accept,
    /// The carrier refuses this recipient permanently (`reject`).
    Reject,
    /// The carrier refuses permanently, but not because of this recipient: because of the sender, the account or the
    /// message (`refuse_sender`).
    RefuseSender,
    /// The carrier says that it cannot take the message now (`busy`).
    Busy,
    /// The carrier asks for a pause of [`Behaviour::PAUSE`] (`throttle`).
    Throttle,
    /// The carrier refuses connections (`unreachable`).
    Unreachable,
    /// The carrier accepts the connection, takes no message and never answers (`hang`).
    Hang,
    /// The carrier takes the message and keeps the connection open, but never answers (`take_and_hang`).
    TakeAndHang,
    /// The carrier takes the message and closes the connection without an answer (`take_and_close`).
    TakeAndClose,
}

impl Behaviour {
    /// The pause that [`Behaviour::Throttle`] asks for.
    pub const PAUSE: Duration = Duration::from_secs(7);
}

/// A message as its recipient received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The delivery id, read from where this carrier puts it (`X-InResponse-Delivery`).
    pub delivery_id: String,
    /// All text that the recipient reads, decoded.
    pub text: String,
}

/// The names of all laws, including those that may be excepted.
pub const LAWS: &[&str] = crate::__notifier_laws! { [crate::__names] [] };

/// The list of all laws of notifiers.
#[doc(hidden)]
#[macro_export]
macro_rules! __notifier_laws {
    ([$($then:tt)+] $arguments:tt) => {
        $($then)+! { $arguments
            always {
                p10_an_accepted_alert_has_arrived_once
                p10_every_attempt_bears_the_name_of_its_delivery
                alerts_at_once_do_not_mix
                any_text_arrives_as_one_message
                secrets_do_not_show_in_debug_output
                p23_a_bundle_arrives_as_one_message
            }
            reject {
                p09_a_refusal_for_good_is_rejected
                p13_a_refusal_is_its_recipients_only
                p23_a_refused_bundle_is_rejected
            }
            refuse_sender {
                p09_a_refusal_of_somebody_else_is_tried_again
                p23_a_bundle_whose_sender_is_refused_is_tried_again
            }
            busy {
                p09_a_busy_carrier_is_tried_once_and_is_not_dead
                p09_a_carrier_that_was_busy_is_reached_again
                p23_a_bundle_for_a_busy_carrier_is_tried_once_and_is_not_dead
            }
            throttle {
                p09_an_asked_for_pause_is_told
                p23_a_pause_that_is_asked_of_a_bundle_is_told
            }
            unreachable {
                p09_an_unreachable_carrier_is_unavailable
                p09_a_carrier_that_is_back_is_reached_again
                p23_a_bundle_for_an_unreachable_carrier_is_unavailable
            }
            hang {
                p13_a_silent_carrier_is_given_up_at_the_deadline
                p13_a_hanging_alert_delays_no_other
                p13_an_abandoned_alert_blocks_nothing
                p23_a_bundle_for_a_silent_carrier_is_given_up_at_the_deadline
            }
            take_and_hang {
                p10_a_reply_that_does_not_come_is_unknown
            }
            take_and_close {
                p10_a_lost_reply_is_unknown_and_not_tried_again
                p09_a_carrier_whose_reply_was_lost_is_reached_again
                p23_a_bundle_whose_reply_is_lost_is_unknown
            }
        }
    };
}
