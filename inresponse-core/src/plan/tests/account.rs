//! What happened and what comes, as facts.

use std::time::Duration;

use super::scene::Scene;
use super::{after, contacts, levels, name, person, timed, warn_alerts};
use crate::model::{Event, Matrix, Severity};
use crate::notify::Outcome;
use crate::plan::{self, Follows, StateChange, Upcoming, Update};

/// What comes, as `600 2:b` and `1200 r2`.
fn comes(scene: &Scene) -> String {
    let seconds = |at: chrono::DateTime<chrono::Utc>| (at - super::T0).num_seconds();
    let text = |step: &Upcoming<'_>| match step {
        Upcoming::Level { level, at, contacts } => {
            format!("{} {level}:{}", seconds(*at), contacts.iter().map(name).collect::<Vec<_>>().join("+"))
        }
        Upcoming::Step { level, at, contacts } => {
            let names: Vec<_> = contacts.iter().map(|contact| name(contact)).collect();
            format!("{} {level}+{}", seconds(*at), names.join("+"))
        }
        Upcoming::Round { round, at } => format!("{} r{round}", seconds(*at)),
    };
    plan::outlook(&scene.incident).iter().map(text).collect::<Vec<_>>().join(", ")
}

#[test]
fn p19_what_comes_tells_the_steps_of_levels_that_have_begun_and_of_those_to_come() {
    let steps: &[&str] = &["jo:p jo:c@180 jo:d@180 jo:e@700", "kim:k kim:l@60", "lee:m lee:n@5"];
    let mut scene = Scene::crit(timed(&[(Severity::Crit, steps)]).repeated(1));
    assert_eq!(comes(&scene), "0 1:p, 180 1+c+d, 600 2:k, 660 2+l, 700 1+e, 1200 r2");
    assert_eq!(scene.due(), "1:p");
    scene.accepts("1:p");
    assert_eq!(comes(&scene), "180 1+c+d, 600 2:k, 660 2+l, 700 1+e, 1200 r2");
    assert_eq!(plan::next_alert_at(&scene.incident), Some(after(180)));
    assert_eq!(scene.at(180).due(), "1:c 1:d");
    scene.accepts("1:c 1:d");
    assert_eq!(comes(&scene), "600 2:k, 660 2+l, 700 1+e, 1200 r2");
    assert_eq!(scene.claim("jo"), Ok(true));
    assert_eq!(comes(&scene), "");
    // The round begins after the last step.
    let scene = Scene::crit(timed(&[(Severity::Crit, &["jo:p jo:c@700", "z"])]).repeated(1));
    assert_eq!(comes(&scene), "0 1:p, 700 1+c, 700 r2");
    let scene = Scene::crit(timed(&[(Severity::Crit, &["jo:p jo:c@700", "z z:y@9"])]));
    assert_eq!(comes(&scene), "0 1:p, 600 fallback:z, 609 fallback+y, 700 1+c");
}

/// The entries of the timeline that lead to something, and what to.
fn follows(scene: &Scene) -> String {
    let text = |happened: plan::Happened<'_>| {
        let what = match &happened.entry.event {
            Event::LevelDead { level, .. } => format!("{level} dead"),
            Event::LevelEmpty { level, .. } => format!("{level} empty"),
            Event::Unclaimed => "over".to_owned(),
            _ => {
                assert_eq!(happened.follows, Follows::Nothing);
                return None;
            }
        };
        Some(match happened.follows {
            Follows::Nothing => what,
            Follows::TheNextAtOnce => format!("{what}, next at once"),
            Follows::Reached(reached) => format!("{what}, {reached:?}"),
        })
    };
    plan::history(&scene.incident).into_iter().filter_map(text).collect::<Vec<_>>().join("; ")
}

#[test]
fn p12_what_comes_is_told_up_to_the_next_round_and_escalation_is_offered_exactly_if_it_works() {
    let repeated = |n| levels(&["a", "b"]).repeated(n);
    type Act = fn(&mut Scene);
    let all = |s: &mut Scene| _ = s.play(0);
    let cases: [(&str, Matrix, Act, &str); 10] = [
        ("opened", levels(&["a", "b"]), |s| _ = s.due(), "600 2:b, 1200 fallback:z"),
        ("to be repeated", repeated(1), |s| _ = s.due(), "600 2:b, 1200 r2"),
        (
            "at its last level",
            repeated(1),
            |s| {
                s.due();
                s.accepts("1:a").at(600).due();
            },
            "1200 r2",
        ),
        (
            "in its last round",
            repeated(1),
            |s| {
                s.due();
                s.accepts("1:a").at(600).due();
                s.accepts("2:b").at(1200).due();
            },
            "1800 2:b, 2400 fallback:z",
        ),
        ("over", levels(&["a", "b"]), all, ""),
        (
            "claimed",
            repeated(1),
            |s| {
                s.due();
                s.claim("jo").unwrap();
            },
            "",
        ),
        (
            "resolved",
            repeated(1),
            |s| {
                s.due();
                s.resolve("jo").unwrap();
            },
            "",
        ),
        ("an empty level", levels(&["a", "", "c"]), |s| _ = s.due(), "600 3:c, 600 fallback:z"),
        (
            "a calendar without an entry",
            Matrix::without_calendar(contacts("z"), super::WAIT),
            |s| _ = s.due(),
            "",
        ),
        (
            "its only level is dead",
            repeated(1),
            |s| {
                s.due();
                s.rejects("1:a");
            },
            "0 2:b, 600 r2",
        ),
    ];
    for (case, matrix, act, expected) in cases {
        let mut scene = Scene::crit(matrix);
        act(&mut scene);
        let expected = if case == "an empty level" { "600 3:c, 1200 fallback:z" } else { expected };
        assert_eq!(comes(&scene), expected, "{case}");
        let offered = plan::may_escalate(&scene.incident);
        let escalates = scene.asks(&Update::state(person("jo"), StateChange::Escalate)).is_ok();
        assert_eq!(offered, escalates, "{case}");
        let calls_in = case == "claimed";
        assert_eq!(offered, !expected.is_empty() || calls_in, "{case}: it is offered if something comes");
    }
    let mut records_only = Scene::open(warn_alerts(levels(&["a"]), &[]), Severity::Warn);
    records_only.due();
    assert_eq!((comes(&records_only).as_str(), plan::may_escalate(&records_only.incident)), ("", false));
}

#[test]
fn p12_what_is_said_of_whom_was_reached_is_so() {
    let cases = [
        // Levels, the fallback, what follows.
        (vec!["a", "b"], "z", "over, Everybody"),
        (vec!["x", "b"], "z", "1 dead, next at once; over, Somebody"),
        (vec!["a", "x"], "z", "2 dead, next at once; over, Somebody"),
        (vec!["x", "x1"], "z", "1 dead, next at once; 2 dead, next at once; over, Somebody"),
        (vec!["x", "x1"], "x2", "1 dead, next at once; 2 dead, next at once; over, Nobody; fallback dead"),
        (vec!["a", "x"], "x2", "2 dead, next at once; over, Somebody; fallback dead"),
        (vec!["", "b"], "z", "1 empty, next at once; over, Everybody"),
        (vec!["a x", "b"], "z", "over, Somebody"),
    ];
    for (given, fallback, expected) in cases {
        let case = format!("{given:?}, then {fallback}");
        let given = given.iter().map(|level| contacts(level)).collect();
        let mut scene = Scene::crit(Matrix::new(given, contacts(fallback), super::WAIT));
        scene.play(0);
        assert_eq!(follows(&scene), expected, "{case}");
        assert_eq!(scene.incident.is_undelivered(), expected.contains("Nobody"), "{case}");
        assert_eq!(plan::reached(&scene.incident).map(|r| expected.contains(&format!("{r:?}"))), Some(true));
    }
    let mut only_fallback = Scene::crit(Matrix::without_calendar(contacts("x"), super::WAIT));
    only_fallback.play(0);
    assert_eq!(follows(&only_fallback), "1 dead; over, Nobody", "there is no next one");
}

#[test]
fn p12_while_attempts_go_on_nobody_is_said_to_be_unreachable() {
    let mut scene = Scene::crit(levels(&["u"]));
    scene.due();
    scene.ends("1:u", &Outcome::unavailable("no route")).at(600).due();
    assert_eq!((follows(&scene).as_str(), scene.incident.is_undelivered()), ("over, NobodyYet", false));
    scene.claim("jo").unwrap();
    assert_eq!(follows(&scene), "over, NobodyYet", "nobody had been, until jo claimed it");
    scene.at(700).release("jo").unwrap();
    assert_eq!(follows(&scene), "over", "what was reached before a release is not known any more");
}

#[test]
fn p12_the_next_level_is_said_to_be_due_at_once_only_if_it_was() {
    // Level 1 dies while level 2 has its turn: nothing comes any sooner.
    let mut scene = Scene::crit(levels(&["u", "b", "c"]));
    scene.due();
    scene.ends("1:u", &Outcome::unavailable("no route")).at(600).due();
    scene.accepts("2:b").at(650).rejects("1:u");
    assert_eq!(follows(&scene), "1 dead");
    assert_eq!(scene.next(), Some(1200.0));
    scene.at(1200).due();
    assert_eq!(follows(&scene), "1 dead", "level 3 did not come because of it");

    // Somebody claims before anybody looks.
    let mut scene = Scene::crit(levels(&["x", "b"]));
    scene.due();
    scene.rejects("1:x");
    assert_eq!(follows(&scene), "1 dead, next at once");
    scene.claim("jo").unwrap();
    assert_eq!(follows(&scene), "1 dead");
    scene.at(50).release("jo").unwrap();
    assert_eq!(follows(&scene), "1 dead");

    // A whole round is dead, so it is not repeated; the last level of a round that is: the next round is due.
    let mut scene = Scene::crit(levels(&["x"]).repeated(1));
    scene.play(0);
    assert_eq!(follows(&scene), "1 dead, next at once; over, Somebody");
    let mut scene = Scene::crit(levels(&["a", "x"]).repeated(1));
    scene.due();
    scene.accepts("1:a").at(600).due();
    scene.rejects("2:x");
    assert_eq!((follows(&scene).as_str(), comes(&scene).as_str()), ("2 dead, next at once", "600 r2"));
    scene.due();
    assert_eq!(follows(&scene), "2 dead, next at once");
}

#[test]
fn the_levels_that_have_begun_are_listed_with_the_results_of_their_alerts() {
    let mut scene = Scene::crit(Matrix::new(
        vec![contacts("a x"), Vec::new(), contacts("b")],
        contacts("z"),
        Duration::from_secs(600),
    ));
    scene.due();
    scene.accepts("1:a").rejects("1:x").at(600).due();
    let turns = plan::turns(&scene.incident);
    let told: Vec<_> = turns.iter().map(|t| (t.level.to_string(), t.at, t.deliveries.len())).collect();
    let expected = [("1", 0, 2), ("2", 600, 0), ("3", 600, 1)];
    assert_eq!(told, expected.map(|(level, at, n)| (level.to_owned(), after(at), n)));
}
