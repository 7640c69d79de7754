//! The error of a program that cannot be used.

use inresponse_core::ErrorOf;

/// The cause of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandErrorKind {
    /// The name is invalid.
    Name,
    /// The program or an argument is invalid.
    Program,
    /// The name or the value of an environment variable is invalid.
    Environment,
}

/// The error of a program that cannot be used. The error contains no value of an environment variable.
pub type CommandError = ErrorOf<CommandErrorKind>;
