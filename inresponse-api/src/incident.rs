//! Incidents on the wire: one incident, one with its deliveries and timeline, and a page of incidents.

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
    /// The incident's number.
    pub incident_id: u64,
    /// The affected service.
    pub service: String,
    /// The team that is responsible for the incident.
    pub team: String,
    /// `CRIT`, `ERR` or `WARN`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub severity: Severity,
    /// `OPEN`, `CLAIMED` or `RESOLVED`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: State,
    /// The title, in one line.
    pub title: String,
    /// The description of the problem.
    pub message: String,
    /// The kind of monitoring system that reported the incident.
    pub source: Option<String>,
    /// When the problem was detected.
    pub detected_at: DateTime<Utc>,
    /// When the incident was first reported.
    pub created_at: DateTime<Utc>,
    /// When the incident last changed.
    pub updated_at: DateTime<Utc>,
    /// The person who has claimed the incident.
    pub claimed_by: Option<String>,
    /// When the incident was claimed.
    pub claimed_at: Option<DateTime<Utc>>,
    /// The people who were called in and answered. They help the claimant. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responders: Vec<Responder>,
    /// When the incident is open again, unless the person it was handed to answers first. Absent if it was not handed
    /// to anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_ends_at: Option<DateTime<Utc>>,
    /// Until when nobody is alerted, because of silences or alert hours. Absent if the incident is not quiet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_until: Option<DateTime<Utc>>,
    /// What makes the incident quiet: `silence:ID`, or `hours:TEAM SEVERITY`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quiet_by: Vec<String>,
    /// The routing rule that decided about the report; absent if none matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routed_by: Option<String>,
    /// `true` if nobody is alerted, because a routing rule only records the incident; otherwise absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub record_only: bool,
    /// `true` if the incident was handed to somebody who could not be notified and has not answered; otherwise absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub handover_unconfirmed: bool,
    /// The person who resolved the incident.
    pub resolved_by: Option<String>,
    /// When the incident was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The dedup key. Reports with the same key belong to the same incident until it is resolved.
    pub dedup_key: Option<String>,
    /// The labels: names and values.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub labels: BTreeMap<String, String>,
    /// The links, such as runbooks and graphs.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub links: Vec<Link>,
    /// The number of reports of this incident.
    pub count: u64,
    /// The current round of alerts, from 1.
    pub round: u32,
    /// When somebody is alerted next. If the incident is claimed, only people who were called in are alerted.
    pub next_alert_at: Option<DateTime<Utc>>,
    /// `true` if every level had its turn and nobody claimed the incident.
    pub unclaimed: bool,
    /// `true` if nobody could be reached.
    pub undelivered: bool,
    /// Who was reached: `everybody`, `somebody`, `nobodyYet` or `nobody`. Only present if the incident is unclaimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub reached: Option<Reached>,
}

/// A person who was called in and answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ResponderView))]
pub struct Responder {
    /// The person.
    pub by: String,
    /// When they answered.
    pub at: DateTime<Utc>,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LinkView))]
pub struct Link {
    /// The text of the link.
    pub text: String,
    /// The URL of the link; http or https.
    pub url: String,
}

/// An incident with its deliveries and its timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = FullIncidentView))]
pub struct Details {
    /// The incident.
    #[serde(flatten)]
    pub incident: Incident,
    /// The next alerts, unless somebody claims the incident.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub upcoming: Vec<Upcoming>,
    /// The deliveries so far, with their results.
    pub deliveries: Vec<Delivery>,
    /// The timeline of what people and levels did, the oldest entry first.
    pub timeline: Vec<Entry>,
    /// Warnings about the change that was just made or asked about. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// A warning about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = WarningView))]
pub struct Warning {
    /// The request's field that the warning is about.
    pub field: String,
    /// The text of the warning.
    pub message: String,
}

/// A page of incidents, or the incident whose number was in the query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ListView))]
#[serde(untagged)]
pub enum Listed {
    /// A page of incidents.
    Page(Page),
    /// The incident whose number was in the query.
    One(Box<Details>),
}

/// A page of incidents, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PageView))]
pub struct Page {
    /// The incidents of the page.
    pub incidents: Vec<Incident>,
    /// The cursor of the next page; null on the last page.
    pub cursor: Option<String>,
}
