//! The error that lists everything wrong with the settings.

use std::fmt;
use std::path::Path;

use inresponse_core::InvalidInput;

use super::ServeArgs;

/// Everything that is wrong with the settings.
#[derive(Debug)]
pub(crate) struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
    /// An error about the config file as a whole.
    pub(super) fn of_file(args: &ServeArgs, what: &str) -> Self {
        let path = args.config.as_deref().unwrap_or(Path::new("")).display();
        Self { problems: vec![format!("{path}: {what}")] }
    }

    /// An error that lists every invalid field.
    pub(super) fn of(invalid: &InvalidInput) -> Self {
        let problem = |e: &inresponse_core::FieldError| format!("{}: {}", e.field(), e.message());
        Self { problems: invalid.errors().iter().map(problem).collect() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is invalid:")?;
        for problem in &self.problems {
            write!(f, "\n  {}", problem.trim_end().replace('\n', "\n  "))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl From<Vec<String>> for ConfigError {
    fn from(problems: Vec<String>) -> Self {
        Self { problems }
    }
}

/// Gives all errors another field name.
pub(super) fn rename(error: &InvalidInput, field: &str) -> InvalidInput {
    let mut renamed = InvalidInput::default();
    for error in error.errors() {
        renamed.push(field.to_owned(), error.message());
    }
    renamed
}
