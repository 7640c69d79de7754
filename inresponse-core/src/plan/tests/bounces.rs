//! What was accepted and came back.

use super::scene::Scene;
use super::{after, levels};
use crate::model::{DeliveryId, DeliveryStatus, Event, Incident, OutcomeKind, State};
use crate::notify::Outcome;

/// A level of `a` and `b`, then one of `c`; both of the first were accepted.
fn told() -> Scene {
    let mut scene = Scene::crit(levels(&["a b", "c"]));
    scene.due();
    scene.at(1).accepts("1:a 1:b");
    scene
}

fn named(incident: &Incident, i: usize) -> DeliveryId {
    incident.delivery_id(incident.deliveries()[i].key())
}

#[test]
fn p12_a_level_whose_last_contact_bounced_gives_way_at_once() {
    // (what happened to the first level, what came back when, when the next level is due)
    type Then = fn(&mut Scene);
    let cases: [(&str, Then, &str, f64); 5] = [
        ("both came back", |_| {}, "1:a 1:b", 20.0),
        ("one came back", |_| {}, "1:b", 600.0),
        ("none did", |_| {}, "", 600.0),
        ("long after the next level's turn", |s| _ = s.at(600).due(), "1:a 1:b", 630.0),
        ("the severity changed meanwhile", |s| _ = s.severity(crate::model::Severity::Err), "1:a 1:b", 20.0),
    ];
    for (what, then, bounced, next) in cases {
        let mut scene = told();
        scene.at(20);
        then(&mut scene);
        assert!(scene.bounces(bounced).into_iter().all(|changed| changed), "{what}");
        assert_eq!(scene.next(), Some(next), "{what}");
    }
}

#[test]
fn p12_everybody_who_bounces_is_passed_over_to_the_fallback_and_is_undelivered() {
    let mut scene = Scene::crit(levels(&["a", "b"]).repeated(3));
    for (seconds, send) in [(0, "1:a"), (5, "2:b"), (10, "f:z")] {
        assert_eq!(scene.at(seconds).due(), send);
        scene.accepts(send);
        assert!(!scene.incident.is_undelivered());
        assert_eq!(scene.at(seconds + 5).bounces(send), [true]);
    }
    assert!(scene.incident.is_undelivered());
    assert_eq!(scene.next(), None);
    assert_eq!(scene.told(|event| matches!(event, Event::LevelDead { .. })), 3);
}

#[test]
fn p12_a_level_of_one_dead_and_one_bounced_contact_is_dead() {
    let mut scene = Scene::crit(levels(&["x a", "c"]));
    scene.due();
    scene.at(1).rejects("1:x").accepts("1:a");
    assert_eq!(scene.at(2).bounces("1:a"), [true]);
    assert_eq!(scene.at(2).due(), "2:c");
}

#[test]
fn a_bounce_is_recorded_on_its_delivery_once() {
    let mut scene = told();
    assert_eq!(scene.at(20).bounces("1:b"), [true]);
    let delivery = scene.delivery("1:b");
    assert_eq!(delivery.status(), DeliveryStatus::Dead { at: after(20) });
    let last = delivery.last().unwrap();
    assert_eq!((last.kind, last.detail.as_str()), (OutcomeKind::Bounced, "550 5.1.1 no such user"));
    let once = scene.incident.clone();
    for seconds in [20, 21, 599] {
        assert_eq!(scene.at(seconds).bounces("1:b"), [false]);
    }
    assert_eq!(scene.incident, once);
}

#[test]
fn what_bounced_before_its_acceptance_was_known_stays_dead_and_is_not_sent_again() {
    type Then = fn(&mut Scene);
    let cases: [(&str, Then); 3] = [
        ("still in flight", |_| {}),
        ("the answer was lost", |s| _ = s.ends("1:a", &Outcome::unknown("lost"))),
        ("the lease expired and it was sent again", |s| _ = s.at(30).due()),
    ];
    for (what, then) in cases {
        let mut scene = Scene::crit(levels(&["a"]));
        scene.due();
        scene.at(2);
        then(&mut scene);
        assert_eq!(scene.bounces("1:a"), [true], "{what}");
        let dead = scene.incident.clone();
        for late in [Outcome::Accepted, Outcome::rejected(""), Outcome::unknown(""), Outcome::unavailable("")]
        {
            for attempt in 1..=2 {
                scene.attempt_ends("1:a", attempt, &late);
            }
        }
        assert_eq!(scene.incident, dead, "{what}");
        assert_eq!(scene.at(31).due(), "f:z", "{what}");
        assert_eq!(scene.bounces("f:z"), [true], "{what}");
        assert!(scene.incident.is_undelivered(), "{what}: nothing was counted as accepted");
    }
}

#[test]
fn a_bounce_changes_nothing_if_nobody_is_alerted_any_more() {
    type Then = fn(&mut Scene);
    let cases: [(&str, Then); 4] = [
        ("claimed", |s| _ = s.claim("jo").unwrap()),
        ("resolved", |s| _ = s.resolve("jo").unwrap()),
        ("released since", |s| {
            s.claim("jo").unwrap();
            s.release("jo").unwrap();
        }),
        ("released since, and alerted again", |s| {
            s.claim("jo").unwrap();
            s.release("jo").unwrap();
            s.due();
            s.accepts("1:a 1:b");
        }),
    ];
    for (what, then) in cases {
        let mut scene = told();
        let ids = [named(&scene.incident, 0), named(&scene.incident, 1)];
        scene.at(5);
        then(&mut scene);
        let before = scene.incident.clone();
        for id in &ids {
            assert!(!scene.bounces_by_name(id), "{what}");
        }
        assert_eq!(scene.incident, before, "{what}");
    }
}

#[test]
fn a_bounce_of_the_round_before_a_repeat_counts_and_delays_nothing() {
    let mut scene = Scene::crit(levels(&["a"]).repeated(1));
    scene.due();
    scene.accepts("1:a");
    let first = named(&scene.incident, 0);
    assert_eq!(scene.at(600).due(), "1:a");
    scene.accepts("1:a");
    assert!(scene.bounces_by_name(&first));
    assert_eq!(scene.next(), Some(1200.0), "the repeat was accepted");
    assert_eq!(scene.at(605).bounces("1:a"), [true]);
    assert_eq!(scene.due(), "f:z");
    scene.rejects("f:z");
    assert!(scene.incident.is_undelivered());
}

#[test]
fn a_bounce_of_what_was_never_sent_changes_nothing() {
    let mut scene = told();
    let before = scene.incident.clone();
    for forged in ["10001-1-2-0-0", "10001-9-1-0-hq1ol1g85c", "x"] {
        assert!(!scene.bounces_by_name(&DeliveryId::read(forged).unwrap()), "{forged}");
    }
    // Held back, so that it was never tried.
    assert_eq!(scene.at(600).due_holding(&["2:c"]), "");
    let waiting = scene.incident.clone();
    let unsent = waiting.delivery_id(scene.key("2:c"));
    assert!(!scene.bounces_by_name(&unsent));
    assert_eq!(before, waiting);
}

#[test]
fn p07_bounces_leave_a_bounded_timeline() {
    let mut scene = Scene::crit(levels(&["a"]).repeated(100));
    for i in 0..200 {
        scene.now = after(600 * i);
        if scene.due() == "1:a" {
            scene.accepts("1:a");
        }
        let ids: Vec<_> = (0..scene.incident.deliveries().len()).map(|i| named(&scene.incident, i)).collect();
        let wanted = if i % 2 == 0 { &ids[..ids.len() - 1] } else { &ids[..0] };
        wanted.iter().for_each(|id| _ = scene.bounces_by_name(id));
    }
    assert!(scene.incident.timeline().entries().len() <= crate::model::Timeline::MAX_ENTRIES);
    assert!(scene.incident.deliveries().len() <= 32);
}

#[test]
fn p09_what_a_carrier_could_not_deliver_for_now_is_sent_again_after_a_pause() {
    let mut scene = told();
    assert!(scene.at(20).fails_later("1:b", 1));
    assert_eq!(scene.incident.deliveries().iter().filter(|d| d.is_accepted()).count(), 1);
    let DeliveryStatus::Pending { due_at } = scene.delivery("1:b").status() else { panic!("due again") };
    assert!(due_at >= after(24) && due_at <= after(25), "{due_at}");
    assert_eq!(scene.at(23).due(), "");
    assert_eq!(scene.at(25).due(), "1:b#2");
    // The next level begins at its time regardless.
    scene.accepts("1:b");
    assert_eq!(scene.next(), Some(600.0));
    // A phone that stays off: the pauses grow, up to the level's wait.
    assert!(scene.at(30).fails_later("1:b", 2));
    assert_eq!(scene.at(37).due(), "");
    assert_eq!(scene.at(40).due(), "1:b#3");
}

#[test]
fn p09_an_acceptance_that_comes_after_the_report_of_its_failure_changes_nothing() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    assert!(scene.at(1).fails_later("1:a", 1), "still in flight");
    let failed = scene.incident.clone();
    scene.attempt_ends("1:a", 1, &Outcome::Accepted);
    assert_eq!(scene.incident, failed);
    assert_eq!(scene.at(6).due(), "1:a#2");
    scene.accepts("1:a");
    assert!(scene.delivery("1:a").is_accepted());
}

#[test]
fn a_report_of_failure_counts_once_for_the_latest_attempt_while_somebody_must_be_alerted() {
    type Then = fn(&mut Scene);
    // (what happened since, the attempt that is reported)
    let cases: [(&str, Then, u32); 8] = [
        ("reported before", |s| _ = s.fails_later("1:a", 1), 1),
        ("an earlier attempt", |_| {}, 0),
        ("no such attempt", |_| {}, 2),
        ("claimed", |s| _ = s.claim("jo").unwrap(), 1),
        ("resolved", |s| _ = s.resolve("jo").unwrap(), 1),
        ("it bounced", |s| _ = s.bounces("1:a"), 1),
        (
            "another round began",
            |s| {
                s.claim("jo").unwrap();
                s.release("jo").unwrap();
            },
            1,
        ),
        (
            "sent again meanwhile",
            |s| {
                s.fails_later("1:a", 1);
                s.at(60).due();
            },
            1,
        ),
    ];
    for (what, then, attempt) in cases {
        let mut scene = told();
        let id = named(&scene.incident, 0);
        scene.at(20);
        then(&mut scene);
        let before = scene.incident.clone();
        assert!(!scene.fails_later_by_name(&id, attempt), "{what}");
        assert_eq!(scene.incident, before, "{what}");
    }
}

#[test]
fn p12_nothing_is_accepted_while_the_only_message_failed() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    scene.accepts("1:a");
    assert!(scene.at(5).fails_later("1:a", 1));
    assert_eq!(scene.incident.state(), State::Open);
    assert_eq!(scene.at(10).due(), "1:a#2");
    scene.rejects("1:a");
    assert_eq!(scene.due(), "f:z");
    scene.rejects("f:z");
    assert!(scene.incident.is_undelivered());
}
