//! Errors, and what they mean.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use inresponse_api::{FieldProblem, Problem};

/// The kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientErrorKind {
    /// The URL or the key in the configuration is invalid, or this machine trusts no certificates.
    Config,
    /// The request has no key or an unknown key (401), or its key lacks the scope (403).
    Unauthorized,
    /// The incident, service or team does not exist (404).
    NotFound,
    /// The incident's state does not allow the change (409); see [`ClientError::claimed_by`].
    Conflict,
    /// The request is invalid (400, 413, 422); see [`ClientError::fields`].
    Invalid,
    /// The server is too busy, and certainly has not made the change (429, 503); see [`ClientError::retry_after`].
    Overloaded,
    /// The result of the change is unknown: it may have been recorded.
    UnknownCommit,
    /// The server was not reached, or a query was not answered. Nothing has changed.
    Transport,
    /// The answer does not come from a server with this API.
    Protocol,
}

/// A failed call. The error contains neither the key nor the request.
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

    /// The kind of error.
    pub fn kind(&self) -> ClientErrorKind {
        self.kind
    }

    /// The errors of single fields. Empty if the error is not about a field.
    pub fn fields(&self) -> &[FieldProblem] {
        &self.fields
    }

    /// The person who has the incident, if the request was refused for that reason.
    pub fn claimed_by(&self) -> Option<&str> {
        self.claimed_by.as_deref()
    }

    /// How long the server asks the client to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the change may have happened although the call failed. A report with a dedup key can be sent again.
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
