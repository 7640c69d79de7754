//! Errors, and what they mean.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use inresponse_api::{FieldProblem, Problem};
use reqwest::Url;

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
    message: Box<str>,
    fields: Vec<FieldProblem>,
    claimed_by: Option<Box<str>>,
    retry_after: Option<Duration>,
    server: Option<Box<str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ClientError {
    pub(crate) fn new(kind: ClientErrorKind, message: impl Into<String>) -> Self {
        let message = message.into().into_boxed_str();
        Self {
            kind,
            message,
            fields: Vec::new(),
            claimed_by: None,
            retry_after: None,
            server: None,
            source: None,
        }
    }

    /// Adds the URL of the server that was called.
    pub(crate) fn at(mut self, server: &Url) -> Self {
        let mut shown = server.clone();
        // They may be secrets. A URL that can be a base has a host, so nothing fails.
        let _ = shown.set_username("").and_then(|()| shown.set_password(None));
        shown.set_query(None);
        self.server = Some(shown.as_str().trim_end_matches('/').into());
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn with(mut self, problem: Problem, retry_after: Option<Duration>) -> Self {
        self.fields = problem.errors;
        self.claimed_by = problem.claimed_by.map(String::into_boxed_str);
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

    /// The URL of the server that was called, without credentials; `None` if none was called.
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
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
