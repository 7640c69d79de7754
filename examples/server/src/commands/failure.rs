//! Why a command failed, and its exit code.

use std::collections::BTreeSet;
use std::fmt;

use inresponse_client::{ClientError, ClientErrorKind as Kind};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server refused the request, or it did not answer.
    Call(ClientError),
    /// Some of several incidents were not changed: their numbers and the errors.
    Some(Vec<(u64, ClientError)>, u8),
    /// The command line or a file is invalid.
    Given(String),
    /// The server or the roster refuses the request, or a check found something serious.
    Refused(String),
    /// The terminal, a pipe or a file could not be read or written.
    Io(std::io::Error),
}

/// The exit code for a failed call.
fn code_of(error: &ClientError) -> u8 {
    match error.kind() {
        Kind::Config => 64,
        Kind::Unauthorized | Kind::NotFound | Kind::Conflict | Kind::Invalid => 1,
        Kind::Overloaded | Kind::Transport | Kind::Protocol => 2,
        _ => UNKNOWN,
    }
}

/// The exit code if it is unknown whether a change was recorded.
const UNKNOWN: u8 = 3;

impl Failure {
    /// The failure of some of `all` calls.
    ///
    /// Its code is that of the calls if none succeeded and all have the same code. Otherwise it says that one of them may
    /// have been recorded, or else that one was refused.
    pub(super) fn some(failed: Vec<(u64, ClientError)>, all: usize) -> Self {
        let codes: BTreeSet<u8> = failed.iter().map(|(_, error)| code_of(error)).collect();
        let code = match codes.first() {
            Some(code) if codes.len() == 1 && failed.len() == all => *code,
            _ if codes.contains(&UNKNOWN) => UNKNOWN,
            _ => 1,
        };
        Failure::Some(failed, code)
    }

    /// The exit code for this failure.
    pub(super) fn code(&self) -> u8 {
        match self {
            Failure::Some(_, code) => *code,
            Failure::Given(_) => 64,
            Failure::Refused(_) => 1,
            // The change was made, only its result could not be printed.
            Failure::Io(_) => UNKNOWN,
            Failure::Call(error) => code_of(error),
        }
    }

    /// The error of the server that says most about this failure.
    pub(super) fn call(&self) -> Option<&ClientError> {
        match self {
            Failure::Call(error) => Some(error),
            Failure::Some(failed, _) => failed.first().map(|(_, error)| error),
            Failure::Given(_) | Failure::Refused(_) | Failure::Io(_) => None,
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
            Failure::Some(failed, _) => {
                for (place, (number, error)) in failed.iter().enumerate() {
                    let begin = if place == 0 { "" } else { "\n" };
                    write!(f, "{begin}incident {number}: {error}")?;
                }
                Ok(())
            }
            Failure::Given(what) | Failure::Refused(what) => f.write_str(what),
            Failure::Io(error) => error.fmt(f),
        }
    }
}
