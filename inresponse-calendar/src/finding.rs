//! The parts of a calendar that were not understood.

use std::fmt;

use crate::limits::MAX_FINDINGS;

/// What was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// A line that is not a property.
    Line,
    /// A date or time is not understood or missing.
    Time,
    /// The end of the event is not understood, or is not after its start.
    Length,
    /// The name of a time zone.
    Zone,
    /// A rule of recurrence.
    Rule,
    /// Which of several versions of an event is the newest.
    Version,
    /// More occurrences, work or findings than [`limits`](crate::limits) allow.
    TooMuch,
}

/// Something in a valid calendar that was not understood. The event is left out, unless the message says how it was
/// read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    kind: FindingKind,
    event: String,
    message: String,
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, event: &str, message: impl Into<String>) -> Self {
        Self { kind, event: short(event), message: short(&message.into()) }
    }

    /// What was not understood.
    pub fn kind(&self) -> FindingKind {
        self.kind
    }

    /// The event, as people call it: its summary, or else its UID.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// What was not understood, in lower case without a full stop.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.event, self.message)
    }
}

/// At most 200 characters, in one line.
fn short(text: &str) -> String {
    let line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    if line.is_empty() { "an event without a name".to_owned() } else { line }
}

/// The findings that are listed, and the number of further findings.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    told: Vec<Finding>,
    more: usize,
}

impl Findings {
    pub(crate) fn add(&mut self, finding: Finding) {
        if self.told.len() < MAX_FINDINGS {
            self.told.push(finding);
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn told(mut self) -> Vec<Finding> {
        if self.more > 0 {
            let message = format!("{} more findings are not listed", self.more);
            self.told.push(Finding::new(FindingKind::TooMuch, "the calendar", message));
        }
        self.told
    }
}
