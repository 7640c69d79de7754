//! The timeline of an incident: what people and levels did.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::delivery::Level;
use crate::words::{EventKind, Reached, Severity, State, TeamReason};

/// An entry of an incident's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = EntryView))]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When the event happened.
    pub at: DateTime<Utc>,
    /// The kind of event: `opened`, `roundBegan`, `levelBegan`, `levelBeganAnew`, `levelEmpty`, `levelDead`,
    /// `alertsCut`, `heldBack`, `routed`, `unrouted`, `becameQuiet`, `quietEnded`, `claimEnded`, `snoozed`, `unclaimed`, `claimed`, `released`, `resolved`, `handedOver`,
    /// `handoverUnconfirmed`, `handoverUnanswered`, `handedToTeam`, `teamChanged`, `teamGone`, `calledIn`, `responded`,
    /// `escalated`, `severityChanged`, `reportedLower`, `noted`,
    /// `clockWentBack`, `folded`; `unknown` for events that only a newer server knows.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub event: EventKind,
    /// The person or system that caused the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The name of the API key that was used; `link` for the link in an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The new claimant or team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The previous claimant, team or severity, or the team that was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The severity after the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub severity: Option<Severity>,
    /// The round of alerts, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// The level that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The contacts that are alerted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<String>>,
    /// The people who were called in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<String>>,
    /// The number of alerts that were left out, because the round would have had too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<u32>,
    /// The text of the note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The number of entries that were folded into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<u32>,
    /// The state after the entries that were folded into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub state: Option<State>,
    /// How many seconds the clock went back, or after how many seconds a snoozed claim ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    /// For a level that is empty or dead: whether the next level was due at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at_once: Option<bool>,
    /// For the event `unclaimed`: who was reached, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub reached: Option<Reached>,
    /// Why another team has the incident: `ownsService`, `handedTo`, `routed`, `catchAll`. If a team was deleted, who is alerted
    /// instead: `deploymentFallback`, `lastRound`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub why: Option<TeamReason>,
    /// Until when nobody is alerted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// What makes the incident quiet: `silence:ID`, or `hours:TEAM SEVERITY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_by: Option<Vec<String>>,
    /// The routing rule that decided about the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why the routing rule has no effect: `unknownTeam:NAME` or `noPing:HEARTBEAT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
    /// `true` if the routing rule only records the incident; otherwise absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub record_only: bool,
}

impl Entry {
    /// An entry with a time and a kind of event, and no other field.
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
            people: None,
            alerts: None,
            note: None,
            entries: None,
            state: None,
            seconds: None,
            next_at_once: None,
            reached: None,
            why: None,
            until: None,
            quiet_by: None,
            rule: None,
            ignored: None,
            record_only: false,
        }
    }
}
