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
    /// The most errors that are told of; a small input can hold very many.
    pub const MAX_ERRORS: usize = 64;
    /// The most bytes of a field's name, which strangers may choose.
    const MAX_FIELD_BYTES: usize = 256;
    /// The most bytes of what is wrong with it, which may quote them.
    const MAX_MESSAGE_BYTES: usize = 512;

    /// A refusal for one field.
    pub fn field(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let mut invalid = Self::default();
        invalid.push(field, message);
        invalid
    }

    /// Adds one more thing that is wrong, as long as it is one of the first [`MAX_ERRORS`](Self::MAX_ERRORS); long
    /// texts are cut, so that a refusal stays small whatever was refused.
    pub fn push(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        if self.errors.len() < Self::MAX_ERRORS {
            let mut field = field.into();
            if field.len() > Self::MAX_FIELD_BYTES {
                field = Cow::Owned(cut(field.into_owned(), Self::MAX_FIELD_BYTES));
            }
            self.errors.push(FieldError { field, message: cut(message.into(), Self::MAX_MESSAGE_BYTES) });
        }
    }

    /// Adds everything that is wrong in `other`, within the same bounds.
    pub fn append(&mut self, other: InvalidInput) {
        let room = Self::MAX_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
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
            error.field = Cow::Owned(cut(format!("{prefix}.{}", error.field), Self::MAX_FIELD_BYTES));
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

/// At most `max` bytes of a text, and what shows that it was cut.
fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max - '…'.len_utf8()));
        text.push('…');
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_a_refusal_stays_small_whatever_is_refused() {
        let mut invalid = InvalidInput::default();
        for _ in 0..100_000 {
            invalid.push("é".repeat(500), "ü".repeat(5000));
        }
        let mut all = invalid.clone().under(&"x".repeat(1000));
        all.append(invalid);
        assert_eq!(all.errors().len(), InvalidInput::MAX_ERRORS);
        assert!(all.errors().iter().all(|e| e.field().ends_with('…') && e.message().ends_with('…')));
        assert!(all.to_string().len() < 64 * 1024, "{}", all.to_string().len());
    }
}
