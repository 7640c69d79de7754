//! How long a turn is, how turns are numbered, and weekly hours.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveTime, Weekday};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::InvalidInput;

/// How long a turn lasts, and how turns are numbered from the anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// The number of units that a turn lasts.
    pub every: u32,
    /// The unit.
    pub unit: TurnUnit,
    /// Which turns move on to the next member.
    #[serde(default)]
    pub count: Counting,
}

impl Turn {
    /// The maximum number of units that a turn lasts.
    pub const MAX_EVERY: u32 = 10_000;

    /// A turn of so many units, counted from the layer's anchor on.
    pub const fn every(every: u32, unit: TurnUnit) -> Self {
        Self { every, unit, count: Counting::Elapsed }
    }

    pub(super) fn check(self) -> Result<(), String> {
        let most = Self::MAX_EVERY;
        if (1..=most).contains(&self.every) { Ok(()) } else { Err(format!("must be from 1 to {most}")) }
    }
}

/// The unit of a turn's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TurnUnit {
    /// Hours of elapsed time.
    Hour,
    /// Days of the schedule's zone.
    Day,
    /// Weeks of the schedule's zone.
    Week,
    /// Months of the schedule's zone, from the anchor's day of the month, or from the last day of a shorter month.
    Month,
}

/// Which turns are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Counting {
    /// Every turn.
    #[default]
    Elapsed,
    /// Only turns that contain hours of the layer.
    Worked,
}

/// Hours of the week in which a layer is on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hours {
    /// The days on which the hours begin.
    pub days: WeekDays,
    /// When the hours begin.
    #[serde(with = "clock_time")]
    pub from: NaiveTime,
    /// When the hours end: on the next day if this is not after `from`.
    #[serde(with = "clock_time")]
    pub to: NaiveTime,
}

impl Hours {
    /// A time of day like `09:00`; seconds may be given.
    ///
    /// # Errors
    /// The text is not a time of day.
    pub fn time(text: &str) -> Result<NaiveTime, InvalidInput> {
        let read = |format: &str| NaiveTime::parse_from_str(text.trim(), format).ok();
        let time = read("%H:%M").or_else(|| read("%H:%M:%S"));
        time.ok_or_else(|| InvalidInput::field("time", "must be a time of day like 09:00"))
    }
}

/// A set of days of the week.
///
/// ```
/// use inresponse_core::roster::WeekDays;
/// let days: WeekDays = "Mon".parse::<WeekDays>()?.union("sunday".parse()?);
/// assert_eq!(days.to_string(), "Mon, Sun");
/// # Ok::<(), inresponse_core::InvalidInput>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct WeekDays(u8);

impl WeekDays {
    /// All seven.
    pub const ALL: Self = Self(0b111_1111);

    /// The set with the days of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the set has that day.
    pub const fn contains(self, day: Weekday) -> bool {
        self.0 & Self::bit(day) != 0
    }

    /// Whether the set has no day.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The days of the set, from Monday.
    pub fn days(self) -> impl Iterator<Item = Weekday> {
        use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        [Mon, Tue, Wed, Thu, Fri, Sat, Sun].into_iter().filter(move |day| self.contains(*day))
    }

    const fn bit(day: Weekday) -> u8 {
        1 << day.num_days_from_monday()
    }
}

impl From<Weekday> for WeekDays {
    fn from(day: Weekday) -> Self {
        Self(Self::bit(day))
    }
}

/// One day, by its English name or the first three letters of it.
impl FromStr for WeekDays {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let day: Result<Weekday, _> = text.trim().parse();
        let day =
            day.map_err(|_| InvalidInput::field("days", "must be Mon, Tue, Wed, Thu, Fri, Sat or Sun"))?;
        Ok(day.into())
    }
}

impl fmt::Display for WeekDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, day) in self.days().enumerate() {
            write!(f, "{}{day}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl Serialize for WeekDays {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.days().map(|day| day.to_string()))
    }
}

impl<'de> Deserialize<'de> for WeekDays {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(d)?;
        let mut days = Self::default();
        for name in names {
            days = days.union(name.parse().map_err(serde::de::Error::custom)?);
        }
        Ok(days)
    }
}

mod clock_time {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &NaiveTime, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&super::ClockTime(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<NaiveTime, D::Error> {
        super::Hours::time(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// A time of day as people write it: seconds only if there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockTime(pub NaiveTime);

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use chrono::Timelike;
        self.0.format(if self.0.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).fmt(f)
    }
}
