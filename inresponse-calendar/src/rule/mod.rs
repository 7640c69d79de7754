//! Rules of recurrence.

mod expand;
mod parse;

pub(crate) use expand::{Days, Expansion, Work, starts};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    Day(Date),
    Local(DateTime),
    Instant(Timestamp),
}

/// A weekday, or the n-th such day of a month or year. A negative n counts from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByDay {
    pub(crate) nth: Option<i8>,
    pub(crate) day: Weekday,
}

/// A rule of a kind that is supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) frequency: Frequency,
    pub(crate) interval: u32,
    pub(crate) count: Option<u32>,
    pub(crate) until: Option<Until>,
    pub(crate) week_starts: Weekday,
    pub(crate) by_month: Vec<i8>,
    pub(crate) by_month_day: Vec<i8>,
    pub(crate) by_day: Vec<ByDay>,
    pub(crate) by_set_position: Vec<i16>,
}
