//! The meaning of a server's replies.

mod outcome;
mod recipient;

use std::fmt::{self, Display};
use std::io;

pub(crate) use outcome::outcome;

/// The phase of an attempt in which an error occurred. The phases are in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The attempt is connecting: TCP, greeting, TLS, EHLO, AUTH.
    Connecting,
    /// MAIL was sent, which names the sender.
    Sender,
    /// RCPT was sent, which names the recipient.
    Recipient,
    /// DATA was sent, and the content until it is complete.
    Content,
    /// The end of the content was sent: the server may have the mail.
    HandedOver,
}

/// A reply of a server: its code, and its lines without the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) lines: Vec<String>,
}

/// The problem that occurred instead of the expected reply.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server refused the command.
    Refused(Reply),
    /// The server replied to something else: server and client are out of step.
    OutOfStep(Reply),
    /// The server did not reply in time.
    Silent,
    /// The reply could not be read, or the connection ended.
    Lost(String),
    /// The server accepts no non-ASCII addresses (RFC 6531), and the recipient's address is one.
    AsciiOnly,
}

impl Failure {
    /// A failure for an error of another library.
    pub(crate) fn unreadable(error: impl std::error::Error) -> Self {
        Failure::Lost(chain(&error))
    }

    /// Whether the server has closed the connection, is about to, or accepts no more mails on it (OpenSMTPD refuses the
    /// 101st with 452).
    pub(crate) fn is_farewell(&self) -> bool {
        match self {
            Failure::Refused(reply) => matches!(reply.code, 421 | 452),
            Failure::OutOfStep(_) | Failure::Silent | Failure::Lost(_) => true,
            Failure::AsciiOnly => false,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::unreadable(error)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(reply) => reply.fmt(f),
            Failure::OutOfStep(reply) => write!(f, "the mail server answered out of step: {}", reply.code),
            Failure::Silent => f.write_str("the mail server did not answer in time"),
            Failure::Lost(what) => f.write_str(what),
            Failure::AsciiOnly => f.write_str(
                "the mail server accepts only ASCII local parts (it does not offer SMTPUTF8, RFC 6531)",
            ),
        }
    }
}

impl std::error::Error for Failure {}

/// The text of an error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !told.contains(&cause_text) {
            told = format!("{told}: {cause_text}");
        }
        source = cause.source();
    }
    told
}

impl Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.lines.join(" "))
    }
}

impl Reply {
    /// The reply, unless it is a refusal.
    pub(crate) fn taken(self) -> Result<Self, Failure> {
        if self.code < 400 { Ok(self) } else { Err(Failure::Refused(self)) }
    }

    /// Expects a completion reply (2xx), as every command except DATA does.
    pub(crate) fn completed(self) -> Result<Self, Failure> {
        if self.code < 300 { Ok(self) } else { Err(Failure::OutOfStep(self)) }
    }

    /// Expects the reply that asks for the content (354, RFC 5321 section 4.1.1.4).
    pub(crate) fn goes_ahead(self) -> Result<(), Failure> {
        if self.code == 354 { Ok(()) } else { Err(Failure::OutOfStep(self)) }
    }

    /// The enhanced status code (RFC 3463): at the beginning of a line (RFC 2034), or after a `#` (qmail).
    fn status(&self) -> Option<Status> {
        let at_beginning = self.lines.iter().find_map(|line| Status::read(line));
        at_beginning.or_else(|| self.lines.iter().find_map(|line| Status::read(line.split_once('#')?.1)))
    }

    /// The text of all lines in lower case.
    fn text(&self) -> String {
        self.lines.join(" ").to_lowercase()
    }

    /// Whether the server asks the client to wait.
    ///
    /// The codes 421 and 452 (RFC 5321 section 4.2.3) mean that the server, not the mailbox, is too busy. Rate limits
    /// and greylisting use 4.7.x, Gmail uses 4.2.1 and 4.4.5, Exchange uses 4.3.2.
    fn asks_for_time(&self) -> bool {
        let busy = |status: Status| matches!(status.about(), (7, _) | (2, 1) | (3, 2) | (4, 5) | (5, 3));
        let says = |text: String| ["greylist", "graylist", "throttl"].iter().any(|word| text.contains(word));
        self.code < 500
            && (matches!(self.code, 421 | 452) || self.status().is_some_and(busy) || says(self.text()))
    }
}

/// An enhanced status code: class, subject, detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Status {
    class: u16,
    subject: u16,
    detail: u16,
}

impl Status {
    /// Reads the status at the beginning of a text.
    fn read(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut parts = text[..end].trim_end_matches('.').split('.').map(|part| match part.len() {
            1..=3 => part.parse::<u16>().ok(),
            _ => None,
        });
        let status = Self { class: parts.next()??, subject: parts.next()??, detail: parts.next()?? };
        (parts.next().is_none() && matches!(status.class, 2 | 4 | 5)).then_some(status)
    }

    /// The status without its class: subject and detail.
    fn about(self) -> (u16, u16) {
        (self.subject, self.detail)
    }
}
