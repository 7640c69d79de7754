//! When each contact of a round is alerted, if not every contact is alerted when its level begins.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Level, Severity};

/// The frozen steps of the people of a round, for each severity.
///
/// It is empty if nobody of the round has rules: then each contact is alerted when its level begins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timing {
    steps: BTreeMap<Severity, Vec<TimedStep>>,
}

/// A step: one contact of a level, and how long after the level's beginning it is alerted.
///
/// A contact that two people share has two entries with the same level, place and time. They are one alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimedStep {
    /// The level.
    pub level: Level,
    /// How long after the level began, in whole seconds.
    pub after: Duration,
    /// The contact's place in its level.
    pub place: u16,
    /// The place of the person among the matrix's recipients; `None` if the contact is named itself.
    pub recipient: Option<u16>,
}

impl Timing {
    /// The maximum number of entries for one severity: more than two for each alert of a round.
    pub const MAX_ENTRIES: usize = 100;

    /// Freezes these steps. A severity without an entry alerts each contact when its level begins.
    pub fn new(steps: BTreeMap<Severity, Vec<TimedStep>>) -> Self {
        Self { steps }
    }

    /// Whether each contact is alerted when its level begins.
    pub fn is_plain(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps of incidents of that severity, in the order of levels; `None` if each contact is alerted when its
    /// level begins.
    pub(super) fn of(&self, severity: Severity) -> Option<&[TimedStep]> {
        self.steps.get(&severity).map(Vec::as_slice)
    }

    /// The steps of all severities.
    pub(super) fn all(&self) -> impl Iterator<Item = &TimedStep> {
        self.steps.values().flatten()
    }
}

/// A step as it is stored: the level (0 is the fallback), the contact's place, the seconds, and the recipient.
type Stored = (u16, u16, u64, Option<u16>);

impl Serialize for TimedStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let level = match self.level {
            Level::At(n) => n,
            Level::Fallback => 0,
        };
        let stored: Stored = (level, self.place, self.after.as_secs(), self.recipient);
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TimedStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (level, place, seconds, recipient) = Stored::deserialize(deserializer)?;
        let level = if level == 0 { Level::Fallback } else { Level::At(level) };
        Ok(Self { level, place, after: Duration::from_secs(seconds), recipient })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_stored_in_few_bytes_and_read_back() {
        let step = |level, place, seconds, recipient| TimedStep {
            level,
            place,
            after: Duration::from_secs(seconds),
            recipient,
        };
        let steps = vec![step(Level::At(2), 1, 180, Some(3)), step(Level::Fallback, 0, 0, None)];
        let timing = Timing::new(BTreeMap::from([(Severity::Crit, steps)]));
        let stored = r#"{"CRIT":[[2,1,180,3],[0,0,0,null]]}"#;
        assert_eq!(serde_json::to_string(&timing).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Timing>(stored).unwrap(), timing);
    }
}
