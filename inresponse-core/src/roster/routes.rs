//! Routing rules: what happens to a report, by its service, severity and labels. The first rule that matches decides.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::subject::Subject;
use super::{Matcher, Silence};
use crate::error::InvalidInput;
use crate::model::{HeartbeatName, Ignored, OwnerName, Routed, RuleName, Severity, TeamName};

/// One routing rule. A rule that does nothing makes an exception from the rules after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The rule's name, which is shown on the incidents that it decided about.
    pub name: RuleName,
    /// The conditions, all of which a report must fulfil. The label `team` means the owner of the service too.
    pub matchers: Vec<Matcher>,
    /// The team that is alerted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// The severity of the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Whether the incident is recorded and nobody is alerted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub record_only: bool,
    /// The heartbeat of which the report is a ping. Then the rule does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatName>,
}

/// The routing rules of a deployment, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Routes {
    rules: Vec<Rule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerName>,
}

/// What a rule decides about a report.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Ruling {
    /// The report becomes an incident.
    Incident(Routed),
    /// The report is a ping of this heartbeat.
    Ping(HeartbeatName),
}

/// Whether the report may be a ping of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pings {
    /// It may.
    Allowed,
    /// It may not, because it is about a missed heartbeat, or because nothing here takes pings.
    Never,
}

/// Whether the team of a rule can be alerted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TeamIs {
    /// It can.
    Known,
    /// It is not in the roster.
    Unknown,
}

impl Rule {
    /// What the rule decides about a report of that severity that it matches.
    ///
    /// A report is never lost: if the team is unknown, or the heartbeat takes no ping, all is as it would be without the
    /// rule.
    pub fn ruling(&self, team: TeamIs, pings: Pings, reported: Severity) -> Ruling {
        let routed = Routed::by(self.name.clone());
        let ignored = |why| Ruling::Incident(Routed { ignored: Some(why), ..routed.clone() });
        match (&self.heartbeat, &self.team) {
            (Some(heartbeat), _) => match pings {
                Pings::Allowed => Ruling::Ping(heartbeat.clone()),
                Pings::Never => ignored(Ignored::NoPing(heartbeat.clone())),
            },
            (None, Some(named)) if team == TeamIs::Unknown => ignored(Ignored::UnknownTeam(named.clone())),
            (None, _) => Ruling::Incident(Routed {
                team: self.team.clone(),
                severity: self.severity,
                reported: self.severity.filter(|set| *set != reported).map(|_| reported),
                record_only: self.record_only,
                ..routed
            }),
        }
    }

    fn matches(&self, subject: &Subject<'_>) -> bool {
        self.matchers.iter().all(|matcher| matcher.matches(subject))
    }

    fn check(&self) -> InvalidInput {
        let mut invalid = InvalidInput::default();
        if self.matchers.is_empty() {
            invalid.push("matchers", "must be at least one");
        }
        if self.matchers.len() > Silence::MAX_MATCHERS {
            invalid.push("matchers", format!("must be at most {}", Silence::MAX_MATCHERS));
        }
        if self.heartbeat.is_some() && (self.team.is_some() || self.severity.is_some() || self.record_only) {
            invalid.push("heartbeat", "must be the only thing that the rule does");
        }
        invalid
    }
}

impl Routes {
    /// The maximum number of rules.
    pub const MAX_RULES: usize = 200;
    /// The maximum size of all rules together as JSON, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Rules in their order.
    ///
    /// # Errors
    /// Every invalid field, by its name on the wire: there are too many rules, or a rule has no matcher or too many, or
    /// the name of another one, or a heartbeat and something else.
    pub fn new(rules: Vec<Rule>) -> Result<Self, InvalidInput> {
        if rules.len() > Self::MAX_RULES {
            let most = Self::MAX_RULES;
            return Err(InvalidInput::field("rules", format!("must be at most {most}, are {}", rules.len())));
        }
        let (mut invalid, mut names) = (InvalidInput::default(), BTreeSet::new());
        for (i, rule) in rules.iter().enumerate() {
            let mut of_rule = rule.check();
            if !names.insert(&rule.name) {
                of_rule.push("name", "is the name of another rule");
            }
            if !of_rule.is_empty() {
                invalid.append(of_rule.under(&format!("rules[{i}]")));
            }
        }
        let size = serde_json::to_vec(&rules).map_or(usize::MAX, |bytes| bytes.len());
        if size > Self::MAX_BYTES {
            let most = Self::MAX_BYTES;
            invalid.push("rules", format!("must together be at most {most} bytes as JSON, are {size}"));
        }
        if invalid.is_empty() { Ok(Self { rules, owner: None }) } else { Err(invalid) }
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The first rule that matches.
    pub fn first(&self, subject: &Subject<'_>) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.matches(subject))
    }

    /// The owner of the roster file that made the entry.
    pub fn owner(&self) -> Option<&OwnerName> {
        self.owner.as_ref()
    }

    /// The same rules with that owner.
    #[must_use]
    pub fn owned_by(self, owner: Option<OwnerName>) -> Self {
        Self { owner, ..self }
    }
}

#[cfg(test)]
mod tests;
