//! Errors: invalid input, outages, and how a log line shows an error with its causes.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

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

    /// What is wrong, for the person who sent the input.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Input that was refused as a whole, with everything that is wrong with it.
///
/// The list is never empty if it is returned as an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvalidInput {
    errors: Vec<FieldError>,
}

impl InvalidInput {
    /// The maximum number of errors that are reported. A small input can cause very many.
    pub const MAX_ERRORS: usize = 64;
    /// The maximum number of bytes of a field's name, which the sender may have chosen.
    const MAX_FIELD_BYTES: usize = 256;
    /// The maximum number of bytes of a message, which may quote the input.
    const MAX_MESSAGE_BYTES: usize = 512;

    /// A refusal for one field.
    pub fn field(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let mut invalid = Self::default();
        invalid.push(field, message);
        invalid
    }

    /// Adds an error, up to [`MAX_ERRORS`](Self::MAX_ERRORS). Long texts are cut, so that a refusal stays small.
    pub fn push(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        if self.errors.len() < Self::MAX_ERRORS {
            let mut field = field.into();
            if field.len() > Self::MAX_FIELD_BYTES {
                field = Cow::Owned(cut(field.into_owned(), Self::MAX_FIELD_BYTES));
            }
            self.errors.push(FieldError { field, message: cut(message.into(), Self::MAX_MESSAGE_BYTES) });
        }
    }

    /// Adds all errors of `other`, within the same limits.
    pub fn append(&mut self, other: InvalidInput) {
        let room = Self::MAX_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
    }

    /// Returns the value of `result`, or records its error.
    pub fn keep<T>(&mut self, result: Result<T, InvalidInput>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(invalid) => {
                self.append(invalid);
                None
            }
        }
    }

    /// Puts `prefix.` before the field name of each error.
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

/// Cuts a text to `max` bytes, with a mark if it was cut.
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

/// The kind of outage, which decides what the caller may do.
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

/// An opaque error: its kind, what failed, and the cause.
///
/// Each crate defines its own error types, such as `pub type SmtpError = ErrorOf<SmtpErrorKind>`. Clones share the
/// cause, so one error can answer several callers.
#[derive(Debug, Clone)]
pub struct ErrorOf<K> {
    kind: K,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl<K> ErrorOf<K> {
    /// An error of `kind`, described in lower case without a full stop.
    pub fn new(kind: K, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the cause of the error.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }
}

impl<K: Copy> ErrorOf<K> {
    /// The kind of the error.
    pub fn kind(&self) -> K {
        self.kind
    }
}

impl<K> fmt::Display for ErrorOf<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<K: fmt::Debug> StdError for ErrorOf<K> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}

/// The error of a store or roster that could not do its work.
///
/// Expected answers (a stale version, an unknown number) are never outages.
pub type Outage = ErrorOf<OutageKind>;

impl Outage {
    /// An outage that changed nothing; the caller may try again.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::new(OutageKind::Retryable, message)
    }

    /// An outage that changed nothing; trying again will not help.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(OutageKind::Permanent, message)
    }

    /// An outage after which the change may have happened.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(OutageKind::Unknown, message)
    }
}

/// Shows an error with all its causes, each once: `what failed: why: and why that`.
///
/// An error's own text says what failed, and its [`source`](StdError::source) says why. A log line that shows only the
/// text hides the reason, so every log line shows a chain.
///
/// ```
/// use inresponse_core::{Chain, Outage};
///
/// let full = std::io::Error::other("no space left on device");
/// let outage = Outage::permanent("the incident could not be written").because(full);
/// let told = Chain::of(&outage).to_string();
/// assert_eq!(told, "the incident could not be written: no space left on device");
/// ```
#[derive(Clone, Copy)]
pub struct Chain<'a>(&'a (dyn StdError + 'a));

impl<'a> Chain<'a> {
    /// The maximum number of bytes that are shown, because the texts of other systems may be long.
    const MAX_BYTES: usize = 4096;

    /// The chain of an error and its causes.
    pub fn of(error: &'a (dyn StdError + 'a)) -> Self {
        Self(error)
    }
}

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        let mut source = self.0.source();
        while let Some(cause) = source.filter(|_| told.len() <= Self::MAX_BYTES) {
            let text = cause.to_string();
            // Some errors show their source in their own text.
            if !told.contains(&text) {
                told.push_str(": ");
                told.push_str(&text);
            }
            source = cause.source();
        }
        f.write_str(&cut(told, Self::MAX_BYTES))
    }
}

impl fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_tells_every_cause_once_and_stays_small() {
        let chain = |outage: &Outage| Chain::of(outage).to_string();
        let disk = || Outage::permanent("disk full");
        assert_eq!(chain(&disk()), "disk full");
        let write = || Outage::unknown("the write failed").because(disk());
        let report = Outage::retryable("the report was not taken").because(write());
        assert_eq!(chain(&report), "the report was not taken: the write failed: disk full");
        // Many libraries put the source into their own text, and some do so only in part.
        let shown = Outage::permanent("the write failed: disk full").because(disk());
        assert_eq!(chain(&shown), "the write failed: disk full");
        let within = Outage::permanent("not taken (the write failed)").because(write());
        assert_eq!(chain(&within), "not taken (the write failed): disk full");
        let mut deep = Outage::permanent("ü".repeat(3000));
        for depth in 0..1000 {
            deep = Outage::permanent(format!("{depth}: {}", "x".repeat(100))).because(deep);
        }
        let told = chain(&deep);
        assert!(told.len() <= 4096 && told.starts_with("999: ") && told.contains("998: "), "{told}");
        assert_eq!(format!("{:?}", Chain::of(&report)), chain(&report));
    }

    #[test]
    fn a_copy_of_an_outage_keeps_its_kind_and_its_cause() {
        let outage = Outage::unknown("the write failed").because(Outage::permanent("disk full"));
        let copy = outage.clone();
        assert_eq!(copy.kind(), OutageKind::Unknown);
        assert_eq!(Chain::of(&copy).to_string(), Chain::of(&outage).to_string());
        assert!(copy.source().is_some_and(|cause| cause.is::<Outage>()));
    }

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
