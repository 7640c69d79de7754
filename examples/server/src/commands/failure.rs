//! Why a command failed, and its exit code.

use std::fmt;

use inresponse_client::{ClientError, ClientErrorKind as Kind};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server refused the request, or it did not answer.
    Call(ClientError),
    /// The command line or a file is invalid.
    Given(String),
    /// The server or the roster refuses the request, or a check found something serious.
    Refused(String),
    /// The terminal, a pipe or a file could not be read or written.
    Io(std::io::Error),
}

impl Failure {
    /// The exit code for this failure.
    pub(super) fn code(&self) -> u8 {
        match self {
            Failure::Given(_) => 64,
            Failure::Refused(_) => 1,
            // The change was made, only its result could not be printed.
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
