//! Handles later reports of SES.

use inresponse_core::engine::Bounced;
use inresponse_core::{Engine, Outage};

use crate::error::SesError;
use crate::notice::{Notice, read};

/// The effect of a message.
#[derive(Debug)]
#[must_use]
pub enum Taken {
    /// An alert bounced, and its delivery is now dead.
    Dead,
    /// Nothing needed to be done: the mail is not lost, was not an alert, or was already known to be lost.
    Nothing,
    /// SES did not write the message; a repeat would not help.
    Foreign(SesError),
}

/// Reads the `Message` of an SNS notification, as [`read`] does. If the recipient will not see an alert, its delivery
/// is marked as dead ([`Engine::bounced`]).
///
/// The function may be called any number of times with the same message. The caller has checked that SNS sent it.
///
/// # Errors
/// The store is unavailable. It is safe to call this function again.
pub async fn take(engine: &Engine, message: &[u8]) -> Result<Taken, Outage> {
    let alert = match read(message) {
        Ok(Notice::Alert(alert)) => alert,
        Ok(Notice::Foreign) => return Ok(Taken::Nothing),
        Err(error) => return Ok(Taken::Foreign(error)),
    };
    if !alert.fate.is_dead() {
        tracing::debug!(
            delivery = alert.delivery.as_str(),
            reason = alert.reason,
            "SES reported on an alert"
        );
        return Ok(Taken::Nothing);
    }
    Ok(match engine.bounced(alert.number, &alert.delivery, &alert.reason).await? {
        Bounced::Dead(_) => Taken::Dead,
        Bounced::Ignored(_) | Bounced::Absent => Taken::Nothing,
    })
}
