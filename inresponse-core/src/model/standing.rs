//! Where an incident stands by its timeline.

use serde::{Deserialize, Serialize};

use super::{Person, Severity, State};

/// Where an incident stands: what its timeline folds to.
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
