//! Tables of cases for the routing rules.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::ServiceName;

/// A rule: its name, its matchers, and what it does: `team:web`, `severity:CRIT`, `record`, `ping:watchdog`.
fn rule(name: &str, matchers: &[&str], does: &[&str]) -> Rule {
    let mut rule = Rule {
        name: RuleName::new(name).unwrap(),
        matchers: matchers.iter().map(|one| one.parse().unwrap()).collect(),
        team: None,
        severity: None,
        record_only: false,
        heartbeat: None,
    };
    for one in does {
        match one.split_once(':') {
            Some(("team", team)) => rule.team = Some(TeamName::new(team).unwrap()),
            Some(("severity", severity)) => rule.severity = Some(severity.parse().unwrap()),
            Some(("ping", heartbeat)) => rule.heartbeat = Some(HeartbeatName::new(heartbeat).unwrap()),
            _ => rule.record_only = true,
        }
    }
    rule
}

/// The name of the first rule that matches a report of that severity for the service `shop` of the team `ops`.
fn first(routes: &Routes, severity: Severity, labels: &[(&str, &str)]) -> Option<String> {
    let (service, team) = (ServiceName::new("shop").unwrap(), TeamName::new("ops").unwrap());
    let labels: BTreeMap<_, _> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let subject = Subject { service: &service, team: &team, severity, labels: &labels };
    routes.first(&subject).map(|rule| rule.name.to_string())
}

#[test]
fn p12_the_first_rule_that_matches_decides() {
    let routes = Routes::new(vec![
        rule("watchdog", &["alertname=Watchdog"], &["ping:prometheus"]),
        rule("none", &["severity=none"], &["record"]),
        rule("database", &["service=shop", "component=~db|cache"], &["team:dba"]),
        rule("test systems", &["env!=prod", "env!="], &["record"]),
        rule("all that is critical", &["severity=CRIT"], &[]),
        rule("all of ops", &["team=ops"], &["team:night"]),
    ]);
    let routes = routes.unwrap();
    let cases: [(Severity, &[(&str, &str)], &str); 9] = [
        (Severity::Warn, &[("alertname", "Watchdog")], "watchdog"),
        (Severity::Crit, &[("alertname", "Watchdog"), ("component", "db")], "watchdog"),
        // The severity of the sender is a label; ours is a field. Both count.
        (Severity::Warn, &[("severity", "none"), ("env", "prod")], "none"),
        (Severity::Warn, &[("component", "cache")], "database"),
        (Severity::Warn, &[("component", "dbx"), ("env", "test")], "test systems"),
        (Severity::Warn, &[("env", "prod")], "all of ops"),
        // A missing label is an empty one.
        (Severity::Warn, &[], "all of ops"),
        (Severity::Crit, &[("env", "prod")], "all that is critical"),
        (Severity::Crit, &[("env", "test")], "test systems"),
    ];
    for (severity, labels, expected) in cases {
        assert_eq!(first(&routes, severity, labels).as_deref(), Some(expected), "{severity} {labels:?}");
    }
    let only = Routes::new(vec![rule("database", &["component=db"], &["team:dba"])]).unwrap();
    assert_eq!(first(&only, Severity::Crit, &[("component", "web")]), None);
    assert_eq!(first(&Routes::default(), Severity::Crit, &[]), None);
}

#[test]
fn p12_a_rule_never_loses_a_report() {
    let dba = || TeamName::new("dba").unwrap();
    let watchdog = || HeartbeatName::new("watchdog").unwrap();
    let plain = |name: &str| Routed::by(RuleName::new(name).unwrap());
    let team = rule("r", &["a=b"], &["team:dba", "severity:CRIT", "record"]);
    let whole = Routed {
        team: Some(dba()),
        severity: Some(Severity::Crit),
        reported: Some(Severity::Warn),
        record_only: true,
        ..plain("r")
    };
    let unknown = Routed { ignored: Some(Ignored::UnknownTeam(dba())), ..plain("r") };
    let ping = rule("r", &["a=b"], &["ping:watchdog"]);
    let no_ping = Routed { ignored: Some(Ignored::NoPing(watchdog())), ..plain("r") };
    let nothing = rule("r", &["a=b"], &[]);
    let raised = rule("r", &["a=b"], &["severity:WARN"]);
    let same = Routed { severity: Some(Severity::Warn), ..plain("r") };
    use Pings::{Allowed, Never};
    use TeamIs::{Known, Unknown};
    let cases = [
        (&team, Known, Allowed, Ruling::Incident(whole)),
        // Not even the severity changes, and nothing is only recorded.
        (&team, Unknown, Allowed, Ruling::Incident(unknown)),
        (&ping, Known, Allowed, Ruling::Ping(watchdog())),
        (&ping, Known, Never, Ruling::Incident(no_ping)),
        (&nothing, Known, Allowed, Ruling::Incident(plain("r"))),
        (&raised, Known, Never, Ruling::Incident(same)),
    ];
    for (rule, team, pings, expected) in cases {
        assert_eq!(rule.ruling(team, pings, Severity::Warn), expected, "{rule:?} {team:?} {pings:?}");
    }
}

#[test]
fn p16_invalid_rules_are_refused_by_field() {
    let many = |n: usize| (0..n).map(|i| rule(&format!("r{i}"), &["a=b"], &[])).collect::<Vec<_>>();
    let matchers = |n: usize| vec!["a=b"; n];
    let large = |n: usize| (0..n).map(|i| rule(&format!("r{i}"), &[&format!("a={}", "x".repeat(990))], &[]));
    let cases = [
        (vec![rule("a", &[], &["record"])], "rules[0].matchers"),
        (vec![rule("a", &matchers(21), &[])], "rules[0].matchers"),
        (vec![rule("a", &["a=b"], &[]), rule("a", &["a=c"], &[])], "rules[1].name"),
        (vec![rule("a", &["a=b"], &["ping:w", "team:dba"])], "rules[0].heartbeat"),
        (vec![rule("a", &["a=b"], &["ping:w", "record"])], "rules[0].heartbeat"),
        (many(201), "rules"),
        (large(70).collect(), "rules"),
    ];
    for (rules, field) in cases {
        let refused = Routes::new(rules.clone()).expect_err(&format!("{rules:?}"));
        assert_eq!(refused.errors()[0].field(), field);
    }
    for rules in [many(200), large(50).collect(), vec![rule("a", &matchers(20), &["ping:w"])], Vec::new()] {
        assert!(Routes::new(rules).is_ok());
    }
}

#[test]
fn stored_rules_are_read_as_they_were_written() {
    let routes = Routes::new(vec![
        rule("a", &["a=b", "c!~d|e"], &["team:dba", "severity:ERR", "record"]),
        rule("b", &["a=b"], &["ping:w"]),
    ]);
    let routes = routes.unwrap().owned_by(Some(OwnerName::new("ops.toml").unwrap()));
    let stored = serde_json::to_string(&routes).unwrap();
    assert_eq!(serde_json::from_str::<Routes>(&stored).unwrap(), routes, "{stored}");
    let named = crate::roster::Entry::routes(routes).named();
    let names: Vec<_> = named.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["team dba", "heartbeat w"]);
}

proptest! {
    /// Compared with an answer that is found in another way: the rules before the one that decides do not match, and it
    /// does.
    #[test]
    fn p12_no_rule_before_the_one_that_decides_matches(
        rules in prop::collection::vec((0..3u8, 0..3u8, 0..2u8), 0..12),
        labels in prop::collection::vec(0..3u8, 3),
    ) {
        let matches = |(name, value, op): (u8, u8, u8)| (labels[usize::from(name)] == value) == (op == 0);
        let built = rules.iter().enumerate().map(|(i, (name, value, op))| {
            let op = if *op == 0 { "=" } else { "!=" };
            rule(&format!("r{i}"), &[&format!("l{name}{op}{value}")], &[])
        });
        let routes = Routes::new(built.collect()).unwrap();
        let names: Vec<_> = (0..3).map(|i| (format!("l{i}"), labels[i].to_string())).collect();
        let given: Vec<_> = names.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = rules.iter().position(|rule| matches(*rule)).map(|i| format!("r{i}"));
        prop_assert_eq!(first(&routes, Severity::Warn, &given), expected);
    }
}
