//! Makes untrusted text safe to show to people.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint, EmojiModifier, ExtendedPictographic};
use icu_properties::{CodePointSetData, CodePointSetDataBorrowed};

const IGNORABLE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<DefaultIgnorableCodePoint>();
const BIDI: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<BidiControl>();
const PICTURE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<ExtendedPictographic>();
const MODIFIER: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<EmojiModifier>();

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
/// Characters that select the plain or the coloured form of the previous character.
const SELECTORS: [char; 2] = ['\u{fe0e}', '\u{fe0f}'];
const KEYCAP: char = '\u{20e3}';

/// Untrusted text with its invisible characters made visible: characters that change the writing direction, have no
/// width or control a terminal are shown as `\u{202e}`.
///
/// Line breaks and tabs stay. So do composed emoji, and the joiners of Arabic and Indic scripts, because their effect
/// is visible. Use this for text that people read; text that programs read must not be changed.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\t')) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut before = Before::default();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let next = rest.clone().next();
        if is_hidden(c) && !before.makes_visible(c, next) {
            let _infallible = write!(shown, "{}", c.escape_unicode());
            before = Before::default();
        } else {
            shown.push(c);
            before =
                Before { last: Some(c), base: if SELECTORS.contains(&c) { before.last } else { Some(c) } };
        }
    }
    Cow::Owned(shown)
}

/// A length of time in its two largest units, rounded down: `2 h`, `1 h 5 min`, `40 s`.
pub fn duration(time: Duration) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let seconds = time.as_secs();
    let largest = UNITS.iter().position(|(_, unit)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
    let (name, unit) = UNITS[largest];
    let whole = format!("{} {name}", seconds / unit);
    let rest = UNITS.get(largest + 1).map(|(name, smaller)| (seconds % unit / smaller, name));
    match rest {
        Some((rest, name)) if rest > 0 => format!("{whole} {rest} {name}"),
        Some(_) | None => whole,
    }
}

/// Whether a reader would not see the character, or would see something else because of it.
fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Line and paragraph separators, and the marks of annotations.
        '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' => true,
        c => c.is_control() || IGNORABLE.contains(c) || BIDI.contains(c),
    }
}

/// The characters before the current one.
#[derive(Default)]
struct Before {
    last: Option<char>,
    /// The previous character, without a selector after it.
    base: Option<char>,
}

impl Before {
    /// Whether a character that is normally invisible changes how its neighbours look.
    fn makes_visible(&self, c: char, next: Option<char>) -> bool {
        match (c, self.last, self.base, next) {
            // The line breaks of other systems.
            ('\r', _, _, next) => next == Some('\n'),
            (c, Some(last), _, next) if SELECTORS.contains(&c) => {
                let is_key = matches!(last, '0'..='9' | '#' | '*') && next == Some(KEYCAP);
                is_key || PICTURE.contains(last)
            }
            (JOINER, _, Some(base), Some(next)) if is_picture(base) => PICTURE.contains(next),
            (JOINER | NON_JOINER, Some(last), _, Some(next)) => joins(last) && joins(next),
            _ => false,
        }
    }
}

fn is_picture(c: char) -> bool {
    PICTURE.contains(c) || MODIFIER.contains(c)
}

/// Whether a character belongs to a script in which joiners decide how letters look: Arabic and related scripts, and
/// those of India.
fn joins(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}') && !is_hidden(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_reader_would_not_see_is_shown() {
        for (text, shown) in [
            ("pay \u{202e}txt.exe", r"pay \u{202e}txt.exe"),
            ("a\u{2066}b\u{2069}c\u{200e}d\u{200f}e\u{61c}", r"a\u{2066}b\u{2069}c\u{200e}d\u{200f}e\u{61c}"),
            ("pass\u{200b}word\u{feff}\u{2060}\u{ad}", r"pass\u{200b}word\u{feff}\u{2060}\u{ad}"),
            ("\u{1b}[2J\u{7}\u{9b}0m\0\u{7f}", r"\u{1b}[2J\u{7}\u{9b}0m\u{0}\u{7f}"),
            ("over\rwritten\r", r"over\u{d}written\u{d}"),
            ("one\u{2028}line", r"one\u{2028}line"),
            ("\u{3164}\u{115f}\u{180e}\u{34f}", r"\u{3164}\u{115f}\u{180e}\u{34f}"),
            // Tags spell text that nobody sees.
            ("🏴\u{e0067}\u{e007f}", r"🏴\u{e0067}\u{e007f}"),
            ("a\u{e0100}", r"a\u{e0100}"),
            // Joiners and selectors that join and select nothing.
            ("pay\u{200d}pal", r"pay\u{200d}pal"),
            ("pay\u{200c}pal 😀\u{200d}", r"pay\u{200c}pal 😀\u{200d}"),
            ("\u{200d}😀\u{200d}a", r"\u{200d}😀\u{200d}a"),
            ("😀\u{200d}\u{200d}😀", r"😀\u{200d}\u{200d}😀"),
            ("1\u{fe0f}2a\u{fe0f}", r"1\u{fe0f}2a\u{fe0f}"),
            ("❤\u{fe0f}\u{fe0f}", "❤\u{fe0f}\\u{fe0f}"),
            ("سلام\u{200f}", r"سلام\u{200f}"),
        ] {
            assert_eq!(visible(text), shown, "{text:?}");
        }
    }

    #[test]
    fn what_can_be_seen_stays() {
        for text in [
            "",
            "plain\n\ttext\r\nin lines",
            "é ü 日本語 שלום Ωμέγα ไทย e\u{301}",
            "👩\u{200d}💻 👨\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈 🧑🏽\u{200d}🚒 👁\u{fe0f}\u{200d}🗨\u{fe0f}",
            "❤\u{fe0f} ☎\u{fe0e} 1\u{fe0f}\u{20e3} #\u{fe0f}\u{20e3} 🇬🇷 👍🏿",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    proptest! {
        #[test]
        fn p16_any_text_is_shown_once_and_shows_nothing_hidden_alone(text in any::<String>()) {
            let shown = visible(&text).into_owned();
            prop_assert_eq!(visible(&shown), shown.as_str());
            let alone = |c: char| is_hidden(c) && !SELECTORS.contains(&c) && ![JOINER, NON_JOINER, '\r'].contains(&c);
            prop_assert!(!shown.contains(alone));
        }
    }
}
