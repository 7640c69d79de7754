//! A person who was given the incident and does not answer.

use super::scene::Scene;
use super::{levels, name, person, warn_alerts};
use crate::model::{
    Contact, DeliveryStatus, Event, Incident, Matrix, MethodName, Note, Receipt, Severity, State,
    StatusUpdates, TeamName,
};
use crate::notify::Outcome;
use crate::plan::{self, Dispatch, HoldNothing, Input, StateChange, TakeOver, Update};

use StateChange::{Claim, HandTo, HandToTeam, Release, Resolve};

/// Alerted at level 1 at 0, and given to `to` by jo at 100.
fn handed_in(matrix: Matrix, to: &str) -> Scene {
    let mut scene = Scene::crit(matrix);
    scene.due();
    scene.at(1).accepts("1:a").at(100);
    assert_eq!(scene.asks(&Update::state(person("jo"), HandTo(person(to)))), Ok(true));
    scene
}

fn handed(to: &str) -> Scene {
    handed_in(levels(&["a", "b"]), to)
}

fn is_flagged(scene: &Scene) -> bool {
    scene.incident.handover().is_some_and(|handover| handover.unconfirmed_at.is_some())
}

fn flags(scene: &Scene) -> usize {
    scene.told(|event| matches!(event, Event::HandoverUnconfirmed { .. }))
}

fn reopenings(scene: &Scene) -> usize {
    scene.told(|event| matches!(event, Event::HandoverUnanswered { .. }))
}

/// Goes from one due time to the next until level 1 is alerted again; answers when it was flagged and no longer was,
/// when it was open again, and how often the notice was sent.
fn until_reopened(scene: &mut Scene, carrier: impl Fn(i64) -> Outcome) -> (String, usize) {
    let (mut told, mut notices) = (Vec::new(), 0);
    let mut was_flagged = false;
    for _ in 0..200 {
        let seconds = |scene: &Scene| (scene.now - super::T0).num_seconds();
        if is_flagged(scene) != was_flagged {
            was_flagged = is_flagged(scene);
            told.push(format!("{} {}", seconds(scene), if was_flagged { "flagged" } else { "told" }));
        }
        let Some(due_at) = plan::due_at(&scene.incident) else { panic!("it is an orphan: {told:?}") };
        scene.now = scene.now.max(due_at);
        let sends: Vec<Dispatch> = scene.lease(&HoldNothing);
        if scene.incident.state() == State::Open {
            assert!(sends.iter().all(|send| !send.delivery.purpose.is_status_update()));
            let alerted: Vec<_> = sends.iter().map(|send| name(&send.contact)).collect();
            told.push(format!("{} open {}", seconds(scene), alerted.join(" ")));
            return (told.join(", "), notices);
        }
        for send in &sends {
            notices += 1;
            let now = seconds(scene);
            scene.attempt_ends_of(send, &carrier(now));
        }
    }
    panic!("never: {told:?}")
}

#[test]
fn p22_the_new_holder_must_answer_within_the_wait_and_it_is_flagged_if_nobody_can_notify_them() {
    type Carrier = fn(i64) -> Outcome;
    let (accepts, refuses): (Carrier, Carrier) = (|_| Outcome::Accepted, |_| Outcome::rejected("550"));
    let down: Carrier = |_| Outcome::unavailable("no route");
    let back_later: Carrier =
        |at| if at < 250 { Outcome::unavailable("no route") } else { Outcome::Accepted };
    let lost: Carrier = |_| Outcome::unknown("no reply");
    let slow: Carrier = |at| {
        if at < 130 {
            Outcome::throttled(std::time::Duration::from_secs(20), "slower")
        } else {
            Outcome::Accepted
        }
    };
    let cases = [
        ("told", "k@x.org", accepts, "700 open a", 1..2),
        ("no address", "kim", accepts, "160 flagged, 700 open a", 0..1),
        ("refused", "k@x.org", refuses, "100 flagged, 700 open a", 1..2),
        // A courtesy is given up after five attempts; this is none.
        ("down", "k@x.org", down, "160 flagged, 700 open a", 15..40),
        ("back later", "k@x.org", back_later, "160 flagged, told, 700 open a", 6..20),
        ("no reply", "k@x.org", lost, "160 flagged, 700 open a", 6..20),
        ("throttled, within a minute", "k@x.org", slow, "700 open a", 2..6),
    ];
    for (case, to, carrier, expected, notices) in cases {
        let mut scene = handed(to);
        assert_eq!(scene.incident.state(), State::Claimed, "{case}");
        let (told, sent) = until_reopened(&mut scene, carrier);
        // When the next attempt comes is the backoff's affair.
        let untimed = |one: &str| if one.ends_with("told") { "told".to_owned() } else { one.to_owned() };
        let told: Vec<_> = told.split(", ").map(untimed).collect();
        assert_eq!(told.join(", "), expected, "{case}");
        assert!(notices.contains(&sent), "{case}: {sent} notices");
        let (incident, round) = (&scene.incident, scene.incident.round());
        assert_eq!((round, incident.claimed(), incident.handover()), (2, None, None), "{case}");
        assert_eq!(
            (flags(&scene), reopenings(&scene)),
            (usize::from(expected.contains("flagged")), 1),
            "{case}"
        );
    }
}

#[test]
fn p22_it_is_never_open_again_early_and_a_late_process_does_it_late_once() {
    let mut scene = handed("kim");
    assert_eq!((scene.next(), plan::claim_ends_at(&scene.incident)), (Some(160.0), Some(super::after(700))));
    assert_eq!((scene.at(160).due().as_str(), flags(&scene), scene.next()), ("", 1, Some(700.0)));
    assert_eq!((scene.at(699).due().as_str(), scene.incident.state()), ("", State::Claimed));
    let mut late = scene.clone();
    assert_eq!(scene.at(700).due(), "1:a");
    assert_eq!(late.at(9000).due(), "1:a");
    assert_eq!((late.due().as_str(), reopenings(&late)), ("", 1));
    assert_eq!(late.accepts("1:a").play(0), "9600 2:b, 10200 f:z unclaimed", "from when it was open again");
}

#[test]
fn p22_a_wait_that_is_shorter_than_the_notice_may_take_is_kept() {
    let short =
        || Matrix::new(vec![super::contacts("a")], super::contacts("z"), std::time::Duration::from_secs(5));
    for to in ["kim", "k@x.org"] {
        let mut scene = handed_in(short(), to);
        let (told, _) = until_reopened(&mut scene, |_| Outcome::unavailable("no route"));
        assert_eq!((told.as_str(), flags(&scene)), ("105 open a", 0));
    }
}

#[test]
fn p22_whatever_they_do_is_the_answer_and_what_others_do_is_not() {
    let note = || Some(Note::new("on my way").unwrap());
    let update = |severity, state, note| Update {
        by: person("kim"),
        key: None,
        severity,
        state,
        note,
        reach: Vec::new(),
        call_in: None,
        asked_at: None,
    };
    let answers = [
        ("a claim", update(None, Some(Claim(TakeOver::No)), None), "CLAIMED kim"),
        ("a claim with force", update(None, Some(Claim(TakeOver::Yes)), None), "CLAIMED kim"),
        ("a note", update(None, None, note()), "CLAIMED kim"),
        ("another severity", update(Some(Severity::Err), None, None), "CLAIMED kim"),
        ("the severity that it has", update(Some(Severity::Crit), None, None), "CLAIMED kim"),
        ("handing it to themselves", update(None, Some(HandTo(person("kim"))), None), "CLAIMED kim"),
        ("resolving it", update(None, Some(Resolve), None), "RESOLVED kim"),
        ("giving it back", update(None, Some(Release(TakeOver::No)), None), "OPEN -"),
        ("giving it to a team", update(None, Some(HandToTeam(TeamName::new("db").unwrap())), None), "OPEN -"),
    ];
    let stands = |scene: &Scene| {
        let by = scene.incident.claimed().map_or("-", |claimed| claimed.by.as_str());
        format!("{} {by}", scene.incident.state())
    };
    for (what, update, expected) in answers {
        let mut scene = handed("kim");
        scene.at(200);
        assert_eq!(scene.asks(&update), Ok(true), "{what}");
        assert_eq!((stands(&scene).as_str(), scene.incident.handover()), (expected, None), "{what}");
        scene.at(100_000).due();
        assert_eq!(reopenings(&scene), 0, "{what}");
        let standing = scene.incident.timeline().fold().unwrap();
        assert_eq!(standing.state, scene.incident.state(), "{what}");
        assert_eq!(standing.claimed_by.as_ref(), scene.incident.claimed().map(|c| &c.by), "{what}");
        // The same again is what it was: nothing changes (promise 6).
        if expected.starts_with("CLAIMED") {
            let again = update.note.is_none() && update.severity.is_none();
            assert_eq!(
                scene.asks(&update),
                if again { Ok(false) } else { Ok(update.note.is_some()) },
                "{what}"
            );
        }
    }

    let lee = |severity, state, note| Update {
        by: person("lee"),
        key: None,
        severity,
        state,
        note,
        reach: Vec::new(),
        call_in: None,
        asked_at: None,
    };
    let no_answers = [
        ("another's note", lee(None, None, note())),
        ("another's severity", lee(Some(Severity::Err), None, None)),
        ("handing it to the same again", lee(None, Some(HandTo(person("kim"))), None)),
    ];
    for (what, update) in no_answers {
        let mut scene = handed("kim");
        _ = scene.at(200).asks(&update).unwrap();
        let ends = plan::claim_ends_at(&scene.incident);
        assert_eq!((ends, stands(&scene).as_str()), (Some(super::after(700)), "CLAIMED kim"), "{what}");
    }
    let ends = [
        ("a take-over", Claim(TakeOver::Yes), "CLAIMED lee", None),
        ("handing it on", HandTo(person("ann")), "CLAIMED ann", Some(260.0)),
        ("resolving it", Resolve, "RESOLVED kim", None),
        ("a release by force", Release(TakeOver::Yes), "OPEN -", Some(200.0)),
    ];
    for (what, change, expected, next) in ends {
        let mut scene = handed("kim");
        assert_eq!(scene.at(200).asks(&Update::state(person("lee"), change)), Ok(true), "{what}");
        assert_eq!((stands(&scene).as_str(), scene.next()), (expected, next), "{what}");
    }
}

#[test]
fn p22_a_claim_of_ones_own_and_a_team_need_no_answer() {
    for (by, request) in [
        ("kim", HandTo(person("kim"))),
        ("k@x.org", HandTo(person("mailto:k@X.org"))),
        ("jo", HandToTeam(TeamName::new("db").unwrap())),
        ("jo", Claim(TakeOver::No)),
    ] {
        let mut scene = Scene::crit(levels(&["a"]));
        scene.due();
        let case = format!("{by}, {request:?}");
        assert_eq!(scene.asks(&Update::state(person(by), request)), Ok(true), "{case}");
        assert_eq!(scene.incident.handover(), None, "{case}");
        assert_eq!(plan::claim_ends_at(&scene.incident), None, "{case}");
    }
}

#[test]
fn p06_an_address_answers_however_it_is_written() {
    let mut scene = handed("mailto:k@x.org");
    assert_eq!(scene.claim("k@X.ORG"), Ok(true));
    assert_eq!((scene.incident.handover(), scene.next()), (None, None));
    assert_eq!(scene.claim("k@x.org"), Ok(false), "it is theirs already");
    assert_eq!(scene.incident.timeline().fold().unwrap().claimed_by, Some(person("mailto:k@x.org")));
}

#[test]
fn p09_a_notice_that_comes_back_flags_it_and_an_answer_stops_the_notice() {
    let mut scene = handed("k@x.org");
    let sends = scene.lease(&HoldNothing);
    scene.attempt_ends_of(&sends[0], &Outcome::Accepted);
    assert_eq!((is_flagged(&scene), scene.next()), (false, Some(700.0)));
    let id = scene.incident.delivery_id(sends[0].delivery);
    let accepted = scene.incident.accepted;
    assert!(scene.at(130).bounces_by_name(&id));
    assert!(is_flagged(&scene) && !scene.bounces_by_name(&id));
    assert_eq!(scene.incident.accepted, accepted, "it was no alert");

    let mut scene = handed("k@x.org");
    let sends = scene.lease(&HoldNothing);
    scene.attempt_ends_of(&sends[0], &Outcome::unavailable("no route"));
    scene.claim("k@x.org").unwrap();
    assert_eq!(scene.next(), None);
    let stopped = |d: &crate::model::Delivery| matches!(d.status(), DeliveryStatus::Stopped { .. });
    assert!(scene.incident.current_status_updates().all(stopped));
    let id = scene.incident.delivery_id(sends[0].delivery);
    assert!(!scene.bounces_by_name(&id), "nobody waits for it any more");
    // The same where an attempt is under way.
    let mut scene = handed("k@x.org");
    let sends = scene.lease(&HoldNothing);
    scene.claim("k@x.org").unwrap();
    scene.attempt_ends_of(&sends[0], &Outcome::unavailable("no route"));
    assert_eq!(scene.next(), None);
}

#[test]
fn p09_a_notice_whose_process_dies_is_flagged_after_a_minute_and_still_tried() {
    let mut scene = handed("k@x.org");
    let mut attempts = 0;
    while flags(&scene) == 0 {
        let due_at = plan::due_at(&scene.incident).unwrap();
        scene.now = scene.now.max(due_at);
        attempts += scene.lease(&HoldNothing).len();
    }
    assert_eq!((attempts, scene.now), (3, super::after(160)));
    assert!(scene.incident.current_status_updates().any(|d| d.is_unsettled()));
}

#[test]
fn p14_a_hand_over_by_a_clock_that_was_ahead_is_brought_back() {
    for to in ["kim", "k@x.org"] {
        let mut scene = Scene::crit(levels(&["a", "b"]));
        scene.due();
        scene.accepts("1:a").at(3_000_000);
        assert_eq!(scene.asks(&Update::state(person("jo"), HandTo(person(to)))), Ok(true));
        let decision = scene.at(10).try_step(Input::ClockWentBack { lease: super::LEASE });
        assert!(matches!(decision, plan::Decision::Change(_)), "{to}");
        assert_eq!(plan::claim_ends_at(&scene.incident), Some(super::after(610)), "{to}");
        let (told, _) = until_reopened(&mut scene, |_| Outcome::Accepted);
        assert!(told.ends_with("610 open a"), "{to}: {told}");
    }
}

#[test]
fn p22_with_others_told_and_with_a_severity_that_records_only() {
    let mut scene = handed_in(levels(&["a", "b"]).with_status_updates(StatusUpdates::On), "k@x.org");
    let (told, notices) = until_reopened(&mut scene, |_| Outcome::unavailable("no route"));
    assert_eq!(told, "160 flagged, 700 open a");
    assert!(notices > 15 + 5, "those who were alerted are told as a courtesy: {notices}");

    let mut scene = Scene::open(warn_alerts(levels(&["a"]), &[]), Severity::Warn);
    assert_eq!(scene.asks(&Update::state(person("jo"), HandTo(person("kim")))), Ok(true));
    assert_eq!(scene.at(600).due(), "", "nobody is alerted of it");
    assert_eq!((scene.incident.state(), scene.next()), (State::Open, None));
}

#[test]
fn an_incident_that_nobody_handed_over_is_stored_as_before() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    scene.claim("jo").unwrap();
    let json = serde_json::to_string(&scene.incident).unwrap();
    assert!(!json.contains("handover") && !json.contains("zone"), "{json}");
    assert_eq!(serde_json::from_str::<Incident>(&json).unwrap(), scene.incident);
    let handed = handed("kim").incident;
    let json = serde_json::to_string(&handed).unwrap();
    assert_eq!(serde_json::from_str::<Incident>(&json).unwrap(), handed);
}

#[test]
fn p22_a_carrier_that_answers_late_about_somebody_else_does_not_hide_the_notice() {
    type Carrier = fn(i64) -> Outcome;
    let (accepts, down): (Carrier, Carrier) = (|_| Outcome::Accepted, |_| Outcome::unavailable("no route"));
    for (carrier, begins, most) in [(accepts, "700 open", 2), (down, "160 flagged", 60)] {
        let mut scene = Scene::crit(levels(&["a c", "b"]));
        scene.due();
        scene.at(1).accepts("1:a").at(100);
        assert_eq!(scene.asks(&Update::state(person("jo"), HandTo(person("lee@x.org")))), Ok(true));
        // The message of `c` shows a state, so a status update is made for it.
        scene.at(101).ends("1:c", &Outcome::AcceptedAs(Receipt::new("C1/17.5").unwrap()));
        let (told, notices) = until_reopened(&mut scene, carrier);
        assert!(told.starts_with(begins), "{told}");
        assert!(notices <= most, "{notices}");
        // A mere status update is given up after five attempts.
        assert!(begins == "700 open" || notices > 10, "the notice is tried again and again: {notices}");
    }
}

#[test]
fn p07_an_incident_that_is_handed_on_and_on_does_not_grow() {
    let mut scene = handed("p0");
    let mut known = Vec::new();
    for n in 1..50 {
        let method = |m: usize| {
            (MethodName::new(format!("m{m}")).unwrap(), Contact::new(format!("p{n}-{m}@x.org")).unwrap())
        };
        let to_next = Update::state(person("jo"), HandTo(person(&format!("p{n}"))));
        assert_eq!(scene.asks(&Update { reach: (0..10).map(method).collect(), ..to_next }), Ok(true));
        known.push(scene.incident.matrix().recipients().len());
    }
    assert!(known.iter().all(|count| *count <= 20), "the holder, and the one before: {known:?}");
}
