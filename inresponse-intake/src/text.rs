//! Makes texts of other systems fit to be stored: no text is refused for its length or its control characters.

use crate::repair;

/// The mark of a text that was cut.
const CUT: &str = "…";

/// The text on one line without control characters, with white space joined, cut to `max` bytes.
pub(crate) fn line(text: &str, max: usize) -> String {
    let text = repair::shown(text);
    // Text far behind the cut need not be examined.
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = String::new();
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > max {
            break;
        }
    }
    cut(line, max)
}

/// The lines of the text without control characters except line breaks and tabs, cut to `max` bytes as text and
/// `encoded` bytes as JSON.
pub(crate) fn lines(text: &str, max: usize, encoded: usize) -> String {
    let text = repair::shown(text);
    let keep = |c: &char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    let text: String = text.trim().chars().filter(keep).collect();
    let text = text.trim();
    if text.len() <= max && encoded_len(text) <= encoded {
        return text.to_owned();
    }
    let (mut bytes, mut json) = (0, 0);
    for c in text.chars() {
        bytes += c.len_utf8();
        json += encoded_char(c);
        if bytes + CUT.len() > max || json + CUT.len() > encoded {
            bytes -= c.len_utf8();
            break;
        }
    }
    let kept = text[..bytes].trim_end();
    if max < CUT.len() || encoded < CUT.len() { String::new() } else { format!("{kept}{CUT}") }
}

/// The number of bytes that a text has as JSON.
pub(crate) fn encoded_len(text: &str) -> usize {
    text.chars().map(encoded_char).sum()
}

fn encoded_char(c: char) -> usize {
    c.len_utf8() + usize::from(matches!(c, '"' | '\\' | '\n' | '\r' | '\t'))
}

/// A name cut to `max` bytes, without the mark of a text that was cut.
pub(crate) fn name(text: &str, max: usize) -> String {
    let text = repair::shown(text);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.trim();
    text[..text.floor_char_boundary(max)].trim_end().to_owned()
}

fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max - CUT.len()));
        text.truncate(text.trim_end().len());
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_characters() {
        assert_eq!(line(" a \n\t b\u{0}c ", 20), "a b c");
        assert_eq!(line("αβγδ", 7), "αβ…");
        assert_eq!(lines("a\n\u{7}b\r\n", 20, 20), "a\nb");
        assert_eq!(lines("\"\"\"\"", 20, 7), "\"\"…");
        assert_eq!(lines("abc", 2, 2), "");
        assert_eq!(name("αβγ\n", 5), "αβ");
    }
}
