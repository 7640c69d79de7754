//! Reports that routing rules decide about: what is only recorded, and repeats that are routed otherwise.

use super::scene::Scene;
use super::{levels, person, warn_alerts};
use crate::model::{Event, Routed, RuleName, Severity, State, TeamName};
use crate::plan::{self, Alerted, Refusal, StateChange, TakeOver, Update};

fn team(name: &str) -> TeamName {
    TeamName::new(name).unwrap()
}

/// A rule: `record`, `team:dba`, both, or nothing.
fn by(rule: &str) -> Routed {
    let mut routed = Routed::by(RuleName::new(rule).unwrap());
    for part in rule.split(' ') {
        match part.split_once(':') {
            Some((_, named)) => routed.team = Some(team(named)),
            None => routed.record_only |= part == "record",
        }
    }
    routed
}

/// An incident by a rule. The owner is alerted at `o`, and the team of every round after that at `n`.
fn scene(severity: Severity, rule: &str) -> Scene {
    let routed = (!rule.is_empty()).then(|| by(rule));
    let has_it = routed.as_ref().and_then(|routed| routed.team.clone()).unwrap_or_else(|| team("devops"));
    let mut scene = Scene::routed(levels(&["o"]), severity, routed.as_ref(), has_it);
    scene.matrix = levels(&["n"]);
    scene
}

fn routed_events(scene: &Scene) -> usize {
    scene.told(|event| matches!(event, Event::Routed(_) | Event::Unrouted))
}

#[test]
fn p12_what_is_only_recorded_alerts_nobody_in_any_round() {
    let mut scene = scene(Severity::Crit, "record");
    assert!(scene.incident.records_only() && routed_events(&scene) == 1);
    assert_eq!((scene.next(), scene.due().as_str()), (None, ""));
    assert_eq!(scene.escalate("jo"), Err(Refusal::NobodyLeft));
    scene.claim("jo").unwrap();
    scene.at(60).release("jo").unwrap();
    assert_eq!((scene.incident.round(), scene.next(), scene.due().as_str()), (2, None, ""));
    assert!(!scene.incident.is_unclaimed() && plan::waiting_since(&scene.incident).is_none());
    assert_eq!(scene.resolve("jo"), Ok(true));
}

#[test]
fn p03_a_repeat_that_is_not_only_recorded_alerts_and_others_change_nothing() {
    // The first rule, the severity of the repeat of a WARN, its rule; who has the incident, and who is alerted then.
    let cases = [
        ("record", Severity::Warn, "record", "devops", ""),
        ("record", Severity::Crit, "record", "devops", ""),
        ("record", Severity::Crit, "record team:dba", "devops", ""),
        ("record", Severity::Warn, "", "devops", "1:n"),
        ("record", Severity::Crit, "", "devops", "1:n"),
        ("record", Severity::Warn, "nothing", "devops", "1:n"),
        ("record", Severity::Warn, "team:dba", "dba", "1:n"),
        ("record team:web", Severity::Warn, "team:dba", "dba", "1:n"),
        // What alerts already is not recorded instead, and stays with its team at the same severity.
        ("", Severity::Warn, "record", "devops", ""),
        ("", Severity::Crit, "record", "devops", ""),
        ("", Severity::Warn, "team:dba", "devops", ""),
        ("team:dba", Severity::Warn, "", "dba", ""),
        ("team:dba", Severity::Warn, "team:web", "dba", ""),
        ("team:dba", Severity::Crit, "team:dba", "dba", ""),
        // A raise goes to the team that its rule names.
        ("", Severity::Crit, "team:dba", "dba", "1:n"),
        ("team:dba", Severity::Crit, "team:web", "web", "1:n"),
        ("team:dba", Severity::Err, "", "devops", "1:n"),
        ("", Severity::Crit, "nothing", "devops", ""),
    ];
    for (first, severity, second, has_it, alerted) in cases {
        let case = format!("{first} > {severity} {second}");
        let mut scene = scene(Severity::Warn, first);
        let is_recorded = first.contains("record");
        assert_eq!(scene.due(), if is_recorded { "" } else { "1:o" }, "{case}");
        if !is_recorded {
            scene.accepts("1:o");
        }
        let routed = (!second.is_empty()).then(|| by(second));
        scene.at(60).repeat_by(severity, routed.as_ref());
        assert_eq!((scene.due().as_str(), scene.incident.team().as_str()), (alerted, has_it), "{case}");
        assert_eq!(scene.incident.severity(), severity, "{case}");
        let is_routed_again = !alerted.is_empty();
        let told = usize::from(!first.is_empty()) + usize::from(is_routed_again);
        assert_eq!(routed_events(&scene), told, "{case}: it is said why");
        if is_routed_again {
            assert_eq!(scene.incident.routed(), routed.as_ref(), "{case}: later rounds know it");
            assert!(!scene.repeat_by(severity, routed.as_ref()), "{case}: once");
        }
    }
}

#[test]
fn p03_a_lower_repeat_that_is_not_only_recorded_alerts_at_the_severity_of_the_incident() {
    let mut scene = scene(Severity::Crit, "record");
    assert!(scene.repeat_by(Severity::Warn, Some(&by("record"))), "noted");
    assert!(!scene.repeat_by(Severity::Warn, Some(&by("record"))), "once");
    assert!(scene.at(60).repeat_by(Severity::Warn, None));
    assert_eq!((scene.due().as_str(), scene.incident.severity()), ("1:n", Severity::Crit));
}

#[test]
fn p12_new_rounds_alert_the_team_that_the_rule_names() {
    let mut scene = scene(Severity::Crit, "team:dba");
    scene.due();
    scene.accepts("1:o");
    scene.owner = "web";
    scene.claim("jo").unwrap();
    scene.at(60).release("jo").unwrap();
    assert_eq!((scene.due().as_str(), scene.incident.team()), ("1:n", &team("dba")));
    // The team is gone, and with it the rule's effect; then it is there again.
    scene.alerted = Alerted::CatchAll;
    scene.claim("jo").unwrap();
    scene.release("jo").unwrap();
    assert_eq!(scene.incident.team(), &team("web"));
    scene.alerted = Alerted::Team;
    scene.claim("jo").unwrap();
    scene.release("jo").unwrap();
    assert_eq!(scene.incident.team(), &team("dba"));
    let why = scene.told(|e| matches!(e, Event::TeamChanged { why, .. } if why.as_str() == "routed"));
    assert_eq!(why, 1);
}

#[test]
fn p11_nobody_is_alerted_while_somebody_has_it_and_the_next_round_is_that_of_the_repeat() {
    for first in ["record", "team:dba", ""] {
        let mut scene = scene(Severity::Warn, first);
        scene.due();
        scene.claim("jo").unwrap();
        assert!(scene.at(60).repeat_by(Severity::Crit, Some(&by("team:web"))), "{first}");
        assert_eq!((scene.incident.state(), scene.due().as_str()), (State::Claimed, ""), "{first}");
        scene.release("jo").unwrap();
        assert_eq!((scene.due().as_str(), scene.incident.team()), ("1:n", &team("web")), "{first}");
        scene.resolve("jo").unwrap();
        assert!(!scene.repeat_by(Severity::Crit, None), "{first}");
    }
}

#[test]
fn p12_what_people_do_counts_more_than_a_rule() {
    // Somebody raises what is only recorded: the people who are on call now are alerted.
    let mut raised = scene(Severity::Warn, "record");
    assert_eq!(raised.at(60).severity(Severity::Err), Ok(true));
    assert_eq!((raised.due().as_str(), raised.incident.records_only()), ("1:n", false));
    // A lower severity is no reason to alert.
    let mut lowered = scene(Severity::Crit, "record");
    assert_eq!(lowered.severity(Severity::Warn), Ok(true));
    assert_eq!((lowered.due().as_str(), lowered.next()), ("", None));
    // The severity alerts nobody anyway.
    let mut masked = scene(Severity::Warn, "record");
    masked.matrix = warn_alerts(levels(&["n"]), &[]);
    assert!(masked.repeat_by(Severity::Warn, None));
    assert_eq!((masked.due().as_str(), masked.next()), ("", None));
    // Somebody hands it to a team, which then keeps it whatever the rules say.
    let mut handed = scene(Severity::Warn, "record");
    handed.asks(&Update::state(person("jo"), StateChange::HandToTeam(team("web")))).unwrap();
    assert_eq!((handed.due().as_str(), handed.incident.team()), ("1:n", &team("web")));
    handed.accepts("1:n").at(60).repeat_by(Severity::Crit, Some(&by("team:dba")));
    assert_eq!((handed.due().as_str(), handed.incident.team()), ("", &team("web")));
    // Raised while somebody has it: the round after a release alerts.
    let mut claimed = scene(Severity::Warn, "record");
    claimed.claim("jo").unwrap();
    assert_eq!(claimed.severity(Severity::Crit), Ok(true));
    assert_eq!(claimed.due(), "");
    claimed.asks(&Update::state(person("jo"), StateChange::Release(TakeOver::No))).unwrap();
    assert_eq!(claimed.due(), "1:n");
}
