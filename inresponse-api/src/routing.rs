//! Routing rules: what happens to reports, by their labels.

use serde::{Deserialize, Serialize};

use crate::plan::Step;
use crate::silence::Matcher;
use crate::words::Severity;

/// A routing rule. A rule that does nothing makes an exception from the rules after it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RoutingRule,
    example = json!({
        "name": "databases", "matchers": [{ "name": "component", "value": "db" }], "team": "dba",
    })))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rule {
    /// The rule's name, at most 128 bytes. Incidents show it.
    pub name: String,
    /// The conditions, all of which a report must fulfil; 1 to 20.
    pub matchers: Vec<Matcher>,
    /// The team that is alerted instead of the owner of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The severity of the incident: `CRIT`, `ERR` or `WARN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub severity: Option<Severity>,
    /// Whether the incident is recorded and nobody is alerted (default: no).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub record_only: bool,
    /// The heartbeat of which the report is a ping. Then no incident is made, and the rule does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<String>,
}

/// The routing rules, as a request sets them: all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutRoutes))]
#[serde(deny_unknown_fields)]
pub struct RoutesEntry {
    /// The rules in their order, at most 200. The first that matches decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub rules: Option<Vec<Rule>>,
    /// The owner of the roster file that makes the entry, at most 100 bytes (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The routing rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RoutesView))]
pub struct Routes {
    /// The rules in their order. The first that matches decides.
    pub rules: Vec<Rule>,
    /// The owner of the roster file that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The body of a request that leaves the rules unchanged.
impl From<Routes> for RoutesEntry {
    fn from(routes: Routes) -> Self {
        Self { rules: Some(routes.rules), owner: routes.owner }
    }
}

/// What would happen to a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RouteView))]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// The first rule that matches; absent if none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why the rule has no effect: `unknownTeam:NAME` or `noPing:HEARTBEAT`. Absent if it has its effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
    /// The heartbeat of which the report would be a ping. Then no incident would be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<String>,
    /// The team that would have the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The severity that the incident would have.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub severity: Severity,
    /// Whether nobody would be alerted, because the rule only records.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub record_only: bool,
    /// Every alert if nobody claimed the incident, in order.
    pub steps: Vec<Step>,
}

/// The answer to a report that a routing rule took as a ping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PingedView))]
pub struct Pinged {
    /// The heartbeat. The ping is durable.
    pub heartbeat: String,
}
