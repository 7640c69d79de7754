//! Draws routing rules. They stay as they are during a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use inresponse_core::model::{RuleName, Severity};
use inresponse_core::roster::{Entry, Routes, Rule};

use crate::rng::Rng;
use crate::scenario::{Scenario, team};

/// The label by which reports are routed.
const LABEL: &str = "route";

/// The labels by which a report is routed. Repeats with the same key have the same ones.
pub fn labels(key: Option<&str>, severity: Severity) -> BTreeMap<String, String> {
    let value = match (key, severity) {
        (Some("k0"), _) | (None, Severity::Crit) => "r0",
        (Some("k1"), _) | (None, Severity::Err) => "r1",
        (_, _) => return BTreeMap::new(),
    };
    [(LABEL.to_owned(), value.to_owned())].into()
}

impl Scenario {
    /// Gives a fifth of the runs routing rules. The seed's other decisions do not change.
    pub(crate) fn with_routes(mut self, seed: u64) -> Self {
        let mut rng = Rng::new(seed, 23);
        if !rng.chance(200) {
            return self;
        }
        let rules = (0..rng.between(1, 4)).map(|n| rule(&mut rng, n)).collect();
        let routes = Routes::new(rules).expect("the rules of a scenario are valid");
        Arc::make_mut(&mut self.roster.book).put(Entry::routes(routes));
        self
    }
}

fn rule(rng: &mut Rng, n: u64) -> Rule {
    let mut matchers = vec![*rng.pick(&["route=r0", "route=r1", "route=~r0|r1", "route!=", "route!~r.*"])];
    if rng.chance(400) {
        matchers.push(*rng.pick(&["service=s0", "service!=s1", "service=~s0|s2"]));
    }
    Rule {
        name: RuleName::new(format!("rule {n}")).expect("a plain name"),
        matchers: matchers.iter().map(|text| text.parse().expect("a plain matcher")).collect(),
        // The roster may not have the last one. A rule without a team changes nothing.
        team: rng.pick(&[Some("t0"), Some("t1"), Some("t1"), Some("ops"), None]).map(team),
        severity: None,
        record_only: false,
        heartbeat: None,
    }
}
