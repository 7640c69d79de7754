//! The outcome of an attempt that failed.

use std::time::Duration;

use inresponse_core::notify::Outcome;

use super::{Failure, Phase, recipient};

/// The pause for a server that asks the client to wait.
const PAUSE: Duration = Duration::from_secs(10);

/// The outcome of a failure. The table is in the documentation of the crate.
pub(crate) fn outcome(failure: &Failure, phase: Phase) -> Outcome {
    let reason = failure.to_string();
    match failure {
        Failure::Refused(reply) if reply.asks_for_time() => Outcome::throttled(PAUSE, reason),
        Failure::Refused(reply) if recipient::is_refused(reply, phase) => Outcome::rejected(reason),
        Failure::Refused(_) => Outcome::unavailable(reason),
        // No other attempt over this server can name that recipient.
        Failure::AsciiOnly => Outcome::rejected(reason),
        Failure::OutOfStep(_) | Failure::Silent | Failure::Lost(_) => match phase {
            Phase::Connecting | Phase::Sender | Phase::Recipient | Phase::Content => {
                Outcome::unavailable(reason)
            }
            Phase::HandedOver => Outcome::unknown(reason),
        },
    }
}
