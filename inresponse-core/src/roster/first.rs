//! Whom a team alerts first: what `team:NAME` means.

use chrono::NaiveDate;

use super::{Target, TeamPart};

/// Whom a team alerts first.
pub(super) struct First<'a> {
    /// What names them.
    pub(super) why: FirstBy,
    /// Whom it names.
    pub(super) targets: &'a [Target],
}

/// What names those whom a team alerts first.
pub(super) enum FirstBy {
    /// The calendar's entry for this day.
    Day(NaiveDate),
    /// The team's first level.
    Level,
    /// The team's fallback, since the team has neither.
    Fallback,
}

/// Whom a team alerts first on a day of its zone: the people in the calendar's entry for the day, otherwise its first
/// level, otherwise its fallback.
///
/// An entry or a level counts even if it is empty.
pub(super) fn first_level(part: &TeamPart, day: NaiveDate) -> First<'_> {
    let settings = part.settings.as_ref();
    match (part.days.get(&day), settings.and_then(|settings| settings.levels().first())) {
        (Some(rota), _) => First { why: FirstBy::Day(day), targets: rota.oncall() },
        (None, Some(level)) => First { why: FirstBy::Level, targets: &level.notify },
        (None, None) => {
            let fallback = settings.map_or(&[][..], |settings| settings.fallback());
            First { why: FirstBy::Fallback, targets: fallback }
        }
    }
}
