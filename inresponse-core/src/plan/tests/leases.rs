//! Leases that end before an outcome came, and deliveries that are held back.

use std::collections::HashSet;

use super::scene::Scene;
use super::{LEASE, T0, after, levels, report};
use crate::model::{
    DeliveryKey, DeliveryStatus, Event, IncidentNumber, Level, Matrix, OutcomeKind, Severity, TeamName,
};
use crate::notify::Outcome;
use crate::plan::{self, Decision, Held, Hold, Input, MAX_EXPIRED};

#[test]
fn p09_what_is_in_flight_is_due_again_when_its_lease_ends() {
    let mut scene = Scene::crit(levels(&["a b"]));
    assert_eq!(scene.due(), "1:a 1:b");
    assert_eq!(scene.next(), Some(30.0));
    scene.at(1).accepts("1:a");
    assert_eq!(scene.at(29).due(), "", "the lease holds to its end");
    assert_eq!(scene.at(30).due(), "1:b#2");
    assert_eq!(scene.delivery("1:b").expired(), 1);
    assert_eq!(scene.delivery("1:b").last().unwrap().kind, OutcomeKind::Expired);
    assert_eq!(scene.next(), Some(60.0));
}

#[test]
fn p08_a_level_whose_process_died_begins_again_once() {
    let mut scene = Scene::crit(levels(&["a b", "c", "d"]));
    assert_eq!(scene.due(), "1:a 1:b");
    // Everything was down for an hour: the on-call engineer is alerted first, not everyone at once.
    assert_eq!(scene.at(3600).due(), "1:a#2 1:b#2");
    assert_eq!(scene.told(|e| matches!(e, Event::LevelBeganAgain { level: Level::At(1), .. })), 1);
    assert_eq!(scene.at(4199).due(), "1:a#3 1:b#3", "only once, whatever happens then");
    assert_eq!(scene.told(|e| matches!(e, Event::LevelBeganAgain { .. })), 1);
    assert_eq!(scene.at(4200).due(), "2:c");
    // The next level may begin again, too.
    assert_eq!(scene.at(9000).due(), "1:a#4 1:b#4 2:c#2");
    scene.accepts("1:a 1:b 2:c");
    assert_eq!(scene.next(), Some(9600.0));
}

#[test]
fn p08_a_level_with_any_outcome_does_not_begin_again() {
    for outcome in [Outcome::Accepted, Outcome::unavailable(""), Outcome::rejected(""), Outcome::unknown("")]
    {
        let mut scene = Scene::crit(levels(&["a b", "c"]));
        assert_eq!(scene.due(), "1:a 1:b");
        scene.at(1).ends("1:a", &outcome);
        let sent = scene.at(3600).due();
        assert!(sent.contains("1:b#2") && sent.ends_with("2:c"), "{outcome:?}: {sent}");
        assert_eq!(scene.told(|e| matches!(e, Event::LevelBeganAgain { .. })), 0);
    }
}

#[test]
fn p09_a_delivery_that_ended_its_process_five_times_is_dead() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    assert_eq!(scene.due(), "1:a");
    for attempt in 2..=MAX_EXPIRED {
        let at = i64::from(attempt - 1) * 30;
        assert_eq!(scene.at(at).due(), format!("1:a#{attempt}"));
    }
    assert_eq!(scene.at(150).due(), "2:b", "the level is dead now, so the next one is due at once");
    assert!(scene.delivery("1:a").is_dead());
    assert_eq!(scene.delivery("1:a").expired(), MAX_EXPIRED);
    assert_eq!(scene.told(|e| matches!(e, Event::LevelDead { .. })), 1);
    scene.attempt_ends("1:a", 5, &Outcome::Accepted);
    assert!(scene.delivery("1:a").is_accepted(), "unless an acceptance is learnt late");
}

#[test]
fn p09_an_attempt_that_was_taken_over_counts_only_until_its_outcome_comes() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    for attempt in 1..=2 * MAX_EXPIRED {
        let at = i64::from(attempt) * 30;
        assert_eq!(scene.at(at).due(), format!("1:a#{}", attempt + 1), "taken over by a clock that is ahead");
        scene.attempt_ends("1:a", attempt, &Outcome::unknown("hung"));
        assert_eq!(scene.delivery("1:a").expired(), 0);
    }
    for late in [1, 3, 3] {
        scene.attempt_ends("1:a", late, &Outcome::unknown("hung"));
    }
    assert_eq!(scene.delivery("1:a").expired(), 0, "what was never counted takes nothing off");
}

#[test]
fn p09_expiries_count_over_the_life_of_a_delivery() {
    let mut scene = Scene::crit(levels(&["a"]));
    let mut sent = scene.due();
    for round in 1..=4 {
        scene.at(round * 100);
        assert_eq!(scene.due(), format!("1:a#{}", round * 2));
        assert_eq!(scene.delivery("1:a").last().unwrap().kind, OutcomeKind::Expired, "the last thing known");
        scene.ends("1:a", &Outcome::unavailable("421"));
        scene.at(round * 100 + 31);
        sent = scene.due();
    }
    assert_eq!(sent, "1:a#9");
    assert_eq!(scene.delivery("1:a").last().unwrap().kind, OutcomeKind::Unavailable);
    scene.at(500).due();
    assert!(scene.delivery("1:a").is_dead());
}

#[test]
fn p11_an_expired_lease_of_an_incident_that_is_claimed_is_not_sent_again() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    scene.at(1).claim("jo").unwrap();
    assert_eq!((scene.next(), scene.at(100).due().as_str()), (None, ""));
}

#[test]
fn p11_a_lease_of_an_earlier_round_is_not_taken_again() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    scene.at(1).claim("jo").unwrap();
    scene.at(2).release("jo").unwrap();
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a");
    assert_eq!(scene.next(), Some(602.0), "the old lease makes nothing due");
    assert_eq!(scene.at(100).due(), "");
}

#[test]
fn p10_what_is_due_of_a_round_that_ends_now_is_not_sent_any_more() {
    for outcome in [None, Some(Outcome::unavailable("421"))] {
        let mut scene = Scene::crit(levels(&["a b"]).repeated(1));
        assert_eq!(scene.due(), "1:a 1:b");
        scene.accepts("1:a");
        outcome.iter().for_each(|outcome| _ = scene.ends("1:b", outcome));
        assert_eq!(scene.at(600).due(), "1:a 1:b", "not the second attempt of the first round, too");
        assert!(scene.incident.deliveries().iter().all(|d| d.attempts() == 1));
    }
}

#[test]
fn p14_a_delivery_that_is_held_back_is_not_leased() {
    let mut scene = Scene::crit(levels(&["a b", "c"]));
    assert_eq!(scene.due_holding(&["1:b"]), "1:a", "a level begins with its first send");
    assert_eq!(scene.pending_at("1:b"), Some(T0));
    assert_eq!(scene.due_holding(&["1:b"]), "");
    assert_eq!(scene.at(7).due(), "1:b");
    scene.accepts("1:a");
    assert_eq!(scene.at(600).due_holding(&["1:b"]), "2:c", "neither does it hold up the next level");
}

#[test]
fn p14_a_level_that_is_all_held_back_has_not_begun() {
    let mut scene = Scene::crit(levels(&["a b", "c"]));
    assert_eq!(scene.due_holding(&["1:a", "1:b"]), "");
    assert!(scene.incident.begun().is_empty() && scene.next() == Some(0.0));
    assert_eq!(scene.at(50).due(), "1:a 1:b");
    scene.accepts("1:a 1:b");
    assert_eq!(scene.next(), Some(650.0), "its wait is counted from its first lease");
}

#[test]
fn p08_p13_a_level_without_a_free_slot_begins_and_its_deliveries_wait() {
    let mut scene = Scene::crit(levels(&["a b", "c", "d"]));
    assert_eq!(scene.due_without_slots(&["1:a", "1:b"]), "");
    assert_eq!(scene.incident.begun().len(), 1, "it has begun");
    assert_eq!((scene.pending_at("1:a"), scene.pending_at("1:b")), (Some(T0), Some(T0)));
    assert_eq!(scene.at(5).due_without_slots(&["1:a", "1:b"]), "", "once");
    assert_eq!(scene.incident.begun().len(), 1);
    assert_eq!(scene.at(600).due_without_slots(&["1:a", "1:b", "2:c"]), "", "the next level begins in time");
    assert_eq!(scene.incident.begun().len(), 2);
    assert_eq!(
        scene.at(700).due_without_slots(&["2:c"]),
        "1:a 1:b",
        "what waits is sent once a slot is free"
    );
    scene.accepts("1:a 1:b");
    assert_eq!(scene.at(1199).due_without_slots(&["2:c"]), "");
    assert_eq!(scene.at(1200).due_without_slots(&["2:c"]), "3:d", "and so are the levels after that");
    assert_eq!(scene.due(), "2:c");
}

#[test]
fn p08_p13_a_level_whose_process_died_begins_again_though_no_slot_is_free() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.due();
    assert_eq!(scene.at(3600).due_without_slots(&["1:a"]), "");
    assert_eq!(scene.told(|e| matches!(e, Event::LevelBeganAgain { level: Level::At(1), .. })), 1);
    assert_eq!(scene.pending_at("1:a"), Some(after(3600)));
    assert_eq!(scene.at(4199).due_without_slots(&["1:a"]), "");
    assert_eq!(scene.at(4200).due_without_slots(&["1:a"]), "2:b");
    assert_eq!(scene.due(), "1:a#2");
}

#[test]
fn p08_after_an_outage_a_level_that_waited_for_slots_is_alerted_first() {
    let mut scene = Scene::crit(levels(&["a b", "c", "d"]));
    scene.due_without_slots(&["1:a", "1:b"]);
    // Everything was down for an hour. Now a slot is free for one of them.
    let at_once = scene.clone();
    assert_eq!(scene.at(3600).due_elsewhere_without_slots(&["1:b"]), "1:a");
    assert_eq!(scene.told(|e| matches!(e, Event::LevelBeganAgain { level: Level::At(1), .. })), 1);
    scene.accepts("1:a");
    assert_eq!(scene.at(4199).due(), "1:b");
    scene.accepts("1:b");
    assert_eq!(scene.next(), Some(4200.0), "its wait counts from its first send");
    assert_eq!(scene.at(4200).due(), "2:c");
    // If no slot is free yet after the outage, the next level does not overtake it.
    let mut scene = at_once.clone();
    assert_eq!(scene.at(3600).due_elsewhere_without_slots(&["1:a", "1:b"]), "");
    assert_eq!(scene.at(3700).due_without_slots(&["1:b"]), "1:a");
    scene.accepts("1:a");
    assert_eq!(scene.at(4199).due_without_slots(&["1:b"]), "");
    assert_eq!(scene.at(4200).due_without_slots(&["1:b"]), "2:c");
    // So it is if the outage was shorter than the wait.
    let mut scene = at_once;
    assert_eq!(scene.at(590).due(), "1:a 1:b");
    scene.accepts("1:a 1:b");
    assert_eq!(scene.next(), Some(1190.0));
}

#[test]
fn p08_p13_a_level_that_waited_for_slots_of_a_living_process_delays_nobody() {
    let mut scene = Scene::crit(levels(&["a b", "c", "d"]));
    scene.due_without_slots(&["1:a", "1:b"]);
    assert_eq!(scene.at(590).due_having_waited(), "1:a 1:b");
    scene.accepts("1:a 1:b");
    assert_eq!(scene.next(), Some(600.0));
    assert_eq!(scene.told(|e| matches!(e, Event::LevelBeganAgain { .. })), 0);
}

#[test]
fn p08_a_person_who_escalates_waits_for_no_level_that_waits_for_a_slot() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.due_without_slots(&["1:a"]);
    let escalation = crate::plan::Update::state(super::person("jo"), crate::plan::StateChange::Escalate);
    assert_eq!(scene.at(5).asks(&escalation), Ok(true));
    assert_eq!(scene.due(), "1:a 2:b");
}

#[test]
fn p13_a_claim_stops_what_waits_for_a_slot() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.due_without_slots(&["1:a"]);
    assert_eq!(scene.claim("jo"), Ok(true));
    assert_eq!((scene.at(700).due(), scene.next()), (String::new(), None));
}

#[test]
fn p10_a_send_that_takes_long_keeps_its_lease_while_its_process_lives() {
    let mut scene = Scene::crit(levels(&["a b", "c"]));
    assert_eq!(scene.due(), "1:a 1:b");
    scene.accepts("1:b");
    for at in [10, 20, 45, 70] {
        assert!(scene.at(at).renews("1:a"), "at {at}");
        assert_eq!(scene.due(), "", "nobody else begins it");
    }
    assert_eq!(scene.next(), Some(100.0), "a process that dies now is taken over a lease later");
    assert_eq!(scene.at(100).due(), "1:a#2");
    assert!(!scene.at(101).attempt_renews("1:a", 1), "what was taken over is lost to its first process");
    scene.accepts("1:a");
    assert!(!scene.renews("1:a"), "nor is what has ended renewed");
    assert_eq!(scene.delivery("1:a").attempts(), 2);
}

#[test]
fn p10_a_lease_is_renewed_only_where_somebody_else_would_take_it_over() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.due();
    assert!(!scene.renews("1:a"), "it ends then already");
    scene.at(10).claim("jo").unwrap();
    assert!(!scene.renews("1:a"), "a claimed incident alerts nobody");
    scene.release("jo").unwrap();
    let first_round = DeliveryKey { round: 1, ..scene.key("1:a") };
    let renewal = Input::Renew { delivery: first_round, attempt: 1, lease: LEASE };
    assert_eq!(scene.try_step(renewal), Decision::Nothing, "neither does a round that is over");
}

#[test]
fn p14_a_lease_that_is_renewed_ends_by_the_clock_as_it_is_then() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.at(3_000_000).due();
    assert!(scene.at(40).renews("1:a"));
    assert_eq!(scene.next(), Some(70.0), "and not where the clock was that has gone back");
}

#[test]
fn p14_a_lease_that_ended_by_a_clock_that_jumped_stays_while_it_is_in_flight_here() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    scene.due();
    assert_eq!(scene.at(4000).due_holding(&["1:a"]), "", "nor does the next level overtake it");
    assert_eq!(scene.delivery("1:a").expired(), 0);
    assert!(matches!(scene.delivery("1:a").status(), DeliveryStatus::InFlight { .. }));
    scene.accepts("1:a");
    assert_eq!(scene.due(), "2:b");
}

#[test]
fn p08_the_first_lease_may_ride_on_the_create() {
    let team = || TeamName::new("devops").unwrap();
    for matrix in [levels(&["a b", "c"]), levels(&["", "b"]), Matrix::new(vec![], vec![], LEASE)] {
        let (opening, sends) = plan::open(report(Severity::Err), team(), matrix.clone(), Some(LEASE), T0);
        let with_lease = opening.numbered(IncidentNumber::new(10_001)).into_incident();
        let mut later = Scene::open(matrix, Severity::Err);
        assert_eq!(sends, later.lease(&plan::HoldNothing), "the same sends as the first `Due` has");
        assert_eq!(with_lease, later.incident);
        assert!(sends.iter().all(|send| send.lease_until == after(30) && send.attempt == 1));
    }
}

#[test]
fn p08_p13_an_incident_opens_with_its_first_level_begun_though_no_slot_is_free() {
    let mut scene = Scene::crit(levels(&["a b", "c"]));
    let crowded = |names: &str| HashSet::from_iter(super::contacts(names));
    for (held, sent) in [("a b", 0), ("b", 1), ("", 2)] {
        let hold: HashSet<crate::model::Contact> = crowded(held);
        let team = TeamName::new("devops").unwrap();
        let (report, matrix) = (report(Severity::Crit), scene.matrix.clone());
        let (opening, sends) = plan::open_leasing(report, team, matrix, LEASE, &hold, T0);
        assert_eq!(sends.len(), sent, "without slots for {held:?}");
        scene.incident = opening.numbered(IncidentNumber::new(10_001)).into_incident();
        assert_eq!(scene.incident.begun().len(), 1);
        sends.iter().for_each(|send| scene.attempt_ends_of(send, &Outcome::Accepted));
        assert_eq!(scene.at(600).due_without_slots(&["1:a", "1:b"]), "2:c");
        scene.at(0);
    }
}

#[test]
fn p14_a_set_of_deliveries_holds_those_and_no_others() {
    let mut scene = Scene::crit(levels(&["a b"]));
    scene.due();
    let id = |send| scene.incident.delivery_id(scene.key(send));
    let held = HashSet::from([id("1:a")]);
    let contact = |send| scene.delivery(send).contact();
    assert_eq!(held.held(&id("1:a"), contact("1:a")), Held::InFlight);
    assert_eq!(held.held(&id("1:b"), contact("1:b")), Held::Free);
    let without_slot = HashSet::from([contact("1:b").clone()]);
    assert_eq!(without_slot.held(&id("1:a"), contact("1:a")), Held::Free);
    assert_eq!(without_slot.held(&id("1:b"), contact("1:b")), Held::NoSlot);
}
