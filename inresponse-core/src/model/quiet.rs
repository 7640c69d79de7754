//! Quiet: until when silences and alert hours hold an incident back (promise 21).

use std::fmt;

use chrono::serde::ts_microseconds as micros;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Severity, SilenceId, TeamName};

/// Names the silences and alert hours by which an incident was judged.
///
/// The same silences and alert hours always have the same id, in every process. So a record that was judged by other
/// rules has another id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RulesId(i64);

impl RulesId {
    /// The id of rules without any silence and any alert hours.
    pub const NONE: Self = Self(0);

    /// The id of a record that must be judged again, by whatever rules. No rules have this id.
    pub const JUDGE_AGAIN: Self = Self(-1);

    /// The id with that value, as a store keeps it.
    pub const fn new(value: i64) -> Self {
        Self(value)
    }

    /// The id as an integer, as a store keeps it. It is not negative, except that of [`Self::JUDGE_AGAIN`].
    pub const fn value(self) -> i64 {
        self.0
    }
}

/// Why an incident is quiet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QuietWhy {
    /// A silence matches.
    Silence(SilenceId),
    /// The team's alert hours for that severity are closed.
    AlertHours {
        /// The team.
        team: TeamName,
        /// The severity.
        severity: Severity,
    },
}

/// As in a dry run: `silence:deploy`, `hours:devops WARN`.
impl fmt::Display for QuietWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence(id) => write!(f, "silence:{id}"),
            Self::AlertHours { team, severity } => write!(f, "hours:{team} {severity}"),
        }
    }
}

/// An open incident is quiet: nobody is alerted until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quiet {
    /// When the incident is judged again, and a new round begins unless something else holds it.
    #[serde(with = "micros")]
    pub until: DateTime<Utc>,
    /// What holds it now, and then what holds it without a break after that; at most [`Self::MAX_WHY`].
    pub why: Vec<QuietWhy>,
    /// The rules by which that was judged.
    pub(crate) judged_by: RulesId,
}

impl Quiet {
    /// The maximum number of reasons that are recorded.
    pub const MAX_WHY: usize = 5;
}
