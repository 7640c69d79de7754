//! Silences and alert hours: promise 21.

use super::scene::Scene;
use super::{LEASE, T0, after, levels, person, report, secs, warn_alerts};
use crate::model::{Contact, Event, Incident, QuietWhy, Severity, SilenceId, State, TeamName, Zone};
use crate::plan::{self, HoldNothing, Refusal, Ruled, Upcoming, Update};
use crate::roster::{Entry, Hours, QuietRules, Silence, Team, WeekDays};

/// A silence of that service, from and to seconds after the scene began.
fn silence(id: &str, matcher: &str, from: i64, to: i64) -> Entry {
    let silence = Silence::new(vec![matcher.parse().unwrap()], after(from), after(to)).unwrap();
    Entry::silence(&SilenceId::new(id).unwrap(), silence)
}

fn deploy(from: i64, to: i64) -> Entry {
    silence("deploy", "service=athens", from, to)
}

/// A team whose WARN alerts wait for office hours. The scene begins on a Friday at 8:00 UTC.
fn office(team: &str, zone: &str) -> Entry {
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri"].iter();
    let days = days.fold(WeekDays::default(), |days, day| days.union(day.parse().unwrap()));
    let hours = Hours { days, from: Hours::time("09:00").unwrap(), to: Hours::time("17:00").unwrap() };
    let fallback = vec![Contact::new("z@x.org").unwrap()];
    let settings = Team::builder(fallback)
        .timezone(Zone::new(zone).unwrap())
        .alert_hours(Severity::Warn, vec![hours])
        .build();
    Entry::team(&TeamName::new(team).unwrap(), settings.unwrap())
}

fn rules(entries: &[Entry]) -> QuietRules {
    QuietRules::new(entries.iter().cloned())
}

fn quiet_until(scene: &Scene) -> Option<i64> {
    scene.incident.quiet().map(|quiet| (quiet.until - T0).num_seconds())
}

fn began(scene: &Scene) -> usize {
    scene.told(|e| matches!(e, Event::BecameQuiet { .. }))
}

fn ended(scene: &Scene) -> usize {
    scene.told(|e| matches!(e, Event::QuietEnded))
}

/// Two levels, with that silence from the beginning.
fn silenced(to: i64) -> Scene {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.rules = rules(&[deploy(-60, to)]);
    scene
}

#[test]
fn p21_what_is_reported_during_a_silence_alerts_in_round_1_when_it_ends() {
    let mut scene = silenced(3_600);
    assert_eq!(scene.due(), "");
    assert_eq!((quiet_until(&scene), scene.next()), (Some(3_600), Some(3_600.0)));
    assert_eq!(scene.incident.quiet().unwrap().why, [QuietWhy::Silence(SilenceId::new("deploy").unwrap())]);
    assert_eq!(scene.at(3_599).due(), "");
    assert_eq!(scene.at(3_600).due(), "1:a");
    assert_eq!((scene.incident.round(), quiet_until(&scene)), (1, None));
    assert_eq!((began(&scene), ended(&scene)), (1, 1));
    scene.accepts("1:a");
    assert_eq!(scene.play(0), "4200 2:b, 4800 f:z unclaimed");
}

#[test]
fn p21_the_people_are_those_on_call_when_quiet_ends() {
    let mut scene = silenced(3_600);
    assert_eq!(scene.due(), "");
    scene.matrix = levels(&["night", "b"]);
    scene.owner = "ops";
    assert_eq!(scene.at(3_600).due(), "1:night");
    assert_eq!((scene.incident.team().as_str(), scene.incident.round()), ("ops", 1));
}

#[test]
fn p21_the_record_says_it_at_once_and_takes_no_lease() {
    let rules = rules(&[deploy(0, 600)]);
    let open = |rules: &QuietRules| -> Vec<(Incident, usize)> {
        let (team, matrix) = (TeamName::new("devops").unwrap(), levels(&["a"]));
        let hold = Ruled { hold: &HoldNothing, rules };
        let (leasing, sends) =
            plan::open_leasing(report(Severity::Crit), team.clone(), matrix.clone(), LEASE, &hold, T0);
        let judged = plan::open_judged(report(Severity::Crit), team, matrix, rules, T0);
        vec![(leasing.incident().clone(), sends.len()), (judged.incident().clone(), 0)]
    };
    for (incident, sends) in open(&rules) {
        assert_eq!((incident.quiet().map(|quiet| quiet.until), sends), (Some(after(600)), 0));
    }
    let loud: Vec<_> =
        open(&QuietRules::default()).into_iter().map(|(one, n)| (one.quiet().cloned(), n)).collect();
    assert_eq!(loud, [(None, 1), (None, 0)]);
}

#[test]
fn p21_a_silence_made_later_stops_what_is_pending_and_its_end_begins_a_new_round() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a").at(300);
    scene.rules = rules(&[deploy(300, 3_600)]);
    // Nobody was to be alerted before.
    assert_eq!((scene.due().as_str(), quiet_until(&scene)), ("", None));
    assert_eq!(scene.at(600).due(), "");
    assert_eq!(quiet_until(&scene), Some(3_600));
    assert_eq!(scene.play(0), "3600 r2 1:a, 4200 2:b, 4800 f:z unclaimed");
}

#[test]
fn p21_retries_are_stopped_too_and_a_send_in_flight_may_end() {
    let mut scene = Scene::crit(levels(&["a b"]));
    assert_eq!(scene.due(), "1:a 1:b");
    scene.ends("1:b", &crate::model::Outcome::unavailable("421 not now"));
    scene.rules = rules(&[deploy(0, 3_600)]);
    assert_eq!(scene.at(20).due(), "");
    assert_eq!(quiet_until(&scene), Some(3_600));
    assert!(scene.pending_at("1:b").is_none());
    // What was in flight is recorded, and not repeated.
    assert!(!scene.renews("1:a"));
    scene.ends("1:a", &crate::model::Outcome::unavailable("421 not now"));
    assert_eq!((scene.next(), scene.at(100).due().as_str()), (Some(3_600.0), ""));
    assert_eq!(scene.at(3_600).due(), "1:a 1:b");
    assert_eq!(scene.incident.round(), 2);
}

#[test]
fn p21_a_lease_that_ended_during_quiet_is_not_leased_again() {
    let mut scene = Scene::crit(levels(&["a"]));
    assert_eq!(scene.due(), "1:a");
    scene.rules = rules(&[deploy(0, 3_600)]);
    assert_eq!(scene.at(31).due(), "");
    assert_eq!((quiet_until(&scene), scene.next()), (Some(3_600), Some(3_600.0)));
    assert_eq!(scene.at(3_600).due(), "1:a");
    assert_eq!(scene.incident.round(), 2);
}

#[test]
fn p21_lifting_and_changing_a_silence_act_at_once() {
    let mut scene = silenced(3_600);
    assert_eq!(scene.due(), "");
    scene.at(100);
    assert!(!scene.judge(), "the rules are the same");
    // A shorter one.
    scene.rules = rules(&[deploy(-60, 600)]);
    assert!(scene.judge());
    assert_eq!((quiet_until(&scene), began(&scene)), (Some(600), 2));
    // Another one that does not match makes no difference that anybody sees.
    let updated = scene.incident.updated_at();
    scene.rules = rules(&[deploy(-60, 600), silence("other", "service=sparta", -60, 6_000)]);
    assert!(scene.at(200).judge());
    assert_eq!((quiet_until(&scene), began(&scene)), (Some(600), 2));
    assert_eq!(scene.incident.updated_at(), updated);
    assert!(!scene.judge());
    // Lifted.
    scene.rules = QuietRules::default();
    assert!(scene.at(300).judge());
    assert_eq!((quiet_until(&scene), ended(&scene)), (None, 1));
    assert_eq!(scene.due(), "1:a");
    assert_eq!(scene.incident.round(), 1);
}

#[test]
fn p21_silences_that_follow_each_other_are_one_quiet_time() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.rules = rules(&[
        deploy(0, 600),
        silence("next", "service=athens", 500, 900),
        silence("then", "service=athens", 900, 1_000),
        silence("gap", "service=athens", 1_001, 2_000),
    ]);
    assert_eq!((scene.due().as_str(), quiet_until(&scene)), ("", Some(1_000)));
    let why: Vec<_> = scene.incident.quiet().unwrap().why.iter().map(ToString::to_string).collect();
    assert_eq!(why, ["silence:deploy", "silence:next", "silence:then"]);
    assert_eq!(scene.at(1_000).due(), "1:a");
}

#[test]
fn p21_alert_hours_defer_their_severity_in_the_zone_of_the_team() {
    // Nine o'clock comes at 3,600 s in UTC, and came before the scene in Athens. New York is five hours behind.
    let cases = [
        ("UTC", Severity::Warn, Some(3_600)),
        ("UTC", Severity::Err, None),
        ("Europe/Athens", Severity::Warn, None),
        ("America/New_York", Severity::Warn, Some(6 * 3_600)),
    ];
    for (zone, severity, expected) in cases {
        let mut scene = Scene::open(levels(&["a"]), severity);
        scene.rules = rules(&[office("devops", zone), office("other", "Asia/Tokyo")]);
        let sent = scene.due();
        assert_eq!(quiet_until(&scene), expected, "{zone} {severity}");
        assert_eq!(sent.is_empty(), expected.is_some(), "{zone} {severity}");
    }
}

#[test]
fn p21_a_raise_to_a_severity_without_hours_alerts_at_once() {
    for by_report in [true, false] {
        let mut scene = Scene::open(levels(&["a", "b"]), Severity::Warn);
        scene.rules = rules(&[office("devops", "UTC")]);
        assert_eq!((scene.due().as_str(), quiet_until(&scene)), ("", Some(3_600)));
        scene.at(60);
        if by_report {
            assert!(scene.repeat(Severity::Crit));
        } else {
            assert_eq!(scene.severity(Severity::Crit), Ok(true));
        }
        assert_eq!(scene.next(), Some(60.0));
        assert_eq!(scene.due(), "1:a");
        assert_eq!((scene.incident.round(), ended(&scene)), (1, 1));
    }
    // A silence holds the raised one too.
    let mut scene = Scene::open(levels(&["a", "b"]), Severity::Warn);
    scene.rules = rules(&[office("devops", "UTC"), deploy(-60, 600)]);
    assert_eq!((scene.due().as_str(), quiet_until(&scene)), ("", Some(3_600)));
    assert!(scene.at(60).repeat(Severity::Crit));
    assert_eq!((scene.due().as_str(), quiet_until(&scene)), ("", Some(600)));
}

#[test]
fn p21_claims_and_resolutions_work_as_usual() {
    let mut scene = silenced(3_600);
    assert_eq!(scene.due(), "");
    assert_eq!(scene.at(100).claim("jo"), Ok(true));
    assert_eq!((quiet_until(&scene), scene.next()), (None, None));
    assert_eq!(scene.at(3_600).due(), "");
    // A release begins a round at once, but the silence still holds it.
    let mut scene = silenced(3_600);
    assert_eq!(scene.due(), "");
    assert_eq!(scene.at(100).claim("jo"), Ok(true));
    assert_eq!(scene.at(200).release("jo"), Ok(true));
    assert_eq!((scene.due().as_str(), quiet_until(&scene)), ("", Some(3_600)));
    assert_eq!(scene.at(3_600).due(), "1:a");
    assert_eq!(scene.incident.round(), 2, "the round that the release began");

    let mut scene = silenced(3_600);
    assert_eq!(scene.due(), "");
    assert_eq!(scene.at(100).resolve("jo"), Ok(true));
    assert_eq!((quiet_until(&scene), scene.next()), (None, None));
    assert_eq!(scene.at(3_600).due(), "");
}

#[test]
fn p21_a_claim_that_ends_during_a_silence_alerts_when_the_silence_ends() {
    let mut scene = Scene::crit(levels(&["a"]).claims_last(Some(secs(600))));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a").at(100);
    assert_eq!(scene.claim("jo"), Ok(true));
    scene.rules = rules(&[deploy(200, 3_600)]);
    assert_eq!(scene.at(700).due(), "");
    assert_eq!((scene.incident.state(), quiet_until(&scene)), (State::Open, Some(3_600)));
    assert_eq!(scene.at(3_600).due(), "1:a");
    assert_eq!(scene.incident.round(), 2);
}

#[test]
fn p21_only_an_escalation_ends_quiet_early() {
    let mut scene = silenced(36_000);
    assert_eq!(scene.due(), "");
    assert_eq!(scene.at(100).escalate("jo"), Ok(true));
    assert_eq!((quiet_until(&scene), scene.next()), (None, Some(100.0)));
    assert_eq!(scene.due(), "1:a");
    assert_eq!((scene.incident.round(), ended(&scene)), (1, 1));
    scene.accepts("1:a");
    // Nothing makes it quiet again, until it is claimed and open again.
    assert_eq!(scene.at(700).due(), "2:b");
    scene.accepts("2:b");
    assert_eq!(scene.at(710).claim("jo"), Ok(true));
    assert_eq!(scene.at(720).release("jo"), Ok(true));
    assert_eq!((scene.due().as_str(), quiet_until(&scene)), ("", Some(36_000)));
    // A note is no reason to alert.
    let note = crate::model::Note::new("planned work").unwrap();
    assert_eq!(scene.asks(&Update::note(person("jo"), note)), Ok(true));
    assert_eq!(quiet_until(&scene), Some(36_000));
}

#[test]
fn p21_an_escalation_of_an_incident_that_a_silence_is_about_to_hold() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a").at(100);
    scene.rules = rules(&[deploy(50, 36_000)]);
    // The engine judges first.
    assert!(scene.judge());
    assert_eq!(quiet_until(&scene), Some(36_000));
    assert_eq!(scene.escalate("jo"), Ok(true));
    assert_eq!(scene.due(), "1:a");
    assert_eq!(scene.incident.round(), 2);
}

#[test]
fn p21_an_escalation_ends_quiet_also_if_every_level_of_the_round_has_begun() {
    let mut scene = Scene::crit(levels(&["a"]));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a");
    assert_eq!(scene.at(600).due(), "f:z");
    scene.ends("f:z", &crate::notify::Outcome::unavailable(""));
    scene.rules = rules(&[deploy(0, 36_000)]);
    assert!(scene.at(610).judge());
    assert_eq!(quiet_until(&scene), Some(36_000));
    assert_eq!(scene.at(620).escalate("jo"), Ok(true));
    assert_eq!((scene.due().as_str(), scene.incident.round(), quiet_until(&scene)), ("1:a", 2, None));
}

#[test]
fn p21_an_incident_with_nothing_left_to_send_is_left_alone() {
    let mut scene = Scene::crit(levels(&["a"]));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a");
    assert_eq!(scene.play(0), "600 f:z unclaimed");
    scene.rules = rules(&[deploy(0, 36_000)]);
    assert_eq!((scene.due().as_str(), scene.judge(), quiet_until(&scene)), ("", false, None));
    assert!(scene.incident.is_unclaimed());

    // The severity alerts nobody, so there is nothing to defer.
    let mut scene = Scene::open(warn_alerts(levels(&["a"]), &[]), Severity::Warn);
    scene.rules = rules(&[deploy(-60, 36_000)]);
    assert_eq!((scene.due().as_str(), quiet_until(&scene), scene.next()), ("", None, None));
    assert_eq!(scene.escalate("jo"), Err(Refusal::NobodyLeft));
}

#[test]
fn p21_calls_for_more_people_are_sent_during_a_silence_and_go_on_after_it() {
    let mut scene = silenced(3_600);
    assert_eq!(scene.due(), "");
    assert_eq!(scene.at(100).call_in("jo", "kim:k"), Ok(true));
    assert_eq!(scene.due(), "c1:k");
    scene.accepts("c1:k");
    assert_eq!(quiet_until(&scene), Some(3_600));
    assert_eq!(scene.at(3_600).due(), "1:a");
}

#[test]
fn p21_a_team_that_has_other_hours_is_asked_by_its_own() {
    // The service moved to a team that works only in New York.
    let mut scene = Scene::open(levels(&["a"]), Severity::Warn);
    scene.rules = rules(&[office("devops", "UTC"), office("ops", "America/New_York")]);
    assert_eq!((scene.due().as_str(), quiet_until(&scene)), ("", Some(3_600)));
    scene.owner = "ops";
    assert_eq!((scene.at(3_600).due().as_str(), quiet_until(&scene)), ("", Some(6 * 3_600)));
    assert_eq!(scene.at(6 * 3_600).due(), "1:a");
    assert_eq!((scene.incident.round(), scene.incident.team().as_str()), (1, "ops"));
}

#[test]
fn p21_a_repeat_round_asks_too() {
    let mut scene = Scene::crit(levels(&["a"]).repeated(1));
    scene.rules = rules(&[deploy(600, 3_600)]);
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a");
    assert_eq!((scene.at(600).due().as_str(), quiet_until(&scene)), ("", Some(3_600)));
    // The new round is the first of its own: it is repeated as often.
    assert_eq!(scene.play(0), "3600 r2 1:a, 4200 r3 1:a, 4800 f:z unclaimed");
}

#[test]
fn p21_a_late_process_ends_quiet_late_and_once() {
    let mut scene = silenced(3_600);
    assert_eq!(scene.due(), "");
    assert_eq!(scene.at(100_000).due(), "1:a");
    assert_eq!((scene.due().as_str(), ended(&scene)), ("", 1));
}

#[test]
fn p21_quiet_does_not_count_as_waiting_and_is_the_next_thing_to_happen() {
    let mut scene = silenced(3_600);
    assert_eq!(scene.due(), "");
    assert_eq!(plan::waiting_since(&scene.incident), Some(after(3_600)));
    assert_eq!(plan::next_alert_at(&scene.incident), Some(after(3_600)));
    let expected = [Upcoming::Round { round: 1, at: after(3_600) }];
    assert_eq!(plan::outlook(&scene.incident), expected);
    assert!(!scene.incident.is_unclaimed() && !scene.incident.is_undelivered());
}

#[test]
fn p14_the_end_of_quiet_keeps_its_wall_clock_time_when_the_clock_goes_back() {
    let mut scene = silenced(36_000);
    scene.at(3_000);
    assert_eq!(scene.due(), "");
    scene.at(0);
    let input = plan::Input::ClockWentBack { lease: LEASE };
    assert!(matches!(scene.try_step(input), plan::Decision::Change(_)));
    assert_eq!(quiet_until(&scene), Some(36_000));
    // By this clock, the silence may not have begun. So it is judged again.
    scene.rules = rules(&[deploy(2_000, 36_000)]);
    assert!(scene.judge());
    assert_eq!((quiet_until(&scene), scene.due().as_str()), (None, "1:a"));
}

#[test]
fn p21_a_quiet_incident_is_indexed_and_left_to_servers_that_know_quiet() {
    let mut scene = silenced(3_600);
    assert_eq!(plan::Draft::new(scene.incident.clone()).quiet_by(), None);
    assert_eq!(scene.due(), "");
    let draft = plan::Draft::new(scene.incident.clone());
    assert_eq!(draft.quiet_by(), Some(scene.rules.id()));
    let stored: serde_json::Value = serde_json::from_slice(&draft.body()).unwrap();
    assert_eq!(stored["format"], 7);
    assert_eq!(scene.claim("jo"), Ok(true));
    assert_eq!(plan::Draft::new(scene.incident.clone()).quiet_by(), None);
}
