//! How many segments a text message has. Carriers bill each segment.
//!
//! A message of characters of the GSM 7-bit alphabet (3GPP TS 23.038 section 6.2.1) has 160 septets in one segment, or
//! 153 in each of several. A single other character makes the whole message UCS-2: 70 and 67 code units.

/// The basic characters that are not ASCII letters or digits.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// The characters that take two septets.
const EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// The number of segments of a text.
pub(crate) fn segments(text: &str) -> usize {
    let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
    match septets {
        Some(units) => count(&units, 160, 153),
        None => count(&text.chars().map(char::len_utf16).collect::<Vec<_>>(), 70, 67),
    }
}

/// The number of septets of a character; `None` if it is not in the alphabet.
fn septets(c: char) -> Option<usize> {
    match c {
        c if c.is_ascii_alphanumeric() || BASIC.contains(c) => Some(1),
        c if EXTENDED.contains(c) => Some(2),
        _ => None,
    }
}

/// Counts segments. No character is split.
fn count(units: &[usize], single: usize, each: usize) -> usize {
    if units.iter().sum::<usize>() <= single {
        return 1;
    }
    let (mut segments, mut used) = (1, 0);
    for unit in units {
        if used + unit > each {
            (segments, used) = (segments + 1, 0);
        }
        used += unit;
    }
    segments
}

/// The text with typographic characters replaced by those of the alphabet, so that a dash does not halve the room.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' | '`' => plain.push('\''),
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' | '«' | '»' => plain.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => plain.push('-'),
            '…' => plain.push_str("..."),
            '→' => plain.push_str("->"),
            '•' | '·' => plain.push('*'),
            c if c.is_whitespace() || c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_as_carriers_bill_them() {
        for (text, expected) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            // Of 153 septets, 76 characters of two are used.
            ("€".repeat(153), 3),
            ("Ω".repeat(160), 1),
            ("α".repeat(70), 1),
            ("α".repeat(71), 2),
            ("α".repeat(134), 2),
            ("α".repeat(135), 3),
            ("🔥".repeat(35), 1),
            // No pair is split: 33 in each.
            ("🔥".repeat(67), 3),
            (format!("{}–", "a".repeat(70)), 2),
        ] {
            assert_eq!(segments(&text), expected, "{text}");
        }
    }

    #[test]
    fn typography_does_not_halve_the_room() {
        assert_eq!(plain("“5xx” – it’s up… → now\tand\r\nhere"), "\"5xx\" - it's up... -> now and  here");
        assert_eq!(plain("Αθήνα"), "Αθήνα");
    }
}
