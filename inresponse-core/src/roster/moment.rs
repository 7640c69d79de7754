//! Times as people write them: an instant, or a local time of a zone.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::error::InvalidInput;
use crate::model::Zone;

/// A local time of a zone, such as `2026-12-07T09:00`.
///
/// Seconds are optional. A day alone means its midnight.
///
/// ```
/// use inresponse_core::roster::WallTime;
/// let cases = [
///     ("2026-12-07T09:00", "2026-12-07T09:00"),
///     ("2026-12-07T09:00:30", "2026-12-07T09:00:30"),
///     ("2026-12-07", "2026-12-07T00:00"),
/// ];
/// for (given, shown) in cases {
///     assert_eq!(given.parse::<WallTime>()?.to_string(), shown);
/// }
/// # Ok::<(), inresponse_core::InvalidInput>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WallTime(NaiveDateTime);

impl WallTime {
    /// The earliest and the latest year of a wall time. Both are far from the limits of the calendar's types.
    const YEARS: std::ops::RangeInclusive<i32> = 1970..=2200;

    /// Makes a wall time of a day and a time.
    ///
    /// # Errors
    /// The time is before 1970, after 2200, or has a fraction of a second.
    pub fn new(time: NaiveDateTime) -> Result<Self, InvalidInput> {
        use chrono::{Datelike, Timelike};
        let refuse = |message: &str| Err(InvalidInput::field("time", message.to_owned()));
        if !Self::YEARS.contains(&time.year()) {
            return refuse("must be from 1970 to 2200");
        }
        if time.nanosecond() != 0 {
            return refuse("must be whole seconds");
        }
        Ok(Self(time))
    }

    /// Day and time, without the zone.
    pub fn clock(self) -> NaiveDateTime {
        self.0
    }
}

impl FromStr for WallTime {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let text = text.trim();
        let read = |format: &str| NaiveDateTime::parse_from_str(text, format).ok();
        let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN));
        let time = read("%Y-%m-%dT%H:%M").or_else(|| read("%Y-%m-%dT%H:%M:%S")).or_else(day);
        let time = time.ok_or_else(|| {
            InvalidInput::field("time", "must be a local time like 2026-12-07T09:00, without a zone")
        })?;
        Self::new(time)
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use chrono::Timelike;
        let format = if self.0.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" };
        self.0.format(format).fmt(f)
    }
}

impl TryFrom<String> for WallTime {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Self, InvalidInput> {
        text.parse()
    }
}

impl From<WallTime> for String {
    fn from(time: WallTime) -> Self {
        time.to_string()
    }
}

/// One end of a span: an instant, or a local time of the zone that the span belongs to.
///
/// ```
/// use inresponse_core::roster::Moment;
/// assert_eq!("2026-12-07T09:00+02:00".parse::<Moment>()?.to_string(), "2026-12-07T07:00:00Z");
/// assert_eq!("2026-12-07T09:00".parse::<Moment>()?.to_string(), "2026-12-07T09:00");
/// # Ok::<(), inresponse_core::InvalidInput>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    /// This instant.
    At(DateTime<Utc>),
    /// The instant at which the clocks of the zone show this local time.
    Local(WallTime),
}

impl Moment {
    /// The instant of this moment as the beginning of a span: the first one, if the local time occurs twice.
    pub fn begins(self, zone: &Zone) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Local(time) => zone.first_instant(time.clock()),
        }
    }

    /// The instant of this moment as the end of a span: the last one, if the local time occurs twice.
    pub fn ends(self, zone: &Zone) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Local(time) => zone.last_instant(time.clock()),
        }
    }
}

/// Reads an instant in RFC 3339, also without seconds, because people leave them out.
///
/// ```
/// use inresponse_core::roster::read_instant;
/// assert_eq!(read_instant("2026-12-07T09:00+02:00"), read_instant("2026-12-07T07:00:00Z"));
/// assert_eq!(read_instant("2026-12-07T09:00"), None);
/// ```
pub fn read_instant(text: &str) -> Option<DateTime<Utc>> {
    let without_seconds = || DateTime::parse_from_str(&text.replace('Z', "+00:00"), "%Y-%m-%dT%H:%M%:z");
    let instant = DateTime::parse_from_rfc3339(text).or_else(|_| without_seconds());
    instant.ok().map(|instant| instant.to_utc())
}

impl FromStr for Moment {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let text = text.trim();
        if let Ok(time) = text.parse::<WallTime>() {
            return Ok(Self::Local(time));
        }
        let instant = read_instant(text).ok_or_else(|| {
            let message = "must be a time like 2026-12-07T09:00Z, or a local time like 2026-12-07T09:00";
            InvalidInput::field("time", message)
        })?;
        let at = chrono::SubsecRound::trunc_subsecs(instant, 0);
        WallTime::new(at.naive_utc())?;
        Ok(Self::At(at))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            Self::Local(time) => time.fmt(f),
        }
    }
}

impl TryFrom<String> for Moment {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Self, InvalidInput> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}
