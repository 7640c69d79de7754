//! Limits of the deployment: the person's next way is taken, and nothing is lost (promise 9).

use std::time::Duration;

use super::scene::Scene;
use super::{after, levels, secs, timed};
use crate::model::{DeliveryStatus, Event, Matrix, OutcomeKind, Severity, Version};
use crate::notify::Outcome;
use crate::plan::{self, Draft, HoldNothing};
use crate::store::Record;

use Severity::{Crit, Warn};

const HELD_FOR: Duration = Duration::from_secs(900);

/// Level 1 is jo, `z` is the fallback.
fn jo(steps: &str) -> Matrix {
    timed(&[(Crit, &[steps, "z"])])
}

fn held() -> Outcome {
    Outcome::limited(HELD_FOR, "5 in 900 s")
}

#[test]
fn p09_a_limit_takes_the_next_way_and_waits_only_if_there_is_no_way() {
    // A limit holds `w` back for 900 s, where it may; `x` is refused.
    let cases = [
        ("the next step, at once", Warn, "jo:w jo:c@180", "0 1:w, 0 1:c, 600 f:z unclaimed"),
        ("every method of the next step", Warn, "jo:w jo:c@9 jo:d@9", "0 1:w, 0 1:c 1:d, 600 f:z unclaimed"),
        ("another way at the same time", Warn, "jo:w jo:p", "0 1:w 1:p, 600 f:z unclaimed"),
        (
            "the next step is limited too",
            Warn,
            "jo:w jo:wc@180 jo:p@300",
            "0 1:w, 0 1:wc, 0 1:p, 600 f:z unclaimed",
        ),
        ("no other way", Warn, "jo:w", "0 1:w, 600 f:z unclaimed, 900 1:w#2"),
        ("a contact of nobody", Warn, "w", "0 1:w, 600 f:z unclaimed, 900 1:w#2"),
        ("the other way is refused", Warn, "jo:w jo:xp", "0 1:w 1:xp, 0 1:w#2, 600 f:z unclaimed, 900 1:w#3"),
        (
            "another person's way does not count",
            Warn,
            "jo:w kim:k",
            "0 1:w 1:k, 600 f:z unclaimed, 900 1:w#2",
        ),
        (
            "a shared address, each with another way",
            Warn,
            "jo:w jo:c@60 kim:w kim:k",
            "0 1:w 1:k, 0 1:c, 600 f:z unclaimed",
        ),
        (
            "a shared address, one without another way",
            Warn,
            "jo:w jo:c@60 kim:w",
            "0 1:w, 60 1:c, 600 f:z unclaimed, 900 1:w#2",
        ),
        ("CRIT without another way", Crit, "jo:w", "0 1:w, 600 f:z unclaimed"),
        ("CRIT to a contact of nobody", Crit, "w", "0 1:w, 600 f:z unclaimed"),
        ("CRIT with another way", Crit, "jo:w jo:c@180", "0 1:w, 0 1:c, 600 f:z unclaimed"),
        (
            "CRIT whose other way is refused",
            Crit,
            "jo:w jo:xc@180",
            "0 1:w, 0 1:xc, 0 1:w#2, 600 f:z unclaimed",
        ),
        ("CRIT whose every way is limited", Crit, "jo:w jo:wc@180", "0 1:w, 0 1:wc, 600 f:z unclaimed"),
    ];
    for (what, severity, steps, expected) in cases {
        assert_eq!(Scene::open(jo(steps), severity).play(900), expected, "{what}");
    }
}

#[test]
fn p09_a_person_without_a_rule_is_reached_by_another_method_too() {
    let mut plain = levels(&["w p"]);
    let recipients = jo("jo:w jo:p").recipients().to_vec();
    plain = plain.reaching(recipients);
    assert!(plain.is_plain());
    assert_eq!(Scene::open(plain, Warn).play(900), "0 1:w 1:p, 600 f:z unclaimed");
}

#[test]
fn p09_a_way_that_fails_later_brings_the_limited_one_back() {
    type Fails = fn(&mut Scene);
    let cases: [(&str, Fails); 4] = [
        ("it is unavailable", |s| _ = s.ends("1:p", &Outcome::unavailable("421"))),
        ("it may have arrived", |s| _ = s.ends("1:p", &Outcome::unknown("lost"))),
        ("it was accepted and bounces", |s| {
            s.accepts("1:p");
            assert_eq!(s.bounces("1:p"), [true]);
        }),
        ("it was accepted and the phone was off", |s| {
            s.accepts("1:p");
            assert!(s.fails_later("1:p", 1));
        }),
    ];
    for (what, fails) in cases {
        let mut scene = Scene::open(jo("jo:w jo:p"), Warn);
        assert_eq!(scene.due(), "1:w 1:p");
        scene.at(1).ends("1:w", &held());
        assert!(matches!(scene.delivery("1:w").status(), DeliveryStatus::Limited { at } if at == after(1)));
        fails(scene.at(2));
        assert_eq!(scene.pending_at("1:w"), Some(after(2)), "{what}");
        assert!(scene.due().contains("1:w#2"), "{what}");
        scene.at(3).ends("1:w", &held());
        assert_eq!(scene.pending_at("1:w"), Some(after(903)), "{what}: it waits for the limit");
    }
}

#[test]
fn p09_two_ways_that_are_limited_at_once_are_not_both_given_up() {
    for (severity, due_at) in [(Warn, after(901)), (Crit, after(1))] {
        let mut scene = Scene::open(jo("jo:w jo:v"), severity);
        assert_eq!(scene.due(), "1:w 1:v");
        scene.at(1).ends("1:w", &held());
        scene.ends("1:v", &held());
        assert_eq!(scene.pending_at("1:v"), Some(due_at));
        assert_eq!(scene.pending_at("1:w"), Some(after(1)), "the other may be allowed sooner");
    }
}

#[test]
fn p09_a_raise_to_crit_ends_the_wait_for_a_limit() {
    let mut scene = Scene::open(jo("jo:w"), Warn);
    assert_eq!(scene.due(), "1:w");
    scene.ends("1:w", &held());
    assert_eq!(scene.at(60).due(), "");
    assert_eq!(scene.severity(Crit), Ok(true));
    assert_eq!(scene.due(), "1:w#2");
    let send = scene.delivery("1:w").key();
    assert!(!plan::may_be_held_back(&scene.incident, send), "and no limit holds it back again");
}

#[test]
fn p11_nobody_who_claimed_gets_a_message_that_was_held_back() {
    let mut scene = Scene::open(jo("jo:w"), Warn);
    assert_eq!(scene.due(), "1:w");
    assert_eq!(scene.claim("jo"), Ok(true));
    scene.ends("1:w", &held());
    assert!(matches!(scene.delivery("1:w").status(), DeliveryStatus::Stopped { .. }));
    assert_eq!(scene.next(), None);
}

#[test]
fn p07_the_timeline_says_once_what_a_limit_held_back() {
    let mut scene = Scene::open(jo("jo:w"), Warn);
    for attempt in 0..3 {
        scene.at(attempt * 900).lease(&HoldNothing);
        scene.ends("1:w", &held());
    }
    assert_eq!(scene.told(|e| matches!(e, Event::HeldBack { round: 1, .. })), 1);
    let delivery = scene.delivery("1:w");
    assert_eq!(delivery.last().map(|last| last.kind), Some(OutcomeKind::Limited));
    assert_eq!(delivery.last().map(|last| last.detail.as_str()), Some("5 in 900 s"));

    let draft = Draft::new(scene.incident.clone());
    let read = Record::decode(&draft.body(), Version::FIRST, 1, scene.incident.created_at()).unwrap();
    assert_eq!(read.incident.deliveries(), scene.incident.deliveries());
    assert!(!read.incident.is_left_to_newer());
    assert!(String::from_utf8(draft.body()).unwrap().contains(r#""format":6"#));
}

#[test]
fn p09_no_limit_lasts_longer_than_a_day() {
    let mut scene = Scene::open(jo("jo:w"), Warn);
    scene.due();
    scene.ends("1:w", &Outcome::limited(secs(10 * 86_400), ""));
    assert_eq!(scene.pending_at("1:w"), Some(after(86_400)));
}
