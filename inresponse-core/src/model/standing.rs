//! The standing of an incident, computed from its timeline.

use serde::{Deserialize, Serialize};

use super::{Person, Severity, State};

/// The standing of an incident: the state to which its timeline folds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// Its severity.
    pub severity: Severity,
    /// Who has claimed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<Person>,
    /// Its round.
    pub round: u32,
}
