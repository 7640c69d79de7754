//! Services, teams and calendars over the wire.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A service and the team that owns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Service {
    /// Its name.
    pub service: String,
    /// Whose it is.
    pub team: String,
}

/// A team's settings as they are sent; what is left out is as by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamSettings {
    /// An IANA time zone; UTC by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How long a level is given before the next one is alerted; 600 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalate_after_seconds: Option<u64>,
    /// Who is alerted when nobody else can be, or nobody else has claimed.
    pub fallback: Vec<String>,
    /// Further rounds before the fallback; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u32>,
    /// Which levels a severity alerts, by its word; all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_levels: Option<BTreeMap<String, Vec<u16>>>,
}

impl TeamSettings {
    /// The defaults, with that fallback.
    pub fn new(fallback: Vec<String>) -> Self {
        Self { timezone: None, escalate_after_seconds: None, fallback, repeat: None, alert_levels: None }
    }
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the HTTP API")]
pub struct Team {
    pub team: String,
    pub timezone: String,
    pub escalate_after_seconds: u64,
    pub fallback: Vec<String>,
    pub repeat: u32,
    #[serde(default)]
    pub alert_levels: BTreeMap<String, Vec<u16>>,
}

/// Who is on call on a day, and to whom it escalates, level after level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rota {
    /// Level 1.
    pub oncall: Vec<String>,
    /// Level 2 and so on.
    pub escalation: Vec<Vec<String>>,
}

/// A day of a team's calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the HTTP API")]
pub struct Day {
    pub team: String,
    pub day: NaiveDate,
    pub oncall: Vec<String>,
    pub escalation: Vec<Vec<String>>,
}

/// Who is on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OnCall {
    /// Of which team.
    pub team: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The calendar day in the team's time zone.
    pub day: NaiveDate,
    /// Level 1; the fallback where the calendar has no entry.
    pub oncall: Vec<String>,
    /// All levels in order.
    pub levels: Vec<Vec<String>>,
    /// Who is alerted when nobody else can be, or nobody else has claimed.
    pub fallback: Vec<String>,
}

/// A page of changes of the roster, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Changes {
    /// The changes.
    pub changes: Vec<Change>,
    /// Where the next page begins; none on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A change of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// When.
    pub at: DateTime<Utc>,
    /// The name of the API key that changed it, or `config`.
    pub by: String,
    /// In one line.
    pub what: String,
}
