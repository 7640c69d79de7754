//! The steps of people's rules: promise 19.

use super::scene::Scene;
use super::{after, contacts, secs, timed, warn_alerts};
use crate::model::{DeliveryStatus, Event, Level, Matrix, Severity};
use crate::notify::Outcome;
use crate::plan::{self, StateChange, Update};

use Severity::{Crit, Err, Warn};

/// Level 1 is jo, level 2 kim; `z` is the fallback.
fn jo_and_kim(jo: &str, kim: &str) -> Matrix {
    timed(&[(Crit, &[jo, kim, "z"])])
}

#[test]
fn p19_steps_are_due_after_their_level_began() {
    let cases = [
        ("a later call", jo_and_kim("jo:p jo:c@180", ""), "0 1:p, 180 1:c, 600 f:z unclaimed"),
        ("the same contact again", jo_and_kim("jo:p jo:p@180", ""), "0 1:p, 180 1:p, 600 f:z unclaimed"),
        (
            "two people, each by their rule",
            jo_and_kim("jo:p jo:c@60 kim:k kim:l@90", ""),
            "0 1:p 1:k, 60 1:c, 90 1:l, 600 f:z unclaimed",
        ),
        (
            "of two levels",
            jo_and_kim("jo:p jo:c@60", "kim:k kim:l@90"),
            "0 1:p, 60 1:c, 600 2:k, 690 2:l, 1200 f:z unclaimed",
        ),
        (
            "the next level stops no step",
            jo_and_kim("jo:p jo:c@700", "kim:k"),
            "0 1:p, 600 2:k, 700 1:c, 1200 f:z unclaimed",
        ),
        (
            "nor does the fallback",
            timed(&[(Crit, &["jo:p jo:c@700", "z"])]),
            "0 1:p, 600 f:z unclaimed, 700 1:c",
        ),
        (
            "a contact of two targets is one delivery per time",
            jo_and_kim("p jo:p jo:c@60 kim:c@60 kim:p@60", ""),
            "0 1:p, 60 1:p 1:c, 600 f:z unclaimed",
        ),
        (
            "a repeat round waits for the last step",
            jo_and_kim("jo:p jo:c@700", "").repeated(1),
            "0 1:p, 700 1:c, 700 r2 1:p, 1300 f:z unclaimed, 1400 1:c",
        ),
        (
            "of any level",
            jo_and_kim("jo:p jo:c@1300", "kim:k").repeated(1),
            "0 1:p, 600 2:k, 1300 1:c, 1300 r2 1:p, 1900 2:k, 2500 f:z unclaimed, 2600 1:c",
        ),
        (
            "the next step is due at once if all so far are dead",
            jo_and_kim("jo:xp jo:c@180 jo:d@240", ""),
            "0 1:xp, 0 1:c, 240 1:d, 600 f:z unclaimed",
        ),
        (
            "one after the other, and then the level is dead",
            jo_and_kim("jo:xp jo:xc@180 jo:xd@180", "kim:k"),
            "0 1:xp, 0 1:xc 1:xd, 0 2:k, 600 f:z unclaimed",
        ),
        (
            "another person's death hastens nothing",
            jo_and_kim("jo:p jo:c@180 kim:xk", ""),
            "0 1:p 1:xk, 180 1:c, 600 f:z unclaimed",
        ),
        (
            "one live step so far keeps the order",
            jo_and_kim("jo:p jo:xq jo:c@180", ""),
            "0 1:p 1:xq, 180 1:c, 600 f:z unclaimed",
        ),
        (
            "of a shared address, only the person whose steps so far are dead is hastened",
            jo_and_kim("jo:xy jo:s@60 kim:k kim:s@90", ""),
            "0 1:xy 1:k, 0 1:s, 90 1:s, 600 f:z unclaimed",
        ),
        ("of the fallback", timed(&[(Crit, &["a", "jo:p jo:c@50"])]), "0 1:a, 600 f:p unclaimed, 650 f:c"),
    ];
    for (what, matrix, expected) in cases {
        assert_eq!(Scene::crit(matrix).play(0), expected, "{what}");
    }
}

#[test]
fn p19_a_claim_stops_the_steps_still_to_come_and_a_resolution_too() {
    for stop in [Scene::claim as fn(&mut Scene, &str) -> _, Scene::resolve] {
        let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@180", "kim:k"));
        assert_eq!(scene.due(), "1:p");
        scene.accepts("1:p");
        assert_eq!(scene.next(), Some(180.0));
        scene.at(90);
        assert_eq!(stop(&mut scene, "jo"), Ok(true));
        assert!(matches!(scene.delivery("1:c").status(), DeliveryStatus::Stopped { at } if at == after(90)));
        assert_eq!((scene.next(), scene.at(200).due().as_str()), (None, ""));
    }
}

#[test]
fn p19_a_release_begins_the_rule_again_in_a_new_round() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@180", ""));
    assert_eq!(scene.due(), "1:p");
    scene.accepts("1:p").at(90);
    assert_eq!(scene.claim("jo"), Ok(true));
    assert_eq!(scene.at(1000).release("jo"), Ok(true));
    assert_eq!(scene.play(0), "1000 1:p, 1180 1:c, 1600 f:z unclaimed");
}

#[test]
fn p19_steps_move_with_a_level_that_begins_again() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@180", "kim:k"));
    assert_eq!(scene.due(), "1:p");
    // The process dies. Its lease ends at 30.
    assert_eq!(scene.at(40).due(), "1:p#2");
    scene.accepts("1:p");
    assert_eq!(scene.pending_at("1:c"), Some(after(220)));
    assert_eq!(scene.play(0), "220 1:c, 640 2:k, 1240 f:z unclaimed");
    // A level with an outcome does not begin again, so its steps stay.
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:q jo:c@180", "kim:k"));
    assert_eq!(scene.due(), "1:p 1:q");
    scene.accepts("1:q");
    assert_eq!(scene.at(40).due(), "1:p#2");
    assert_eq!(scene.pending_at("1:c"), Some(after(180)));
}

#[test]
fn p19_a_level_that_waited_for_a_slot_begins_again_with_its_steps() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@180", "kim:k"));
    assert_eq!(scene.due_without_slots(&["1:p"]), "");
    assert_eq!(scene.next(), Some(0.0));
    // Another process finds it when the next level would overtake it.
    assert_eq!(scene.at(600).due(), "1:p");
    assert_eq!(scene.pending_at("1:c"), Some(after(780)));
}

#[test]
fn p08_a_late_process_alerts_the_steps_that_are_due_and_the_level_after_its_wait() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@180", "kim:k"));
    assert_eq!(scene.at(5000).due(), "1:p");
    scene.accepts("1:p");
    assert_eq!(scene.pending_at("1:c"), Some(after(5180)));
    assert_eq!(scene.at(5300).due(), "1:c");
    assert_eq!(plan::waiting_since(&scene.incident), Some(after(5180)), "since its turn came");
}

#[test]
fn p19_a_raise_gives_the_steps_not_had_counted_from_the_raise() {
    let of_jo = |crit: &str, other: &str| {
        timed(&[(Crit, &[crit, "k", "z"]), (Err, &[other, "k", "z"]), (Warn, &[other, "k", "z"])])
    };
    let cases = [
        ("a call at once", of_jo("jo:p jo:c", "jo:p"), "100 1:c, 600 2:k, 1200 f:z unclaimed"),
        ("a later call", of_jo("jo:p jo:c@60", "jo:p"), "160 1:c, 600 2:k, 1200 f:z unclaimed"),
        ("nothing new", of_jo("jo:p", "jo:p jo:c@180"), "180 1:c, 600 2:k, 1200 f:z unclaimed"),
        (
            "a step that is still to come is not given again",
            of_jo("jo:p jo:c@180", "jo:p jo:c@180"),
            "180 1:c, 600 2:k, 1200 f:z unclaimed",
        ),
        (
            "a call that the old rule makes later too",
            of_jo("jo:p jo:c@60", "jo:p jo:c@180"),
            "160 1:c, 180 1:c, 600 2:k, 1200 f:z unclaimed",
        ),
        (
            "at once if all steps so far are dead",
            of_jo("jo:xp jo:c@60", "jo:xp"),
            "100 2:k, 100 1:c, 700 f:z unclaimed",
        ),
    ];
    for (what, matrix, expected) in cases {
        let mut scene = Scene::open(matrix.clone(), Warn);
        let first = scene.due();
        for send in first.split(' ') {
            let rejects = send.contains(":x");
            scene.ends(send, &if rejects { Outcome::rejected("no") } else { Outcome::Accepted });
        }
        scene.at(100);
        assert!(scene.repeat(Crit), "{what}");
        let told = scene.play(0);
        let same = |text: &str| {
            let mut parts: Vec<String> = text.split(", ").map(str::to_owned).collect();
            parts.sort();
            parts
        };
        if what.contains("dead") {
            assert!(told.contains("100 ") && told.contains("1:c") && !told.contains("160"), "{what}: {told}");
        } else {
            assert_eq!(same(&told), same(expected), "{what}");
        }
    }
}

#[test]
fn p19_a_raise_and_another_one_give_each_step_once() {
    let matrix =
        timed(&[(Crit, &["jo:p jo:c", "z"]), (Err, &["jo:p jo:c jo:q", "z"]), (Warn, &["jo:p", "z"])]);
    let mut scene = Scene::open(matrix, Warn);
    assert_eq!(scene.due(), "1:p");
    scene.accepts("1:p").at(10);
    assert!(scene.repeat(Err));
    assert_eq!(scene.due(), "1:c 1:q");
    scene.accepts("1:c 1:q").at(20);
    assert!(scene.repeat(Crit));
    assert_eq!(scene.due(), "");
    // Lowered and raised again by a person.
    assert_eq!(scene.at(30).severity(Warn), Ok(true));
    assert_eq!(scene.at(40).severity(Crit), Ok(true));
    assert_eq!((scene.due().as_str(), scene.next()), ("", Some(600.0)));
}

#[test]
fn p19_a_raise_of_a_claimed_incident_or_to_a_severity_that_alerts_nobody_gives_nothing() {
    let matrix = || timed(&[(Crit, &["jo:p jo:c", "z"]), (Err, &["jo:p", "z"]), (Warn, &["jo:p", "z"])]);
    let mut scene = Scene::open(matrix(), Warn);
    assert_eq!(scene.due(), "1:p");
    assert_eq!(scene.claim("jo"), Ok(true));
    assert!(scene.repeat(Crit));
    assert_eq!(scene.next(), None);
    let silent = matrix().alerting([(Crit, Vec::new())].into());
    let mut scene = Scene::open(silent, Warn);
    assert_eq!(scene.due(), "1:p");
    scene.accepts("1:p");
    assert!(scene.repeat(Crit));
    assert_eq!(scene.next(), None);
}

#[test]
fn p03_a_raise_gives_nothing_to_a_level_that_the_severity_does_not_alert() {
    let steps: &[&str] = &["jo:p jo:c", "kim:k kim:l", "z"];
    let lower: &[&str] = &["jo:p", "kim:k", "z"];
    let matrix = timed(&[(Crit, steps), (Err, lower), (Warn, lower)]).alerting([(Crit, vec![2])].into());
    let mut scene = Scene::open(matrix, Warn);
    assert_eq!(scene.due(), "1:p");
    scene.accepts("1:p").at(600);
    assert_eq!(scene.due(), "2:k");
    scene.accepts("2:k").at(700);
    assert!(scene.repeat(Crit));
    assert_eq!(scene.due(), "2:l");
}

#[test]
fn p07_a_raise_adds_no_more_than_a_round_has_room_for() {
    let names = |from: usize, to: usize| (from..to).map(|i| format!("jo:c{i}")).collect::<Vec<_>>().join(" ");
    let (first, all) = (names(0, 30), format!("{} jo:late@60", names(30, 60)));
    let matrix = timed(&[(Crit, &[&all, "k", "z"]), (Err, &[&first, "k", "z"]), (Warn, &[&first, "k", "z"])]);
    let mut scene = Scene::open(matrix, Warn);
    scene.due();
    scene.at(10);
    assert!(scene.repeat(Crit));
    assert_eq!(scene.incident.level_deliveries(Level::At(1)).count(), 38, "two are reserved for `k` and `z`");
    assert_eq!(scene.told(|e| matches!(e, Event::AlertsCut { round: 1, alerts: 23 })), 1);
    let told = scene.play(0);
    assert!(told.contains("2:k") && told.contains("f:z") && !told.contains("late"), "{told}");
}

#[test]
fn p19_a_bounce_of_the_only_step_so_far_makes_the_next_due_at_once() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@180", "kim:k"));
    assert_eq!(scene.due(), "1:p");
    scene.accepts("1:p").at(20);
    assert_eq!(scene.bounces("1:p"), [true]);
    assert_eq!(scene.due(), "1:c");
}

#[test]
fn p19_a_process_that_dies_five_times_makes_the_next_step_due_at_once() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@1800", ""));
    for _ in 0..5 {
        scene.due();
        scene.now += super::LEASE;
    }
    assert_eq!(scene.due(), "1:c");
    assert_eq!(scene.told(|e| matches!(e, Event::LevelDead { .. })), 0);
}

#[test]
fn p14_steps_move_with_their_level_after_the_clock_went_back() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@180", "kim:k"));
    scene.at(100_000);
    assert_eq!(scene.due(), "1:p");
    scene.accepts("1:p").at(50);
    let back = scene.try_step(plan::Input::ClockWentBack { lease: super::LEASE });
    assert!(matches!(back, plan::Decision::Change(_)));
    assert_eq!(scene.pending_at("1:c"), Some(after(230)));
    assert_eq!(scene.play(0), "230 1:c, 650 2:k, 1250 f:z unclaimed");
    // A step that is far ahead is no sign of a clock that was ahead.
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@3000", ""));
    assert_eq!(scene.due(), "1:p");
    scene.accepts("1:p").at(10);
    let back = scene.try_step(plan::Input::ClockWentBack { lease: super::LEASE });
    assert_eq!(back, plan::Decision::Nothing);
    let draft = plan::Draft::new(scene.incident.clone());
    assert_eq!(draft.latest_at(), after(0));
}

#[test]
fn p14_a_step_that_came_before_its_time_is_not_put_off_when_the_clock_went_back() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@180", "kim:k"));
    scene.at(100_000);
    assert_eq!(scene.due(), "1:p");
    scene.at(100_001).rejects("1:p");
    assert_eq!(scene.pending_at("1:c"), Some(after(100_001)));
    let back = scene.at(50).try_step(plan::Input::ClockWentBack { lease: super::LEASE });
    assert!(matches!(back, plan::Decision::Change(_)));
    assert_eq!(scene.due(), "1:c");
    // Nor is the next attempt of one that failed.
    scene.ends("1:c", &Outcome::unavailable(""));
    let back = scene.at(-5000).try_step(plan::Input::ClockWentBack { lease: super::LEASE });
    assert!(matches!(back, plan::Decision::Change(_)));
    assert_eq!(scene.pending_at("1:c"), Some(after(-4970)));
}

#[test]
fn p19_a_person_who_escalates_waits_for_no_step() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@1000", "kim:k").repeated(1));
    assert_eq!(scene.due(), "1:p");
    scene.accepts("1:p").at(10);
    let escalate = Update::state(super::person("jo"), StateChange::Escalate);
    assert_eq!(scene.asks(&escalate), Ok(true));
    assert_eq!(scene.due(), "2:k");
    assert_eq!(scene.pending_at("1:c"), Some(after(1000)), "the steps go on");
    scene.accepts("2:k").at(20);
    assert_eq!(scene.asks(&escalate), Ok(true));
    assert_eq!((scene.due().as_str(), scene.incident.round()), ("1:p", 2));
}

#[test]
fn p19_masks_and_rules_go_together() {
    let matrix = warn_alerts(timed(&[(Crit, &["jo:p jo:c@60", "kim:k kim:l@60", "z"])]), &[2]);
    assert_eq!(Scene::open(matrix, Warn).play(0), "0 2:k, 60 2:l, 600 f:z unclaimed");
    let matrix = timed(&[(Crit, &["jo:p jo:c@60", "z"]), (Warn, &["jo:m", "z"])]);
    assert_eq!(Scene::open(matrix, Warn).play(0), "0 1:m, 600 f:z unclaimed");
}

#[test]
fn p10_each_step_is_a_delivery_with_its_own_id() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:p@60 jo:c@60", ""));
    scene.due();
    let ids: std::collections::BTreeSet<_> =
        scene.incident.deliveries().iter().map(|d| scene.incident.delivery_id(d.key())).collect();
    assert_eq!(ids.len(), 3);
    let afters: Vec<_> = scene.incident.deliveries().iter().map(|d| d.after()).collect();
    assert_eq!(afters, [secs(0), secs(60), secs(60)]);
}

#[test]
fn p07_a_record_with_steps_has_a_newer_format_and_one_without_stays_as_it_was() {
    let stored = |matrix: Matrix| {
        let mut scene = Scene::crit(matrix);
        scene.due();
        serde_json::to_value(&scene.incident).unwrap()
    };
    let timed = stored(jo_and_kim("jo:p jo:c@180", ""));
    assert_eq!(timed["format"], 3);
    assert_eq!(timed["deliveries"][1]["afterSeconds"], 180);
    let plain = stored(Matrix::new(vec![contacts("a")], contacts("z"), super::WAIT));
    assert_eq!(plain["format"], 1);
    for (part, field) in [("/deliveries/0", "afterSeconds"), ("/matrix", "timing"), ("/matrix", "cut")] {
        assert_eq!(plain.pointer(part).unwrap().get(field), None, "{part}/{field}");
    }
}

#[test]
fn p19_a_person_who_escalates_past_one_level_starts_no_repeat_round_before_the_last_step() {
    let mut scene = Scene::crit(jo_and_kim("jo:p jo:c@1000", "kim:k").repeated(1));
    assert_eq!(scene.due(), "1:p");
    scene.accepts("1:p").at(10);
    let escalate = Update::state(super::person("jo"), StateChange::Escalate);
    assert_eq!(scene.asks(&escalate), Ok(true));
    assert_eq!(scene.due(), "2:k");
    scene.accepts("2:k").at(999);
    assert_eq!(
        (scene.due().as_str(), scene.incident.round()),
        ("", 1),
        "the wait of level 2 is over since 610"
    );
    assert_eq!(scene.at(1000).due(), "1:c");
}
