//! What a button asks for, as a letter and a word.

use inresponse_core::model::State;
use inresponse_core::notify::{Alert, Occasion};
use inresponse_core::plan::Wanted;

/// The letter of a button.
pub(crate) fn letter(wanted: Wanted) -> char {
    match wanted {
        Wanted::Claim => 'c',
        Wanted::Resolve => 'r',
        Wanted::Escalate => 'e',
    }
}

/// What a button with that letter asks for.
pub(crate) fn by_letter(letter: &str) -> Option<Wanted> {
    match letter {
        "c" => Some(Wanted::Claim),
        "r" => Some(Wanted::Resolve),
        "e" => Some(Wanted::Escalate),
        _ => None,
    }
}

/// The text of a button of a message.
pub(crate) fn label(alert: &Alert, wanted: Wanted) -> &'static str {
    match (wanted, alert.occasion()) {
        (Wanted::Claim, Occasion::CalledIn) => "I'm on it",
        (Wanted::Claim, _) => "Claim",
        (Wanted::Resolve, _) => "Resolve",
        (Wanted::Escalate, _) => "Escalate",
    }
}

/// The buttons of a message: what may be asked of the incident in its state.
pub(crate) fn buttons(alert: &Alert) -> &'static [Wanted] {
    match (alert.occasion(), alert.incident().state()) {
        (Occasion::Notice, _) | (_, State::Resolved) => &[],
        (Occasion::Handed, _) => &[Wanted::Claim, Wanted::Resolve],
        (Occasion::CalledIn, State::Claimed) => &[Wanted::Claim, Wanted::Resolve, Wanted::Escalate],
        (_, State::Claimed) => &[Wanted::Resolve],
        (_, State::Open) => &[Wanted::Claim, Wanted::Resolve, Wanted::Escalate],
    }
}
