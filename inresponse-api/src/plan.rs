//! The dry run of a report, and the coverage check of the roster.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::delivery::Level;

/// Every step that a report would take if nobody claimed the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PlanView))]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One alert of a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = StepView,
    example = json!({
        "at": "2026-12-24T07:21:00Z", "level": 1, "person": "person:jo", "method": "mail",
        "why": "level:1 schedule:primary layer:weekdays",
    })))]
pub struct Step {
    /// When the alert begins.
    pub at: DateTime<Utc>,
    /// The level: a number, or `fallback`.
    pub level: Level,
    /// The person, or the contact if it belongs to no person.
    pub person: String,
    /// The person's method; the scheme of a contact.
    pub method: String,
    /// The way from the level to the person.
    pub why: String,
}

/// What is missing or odd in the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CoverageView))]
pub struct Coverage {
    /// The findings.
    pub findings: Vec<Finding>,
}

/// One finding of the coverage check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = FindingView,
    example = json!({
        "team": "web", "kind": "gap", "from": "2026-12-24T17:00:00Z", "to": "2026-12-25T08:00:00Z",
        "detail": "nobody is on call in schedule primary",
    })))]
pub struct Finding {
    /// The team.
    pub team: String,
    /// What kind of finding it is: `gap`, `onePerson`, `noMethod`, `unknownName`, `staleFeed`, …
    pub kind: String,
    /// When it begins, if it has a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// When it ends, if it has a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// The finding in one sentence.
    pub detail: String,
}
