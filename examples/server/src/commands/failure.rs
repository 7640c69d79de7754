//! Why a command did not do what it should, and the exit code that tells it.

use std::fmt;

use inresponse_client::{ClientError, ClientErrorKind as Kind};

/// Why a command did not do what it should.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server said so, or nothing did.
    Call(ClientError),
    /// The command line or a file is invalid.
    Given(String),
    /// What was asked for was looked at, and is not well.
    Refused(String),
    /// It could not be printed or read.
    Io(std::io::Error),
}

impl Failure {
    /// The exit code that tells it.
    pub(super) fn code(&self) -> u8 {
        match self {
            Failure::Given(_) => 64,
            Failure::Refused(_) => 1,
            // What could not be printed was done.
            Failure::Io(_) => 3,
            Failure::Call(error) => match error.kind() {
                Kind::Config => 64,
                Kind::Unauthorized | Kind::NotFound | Kind::Conflict | Kind::Invalid => 1,
                Kind::Overloaded | Kind::Transport | Kind::Protocol => 2,
                _ => 3,
            },
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Failure::Call(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Io(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Call(error) => error.fmt(f),
            Failure::Given(what) | Failure::Refused(what) => f.write_str(what),
            Failure::Io(error) => error.fmt(f),
        }
    }
}
