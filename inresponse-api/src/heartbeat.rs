//! Heartbeats on the wire: what must ping, and its last pings and misses.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::words::{HeartbeatState, Severity};

/// The definition of a heartbeat, as a request sets it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutHeartbeat,
    example = json!({ "service": "athens", "severity": "CRIT", "everySeconds": 86400, "graceSeconds": 3600,
        "title": "the nightly backup did not run" })))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HeartbeatEntry {
    /// The service for which an incident opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub service: Option<String>,
    /// The severity of the incident: `CRIT`, `ERR` or `WARN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false, value_type = Option<String>))]
    pub severity: Option<Severity>,
    /// The interval between two pings, in whole seconds: from 1 to 31,622,400 (366 days).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub every_seconds: Option<u64>,
    /// How late a ping may be, in whole seconds: at most 31,622,400 (default: 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<u64>,
    /// The title of the incident (default: one that contains the heartbeat's name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The owner of the roster file that makes the entry, at most 100 bytes (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = HeartbeatView))]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    /// The heartbeat's name.
    pub heartbeat: String,
    /// The service for which an incident opens.
    pub service: String,
    /// The severity of the incident: `CRIT`, `ERR` or `WARN`.
    pub severity: Severity,
    /// The interval between two pings.
    pub every_seconds: u64,
    /// How late a ping may be.
    pub grace_seconds: u64,
    /// The title of the incident; absent if it is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `waiting` if no ping has come yet and the first one is not late, `beating` if pings come in time, or `missed` if one
    /// did not come in time and none has come since.
    pub state: HeartbeatState,
    /// The last ping; absent if none has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ping_at: Option<DateTime<Utc>>,
    /// When the next ping is due, with the grace; absent after a miss, and for a moment after the heartbeat was defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// The number of the incident of the present miss. The incident may have been resolved by a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_id: Option<u64>,
    /// The last pings, the newest first, at most 50; only in the answer for one heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pings: Option<Vec<DateTime<Utc>>>,
    /// The last misses, the newest first, at most 10; only in the answer for one heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misses: Option<Vec<HeartbeatMiss>>,
    /// The owner of the roster file that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The body of a request that leaves the heartbeat unchanged.
impl From<Heartbeat> for HeartbeatEntry {
    fn from(heartbeat: Heartbeat) -> Self {
        Self {
            service: Some(heartbeat.service),
            severity: Some(heartbeat.severity),
            every_seconds: Some(heartbeat.every_seconds),
            grace_seconds: Some(heartbeat.grace_seconds),
            title: heartbeat.title,
            owner: heartbeat.owner,
        }
    }
}

/// A ping that did not come in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = HeartbeatMissView))]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatMiss {
    /// When the ping was due, with the grace.
    pub due_at: DateTime<Utc>,
    /// The last ping before; absent if none had come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ping_at: Option<DateTime<Utc>>,
    /// The number of the incident, as soon as it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_id: Option<u64>,
    /// When the next ping came; absent if none has come yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

/// A page of heartbeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = HeartbeatsView))]
pub struct Heartbeats {
    /// The heartbeats, in the order of their names.
    pub heartbeats: Vec<Heartbeat>,
    /// The cursor of the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The answer to a ping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PingView))]
#[serde(rename_all = "camelCase")]
pub struct Ping {
    /// The heartbeat's name.
    pub heartbeat: String,
    /// `recorded` if the ping is stored, or `counted` if another ping of the heartbeat was stored less than half a second
    /// before and this one counts as that one.
    pub ping: String,
    /// When the next ping is due, with the grace; absent if the ping was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
}
