//! An incident, alone, with all that happened to it, and in a page.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::delivery::{Delivery, Upcoming};
use crate::timeline::Entry;
use crate::words::{Reached, Severity, State};

/// An incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = IncidentView))]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    /// Its number.
    pub incident_id: u64,
    /// The affected service.
    pub service: String,
    /// The team that has it.
    pub team: String,
    /// `CRIT`, `ERR` or `WARN`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub severity: Severity,
    /// `OPEN`, `CLAIMED` or `RESOLVED`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: State,
    /// One line.
    pub title: String,
    /// What happened.
    pub message: String,
    /// The kind of system that reported it.
    pub source: Option<String>,
    /// When the trouble was detected.
    pub detected_at: DateTime<Utc>,
    /// When it was first reported.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Who has claimed it.
    pub claimed_by: Option<String>,
    /// When it was claimed.
    pub claimed_at: Option<DateTime<Utc>>,
    /// When it is open again, unless the person it was handed to answers first; only if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_ends_at: Option<DateTime<Utc>>,
    /// `true` if it was handed to somebody who could not be notified and has not answered; otherwise absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub handover_unconfirmed: bool,
    /// Who resolved it.
    pub resolved_by: Option<String>,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Reports with the same key are the same incident while it is not resolved.
    pub dedup_key: Option<String>,
    /// Names and values.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub labels: BTreeMap<String, String>,
    /// Runbooks, graphs.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub links: Vec<Link>,
    /// How often it was reported.
    pub count: u64,
    /// The round of alerts, from 1.
    pub round: u32,
    /// When somebody is alerted next, unless it is claimed.
    pub next_alert_at: Option<DateTime<Utc>>,
    /// Everybody's turn has come and nobody claimed.
    pub unclaimed: bool,
    /// Nobody could be alerted.
    pub undelivered: bool,
    /// Who was reached, only if it is unclaimed: `everybody`, `somebody`, `nobodyYet` or `nobody`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub reached: Option<Reached>,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LinkView))]
pub struct Link {
    /// What it is called.
    pub text: String,
    /// Where it leads; http or https.
    pub url: String,
}

/// An incident with its deliveries and its timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = FullIncidentView))]
pub struct Details {
    /// The incident.
    #[serde(flatten)]
    pub incident: Incident,
    /// What comes next, unless somebody claims it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub upcoming: Vec<Upcoming>,
    /// Who was alerted, and how that went.
    pub deliveries: Vec<Delivery>,
    /// What people and levels did, the oldest first.
    pub timeline: Vec<Entry>,
    /// Warnings about the change that was just made or asked about; absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// A warning about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = WarningView))]
pub struct Warning {
    /// The field of the request.
    pub field: String,
    /// The warning.
    pub message: String,
}

/// A page of incidents, or the one whose number was in the query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ListView))]
#[serde(untagged)]
pub enum Listed {
    /// A page.
    Page(Page),
    /// The one.
    One(Box<Details>),
}

/// A page of incidents, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PageView))]
pub struct Page {
    /// The incidents.
    pub incidents: Vec<Incident>,
    /// For the next page; null on the last one.
    pub cursor: Option<String>,
}
