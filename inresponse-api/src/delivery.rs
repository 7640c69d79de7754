//! Who is alerted, and how that goes.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::words::{DeliveryStatus, LevelWord, OutcomeKind};

/// A level that is alerted later, or a further round with the people who are on call then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = UpcomingView))]
#[serde(untagged)]
pub enum Upcoming {
    /// A level.
    Level {
        /// When.
        at: DateTime<Utc>,
        /// Which.
        level: Level,
        /// Who is alerted.
        contacts: Vec<String>,
    },
    /// A round.
    Round {
        /// When.
        at: DateTime<Utc>,
        /// Which.
        round: u32,
    },
}

/// A level: its number, or `fallback`; `news` for a status update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LevelView))]
#[serde(untagged)]
pub enum Level {
    /// From 1.
    Number(u16),
    #[allow(missing_docs, reason = "a description would make its schema more than a text")]
    Word(#[cfg_attr(feature = "openapi", schema(inline))] LevelWord),
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Level::Number(n) => write!(f, "level {n}"),
            Level::Word(word) => word.fmt(f),
        }
    }
}

/// One contact to be alerted at one level of one round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = DeliveryView))]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The delivery's id, the same in every attempt.
    pub delivery_id: String,
    /// The round of alerts.
    pub round: u32,
    /// The level that the contact is alerted at.
    pub level: Level,
    /// Who is alerted. A person's address is shown as `person:NAME`, unless the API key has the scope `admin`.
    pub contact: String,
    /// The person whose contact it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The person's method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// `pending`, `inFlight`, `accepted`, `dead` or `stopped`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub status: DeliveryStatus,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was settled.
    pub settled_at: Option<DateTime<Utc>>,
    /// How often it was tried to send it.
    pub attempts: u32,
    /// Since when it is there.
    pub since: DateTime<Utc>,
    /// How the last attempt ended.
    pub last_outcome: Option<AttemptOutcome>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OutcomeView))]
pub struct AttemptOutcome {
    /// `accepted`, `rejected`, `throttled`, `unavailable`, `unknown`, `expired`, `notBegun` or `bounced`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: OutcomeKind,
    /// What the carrier said.
    pub detail: String,
    /// When.
    pub at: DateTime<Utc>,
}
