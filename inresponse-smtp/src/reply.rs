//! What a server's replies mean.

use std::time::Duration;

use inresponse_core::notify::Outcome;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::{Response, Severity};

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

/// What came instead of the reply that was to come.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A refusal, or no reply.
    Error(Error),
    /// The server takes no addresses beyond ASCII (RFC 6531), and the recipient's is one.
    AsciiOnly,
    /// A reply to something else: the server and this side are out of step.
    OutOfStep(Response),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
}

impl Failure {
    /// Whether the server has hung up or is about to, or has had enough mails from this connection (OpenSMTPD
    /// refuses the 101st with 452).
    pub(crate) fn is_farewell(&self) -> bool {
        match self {
            Failure::Error(error) => error.status().is_none_or(|code| matches!(u16::from(code), 421 | 452)),
            Failure::OutOfStep(_) => true,
            Failure::AsciiOnly => false,
        }
    }
}

/// Completion (2xx), as after everything but DATA.
pub(crate) fn completed(response: Response) -> Result<(), Failure> {
    let is_completion = response.code().severity == Severity::PositiveCompletion;
    if is_completion { Ok(()) } else { Err(Failure::OutOfStep(response)) }
}

/// The go-ahead for the content (354, RFC 5321 section 4.1.1.4).
pub(crate) fn goes_ahead(response: Response) -> Result<(), Failure> {
    if response.has_code(354) { Ok(()) } else { Err(Failure::OutOfStep(response)) }
}

/// The outcome that a failure is, by how far the attempt had come.
///
/// | reply | after the connection stood |
/// |---|---|
/// | 530, 534, 535, 538 (RFC 4954 section 6) | unavailable: whoever must log in first is not the recipient |
/// | other 5xx | rejected |
/// | 421, 452, and 450 or 451 with an enhanced status of 4.7.x | throttled |
/// | other 4xx | unavailable |
/// | none, or no reply at all | unavailable, but unknown once the content is under way |
///
/// 421 and 452 (RFC 5321 section 4.2.3) say that the server, not the mailbox, has too much to do; 4.7.x
/// (RFC 3463) is what rate limits and greylisting use.
pub(crate) fn outcome(failure: &Failure, phase: Phase) -> Outcome {
    let error = match failure {
        Failure::Error(error) => error,
        Failure::AsciiOnly => {
            return Outcome::rejected("the mail server takes no addresses beyond ASCII (RFC 6531)");
        }
        Failure::OutOfStep(response) => {
            return no_reply(format!("the mail server answered out of step: {}", response.code()), phase);
        }
    };
    let reason = reason(error);
    let Some(code) = error.status() else { return no_reply(reason, phase) };
    if phase == Phase::Connecting {
        return Outcome::unavailable(reason);
    }
    match u16::from(code) {
        530 | 534 | 535 | 538 => Outcome::unavailable(reason),
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
