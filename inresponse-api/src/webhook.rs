//! What an `https:` contact is sent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::delivery::{Level, Upcoming};
use crate::incident::Incident;
use crate::words::MessageKind;

/// The body of a webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// When it was sent.
    pub timestamp: DateTime<Utc>,
    /// What it says.
    pub data: Alert,
}

/// What one contact is told of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// The name of the delivery, the same in every attempt.
    pub delivery_id: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The round of alerts.
    pub round: u32,
    /// The level that the contact is alerted at.
    pub level: Level,
    /// Who is alerted.
    pub contact: String,
    /// Who is alerted together with the contact.
    pub others: Vec<String>,
    /// What comes next, unless somebody claims the incident.
    pub upcoming: Vec<Upcoming>,
    /// A secret link by which the contact can claim the incident.
    pub claim_url: Option<String>,
    /// The incident as it was when the send was begun.
    pub incident: Incident,
}
