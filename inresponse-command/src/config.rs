//! The configuration: the programs by their names.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::error::{CommandError, CommandErrorKind};

/// A program with its arguments and its environment.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
}

impl Program {
    /// A program by its path, or by its name in `PATH`, with its arguments.
    ///
    /// # Errors
    /// The program is empty, or a text contains a null byte.
    pub fn new(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = String>,
    ) -> Result<Self, CommandError> {
        let (program, arguments) = (program.into(), arguments.into_iter().collect::<Vec<_>>());
        let is_text = |text: &str| !text.contains('\0');
        let is_fine = !program.as_os_str().is_empty()
            && program.to_str().is_none_or(is_text)
            && arguments.iter().all(|argument| is_text(argument));
        if !is_fine {
            let message = "must be a program and arguments without null bytes";
            return Err(CommandError::new(CommandErrorKind::Program, message));
        }
        Ok(Self { program, arguments, environment: BTreeMap::new() })
    }

    /// Adds an environment variable. The program gets no others, except `PATH`.
    ///
    /// # Errors
    /// The name is empty or has other characters than ASCII letters, digits and underscores, or the value contains a
    /// null byte. The error does not contain the value.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, CommandError> {
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name || value.contains('\0') {
            let message = format!("the environment variable `{}` is invalid", name.escape_debug());
            return Err(CommandError::new(CommandErrorKind::Environment, message));
        }
        self.environment.insert(name.to_owned(), value.to_owned());
        Ok(self)
    }
}

impl fmt::Debug for Program {
    /// Shows the program only: arguments and environment may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("program", &self.program).finish_non_exhaustive()
    }
}

/// The programs by their names.
#[derive(Debug, Clone, Default)]
pub struct CommandConfig {
    pub(crate) programs: BTreeMap<String, Program>,
}

impl CommandConfig {
    /// No programs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a program, whose contact is `command:name`.
    ///
    /// # Errors
    /// The name is not 1 to 64 ASCII letters, digits, dots, hyphens and underscores.
    pub fn with(mut self, name: &str, program: Program) -> Result<Self, CommandError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            let message = "must have a name of 1 to 64 ASCII letters, digits, dots, hyphens and underscores";
            return Err(CommandError::new(CommandErrorKind::Name, message));
        }
        self.programs.insert(name.to_owned(), program);
        Ok(self)
    }

    /// Whether there is no program.
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_show_neither_in_debug_output_nor_in_errors() {
        let program = Program::new("notify", ["--token=canary".to_owned()]).unwrap();
        let program = program.with("TOKEN", "canary").unwrap();
        let config = CommandConfig::new().with("chat", program.clone()).unwrap();
        assert!(!format!("{config:?}").contains("canary"));
        let error = program.with("TO KEN", "canary").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
        assert!(config.with("", Program::new("x", []).unwrap()).is_err());
        assert!(Program::new("", []).is_err() && Program::new("x", ["\0".to_owned()]).is_err());
    }
}
