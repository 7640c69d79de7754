//! What people write back in a text message.

use inresponse_core::model::IncidentNumber;
use inresponse_core::plan::Wanted;

/// The maximum number of characters of a text that is understood. Longer texts are not for us: an answering machine
/// that is answered would answer again.
const MAX_CHARS: usize = 40;

/// What a text message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// To claim or to resolve an incident: the one with that number, or the only one that is open.
    Answer(Option<IncidentNumber>, Wanted),
    /// To get no more messages.
    Stop,
    /// To get messages again.
    Start,
    /// How to answer. Twilio answers this by itself.
    Help,
    /// Something else, which is short enough to be a mistake.
    Unclear,
    /// Something else.
    Other,
}

/// Reads a text message. Case, blanks and the punctuation that phones add do not matter.
///
/// The words that stop and start messages are those that Twilio handles for long codes ("Twilio support for opt-out
/// keywords", "Customize users' opt-in and opt-out experience with Advanced Opt-Out").
pub fn read(text: &str) -> Said {
    if text.chars().count() > MAX_CHARS {
        return Said::Other;
    }
    let ignored =
        |c: char| c.is_whitespace() || c.is_control() || "\".,;:!'`-_*#\u{feff}\u{200b}“”‘’".contains(c);
    let word: String = text.chars().filter(|c| !ignored(*c)).flat_map(char::to_lowercase).collect();
    match word.as_str() {
        "stop" | "stopall" | "unsubscribe" | "cancel" | "end" | "quit" | "revoke" | "optout" => {
            return Said::Stop;
        }
        "start" | "yes" | "unstop" => return Said::Start,
        "help" | "info" => return Said::Help,
        _ => {}
    }
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, letter) = word.split_at(digits);
    let wants = match letter {
        "c" | "ack" => Wanted::Claim,
        "r" if digits > 0 => Wanted::Resolve,
        _ => return Said::Unclear,
    };
    match number {
        "" => Said::Answer(None, wants),
        number => match number.parse() {
            Ok(number) => Said::Answer(Some(IncidentNumber::new(number)), wants),
            Err(_) => Said::Unclear,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p20_a_reply_is_understood_however_a_phone_writes_it() {
        let claim = |number: Option<u64>| Said::Answer(number.map(IncidentNumber::new), Wanted::Claim);
        let resolve = |number| Said::Answer(Some(IncidentNumber::new(number)), Wanted::Resolve);
        for (text, expected) in [
            ("10001c", claim(Some(10001))),
            (" 10001 C\n", claim(Some(10001))),
            ("10001C.", claim(Some(10001))),
            ("“10001c”", claim(Some(10001))),
            ("10001 ack", claim(Some(10001))),
            ("10001r", resolve(10001)),
            ("1 0 0 0 1 R!", resolve(10001)),
            ("c", claim(None)),
            ("Ack", claim(None)),
            ("C ", claim(None)),
            // To resolve, the incident must be named.
            ("r", Said::Unclear),
            ("10001", Said::Unclear),
            ("c10001", Said::Unclear),
            ("10001x", Said::Unclear),
            ("10001cc", Said::Unclear),
            ("99999999999999999999999c", Said::Unclear),
            ("١٠٠٠١c", Said::Unclear),
            ("", Said::Unclear),
            ("ok", Said::Unclear),
            ("STOP", Said::Stop),
            ("Stop all", Said::Stop),
            ("unsubscribe", Said::Stop),
            ("CANCEL", Said::Stop),
            ("end", Said::Stop),
            ("quit", Said::Stop),
            ("revoke", Said::Stop),
            ("opt-out", Said::Stop),
            ("start", Said::Start),
            ("YES", Said::Start),
            ("unstop", Said::Start),
            ("help", Said::Help),
            ("please stop", Said::Unclear),
            ("I am driving now, and I will answer you later.", Said::Other),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
        assert_eq!(read(&"10001c".repeat(1000)), Said::Other);
    }
}
