//! A carrier's name for a message that it accepted.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::InvalidInput;

/// A carrier's name for a message that it accepted, by which the message can be changed or withdrawn later.
///
/// Only the notifier that made it reads it. Pushover calls this a receipt; in Slack it is a channel and a timestamp, in
/// Telegram a chat and a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Receipt(String);

impl Receipt {
    /// The maximum length, in bytes. Receipts are stored in the incident.
    pub const MAX_BYTES: usize = 100;

    /// Reads a receipt.
    ///
    /// # Errors
    /// The text is empty, longer than [`Self::MAX_BYTES`], or has other characters than visible ASCII without quotes and
    /// backslashes.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidInput> {
        let text = text.into();
        let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if text.is_empty() || text.len() > Self::MAX_BYTES || !plain {
            return Err(InvalidInput::field("receipt", "must be 1 to 100 visible ASCII characters"));
        }
        Ok(Self(text))
    }

    /// The receipt as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Receipt {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<Receipt> for String {
    fn from(receipt: Receipt) -> Self {
        receipt.0
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_short_and_plain() {
        for taken in ["C024BE91L/1355517523.000005", "-1001234567890/77", "a"] {
            assert_eq!(Receipt::new(taken).unwrap().as_str(), taken);
        }
        for refused in ["", " ", "a b", "é", "a\"b", "a\\b", "a\n", &"a".repeat(101)] {
            assert!(Receipt::new(refused).is_err(), "{refused:?}");
        }
    }
}
