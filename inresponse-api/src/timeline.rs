//! What people and levels did.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::delivery::Level;
use crate::words::{EventKind, Reached, Severity, State, TeamReason};

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = EntryView))]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// What happened: `opened`, `roundBegan`, `levelBegan`, `levelBeganAnew`, `levelEmpty`, `levelDead`,
    /// `unclaimed`, `claimed`, `released`, `resolved`, `handedOver`, `handoverUnconfirmed`, `handoverUnanswered`,
    /// `handedToTeam`, `teamChanged`, `teamGone`, `escalated`, `severityChanged`, `reportedLower`, `noted`,
    /// `clockWentBack`, `folded`; `unknown` for what only a newer server knows.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub event: EventKind,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The name of the API key that it was done with; `link` for the link in an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Who or which team has it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// From whom it was taken over, the team or the severity before; the team that is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The severity then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub severity: Option<Severity>,
    /// The round of alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// The level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Who is alerted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<String>>,
    /// The note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How many entries were folded into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<u32>,
    /// The state after the entries that were folded into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub state: Option<State>,
    /// By how much the clock went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    /// Of a level that is empty or dead: the next one was due at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at_once: Option<bool>,
    /// Of `unclaimed`, while it is known: who was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub reached: Option<Reached>,
    /// Why another team has it: `ownsService`, `handedTo`, `catchAll`; or who is alerted in place of a team that is gone:
    /// `deploymentFallback`, `lastRound`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub why: Option<TeamReason>,
}

impl Entry {
    /// An entry of which nothing else is known.
    pub fn new(at: DateTime<Utc>, event: EventKind) -> Self {
        Self {
            at,
            event,
            by: None,
            key: None,
            to: None,
            from: None,
            severity: None,
            round: None,
            level: None,
            contacts: None,
            note: None,
            entries: None,
            state: None,
            seconds: None,
            next_at_once: None,
            reached: None,
            why: None,
        }
    }
}
