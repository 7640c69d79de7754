//! Who changed the roster, and when.

use std::fmt;

use chrono::{DateTime, SubsecRound, Utc};

use crate::error::InvalidInput;
use crate::model::Person;

/// A change of the roster, as it is told to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterChange {
    at: DateTime<Utc>,
    by: Person,
    what: String,
}

impl RosterChange {
    /// The longest that the line of what was changed is, in characters.
    pub const MAX_WHAT: usize = 500;

    /// A change: its time, to the microsecond, who made it, and one line of what was changed.
    ///
    /// Control characters become spaces, and what is longer than [`Self::MAX_WHAT`] is cut.
    pub fn new(at: DateTime<Utc>, by: Person, what: &str) -> Self {
        let mut line: String = what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if let Some((end, _)) = line.char_indices().nth(Self::MAX_WHAT) {
            let (last, _) = line.char_indices().nth(Self::MAX_WHAT - 1).unwrap_or((end, ' '));
            line.truncate(last);
            line.push('…');
        }
        Self { at: at.trunc_subsecs(6), by, what: line }
    }

    /// When.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Who: the name of an API key, or `config`.
    pub fn by(&self) -> &Person {
        &self.by
    }

    /// What, in one line.
    pub fn what(&self) -> &str {
        &self.what
    }
}

/// A change's place in the list of changes: only the roster that gave it knows what it means.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeMark(String);

impl ChangeMark {
    /// The longest that it may be, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// A mark as a roster wrote it.
    ///
    /// # Errors
    /// Empty, longer than [`Self::MAX_BYTES`], or not printable ASCII.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidInput> {
        let text = text.into();
        let holds = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if holds { Ok(Self(text)) } else { Err(InvalidInput::field("cursor", "is not the mark of a change")) }
    }

    /// The mark of the change with that number, which is later than those with smaller ones.
    pub fn numbered(number: u64) -> Self {
        Self(format!("{number:020}"))
    }

    /// The number, if it is [`numbered`](Self::numbered).
    pub fn number(&self) -> Option<u64> {
        let digits = self.0.len() == 20 && self.0.bytes().all(|b| b.is_ascii_digit());
        self.0.parse().ok().filter(|_| digits)
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChangeMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_one_line_of_bounded_length() {
        let what = |text: &str| {
            RosterChange::new(DateTime::UNIX_EPOCH, Person::new("ann").unwrap(), text).what().to_owned()
        };
        assert_eq!(what("team\r\nops"), "team  ops");
        for letter in ["x", "é", "🚒"] {
            let whole = letter.repeat(RosterChange::MAX_WHAT);
            assert_eq!(what(&whole), whole);
            let cut = format!("{}…", letter.repeat(RosterChange::MAX_WHAT - 1));
            assert_eq!(what(&format!("{whole}{letter}")), cut);
        }
    }

    #[test]
    fn a_change_has_a_time_that_every_storage_can_keep() {
        let at: DateTime<Utc> = "2026-11-28T07:00:00.123456789Z".parse().unwrap();
        let change = RosterChange::new(at, Person::new("ann").unwrap(), "x");
        assert_eq!(change.at().timestamp_subsec_nanos(), 123_456_000);
    }

    #[test]
    fn marks_are_ordered_as_their_numbers_are() {
        let numbers = [0, 1, 9, 10, 255, u64::MAX];
        for pair in numbers.windows(2) {
            assert!(ChangeMark::numbered(pair[0]) < ChangeMark::numbered(pair[1]));
        }
        for number in numbers {
            assert_eq!(ChangeMark::numbered(number).number(), Some(number));
        }
        for other in ["1", "+0000000000000000001", "2026-11-28T07:00:00Z#ab"] {
            assert_eq!(ChangeMark::new(other).unwrap().number(), None, "{other}");
        }
        for refused in ["", "a b", "é", "x\n", &"x".repeat(65)] {
            assert!(ChangeMark::new(refused).is_err(), "{refused:?}");
        }
    }
}
