//! The notice to a claimant before their claim ends: promise 22.

use super::scene::Scene;
use super::{after, contacts, levels, name, person, secs, timed};
use crate::model::{Contact, DeliveryStatus, Incident, Matrix, MethodName, Severity, State, StatusUpdates};
use crate::notify::Outcome;
use crate::plan::{self, Decision, HoldNothing, Input, StateChange, TakeOver, Update};

use StateChange::{Claim, HandTo, Release, Resolve, Snooze};

/// What is done to an incident when, and what is sent until it is open again: each notice with its time.
type Case<'a> = (&'a str, Option<u64>, &'a [(i64, &'a str, StateChange)], &'a str);

fn claim() -> StateChange {
    Claim(TakeOver::No)
}

fn take_over() -> StateChange {
    Claim(TakeOver::Yes)
}

fn hours(n: u64) -> u64 {
    n * 3600
}

fn asks(scene: &mut Scene, at: i64, by: &str, change: &StateChange) {
    assert_eq!(scene.at(at).asks(&Update::state(person(by), change.clone())), Ok(true), "{by} {change:?}");
}

/// Alerted at 0, and accepted at once.
fn alerted(timeout: Option<u64>) -> Scene {
    let mut scene = Scene::crit(levels(&["a", "b"]).claims_last(timeout.map(secs)));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a");
    scene
}

/// Goes from one due time to the next until `until`, or until the incident is not claimed; answers what was sent.
fn until(scene: &mut Scene, until: i64) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(due_at) = plan::due_at(&scene.incident).filter(|at| *at < after(until)) {
        if scene.incident.state() != State::Claimed {
            break;
        }
        scene.now = scene.now.max(due_at);
        for send in scene.lease(&HoldNothing) {
            let seconds = (scene.now - super::T0).num_seconds();
            if scene.incident.state() == State::Claimed {
                told.push(format!("{seconds} {}", name(&send.contact)));
            }
            scene.attempt_ends_of(&send, &Outcome::Accepted);
        }
    }
    told
}

#[test]
fn p22_the_claimant_is_told_ten_minutes_before_their_claim_ends() {
    let cases: &[Case<'_>] = &[
        ("a timeout", Some(hours(1)), &[(100, "a@x.org", claim())], "3100 a"),
        ("no timeout", None, &[(100, "a@x.org", claim())], ""),
        ("twenty minutes", Some(1200), &[(100, "a@x.org", claim())], "700 a"),
        ("under twenty minutes", Some(1199), &[(100, "a@x.org", claim())], ""),
        ("who was not alerted", Some(hours(1)), &[(100, "k@x.org", claim())], "3100 k"),
        ("who has no address", Some(hours(1)), &[(100, "kim", claim())], ""),
        (
            "released",
            Some(hours(1)),
            &[(100, "a@x.org", claim()), (200, "b@x.org", Release(TakeOver::Yes))],
            "",
        ),
        ("resolved", Some(hours(1)), &[(100, "a@x.org", claim()), (200, "b@x.org", Resolve)], ""),
        ("taken over", Some(hours(1)), &[(100, "a@x.org", claim()), (200, "b@x.org", take_over())], "3200 b"),
        (
            "taken over after the notice",
            Some(hours(1)),
            &[(100, "a@x.org", claim()), (3200, "b@x.org", take_over())],
            "3100 a, 6200 b",
        ),
        (
            "handed over",
            Some(hours(1)),
            &[
                (100, "a@x.org", claim()),
                (200, "a@x.org", HandTo(person("k@x.org"))),
                (300, "k@x.org", claim()),
            ],
            "3200 k",
        ),
        ("a snooze", None, &[(100, "a@x.org", claim()), (200, "a@x.org", Snooze(secs(1800)))], "1400 a"),
        ("by another person", None, &[(100, "a@x.org", claim()), (200, "jo", Snooze(secs(1800)))], "1400 a"),
        (
            "a later snooze",
            Some(hours(1)),
            &[(100, "a@x.org", claim()), (3000, "a@x.org", Snooze(secs(7200)))],
            "9600 a",
        ),
        (
            "an earlier one",
            Some(hours(1)),
            &[(100, "a@x.org", claim()), (200, "a@x.org", Snooze(secs(1200)))],
            "800 a",
        ),
        (
            "after the notice",
            Some(hours(1)),
            &[(100, "a@x.org", claim()), (3200, "a@x.org", Snooze(secs(7200)))],
            "3100 a, 9800 a",
        ),
        // The whole claim lasts longer than twenty minutes.
        (
            "a short one",
            Some(hours(1)),
            &[(100, "a@x.org", claim()), (3000, "a@x.org", Snooze(secs(660)))],
            "3060 a",
        ),
        // Who sets this knows it.
        (
            "a shorter one",
            Some(hours(1)),
            &[(100, "a@x.org", claim()), (3000, "a@x.org", Snooze(secs(600)))],
            "",
        ),
        ("of a short claim", None, &[(100, "a@x.org", claim()), (200, "a@x.org", Snooze(secs(1000)))], ""),
    ];
    for (case, timeout, acts, expected) in cases {
        let mut scene = alerted(*timeout);
        let mut told = Vec::new();
        for (at, by, change) in *acts {
            told.extend(until(&mut scene, *at));
            asks(&mut scene, *at, by, change);
            if matches!(change, HandTo(_)) {
                // The notice of the hand-over is another message.
                assert_eq!(until(&mut scene, *at + 1).len(), 1);
            }
        }
        told.extend(until(&mut scene, i64::MAX / 4_000_000));
        assert_eq!(told.join(", "), *expected, "{case}");
    }
}

#[test]
fn p22_a_late_process_tells_them_late_and_once_and_not_after_the_end() {
    let claimed = || {
        let mut scene = alerted(Some(hours(1)));
        asks(&mut scene, 100, "a@x.org", &claim());
        scene
    };
    let mut late = claimed();
    assert_eq!((late.at(3699).due().as_str(), late.due().as_str()), ("n1:a", ""));
    // The process died, and another one sends it under the same name.
    assert_eq!(late.next(), Some(3700.0));
    let mut died = claimed();
    assert_eq!((died.at(3100).due().as_str(), died.at(3129).due().as_str()), ("n1:a", ""));
    assert_eq!(died.at(3130).due(), "n1:a#2");
    let mut too_late = claimed();
    assert_eq!(too_late.at(3700).due(), "1:a");
    let notice = too_late.incident.deliveries().iter().find(|d| d.announces().is_some()).unwrap();
    assert!(matches!(notice.status(), DeliveryStatus::Stopped { .. }));
}

#[test]
fn p22_a_notice_is_no_courtesy_and_is_tried_until_the_claim_ends() {
    let mut scene = alerted(Some(hours(1)));
    asks(&mut scene, 100, "a@x.org", &claim());
    let mut attempts = 0;
    while scene.incident.state() == State::Claimed {
        scene.now = plan::due_at(&scene.incident).unwrap();
        for send in scene.lease(&HoldNothing).into_iter().filter(|s| s.delivery.purpose.is_status_update()) {
            attempts += 1;
            scene.attempt_ends_of(&send, &Outcome::unavailable("busy"));
        }
    }
    assert!((15..40).contains(&attempts), "{attempts}");
    assert_eq!(scene.now, after(3700));
}

#[test]
fn p22_they_are_told_where_they_are_alerted_first() {
    let steps = ["jo:mail@0 jo:call@180", "jo:push@0 kim:kp@0", "z"];
    let matrix = timed(&[(Severity::Crit, &steps)]).claims_last(Some(secs(hours(1))));
    let mut scene = Scene::crit(matrix);
    scene.due();
    scene.accepts("1:mail");
    asks(&mut scene, 100, "jo", &claim());
    assert_eq!(until(&mut scene, 3700), ["3100 mail", "3100 push"]);
}

#[test]
fn p22_somebody_whom_the_round_does_not_know_is_told_by_the_methods_of_their_profile() {
    let reach = |names: &str| -> Vec<(MethodName, Contact)> {
        let method = |contact: &Contact| MethodName::new(name(contact)).unwrap();
        contacts(names).into_iter().map(|contact| (method(&contact), contact)).collect()
    };
    let claims = |scene: &mut Scene, at: i64, by: &str, names: &str| {
        let update = Update { reach: reach(names), ..Update::state(person(by), take_over()) };
        assert_eq!(scene.at(at).asks(&update), Ok(true));
    };
    let mut scene = alerted(None);
    claims(&mut scene, 100, "kim", "k1 k2");
    asks(&mut scene, 200, "jo", &Snooze(secs(1800)));
    let mut snoozed = scene.clone();
    assert_eq!(until(&mut snoozed, 2000), ["1400 k1", "1400 k2"]);
    assert_eq!(snoozed.incident.holder_at(&contacts("k1")[0]), Some(&person("kim")));

    // Promise 7: of many claimants, only what is needed is kept.
    for i in 0..100 {
        claims(&mut scene, 300 + i, &format!("p{i}"), &format!("q{i}"));
    }
    assert_eq!(scene.incident.matrix().recipients().len(), 1);
}

#[test]
fn p22_a_notice_does_not_pass_for_the_notice_of_a_hand_over() {
    let mut scene = alerted(Some(hours(1)));
    asks(&mut scene, 100, "jo", &HandTo(person("k@x.org")));
    asks(&mut scene, 101, "jo", &Snooze(secs(7200)));
    assert_eq!(scene.due(), "n1:k");
    assert_eq!(scene.next(), Some(131.0));
    let send = scene.incident.deliveries().iter().find(|d| d.announces().is_none() && d.is_status_update());
    let (delivery, attempt) = (send.unwrap().key(), 1);
    let outcome = &Outcome::Accepted;
    assert!(matches!(scene.try_step(Input::Outcome { delivery, attempt, outcome }), Decision::Change(_)));
    assert_eq!(scene.next(), Some(700.0), "nobody flags it, and k must answer");
    assert_eq!(scene.at(200).asks(&Update::state(person("k@x.org"), claim())), Ok(true));
    assert_eq!(scene.next(), Some(6701.0), "the answer leaves the other notice");
}

#[test]
fn p14_a_notice_moves_with_the_end_of_its_claim_after_the_clock_went_back() {
    let mut scene = alerted(Some(hours(1)));
    asks(&mut scene, 100_000, "a@x.org", &claim());
    scene.at(50);
    assert!(matches!(scene.try_step(Input::ClockWentBack { lease: super::LEASE }), Decision::Change(_)));
    assert_eq!(scene.next(), Some(3050.0));
    assert_eq!(scene.try_step(Input::ClockWentBack { lease: super::LEASE }), Decision::Nothing);
    assert_eq!(until(&mut scene, 3650), ["3050 a"]);
}

#[test]
fn p22_a_notice_of_an_end_that_an_older_server_moved_is_not_sent() {
    let mut scene = alerted(Some(hours(1)));
    asks(&mut scene, 100, "a@x.org", &claim());
    scene.incident.claim_end.as_mut().unwrap().at = after(9000);
    assert_eq!((scene.at(3100).due().as_str(), scene.next()), ("", Some(9000.0)));
}

#[test]
fn p22_a_notice_survives_being_stored_and_is_kept_by_older_servers() {
    let mut scene = alerted(Some(hours(1)));
    asks(&mut scene, 100, "a@x.org", &claim());
    let body = serde_json::to_value(&scene.incident).unwrap();
    let notice = &body["deliveries"][1];
    assert_eq!(notice["claimEnds"], after(3700).timestamp_micros());
    // The format of claims that end: an older server reads it as a status update that is due later.
    assert_eq!((&body["format"], &notice["level"]), (&4.into(), &serde_json::json!({ "news": 1 })));
    assert_eq!(serde_json::from_value::<Incident>(body).unwrap(), scene.incident);
}

#[test]
fn p22_status_updates_and_notices_do_not_pile_up() {
    let matrix: Matrix = levels(&["a", "b"]).claims_last(Some(secs(hours(1))));
    let mut scene = Scene::crit(matrix.with_status_updates(StatusUpdates::On));
    scene.due();
    scene.accepts("1:a");
    asks(&mut scene, 100, "b@x.org", &claim());
    let many = scene.incident.deliveries().len();
    for i in 0..200 {
        asks(&mut scene, 101 + i, "b@x.org", &Snooze(secs(7200)));
        asks(&mut scene, 101 + i, if i % 2 == 0 { "k@x.org" } else { "b@x.org" }, &take_over());
    }
    assert_eq!(scene.incident.deliveries().len(), many);
}
