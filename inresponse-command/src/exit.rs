//! What the end of a program means.

use std::time::Duration;

use inresponse_core::notify::Outcome;
use inresponse_outward::brief;

/// The pause after exit code 3.
const PAUSE: Duration = Duration::from_secs(10);

/// The maximum number of bytes that are kept of standard error.
pub const MAX_ERROR: usize = 4096;

/// The outcome of a program that ended with that exit code (`None`: by a signal), and with that beginning of its standard
/// error, whose first line is the reason.
pub fn outcome(code: Option<i32>, standard_error: &[u8]) -> Outcome {
    let reason = first_line(standard_error);
    let said = |otherwise: String| if reason.is_empty() { otherwise } else { reason.clone() };
    match code {
        Some(0) => Outcome::Accepted,
        Some(1) => Outcome::unavailable(said("the program exited with 1".to_owned())),
        Some(2) => Outcome::rejected(said("the program exited with 2".to_owned())),
        Some(3) => Outcome::throttled(PAUSE, said("the program exited with 3".to_owned())),
        Some(code) => Outcome::unknown(said(format!("the program exited with {code}"))),
        None => Outcome::unknown(said("the program was ended by a signal".to_owned())),
    }
}

fn first_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(MAX_ERROR)]);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    brief::reason(line.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use inresponse_core::model::OutcomeKind;

    use super::*;

    #[test]
    fn p09_the_exit_code_says_the_result_of_the_message() {
        for (code, kind) in [
            (Some(0), OutcomeKind::Accepted),
            (Some(1), OutcomeKind::Unavailable),
            (Some(2), OutcomeKind::Rejected),
            (Some(3), OutcomeKind::Throttled),
            (Some(4), OutcomeKind::Unknown),
            (Some(5), OutcomeKind::Unknown),
            (Some(127), OutcomeKind::Unknown),
            (Some(-1), OutcomeKind::Unknown),
            (None, OutcomeKind::Unknown),
        ] {
            assert_eq!(outcome(code, b"").kind(), kind, "{code:?}");
        }
    }

    #[test]
    fn the_first_line_of_standard_error_is_the_reason() {
        for (text, reason) in [
            (&b"\n  no route \nTraceback"[..], "no route"),
            (b"", "the program exited with 2"),
            (b"\xff\xfe\x1b[31mred\x00", "\u{fffd}\u{fffd} [31mred"),
        ] {
            assert_eq!(outcome(Some(2), text).reason(), reason, "{text:?}");
        }
        assert!(outcome(Some(1), &[b'x'; 100_000]).reason().len() <= 200);
    }
}
