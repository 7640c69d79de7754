//! What can go wrong: input that does not hold, and outages.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// One thing that is wrong with one field of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    field: Cow<'static, str>,
    message: String,
}

impl FieldError {
    /// The field, by its name on the wire (`dedupKey`, `labels.region`).
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with it, in words for the person who sent it.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Input that was refused as a whole, with everything that is wrong with it.
///
/// Never empty when it is returned as an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvalidInput {
    errors: Vec<FieldError>,
}

impl InvalidInput {
    /// A refusal for one field.
    pub fn field(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let mut invalid = Self::default();
        invalid.push(field, message);
        invalid
    }

    /// Adds one more thing that is wrong.
    pub fn push(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.into(), message: message.into() });
    }

    /// Adds everything that is wrong in `other`.
    pub fn append(&mut self, mut other: InvalidInput) {
        self.errors.append(&mut other.errors);
    }

    /// Keeps the value of `result`, or notes what is wrong with it.
    pub fn keep<T>(&mut self, result: Result<T, InvalidInput>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(invalid) => {
                self.append(invalid);
                None
            }
        }
    }

    /// The same errors with `prefix.` before each field's name.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        for error in &mut self.errors {
            error.field = Cow::Owned(format!("{prefix}.{}", error.field));
        }
        self
    }

    /// Everything that is wrong, in the order it was found.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", error.field, error.message)?;
        }
        Ok(())
    }
}

impl StdError for InvalidInput {}

/// What kind of outage it is, which decides what the caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutageKind {
    /// Nothing was changed; the same call may succeed later.
    Retryable,
    /// Nothing was changed, and the same call will fail until somebody acts (disk full, wrong schema).
    Permanent,
    /// The change may or may not have happened.
    Unknown,
}

/// A store or roster that could not do its work.
///
/// Expected answers (a stale version, an unknown number) are never outages.
#[derive(Debug)]
pub struct Outage {
    kind: OutageKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Outage {
    /// An outage of `kind`, described in lower case without a full stop.
    pub fn new(kind: OutageKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Nothing was changed; try again.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::new(OutageKind::Retryable, message)
    }

    /// Nothing was changed, and trying again will not help.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(OutageKind::Permanent, message)
    }

    /// The change may have happened.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(OutageKind::Unknown, message)
    }

    /// The same outage with what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of outage it is.
    pub fn kind(&self) -> OutageKind {
        self.kind
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Outage {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}
