//! The message that an `https:` contact gets.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::delivery::{Level, Upcoming};
use crate::incident::Incident;
use crate::words::{MessageKind, Severity};

/// The body of a webhook about one incident, or about none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The kind of message.
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// When the message was sent.
    pub timestamp: DateTime<Utc>,
    /// The content of the message.
    pub data: Alert,
}

/// The content of a message: a delivery and its incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// The delivery's id, the same in every attempt.
    pub delivery_id: String,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// The round of alerts.
    pub round: u32,
    /// The level that the contact is alerted at.
    pub level: Level,
    /// The contact that is alerted.
    pub contact: String,
    /// The contacts that are alerted together with this one.
    pub others: Vec<String>,
    /// The next alerts, unless somebody claims the incident.
    pub upcoming: Vec<Upcoming>,
    /// A secret link by which the contact can claim the incident.
    pub claim_url: Option<String>,
    /// The incident as it was when the send began.
    pub incident: Incident,
}

/// The body of a webhook about many incidents. Its type is [`MessageKind::Alerts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleMessage {
    /// The kind of message.
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// When the message was sent.
    pub timestamp: DateTime<Utc>,
    /// The content of the message.
    pub data: Bundle,
}

/// Many alerts to one contact, the worst first. Each alert is in one of the two lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    /// The contact that is alerted.
    pub contact: String,
    /// A secret link to a page with all incidents, where the contact can claim them.
    pub claim_all_url: Option<String>,
    /// The worst alerts, at most ten.
    pub worst: Vec<Alert>,
    /// The other alerts, in short.
    pub others: Vec<BriefAlert>,
}

/// An alert of a bundle, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BriefAlert {
    /// The delivery's id, the same in every attempt.
    pub delivery_id: String,
    /// The incident's number.
    pub incident_id: u64,
    /// The incident's severity.
    pub severity: Severity,
    /// The incident's service.
    pub service: String,
    /// The incident's title.
    pub title: String,
    /// A secret link by which the contact can claim the incident.
    pub claim_url: Option<String>,
}
