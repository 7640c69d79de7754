//! Routed: which routing rule decided about a report, and what it decided.

use serde::{Deserialize, Serialize};

use super::{HeartbeatName, RuleName, Severity, TeamName};

/// What the first routing rule that matched decided about a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Routed {
    /// The name of the rule.
    pub rule: RuleName,
    /// The team that the rule names. New rounds alert this team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// The severity that the rule sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The reported severity, if the rule changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Severity>,
    /// Whether the incident is only recorded: nobody is alerted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub record_only: bool,
    /// Why the rule has no effect, if it has none: then everything is as it would be without the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<Ignored>,
}

/// Why a rule that matched has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ignored {
    /// The rule names a team that is not in the roster.
    UnknownTeam(TeamName),
    /// The rule names a heartbeat that could not take the report as a ping: it is not in the roster, or the report is
    /// itself about a missed heartbeat.
    NoPing(HeartbeatName),
}

impl Routed {
    /// A rule that matched and changes nothing.
    pub fn by(rule: RuleName) -> Self {
        Self { rule, team: None, severity: None, reported: None, record_only: false, ignored: None }
    }

    /// Whether the rule decides who is alerted in later rounds. A server that does not know of rules must leave the
    /// incident alone.
    pub(crate) fn decides_who(&self) -> bool {
        self.team.is_some() || self.record_only
    }
}
