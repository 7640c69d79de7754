//! Hours of the week, in schedules, teams and silences.

use serde::{Deserialize, Serialize};

/// Hours of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The days on which the hours begin: `Mon` to `Sun`.
    pub days: Vec<String>,
    /// When the hours begin, such as `09:00`.
    pub from: String,
    /// When the hours end: on the next day if this is not after `from`.
    pub to: String,
}
