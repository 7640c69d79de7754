//! Deliveries: who is alerted, and the result of each attempt.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::words::{DeliveryStatus, LevelWord, OutcomeKind};

/// A future alert: a level, a later step of people's rules, or a further round with the people who are on call then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = UpcomingView))]
#[serde(untagged)]
pub enum Upcoming {
    /// A level that will be alerted, or a later step of people's rules.
    Level {
        /// The time at which the level or the step is due.
        at: DateTime<Utc>,
        /// The level's number, or `fallback`.
        level: Level,
        /// The contacts that will be alerted.
        contacts: Vec<String>,
        /// The same contacts with their people and methods.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(required = true))]
        alerts: Vec<UpcomingAlert>,
        /// `true` if the level will have begun before: this is a later step of people's rules.
        #[serde(default, rename = "laterStep", skip_serializing_if = "std::ops::Not::not")]
        later_step: bool,
    },
    /// A further round of alerts.
    Round {
        /// The time at which the round begins.
        at: DateTime<Utc>,
        /// The round's number.
        round: u32,
    },
}

/// A contact that will be alerted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = UpcomingAlertView))]
pub struct UpcomingAlert {
    /// Who will be alerted, as in `contacts`.
    pub contact: String,
    /// The person whose contact it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The person's method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

/// What a delivery is for: a level's number, or `fallback`; `callIn` for somebody who was called in, and `news` for a
/// status update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LevelView))]
#[serde(untagged)]
pub enum Level {
    /// The number of a level, from 1.
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

/// A delivery: one contact that is alerted at one level of one round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = DeliveryView))]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The delivery's id, the same in every attempt.
    pub delivery_id: String,
    /// The round of alerts.
    pub round: u32,
    /// The level that the contact is alerted at; `callIn` if they were called in, `news` if they are only told who has the
    /// incident.
    pub level: Level,
    /// The person who called them in; absent if nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_by: Option<String>,
    /// Who is alerted. A person's address is shown as `person:NAME`, unless the API key has the scope `admin`.
    pub contact: String,
    /// The person whose contact it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The person's method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// `pending`, `inFlight`, `accepted`, `dead`, `limited` or `stopped`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub status: DeliveryStatus,
    /// When the delivery is due; absent if it is settled.
    pub due_at: Option<DateTime<Utc>>,
    /// When the delivery was settled: accepted, dead or stopped.
    pub settled_at: Option<DateTime<Utc>>,
    /// The number of attempts so far.
    pub attempts: u32,
    /// When the delivery's turn came, or will come.
    pub since: DateTime<Utc>,
    /// How long after its level's beginning, after the call, or after a raise of the severity, the person's rule makes it due; absent if
    /// at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_seconds: Option<u64>,
    /// The result of the last attempt.
    pub last_outcome: Option<AttemptOutcome>,
}

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OutcomeView))]
pub struct AttemptOutcome {
    /// `accepted`, `rejected`, `throttled`, `limited`, `unavailable`, `unknown`, `expired`, `notBegun` or `bounced`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: OutcomeKind,
    /// The carrier's answer.
    pub detail: String,
    /// When the attempt ended.
    pub at: DateTime<Utc>,
}
