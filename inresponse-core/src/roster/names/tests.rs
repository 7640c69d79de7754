//! Which names hold: tables of rosters, edits and what is decided.

use std::convert::Infallible;

use super::*;
use crate::model::{
    Contact, HeartbeatName, LayerName, MethodName, OverrideId, Person, PersonId, RuleName, ScheduleName,
    ServiceName, Severity,
};
use crate::roster::{
    Counting, FeedCopy, FeedId, Heartbeat, Judged, Layer, Member, Override, Profile, Rota, Routes, Rule,
    Schedule, Snapshot, TeamLevel, Turn, TurnUnit, Zone, judge_by,
};

const FEED: &str = "0123456789abcdef";

/// A key as `kind words`: `person jo`, `schedule web a`, `override web a o`, `feed web a`, `day web 2026-12-24`.
fn key(text: &str) -> EntryKey {
    let team = |name: &str| TeamName::new(name).unwrap();
    let schedule = |name: &str| ScheduleName::new(name).unwrap();
    match text.split(' ').collect::<Vec<_>>()[..] {
        ["service", name] => EntryKey::Service(ServiceName::new(name).unwrap()),
        ["team", name] => EntryKey::Team(team(name)),
        ["day", of, day] => EntryKey::Day(team(of), day.parse().unwrap()),
        ["person", name] => EntryKey::Person(PersonId::new(name).unwrap()),
        ["schedule", of, name] => EntryKey::Schedule(team(of), schedule(name)),
        ["override", of, name, id] => {
            EntryKey::Override(team(of), schedule(name), OverrideId::new(id).unwrap())
        }
        ["heartbeat", name] => EntryKey::Heartbeat(HeartbeatName::new(name).unwrap()),
        ["routes"] => EntryKey::Routes,
        ["feed", of, name] => EntryKey::Feed(team(of), schedule(name), FeedId::new(FEED).unwrap()),
        ref other => panic!("no key: {other:?}"),
    }
}

/// An entry as `key: targets | targets`. Of a team the first level and the fallback; of a day who is on call and to
/// whom it escalates; of an override who is on call and instead of whom; of a person the addresses; of a service
/// the team.
fn entry(text: &str) -> Entry {
    let (name, content) = text.split_once(": ").unwrap_or((text, ""));
    let (first, second) = content.split_once('|').unwrap_or((content, ""));
    let targets =
        |of: &str| -> Vec<Target> { of.split_whitespace().map(|target| target.parse().unwrap()).collect() };
    match key(name) {
        EntryKey::Service(service) => Entry::service(&service, &TeamName::new(first).unwrap()),
        EntryKey::Team(team) => {
            let levels = vec![TeamLevel { notify: targets(first), wait: None }];
            let second = if second.is_empty() { "last@example.org" } else { second };
            Entry::team(&team, Team::builder(targets(second)).levels(levels).build().unwrap())
        }
        EntryKey::Day(team, day) => {
            Entry::day(&team, day, Rota::new(targets(first), vec![targets(second)]).unwrap())
        }
        EntryKey::Person(person) => {
            let method = |address: &str| (MethodName::new(address).unwrap(), Contact::new(address).unwrap());
            let methods = first.split_whitespace().map(method).collect();
            Entry::person(&person, Profile::builder(methods).build().unwrap())
        }
        EntryKey::Schedule(team, name) => {
            let layer = Layer {
                name: LayerName::new("all").unwrap(),
                rank: None,
                members: vec![Member::always(targets(first))],
                from: "2026-12-07".parse().unwrap(),
                begins: None,
                until: None,
                turn: Turn { every: 1, unit: TurnUnit::Day, count: Counting::Elapsed },
                hours: Vec::new(),
            };
            Entry::schedule(&team, &name, Schedule::new(Zone::utc(), vec![layer], Vec::new()).unwrap())
        }
        EntryKey::Override(team, schedule, id) => {
            let (from, to) = ("2026-12-07".parse().unwrap(), "2026-12-08".parse().unwrap());
            let one = Override::new(from, to, targets(first), Some(targets(second)), None).unwrap();
            Entry::stand_in(&team, &schedule, &id, one)
        }
        EntryKey::Feed(team, schedule, feed) => {
            let copy = FeedCopy { events: Vec::new(), findings: Vec::new() };
            Entry::feed(&team, &schedule, &feed, copy)
        }
        EntryKey::Heartbeat(name) => {
            let (service, every) = (ServiceName::new(first).unwrap(), std::time::Duration::from_secs(60));
            let heartbeat = Heartbeat::new(service, Severity::Crit, every, std::time::Duration::ZERO, None);
            Entry::heartbeat(&name, heartbeat.unwrap())
        }
        EntryKey::Silence(id) => panic!("a silence names nothing: {id}"),
        EntryKey::Routes => {
            let rule = |(i, name): (usize, &str)| {
                let (team, heartbeat) = match key(name) {
                    EntryKey::Team(team) => (Some(team), None),
                    EntryKey::Heartbeat(heartbeat) => (None, Some(heartbeat)),
                    other => panic!("a rule does not name {other}"),
                };
                let (name, severity, record_only) = (RuleName::new(format!("r{i}")).unwrap(), None, false);
                Rule { name, matchers: vec!["a=b".parse().unwrap()], team, severity, record_only, heartbeat }
            };
            Entry::routes(Routes::new(content.split(", ").enumerate().map(rule).collect()).unwrap())
        }
    }
}

/// An edit: `+ entry` or `- key`.
fn edit(text: &str) -> RosterEdit {
    match text.split_at(2) {
        ("+ ", text) => RosterEdit::Put(entry(text)),
        ("- ", text) => RosterEdit::Delete(key(text)),
        _ => panic!("no edit: {text}"),
    }
}

/// What is decided of edits of a roster of these entries, in words. No question is asked twice.
fn verdict(roster: &[&str], edits: &[&str]) -> String {
    let mut snapshot = Snapshot::default();
    roster.iter().for_each(|text| snapshot.put(entry(text)));
    let edits: Vec<_> = edits.iter().map(|text| edit(text)).collect();
    let mut asked = BTreeSet::new();
    let answer = |question: &Question, answers: &mut Answers| {
        assert!(asked.insert(question.clone()), "asked twice: {question:?}");
        snapshot.answer(question, answers);
        Ok::<_, Infallible>(())
    };
    let by = Person::new("ann").unwrap();
    let Ok(judged) = judge_by(&by, chrono::DateTime::UNIX_EPOCH, &edits, answer);
    match judged {
        Judged::Write { .. } => "written".to_owned(),
        Judged::Ask(questions) => panic!("these were answered: {questions:?}"),
        Judged::Refused(refusal) => match refusal {
            Refusal::InUse { key, by } => format!("{key} is used by {by}"),
            Refusal::Unknown { key, by } => format!("{by} names {key}"),
            Refusal::Circle(path) => {
                let names: Vec<_> = path.iter().map(ToString::to_string).collect();
                format!("round: {}", names.join(" > "))
            }
            Refusal::NoFallback(team) => format!("no fallback of {team}"),
            Refusal::LastMethod { person, team } => {
                format!("last method of {person}, fallback of {team}")
            }
            other @ (Refusal::Twice(_) | Refusal::TooMany(_) | Refusal::UnverifiedPhone { .. }) => {
                panic!("{other:?}")
            }
        },
    }
}

fn check(cases: &[(&[&str], &[&str], &str)]) {
    for (roster, edits, expected) in cases {
        assert_eq!(verdict(roster, edits), *expected, "{edits:#?}\nof {roster:#?}");
    }
}

#[test]
fn p16_routing_rules_name_teams_and_heartbeats_that_are_there() {
    let roster: &[&str] = &["team dba: d@x.org", "service shop: dba", "heartbeat watchdog: shop"];
    let rules = "routes: team dba, heartbeat watchdog";
    let with_rules: Vec<&str> = roster.iter().copied().chain([rules]).collect();
    check(&[
        (&[], &["+ routes: team dba"], "routing rules names team dba"),
        (&[], &["+ routes: heartbeat watchdog"], "routing rules names heartbeat watchdog"),
        (roster, &["+ routes: team dba, heartbeat watchdog"], "written"),
        (&with_rules, &["- heartbeat watchdog"], "heartbeat watchdog is used by routing rules"),
        (&["team dba: d@x.org", "routes: team dba"], &["- team dba"], "team dba is used by routing rules"),
        (&with_rules, &["- heartbeat watchdog", "+ routes: team dba"], "written"),
        (&with_rules, &["- routes", "- heartbeat watchdog"], "written"),
        (&with_rules, &["- routes"], "written"),
    ]);
}

#[test]
fn p16_what_an_entry_names_must_be_there_after_all_edits() {
    check(&[
        (&[], &["+ schedule web a: person:jo"], "schedule a of web names person jo"),
        (&["person jo: j@x.org"], &["+ schedule web a: person:jo"], "written"),
        (&["person Jo: j@x.org"], &["+ schedule web a: person:jo"], "schedule a of web names person jo"),
        (&[], &["+ schedule web a: person:jo", "+ person jo: j@x.org"], "written"),
        (&[], &["+ person jo: j@x.org", "+ schedule web a: person:jo"], "written"),
        // A schedule without a team is one of the same team.
        (&["schedule ops b"], &["+ schedule web a: schedule:b"], "schedule a of web names schedule b of web"),
        (&["schedule ops b"], &["+ schedule web a: schedule:ops/b"], "written"),
        // A team is there by its settings, a day or a schedule. A service's word is not enough.
        (&["day ops 2026-12-24"], &["+ team web: team:ops"], "written"),
        (&["schedule ops b"], &["+ team web: team:ops"], "written"),
        (&["service athens: ops"], &["+ team web: team:ops"], "team web names team ops"),
        (&[], &["+ service athens: nobody"], "written"),
        (&[], &["+ team web: last@x.org|last@x.org person:jo"], "team web names person jo"),
        (&[], &["+ day web 2026-12-24: |person:jo"], "calendar of web, 2026-12-24 names person jo"),
        (
            &["schedule web a"],
            &["+ override web a o: |person:jo"],
            "override o of schedule a of web names person jo",
        ),
        (&[], &["+ override web a o: x@x.org"], "override o of schedule a of web names schedule a of web"),
        (&[], &["+ override web a o: x@x.org", "+ schedule web a"], "written"),
        (
            &["schedule web b"],
            &["+ feed web a"],
            "feed 0123456789abcdef of schedule a of web names schedule a of web",
        ),
        (&[], &["+ heartbeat backup: athens"], "heartbeat backup names service athens"),
        (&["service athens: web"], &["+ heartbeat backup: athens"], "written"),
    ]);
}

#[test]
fn p16_a_name_in_use_after_all_edits_is_not_deleted() {
    let by_web = "person jo is used by schedule a of web";
    let athens = &["service athens: web", "heartbeat backup: athens"];
    check(&[
        (athens, &["- service athens"], "service athens is used by heartbeat backup"),
        (athens, &["- service athens", "- heartbeat backup"], "written"),
        (athens, &["- service athens", "+ service b: web", "+ heartbeat backup: b"], "written"),
        (&["person jo: j@x.org", "schedule web a: person:jo"], &["- person jo"], by_web),
        (&["person jo: j@x.org"], &["- person jo", "+ schedule web a: person:jo"], by_web),
        (
            &["person jo: j@x.org", "schedule web a: person:jo"],
            &["- person jo", "+ schedule web a"],
            "written",
        ),
        (&["person jo: j@x.org", "schedule web a: person:jo"], &["- person jo", "- team web"], "written"),
        (
            &["person jo: j@x.org", "schedule web a: person:jo"],
            &["- schedule web a", "- person jo"],
            "written",
        ),
        (
            &["person jo: j@x.org", "schedule web a", "override web a o: |person:jo"],
            &["- person jo", "+ schedule web a: x@x.org"],
            "person jo is used by override o of schedule a of web",
        ),
        (&["team ops", "service athens: ops"], &["- team ops"], "team ops is used by service athens"),
        // Its own entries do not keep a team; another team's use of its schedule does.
        (&["schedule ops a", "team ops: schedule:a"], &["- team ops"], "written"),
        (&["schedule ops a", "schedule ops b: schedule:a"], &["- team ops"], "written"),
        (
            &["schedule ops a", "schedule ops b: schedule:a"],
            &["- schedule ops a"],
            "schedule a of ops is used by schedule b of ops",
        ),
        (
            &["schedule ops a", "day web 2026-12-24: schedule:ops/a"],
            &["- team ops"],
            "schedule a of ops is used by calendar of web, 2026-12-24",
        ),
        (
            &["schedule ops a", "day web 2026-12-24: schedule:ops/a"],
            &["- team ops", "+ day web 2026-12-24: x@x.org"],
            "written",
        ),
        (&["schedule ops a", "override ops a o: x@x.org"], &["- schedule ops a"], "written"),
        // What is deleted with its team is not used any more, nor may it be named.
        (
            &["schedule ops a"],
            &["- team ops", "+ team web: schedule:ops/a"],
            "schedule a of ops is used by team web",
        ),
    ]);
}

#[test]
fn p16_no_name_leads_round_to_itself() {
    let a_and_b: &[&str] = &["schedule web a", "schedule web b"];
    let teams: &[&str] = &["team web", "team ops", "schedule web a", "schedule web b"];
    let and = |some: &[&'static str], more: &[&'static str]| [some, more].concat();
    check(&[
        (&[], &["+ schedule web a: schedule:a"], "round: schedule a of web"),
        (
            &and(a_and_b, &["schedule web b: schedule:a"]),
            &["+ schedule web a: schedule:b"],
            "round: schedule a of web > schedule b of web",
        ),
        (
            &[],
            &["+ schedule web a: schedule:b", "+ schedule web b: schedule:a"],
            "round: schedule a of web > schedule b of web",
        ),
        (
            &and(a_and_b, &["override web a o: schedule:b"]),
            &["+ schedule web b: schedule:a"],
            "round: schedule b of web > schedule a of web",
        ),
        // The override goes in the same call.
        (
            &and(a_and_b, &["override web a o: schedule:b"]),
            &["+ schedule web b: schedule:a", "- override web a o"],
            "written",
        ),
        (
            &and(a_and_b, &["schedule web b: schedule:a"]),
            &["+ override web a o: schedule:b"],
            "round: schedule a of web > schedule b of web",
        ),
        (
            &and(a_and_b, &["schedule web b: schedule:a"]),
            &["+ override web a o: x@x.org|schedule:b"],
            "written",
        ),
        (&and(teams, &["team ops: team:web"]), &["+ team web: team:ops"], "round: team web > team ops"),
        (
            &and(teams, &["team ops: team:web"]),
            &["+ team web: |x@x.org team:ops"],
            "round: team web > team ops",
        ),
        (
            &and(teams, &["day ops 2026-12-24: team:web"]),
            &["+ day web 2030-01-01: team:ops"],
            "round: team web > team ops",
        ),
        (&and(teams, &["day ops 2026-12-24: |team:web"]), &["+ team web: team:ops"], "written"),
        (
            &and(teams, &["team ops: schedule:web/a", "override web a o: team:web"]),
            &["+ day web 2026-12-24: team:ops"],
            "round: team web > team ops > schedule a of web",
        ),
        // Two ways to one place are no circle.
        (
            &and(a_and_b, &["schedule web c", "schedule web a: schedule:c", "schedule web b: schedule:c"]),
            &["+ schedule web d: schedule:a schedule:b schedule:c"],
            "written",
        ),
        // A day that is replaced leads where it leads now; only the stored one led round.
        (
            &and(teams, &["day web 2026-12-24: team:ops"]),
            &["- day web 2026-12-24", "+ team ops: team:web"],
            "written",
        ),
        (
            &and(teams, &["day web 2026-12-24: team:ops"]),
            &["+ day web 2026-12-24: x@x.org", "+ team ops: team:web"],
            "written",
        ),
    ]);
}

#[test]
fn p12_a_fallback_reaches_somebody_whatever_is_edited() {
    let last = "last method of jo, fallback of web";
    let web: &[&str] = &["person jo: j@x.org", "team web: |person:jo"];
    let two: &[&str] = &["person jo: j@x.org", "person kim: k@x.org", "team web: |person:jo person:kim"];
    check(&[
        (&["person jo"], &["+ team web: |person:jo"], "no fallback of web"),
        (&["person jo"], &["+ team web: |person:jo j@x.org"], "written"),
        (&["person jo"], &["+ team web: |person:jo", "+ person jo: j@x.org"], "written"),
        (&["person jo: j@x.org"], &["+ team web: |person:jo"], "written"),
        (&["schedule web a: j@x.org"], &["+ team web: |schedule:a"], "no fallback of web"),
        (&["team ops"], &["+ team web: |team:ops"], "no fallback of web"),
        (web, &["+ person jo"], last),
        (web, &["+ person jo: other@x.org"], "written"),
        (web, &["+ person jo", "+ team web: |j@x.org"], "written"),
        (web, &["+ person jo", "- team web"], "written"),
        (web, &["- person jo"], "person jo is used by team web"),
        (two, &["+ person jo"], "written"),
        (two, &["+ person jo", "+ person kim"], last),
        (two, &["+ team web: |person:jo", "+ person jo", "- person kim"], "no fallback of web"),
        (two, &["+ person jo", "- person kim", "+ team web: |person:jo"], last),
        // A level is no fallback.
        (&["person jo: j@x.org", "team web: person:jo|x@x.org"], &["+ person jo"], "written"),
    ]);
}
