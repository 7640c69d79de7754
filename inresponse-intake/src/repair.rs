//! Repairs broken texts: unreadable parts become U+FFFD.
//!
//! After each U+FFFD, marks encode the original bytes. So two different broken texts stay different if they identify a
//! problem. The marks are noncharacters of Unicode. No text that leaves this crate contains one.

use std::borrow::Cow;

const DIGIT: u32 = 0xFDD0;
const SURROGATE: u32 = 0xFDE0;
const LAST: u32 = 0xFDEF;

fn is_mark(c: char) -> bool {
    (DIGIT..=LAST).contains(&u32::from(c))
}

/// Whether a part of the text was unreadable.
pub(crate) fn is_broken(text: &str) -> bool {
    // All marks begin with this byte.
    text.as_bytes().contains(&0xEF) && text.contains(is_mark)
}

/// The text without the marks that encode unreadable bytes.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if is_broken(text) { Cow::Owned(text.replace(is_mark, "")) } else { Cow::Borrowed(text) }
}

fn push(out: &mut String, code: u32) {
    out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
}

fn push_byte(out: &mut String, byte: u8) {
    out.push(char::REPLACEMENT_CHARACTER);
    push(out, DIGIT + u32::from(byte >> 4));
    push(out, DIGIT + u32::from(byte & 15));
}

/// Writes the marks for half of a UTF-16 surrogate pair, between 0xD800 and 0xDFFF.
fn push_surrogate(out: &mut String, unit: u32) {
    out.push(char::REPLACEMENT_CHARACTER);
    push(out, SURROGATE + ((unit >> 8) & 7));
    push(out, DIGIT + ((unit >> 4) & 15));
    push(out, DIGIT + (unit & 15));
}

/// Decodes bytes: as UTF-16 if they begin with its byte order mark, otherwise as UTF-8 as far as possible.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => decode_utf8(rest),
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(decode_utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(decode_utf16(rest, u16::from_be_bytes)),
        _ => decode_utf8(bytes),
    }
}

fn decode_utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 64);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| push_byte(&mut out, *byte));
    }
    Cow::Owned(out)
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut out = String::with_capacity(bytes.len());
    for c in char::decode_utf16(units) {
        match c {
            Ok(c) => out.push(c),
            Err(error) => push_surrogate(&mut out, u32::from(error.unpaired_surrogate())),
        }
    }
    out
}

/// Repairs the strings and numbers of a JSON text: half of a surrogate pair, an invalid escape, a bare control
/// character, `NaN`, a number that is too large.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '"' => rest = string(rest, &mut out),
            '-' | '0'..='9' | 'N' | 'I' => {
                let end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
                let (word, after) = rest.split_at(rest.find(end).unwrap_or(rest.len()));
                let odd = matches!(word, "NaN" | "Infinity" | "-Infinity")
                    || word.parse::<f64>().is_ok_and(f64::is_infinite);
                if odd {
                    out.extend(["\"", word, "\""]);
                } else {
                    out.push_str(word);
                }
                rest = after;
            }
            // Between values nothing of this means anything.
            c if c.is_control() && !c.is_ascii_whitespace() || is_mark(c) || c == '\u{FFFD}' => {
                rest = &rest[c.len_utf8()..];
            }
            c => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// Writes the string at the beginning of `text`, and returns the rest of `text`.
fn string<'a>(text: &'a str, out: &mut String) -> &'a str {
    out.push('"');
    let mut rest = &text[1..];
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '"' => {
                out.push('"');
                return after;
            }
            '\\' => rest = escape(after, out),
            c if c < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
                rest = after;
            }
            c => {
                out.push(c);
                rest = after;
            }
        }
    }
    rest
}

/// Writes the escape whose backslash came before `text`, and returns the rest of `text`.
fn escape<'a>(text: &'a str, out: &mut String) -> &'a str {
    match text.chars().next() {
        Some(c @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => {
            out.push('\\');
            out.push(c);
            &text[1..]
        }
        Some('u') => match unit(text) {
            None => {
                out.push_str("\\\\");
                text
            }
            Some(0xD800..=0xDBFF) if text[5..].strip_prefix('\\').and_then(unit).is_some_and(is_low) => {
                out.push('\\');
                out.push_str(&text[..11]);
                &text[11..]
            }
            Some(half @ 0xD800..=0xDFFF) => {
                push_surrogate(out, half);
                &text[5..]
            }
            Some(_) => {
                out.push('\\');
                out.push_str(&text[..5]);
                &text[5..]
            }
        },
        // This is not an escape, so the backslash stands for itself, as in a path of Windows.
        Some(_) => {
            out.push_str("\\\\");
            text
        }
        None => text,
    }
}

fn is_low(unit: u32) -> bool {
    (0xDC00..=0xDFFF).contains(&unit)
}

/// The UTF-16 unit that `uXXXX` encodes.
fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('u')?.get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_what_is_unreadable_is_shown_as_such_and_stays_different() {
        let cases: [(&[u8], &str); 6] = [
            (b"\xEF\xBB\xBFa", "a"),
            (b"m\xFCller", "m\u{FFFD}ller"),
            (b"\xFF\xFEa\x00\xFC\x00", "aü"),
            (b"\xFE\xFF\x00a\xD8\x3D", "a\u{FFFD}"),
            (b"\xF0\x9F\x98", "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("größer".as_bytes(), "größer"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(shown(&decode(bytes)), expected, "{bytes:?}");
        }
        assert_ne!(decode(b"m\xFCller"), decode(b"m\xF6ller"));
        assert!(is_broken(&decode(b"\xFC")) && !is_broken("größer \u{FFFD} \u{FEFF}"));
    }

    #[test]
    fn p16_json_is_read_if_its_strings_are_all_that_is_wrong() {
        let read = |text: &str| {
            let value: serde_json::Value = serde_json::from_str(&json(text)).unwrap();
            shown(value.as_str().unwrap()).into_owned()
        };
        let cases = [
            (r#""a\udcfcb""#, "a\u{FFFD}b"),
            (r#""half \ud83d""#, "half \u{FFFD}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
            (r#""\ud83dx\ude00""#, "\u{FFFD}x\u{FFFD}"),
            (r#""C:\dir\x41\u12""#, "C:\\dir\\x41\\u12"),
            (r#""\\udcfc \" \u00fc""#, "\\udcfc \" ü"),
            ("\"two\nlines\u{0}\"", "two\nlines\u{0}"),
            ("NaN", "NaN"),
            ("-Infinity", "-Infinity"),
            ("1e999", "1e999"),
            ("\u{0}\"a\"\u{0}", "a"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
        for whole in [r#"{"a":[1.5e3,-7,true,null,"\ud83d\ude00 \/ \u00e9"]}"#, "[]x", "[", "\"", r#""\"#] {
            let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            assert_eq!(same(&json(whole)), same(whole), "{whole}");
        }
    }
}
