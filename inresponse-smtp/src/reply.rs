//! What a server's replies mean.

use std::time::Duration;

use inresponse_core::notify::Outcome;
use lettre::transport::smtp::Error;

/// How long a server that asks for less is given.
const PAUSE: Duration = Duration::from_secs(10);

/// How far an attempt had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Connecting, greeting, TLS, AUTH: nothing is about the recipient.
    Connecting,
    /// MAIL, RCPT, DATA: the mail was not handed over.
    Offering,
    /// The content is under way, or its reply is awaited: the mail may have been handed over.
    HandingOver,
}

/// The outcome that an error is, by how far the attempt had come.
///
/// | reply | after the connection stood |
/// |---|---|
/// | 5xx | rejected |
/// | 421, 452, and 450 or 451 with an enhanced status of 4.7.x | throttled |
/// | other 4xx | unavailable |
/// | none, or no reply at all | unavailable, but unknown once the content is under way |
///
/// 421 and 452 (RFC 5321 section 4.2.3) say that the server, not the mailbox, has too much to do; 4.7.x
/// (RFC 3463) is what rate limits and greylisting use.
pub(crate) fn outcome(error: &Error, phase: Phase) -> Outcome {
    let reason = reason(error);
    let Some(code) = error.status() else { return no_reply(reason, phase) };
    if phase == Phase::Connecting {
        return Outcome::unavailable(reason);
    }
    match u16::from(code) {
        500..=599 => Outcome::rejected(reason),
        421 | 452 => Outcome::throttled(PAUSE, reason),
        450 | 451 if reason.contains("4.7.") => Outcome::throttled(PAUSE, reason),
        _ => Outcome::unavailable(reason),
    }
}

/// The outcome of an attempt that got no reply.
pub(crate) fn no_reply(reason: impl Into<String>, phase: Phase) -> Outcome {
    match phase {
        Phase::Connecting | Phase::Offering => Outcome::unavailable(reason),
        Phase::HandingOver => Outcome::unknown(reason),
    }
}

/// What the server said, or what went wrong.
fn reason(error: &Error) -> String {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !reason.contains(&cause_text) {
            reason = format!("{reason}: {cause_text}");
        }
        source = cause.source();
    }
    reason
}
