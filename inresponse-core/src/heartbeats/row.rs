//! The stored row of a heartbeat.

use std::time::Duration;

use chrono::serde::{ts_microseconds, ts_microseconds_option};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Outage;
use crate::model::{HeartbeatName, IncidentNumber};

/// The number of pings that a row keeps.
pub const PINGS_KEPT: usize = 50;
/// The number of misses that a row keeps.
pub const MISSES_KEPT: usize = 10;

/// What a deployment knows of a heartbeat: its pings, when the next one is due, and its misses. Machines write it, so it is
/// neither audited nor part of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// From when the interval counts: the last ping, the first look since the heartbeat was defined, or the look after the
    /// clock went back.
    #[serde(with = "ts_microseconds")]
    pub(super) counts_from: DateTime<Utc>,
    /// The last pings, the newest last, in microseconds since 1970.
    pub(super) pings: Vec<i64>,
    /// When the next ping is due, with the grace. `None` after a miss: only a ping arms the heartbeat again.
    #[serde(with = "ts_microseconds_option")]
    pub(super) due_at: Option<DateTime<Utc>>,
    /// The interval and the grace that `due_at` was computed with.
    pub(super) span_seconds: u64,
    /// Whether the due time was moved, since no server was listening.
    pub(super) moved: Moved,
    /// The number of misses so far.
    pub(super) missed: u64,
    /// The last misses, the newest last.
    pub(super) misses: Vec<Miss>,
}

/// A row, and the bytes in which it is stored; no bytes if it is not stored yet.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) row: Row,
    pub(super) bytes: Option<Vec<u8>>,
}

/// Whether a due time was moved since the last ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Moved {
    Never,
    Once,
}

/// A ping that did not come in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Miss {
    /// Counts the misses of the heartbeat, from 1.
    pub(super) nth: u64,
    /// When the ping was due, with the grace.
    #[serde(with = "ts_microseconds")]
    pub(super) due_at: DateTime<Utc>,
    /// The last ping before the miss.
    #[serde(with = "ts_microseconds_option")]
    pub(super) last_ping_at: Option<DateTime<Utc>>,
    /// When a process found it.
    #[serde(with = "ts_microseconds")]
    pub(super) found_at: DateTime<Utc>,
    /// The process that creates or resolves the incident, and when it began to.
    pub(super) process: u64,
    #[serde(with = "ts_microseconds")]
    pub(super) taken_at: DateTime<Utc>,
    /// The incident, once it is known to be created.
    pub(super) incident: Option<u64>,
    /// When the next ping came.
    #[serde(with = "ts_microseconds_option")]
    pub(super) ended_at: Option<DateTime<Utc>>,
    pub(super) standing: Standing,
}

/// Whether everything that follows from a miss was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Standing {
    Open,
    /// The incident was resolved after the ping.
    Settled,
}

impl Miss {
    /// Counts the misses of the heartbeat, from 1.
    pub fn nth(&self) -> u64 {
        self.nth
    }

    /// When the ping was due, with the grace.
    pub fn due_at(&self) -> DateTime<Utc> {
        self.due_at
    }

    /// The last ping before the miss.
    pub fn last_ping_at(&self) -> Option<DateTime<Utc>> {
        self.last_ping_at
    }

    /// The incident of the miss, as soon as it was created.
    pub fn incident(&self) -> Option<IncidentNumber> {
        self.incident.map(IncidentNumber::new)
    }

    /// When the next ping came.
    pub fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.ended_at
    }

    /// What is left to do about the miss.
    pub(super) fn owed(&self) -> Owed {
        match (self.incident, self.ended_at, self.standing) {
            (None, ..) => Owed::Incident,
            (Some(number), Some(_), Standing::Open) => Owed::Resolution(IncidentNumber::new(number)),
            (Some(_), None, _) | (Some(_), Some(_), Standing::Settled) => Owed::Nothing,
        }
    }
}

/// What is left to do about a miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owed {
    Nothing,
    /// The incident must be created.
    Incident,
    /// The incident must be resolved.
    Resolution(IncidentNumber),
}

/// What a heartbeat does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeartbeatState {
    /// No ping has come yet, and the first one is not late.
    Waiting,
    /// Pings come in time.
    Beating,
    /// A ping did not come in time, and none has come since.
    Missed,
}

impl HeartbeatState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Beating, Self::Missed];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Beating => "beating",
            Self::Missed => "missed",
        }
    }
}

impl Row {
    /// The row of a heartbeat that begins at `now`.
    pub(super) fn begin(span: Duration, now: DateTime<Utc>) -> Self {
        Self {
            counts_from: now,
            pings: Vec::new(),
            due_at: Some(crate::clock::later(now, span)),
            span_seconds: span.as_secs(),
            moved: Moved::Never,
            missed: 0,
            misses: Vec::new(),
        }
    }

    /// Reads a stored row. An unreadable row counts as missing: the heartbeat begins again.
    pub(super) fn read(stored: Option<&[u8]>) -> Option<Self> {
        serde_json::from_slice(stored?).ok()
    }

    pub(super) fn written(&self) -> Result<Vec<u8>, Outage> {
        serde_json::to_vec(self)
            .map_err(|e| Outage::permanent("the row of a heartbeat cannot be written").because(e))
    }

    /// The name of the setting that holds the row.
    pub(super) fn setting(name: &HeartbeatName) -> String {
        format!("heartbeat.{name}")
    }

    /// What the heartbeat does.
    pub fn state(&self) -> HeartbeatState {
        match (self.due_at, self.pings.last()) {
            (None, _) => HeartbeatState::Missed,
            (Some(_), None) => HeartbeatState::Waiting,
            (Some(_), Some(_)) => HeartbeatState::Beating,
        }
    }

    /// When the next ping is due at the latest, the grace included; `None` after a miss.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        self.due_at
    }

    /// The last pings, the newest first.
    pub fn pings(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.pings.iter().rev().filter_map(|micros| DateTime::from_timestamp_micros(*micros))
    }

    /// The last ping.
    pub fn last_ping_at(&self) -> Option<DateTime<Utc>> {
        self.pings().next()
    }

    /// The last misses, the newest first.
    pub fn misses(&self) -> impl Iterator<Item = &Miss> {
        self.misses.iter().rev()
    }

    /// The incident of the present miss; `None` if the heartbeat is not missed, or its incident is not created yet.
    pub fn open_incident(&self) -> Option<IncidentNumber> {
        self.misses.last().filter(|miss| miss.ended_at.is_none()).and_then(Miss::incident)
    }

    /// When a process must look at the row again, if nothing changes it.
    pub(super) fn look_at(&self, lease: TimeDelta, slack: TimeDelta) -> Option<DateTime<Utc>> {
        let owed = self.misses.last().filter(|miss| miss.owed() != Owed::Nothing);
        match owed {
            Some(miss) => Some(miss.taken_at + lease),
            None => self.due_at.map(|due| due.checked_add_signed(slack).unwrap_or(due)),
        }
    }
}
