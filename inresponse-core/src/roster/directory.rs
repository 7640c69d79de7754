//! A snapshot of the roster for one team.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{Rota, Team};
use crate::model::TeamName;

/// Everything that says who is on call for a team in a span of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Directory {
    team: TeamName,
    settings: Option<Arc<Team>>,
    days: BTreeMap<NaiveDate, Arc<Rota>>,
    standing: Standing,
}

/// Whether a team is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has settings, a calendar entry or a service.
    Known,
    /// It has none of them.
    Unknown,
}

impl Directory {
    /// A snapshot for `team`: its settings, the calendar entries of at least the days that [`days_of`] names, and
    /// whether it is known.
    pub fn new(
        team: TeamName,
        settings: Option<Arc<Team>>,
        days: BTreeMap<NaiveDate, Arc<Rota>>,
        standing: Standing,
    ) -> Self {
        Self { team, settings, days, standing }
    }

    /// A snapshot for a team that is not known.
    pub fn unknown(team: TeamName) -> Self {
        Self::new(team, None, BTreeMap::new(), Standing::Unknown)
    }

    /// The team.
    pub fn team(&self) -> &TeamName {
        &self.team
    }

    /// Its settings, if it has its own.
    pub fn settings(&self) -> Option<&Arc<Team>> {
        self.settings.as_ref()
    }

    /// Its calendar entry for a day of the span.
    pub fn day(&self, day: NaiveDate) -> Option<&Arc<Rota>> {
        self.days.get(&day)
    }

    /// Its calendar entries, in order.
    pub fn days(&self) -> impl Iterator<Item = (NaiveDate, &Arc<Rota>)> {
        self.days.iter().map(|(day, rota)| (*day, rota))
    }

    /// Whether it has settings, a calendar entry or a service.
    pub fn standing(&self) -> Standing {
        self.standing
    }
}

/// The first and the last calendar day that some zone has between `from` and `to`.
pub fn days_of(from: DateTime<Utc>, to: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
    // No zone is more than a day from UTC.
    let (first, last) = (from.date_naive(), to.date_naive());
    let day = Days::new(1);
    (
        first.checked_sub_days(day).unwrap_or(NaiveDate::MIN),
        last.checked_add_days(day).unwrap_or(NaiveDate::MAX),
    )
}
