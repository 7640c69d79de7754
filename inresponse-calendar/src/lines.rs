//! Bytes as content lines, unfolded.

use std::borrow::Cow;

use crate::limits::MAX_LINE;

/// A content line, unfolded: lines that were folded are joined again.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// The number of its first line in the file, from 1.
    pub(crate) number: usize,
    /// The text of the line. Bytes that are not UTF-8 are replaced.
    pub(crate) text: Cow<'a, str>,
    /// Whether it was cut, because it is longer than [`MAX_LINE`].
    pub(crate) is_cut: bool,
}

/// The content lines of a file that are not blank.
///
/// Lines are unfolded as bytes and decoded after that, because programs fold after a number of bytes, which may be
/// inside a character.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        Self { rest: bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes), number: 0 }
    }

    /// The next line as it is in the file, without its end.
    fn physical(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &self.rest[self.rest.len()..]),
        };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    fn continues(&self) -> bool {
        matches!(self.rest.first(), Some(b' ' | b'\t'))
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        loop {
            let mut line = Cow::Borrowed(self.physical()?);
            let number = self.number;
            let mut is_cut = line.len() > MAX_LINE;
            while self.continues() {
                let more = self.physical()?.get(1..).unwrap_or_default();
                is_cut |= line.len() + more.len() > MAX_LINE;
                if !is_cut {
                    line.to_mut().extend_from_slice(more);
                }
            }
            if !line.trim_ascii().is_empty() {
                return Some(Line { number, text: decoded(line), is_cut });
            }
        }
    }
}

fn decoded(line: Cow<'_, [u8]>) -> Cow<'_, str> {
    match line {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(
            String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> String {
        let lines: Vec<_> = Lines::of(bytes).map(|line| format!("{} {}", line.number, line.text)).collect();
        lines.join("|")
    }

    #[test]
    fn folded_lines_are_one_line_whatever_ends_them() {
        // The lines as `number text`, with `|` between them.
        let cases: [(&[u8], &str); 9] = [
            (b"", ""),
            (b"\r\n\n \r\n", ""),
            (b"A:1\r\nB:2\r\n", "1 A:1|2 B:2"),
            (b"A:1\nB:2", "1 A:1|2 B:2"),
            (b"\xef\xbb\xbfA:1\n\n\nB:2\n", "1 A:1|4 B:2"),
            (b"A:one\r\n  two\r\n\tthree\r\nB:4\r\n", "1 A:one twothree|4 B:4"),
            // The umlaut is folded between its two bytes.
            (b"A:J\xc3\r\n \xb6rg\r\n", "1 A:Jörg"),
            (b"A:J\xf6rg\n", "1 A:J\u{fffd}rg"),
            // Only a line feed ends a line.
            ("A:1\u{2028}\u{85}\r2\n".as_bytes(), "1 A:1\u{2028}\u{85}\r2"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(texts(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_line_without_end_is_cut_and_says_so() {
        let mut bytes = b"A:".to_vec();
        for _ in 0..MAX_LINE {
            bytes.extend_from_slice(b"0123456789\r\n ");
        }
        bytes.extend_from_slice(b"\r\nB:2\r\n");
        let lines: Vec<_> = Lines::of(&bytes).collect();
        assert!(lines[0].is_cut && lines[0].text.len() <= MAX_LINE);
        assert!(!lines[1].is_cut && lines[1].text == "B:2");
    }
}
