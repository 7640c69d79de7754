//! Which level is alerted when.

use super::scene::Scene;
use super::{WAIT, contacts, levels, warn_alerts};
use crate::model::{Event, Matrix, Severity};
use crate::notify::Outcome;

/// Plays each matrix until nothing is due and compares what was sent when.
fn check(severity: Severity, cases: Vec<(&str, Matrix, &str)>) {
    for (what, matrix, expected) in cases {
        assert_eq!(Scene::open(matrix, severity).play(0), expected, "{what}");
    }
}

#[test]
fn p08_p12_levels_repeat_rounds_then_the_fallback_once() {
    let no_calendar = || Matrix::without_calendar(contacts("z"), WAIT);
    check(
        Severity::Crit,
        vec![
            ("one level", levels(&["a"]), "0 1:a, 600 f:z unclaimed"),
            ("levels in order", levels(&["a", "b"]), "0 1:a, 600 2:b, 1200 f:z unclaimed"),
            ("a level together", levels(&["a b", "c"]), "0 1:a 1:b, 600 2:c, 1200 f:z unclaimed"),
            ("the same contact twice", levels(&["a", "a"]), "0 1:a, 600 2:a, 1200 f:z unclaimed"),
            ("twice in a level", levels(&["a a"]), "0 1:a, 600 f:z unclaimed"),
            ("no levels", levels(&[]), "0 f:z unclaimed"),
            ("an empty first level", levels(&["", "b"]), "0 2:b, 600 f:z unclaimed"),
            ("an empty level between", levels(&["a", "", "c"]), "0 1:a, 600 3:c, 1200 f:z unclaimed"),
            ("an empty last level", levels(&["a", ""]), "0 1:a, 600 f:z unclaimed"),
            ("all levels empty", levels(&["", "", ""]), "0 f:z unclaimed"),
            ("a dead first level", levels(&["x", "b"]), "0 1:x, 0 2:b, 600 f:z unclaimed"),
            ("a dead level between", levels(&["a", "x", "c"]), "0 1:a, 600 2:x, 600 3:c, 1200 f:z unclaimed"),
            ("dead and empty", levels(&["x", "", "x y"]), "0 1:x, 0 3:x 3:y, 600 f:z unclaimed"),
            ("a level half dead waits", levels(&["x a", "b"]), "0 1:x 1:a, 600 2:b, 1200 f:z unclaimed"),
            ("all dead", levels(&["x", "x"]), "0 1:x, 0 2:x, 0 f:z unclaimed"),
            (
                "a repeat round",
                levels(&["a", "b"]).repeated(1),
                "0 1:a, 600 2:b, 1200 r2 1:a, 1800 2:b, 2400 f:z unclaimed",
            ),
            (
                "repeat rounds skip what is dead",
                levels(&["a", "x"]).repeated(2),
                "0 1:a, 600 2:x, 600 r2 1:a, 1200 2:x, 1200 r3 1:a, 1800 2:x, 1800 f:z unclaimed",
            ),
            (
                "a dead round is not repeated",
                levels(&["x", "x"]).repeated(9),
                "0 1:x, 0 2:x, 0 f:z unclaimed",
            ),
            ("an empty round is not repeated", levels(&["", ""]).repeated(9), "0 f:z unclaimed"),
            ("no calendar: the fallback is level 1", no_calendar(), "0 1:z, 600 unclaimed"),
            ("no calendar, repeated", no_calendar().repeated(1), "0 1:z, 600 r2 1:z, 1200 unclaimed"),
            (
                "no calendar, fallback dead",
                Matrix::without_calendar(contacts("x"), WAIT),
                "0 1:x, 0 unclaimed undelivered",
            ),
            (
                "everybody dead",
                Matrix::new(vec![contacts("x"), contacts("x y x1")], contacts("x2"), WAIT),
                "0 1:x, 0 2:x 2:y 2:x1, 600 f:x2 unclaimed",
            ),
        ],
    );
}

#[test]
fn p12_a_severity_alerts_the_levels_of_its_mask() {
    let three = || levels(&["a", "b", "c"]);
    check(
        Severity::Warn,
        vec![
            ("only the first", warn_alerts(three(), &[1]), "0 1:a, 600 f:z unclaimed"),
            ("only the second", warn_alerts(three(), &[2]), "0 2:b, 600 f:z unclaimed"),
            ("in any order", warn_alerts(three(), &[3, 1]), "0 1:a, 600 3:c, 1200 f:z unclaimed"),
            ("levels that do not exist", warn_alerts(three(), &[7, 2]), "0 2:b, 600 f:z unclaimed"),
            ("none that exists", warn_alerts(three(), &[7]), "0 f:z unclaimed"),
            ("records only", warn_alerts(three(), &[]), ""),
            (
                "no calendar, level 1 not included",
                warn_alerts(Matrix::without_calendar(contacts("z"), WAIT), &[2]),
                "0 1:z, 600 unclaimed",
            ),
            (
                "no calendar, records only",
                warn_alerts(Matrix::without_calendar(contacts("z"), WAIT), &[]),
                "",
            ),
            (
                "repeated",
                warn_alerts(three().repeated(1), &[2, 3]),
                "0 2:b, 600 3:c, 1200 r2 2:b, 1800 3:c, 2400 f:z unclaimed",
            ),
        ],
    );
    let masked = warn_alerts(three(), &[1]);
    let expected = "0 1:a, 600 2:b, 1200 3:c, 1800 f:z unclaimed";
    assert_eq!(Scene::crit(masked).play(0), expected, "a mask is for its severity only");
}

#[test]
fn p12_who_is_alerted_of_nothing_is_neither_unclaimed_nor_undelivered() {
    let mut scene = Scene::open(warn_alerts(levels(&["a"]), &[]), Severity::Warn);
    assert_eq!((scene.due().as_str(), scene.next()), ("", None));
    assert!(!scene.incident.is_unclaimed() && !scene.incident.is_undelivered());
}

#[test]
fn p12_undelivered_is_when_nothing_was_accepted_and_nothing_is_pending() {
    let mut scene = Scene::crit(Matrix::new(vec![contacts("a b")], contacts("z"), WAIT));
    assert_eq!(scene.due(), "1:a 1:b");
    scene.rejects("1:a 1:b");
    assert_eq!(scene.due(), "f:z");
    assert!(scene.incident.is_unclaimed() && !scene.incident.is_undelivered(), "the fallback is on its way");
    scene.rejects("f:z");
    assert!(scene.incident.is_undelivered());
    scene.attempt_ends("1:b", 1, &Outcome::Accepted);
    assert!(!scene.incident.is_undelivered(), "an acceptance that is learnt late counts");
}

#[test]
fn p12_a_level_that_dies_late_makes_the_next_one_due_at_once() {
    let mut scene = Scene::crit(levels(&["a b", "c"]));
    assert_eq!(scene.due(), "1:a 1:b");
    scene.at(3).rejects("1:a");
    assert_eq!(scene.next(), Some(30.0), "one of them may still be reached");
    scene.at(4).rejects("1:b");
    assert_eq!(scene.next(), Some(4.0));
    assert_eq!(scene.told(|e| matches!(e, Event::LevelDead { .. })), 1);
    assert_eq!(scene.due(), "2:c");
    scene.at(5).accepts("2:c");
    assert_eq!(scene.next(), Some(604.0));
}

#[test]
fn p08_a_late_planner_still_alerts_one_level_after_the_other() {
    let mut scene = Scene::crit(levels(&["a", "b", "c"]));
    assert_eq!(scene.at(5000).due(), "1:a");
    scene.accepts("1:a");
    assert_eq!(scene.at(5599).due(), "");
    assert_eq!(scene.at(9000).due(), "2:b");
    scene.accepts("2:b");
    assert_eq!(scene.next(), Some(9600.0));
}

#[test]
fn p09_the_next_level_begins_at_its_time_whatever_becomes_of_the_one_before() {
    let mut scene = Scene::crit(levels(&["u", "b"]));
    let told = scene.play(700);
    assert!(told.starts_with("0 1:u, ") && told.contains(", 600 2:b, "), "{told}");
    assert!(told.ends_with(", 1200 f:z unclaimed"), "{told}");
    let first_level: Vec<i64> = told
        .split(", ")
        .filter(|line| line.contains("1:u"))
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(first_level.windows(2).all(|w| w[1] - w[0] <= 30), "backs off to at most 30 s: {told}");
    assert!(first_level.len() > 20 && *first_level.last().unwrap() < 731, "{told}");
}

#[test]
fn p03_a_raised_severity_resumes_with_the_levels_that_have_not_begun() {
    let matrix = || warn_alerts(levels(&["a", "b", "c", "d"]), &[1, 3]);
    // (raised at, what is sent from then on)
    let cases = [
        (0, "0 1:a, 600 2:b, 1200 3:c, 1800 4:d, 2400 f:z unclaimed"),
        (300, "600 2:b, 1200 3:c, 1800 4:d, 2400 f:z unclaimed"),
        (650, "650 2:b, 1250 4:d, 1850 f:z unclaimed"),
        // The fallback was alerted at 1200, and is alerted once.
        (1500, "1500 2:b, 2100 4:d"),
    ];
    for (raised_at, expected) in cases {
        let mut scene = Scene::open(matrix(), Severity::Warn);
        for at in [0, 600, 1200] {
            if at < raised_at {
                scene.at(at);
                let sent = scene.due();
                scene.accepts(&sent);
            }
        }
        scene.at(raised_at);
        assert!(scene.repeat(Severity::Crit));
        assert_eq!(scene.play(0), expected, "raised at {raised_at}");
    }
}

#[test]
fn p12_the_fallback_of_an_empty_calendar_is_alerted_once_whatever_is_raised_when() {
    for mask in [vec![2], vec![1], vec![1, 2], vec![7, 3]] {
        for raised_at in [0, 1, 300, 600, 5000] {
            let matrix = warn_alerts(Matrix::without_calendar(contacts("z"), WAIT), &mask);
            let mut scene = Scene::open(matrix, Severity::Warn);
            let mut sent = vec![];
            for at in [0, 600] {
                if at < raised_at {
                    let now = scene.at(at).due();
                    scene.accepts(&now);
                    sent.push(now);
                }
            }
            scene.at(raised_at);
            assert!(scene.repeat(Severity::Crit));
            sent.push(scene.play(0));
            let told = sent.concat();
            assert_eq!(told.matches(":z").count(), 1, "raised at {raised_at} with {mask:?}: {told}");
            assert!(scene.incident.is_unclaimed());
        }
    }
}

#[test]
fn p12_a_fallback_that_was_alerted_before_an_upgrade_is_not_alerted_again() {
    // A round that began while masks applied to the fallback of an empty calendar.
    let matrix = warn_alerts(Matrix::without_calendar(contacts("z"), WAIT), &[2]);
    let mut scene = Scene::open(matrix, Severity::Warn);
    let sent = scene.due();
    scene.accepts(&sent);
    let mut stored = serde_json::to_value(&scene.incident).unwrap();
    stored["begun"][0]["level"] = serde_json::json!("fallback");
    stored["deliveries"][0]["level"] = serde_json::json!("fallback");
    stored["exhausted"] = serde_json::json!(true);
    scene.incident = serde_json::from_value(stored).unwrap();
    scene.at(60);
    assert!(scene.repeat(Severity::Crit));
    assert_eq!(scene.play(0), "");
}

#[test]
fn p08_a_level_that_a_raise_resumes_does_not_shorten_the_wait_of_a_higher_one() {
    let mut scene = Scene::open(warn_alerts(levels(&["a", "x", "c", "d"]), &[1, 3]), Severity::Warn);
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a");
    assert_eq!(scene.at(600).due(), "3:c");
    scene.accepts("3:c");
    scene.at(700).repeat(Severity::Crit);
    // Level 2 is dead, so the next one is due at once; but level 3 is that one, and has its wait.
    assert_eq!(scene.play(0), "700 2:x, 1200 4:d, 1800 f:z unclaimed");
}

#[test]
fn p03_a_raise_out_of_records_only_begins_at_level_1_at_once() {
    let mut scene = Scene::open(warn_alerts(levels(&["a", "b"]), &[]), Severity::Warn);
    assert_eq!(scene.play(0), "");
    scene.at(5000).severity(Severity::Err).unwrap();
    assert_eq!(scene.play(0), "5000 1:a, 5600 2:b, 6200 f:z unclaimed");
}

#[test]
fn p12_a_lowered_severity_goes_on_with_what_it_includes() {
    let mut scene = Scene::crit(warn_alerts(levels(&["a", "b", "c"]), &[1, 3]));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a").at(10).severity(Severity::Warn).unwrap();
    assert_eq!(scene.play(0), "600 3:c, 1200 f:z unclaimed");

    let mut scene = Scene::crit(warn_alerts(levels(&["a", "b"]), &[]));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a").at(10).severity(Severity::Warn).unwrap();
    assert_eq!(scene.play(0), "", "from now on it records only");
}

#[test]
fn p08_each_round_freezes_the_matrix_of_its_beginning() {
    let mut scene = Scene::crit(levels(&["a"]).repeated(1));
    scene.matrix = levels(&["b", "c"]).repeated(1);
    assert_eq!(scene.play(0), "0 1:a, 600 r2 1:b, 1200 2:c, 1800 f:z unclaimed");
    let mut scene = Scene::crit(levels(&["a"]).repeated(1));
    scene.matrix = Matrix::without_calendar(contacts("z"), WAIT).repeated(1);
    assert_eq!(scene.play(0), "0 1:a, 600 r2 1:z, 1200 unclaimed", "the fallback is not alerted twice");
}

#[test]
fn p12_next_alert_is_told_to_people_without_ends_of_leases() {
    let mut scene = Scene::crit(levels(&["a"]));
    let next = |scene: &Scene| crate::plan::next_alert_at(&scene.incident);
    assert_eq!(next(&scene), Some(super::T0));
    scene.due();
    assert_eq!((scene.next(), next(&scene)), (Some(30.0), Some(super::after(600))));
    scene.accepts("1:a").at(600).due();
    assert_eq!(next(&scene), None);
}
