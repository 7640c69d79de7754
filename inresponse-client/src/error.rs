//! What went wrong, and what that means.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use inresponse_api::{FieldProblem, Problem};

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientErrorKind {
    /// The URL or the key that the client was given does not hold, or this machine trusts no certificates.
    Config,
    /// No key, or none that the server knows (401), or one that may not do this (403).
    Unauthorized,
    /// There is no such thing (404).
    NotFound,
    /// It cannot be in the state that the thing is in (409); see [`ClientError::claimed_by`].
    Conflict,
    /// What was sent does not hold (400, 413, 422); see [`ClientError::fields`].
    Invalid,
    /// The server cannot do it now, and certainly has not (429, 503); see [`ClientError::retry_after`].
    Overloaded,
    /// A change whose fate nobody knows: it may have been recorded.
    UnknownCommit,
    /// The server was not reached, or a question was not answered. Nothing has changed.
    Transport,
    /// Something answered that does not speak this API.
    Protocol,
}

/// A call that did not do what it should. Holds neither key nor what was sent.
#[derive(Debug)]
pub struct ClientError {
    kind: ClientErrorKind,
    message: String,
    fields: Vec<FieldProblem>,
    claimed_by: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ClientError {
    pub(crate) fn new(kind: ClientErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message, fields: Vec::new(), claimed_by: None, retry_after: None, source: None }
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn with(mut self, problem: Problem, retry_after: Option<Duration>) -> Self {
        self.fields = problem.errors;
        self.claimed_by = problem.claimed_by;
        self.retry_after = retry_after;
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ClientErrorKind {
        self.kind
    }

    /// What is wrong with which field; empty where it is not about one.
    pub fn fields(&self) -> &[FieldProblem] {
        &self.fields
    }

    /// Who has the incident, where that is why something was refused.
    pub fn claimed_by(&self) -> Option<&str> {
        self.claimed_by.as_deref()
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether what was asked for may have happened all the same. A report with a dedup key can be sent again.
    pub fn may_have_been_recorded(&self) -> bool {
        self.kind == ClientErrorKind::UnknownCommit
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ClientError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}
