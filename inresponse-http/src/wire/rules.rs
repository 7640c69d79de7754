//! Routing rules over the wire.

use inresponse_api as api;
use inresponse_core::InvalidInput;
use inresponse_core::model::{HeartbeatName, OwnerName, RuleName, Severity, TeamName};
use inresponse_core::roster::{Routes, Rule};

use super::field::{at, owner};
use super::silence::{matcher, matcher_of};

/// Converts routing rules from a request.
pub(crate) fn routes(given: api::RoutesEntry) -> Result<Routes, InvalidInput> {
    let mut invalid = InvalidInput::default();
    let owner = invalid.keep(owner(given.owner)).flatten();
    let Some(given) = given.rules else {
        invalid.push("rules", "is missing");
        return Err(invalid);
    };
    let mut rules = Vec::new();
    // One more than there may be, so that the rest is not even read.
    for (i, one) in given.into_iter().take(Routes::MAX_RULES + 1).enumerate() {
        rules.extend(invalid.keep(rule(one).map_err(|e| e.under(&format!("rules[{i}]")))));
    }
    match (invalid.is_empty(), Routes::new(rules)) {
        (true, routes) => Ok(routes?.owned_by(owner)),
        (false, _) => Err(invalid),
    }
}

fn rule(given: api::Rule) -> Result<Rule, InvalidInput> {
    let mut invalid = InvalidInput::default();
    let name = invalid.keep(RuleName::new(&given.name));
    let most = inresponse_core::roster::Silence::MAX_MATCHERS + 1;
    let mut matchers = Vec::new();
    for (i, one) in given.matchers.iter().enumerate().take(most) {
        matchers.extend(invalid.keep(matcher(one).map_err(|e| e.under(&format!("matchers[{i}]")))));
    }
    let team = given.team.and_then(|team| invalid.keep(TeamName::new(team)));
    let severity = given.severity.and_then(|word| invalid.keep(word.to_string().parse::<Severity>()));
    let heartbeat = given.heartbeat.and_then(|name| invalid.keep(at("heartbeat", HeartbeatName::new(name))));
    match name {
        Some(name) if invalid.is_empty() => {
            Ok(Rule { name, matchers, team, severity, record_only: given.record_only, heartbeat })
        }
        _ => Err(invalid),
    }
}

/// Converts routing rules into the API's type.
pub(crate) fn routes_of(routes: &Routes) -> api::Routes {
    api::Routes {
        rules: routes.rules().iter().map(rule_of).collect(),
        owner: routes.owner().map(OwnerName::to_string),
    }
}

fn rule_of(rule: &Rule) -> api::Rule {
    api::Rule {
        name: rule.name.to_string(),
        matchers: rule.matchers.iter().map(matcher_of).collect(),
        team: rule.team.as_ref().map(TeamName::to_string),
        severity: rule.severity.map(|severity| severity.as_str().into()),
        record_only: rule.record_only,
        heartbeat: rule.heartbeat.as_ref().map(HeartbeatName::to_string),
    }
}
