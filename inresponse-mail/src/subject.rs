//! Encodes a subject so that every mail reader decodes it correctly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{Header, HeaderValue, Subject};

/// The maximum length of a subject that is sent without an encoding; a line may have 998 bytes (RFC 5322 section
/// 2.1.1).
const MAX_PLAIN: usize = 900;

/// The bytes of text in one encoded word: they become 60 of base64, so that the word stays under 75 (RFC 2047 section
/// 2).
const WORD: usize = 45;

/// Encodes a subject so that every mail reader decodes it to exactly `text`.
///
/// The mail library does not encode ASCII words, not even `=?utf-8?…?=`, and readers drop the white space between two
/// encoded words. So a subject that might be read differently is encoded as a whole.
pub(crate) fn subject(text: &str) -> HeaderValue {
    let is_printable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
    if is_printable && text.len() <= MAX_PLAIN && !text.contains("=?") && !text.contains("  ") {
        return Subject::from(text.to_owned()).display();
    }
    HeaderValue::dangerous_new_pre_encoded(Subject::name(), text.to_owned(), encoded_words(text))
}

/// Encodes a text as base64 words (RFC 2047), one on each line. No word splits a character.
fn encoded_words(text: &str) -> String {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD));
        words.push(format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
        rest = after;
    }
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_short_and_whole() {
        let encoded = encoded_words(&"é日".repeat(50));
        for line in encoded.split("\r\n ") {
            assert!(line.len() <= 75, "{line}");
            let base64 = line.strip_prefix("=?utf-8?B?").unwrap().strip_suffix("?=").unwrap();
            assert!(String::from_utf8(STANDARD.decode(base64).unwrap()).is_ok());
        }
    }
}
