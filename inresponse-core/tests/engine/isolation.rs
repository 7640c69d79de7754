//! Carriers that hang, fail or panic, while somebody advances the incident.

use std::time::Duration;

use inresponse_core::engine::{Advanced, SENDS_PER_NEW_CONTACT};
use inresponse_core::model::OutcomeKind;
use inresponse_core::notify::Outcome;
use inresponse_core::roster::Team;

use crate::support::{Call, Fault, Mood, Stage, after, contacts, crit, secs, settle};

fn wait(seconds: u64) -> Team {
    Team::builder(contacts("z")).escalate_after(secs(seconds)).build().unwrap()
}

#[tokio::test]
async fn p13_a_panic_is_an_unknown_outcome_and_is_tried_again() {
    let stage = Stage::new(&["p a", "b"]).await;
    stage.carrier.next("p", Mood::Panics);
    let number = stage.report(crit("athens")).await;
    let Advanced::WaitUntil(again) = stage.advance(number).await else { panic!("it is tried again") };
    let record = stage.incident(number).await.incident;
    assert_eq!(record.deliveries()[0].last().unwrap().kind, OutcomeKind::Unknown);
    assert_eq!(record.deliveries()[1].last().unwrap().kind, OutcomeKind::Accepted);
    assert!(again > after(3) && again <= after(5));
    stage.clock.jump(again);
    stage.advance(number).await;
    assert_eq!(stage.sent(), "0 1:p, 0 1:a, 4 1:p#2");
}

#[tokio::test]
async fn p13_a_notifier_that_hangs_is_dropped_after_its_deadline() {
    let stage = Stage::new(&["h a", "b"]).await;
    stage.carrier.next("h", Mood::Hangs);
    let number = stage.report(crit("athens")).await;
    let advancing = stage.advancing(number);
    stage.pass(secs(119)).await;
    assert!(!advancing.is_finished(), "it has four leases");
    let neighbour = &stage.incident(number).await.incident;
    assert_eq!(neighbour.deliveries()[1].last().unwrap().kind, OutcomeKind::Accepted);
    stage.pass(secs(1)).await;
    assert!(matches!(advancing.await.unwrap(), Advanced::WaitUntil(_)));
    let record = stage.incident(number).await.incident;
    assert_eq!(record.deliveries()[0].last().unwrap().kind, OutcomeKind::Unknown);
}

#[tokio::test]
async fn p13_a_contact_that_hangs_delays_neither_its_neighbour_nor_the_next_level() {
    let stage = Stage::with(&["h a", "b", "h c"], wait(5)).await;
    stage.carrier.always("h", Mood::Hangs);
    let number = stage.report(crit("athens")).await;
    let _advancing = stage.advancing(number);
    stage.pass(secs(11)).await;
    assert_eq!(stage.sent(), "0 1:h, 0 1:a, 5 2:b, 10 3:h, 10 3:c");
    stage.pass(secs(5)).await;
    assert!(stage.sent().contains("15 fallback:z"));
}

#[tokio::test]
async fn p08_p13_a_level_whose_only_contact_hangs_with_all_its_slots_taken_delays_no_later_level() {
    let stage = Stage::with(&["h", "b", "c"], wait(60)).await;
    stage.carrier.always("h", Mood::Hangs);
    let mut running = stage.run();
    settle().await;
    for _ in 0..SENDS_PER_NEW_CONTACT + 3 {
        stage.report(crit("athens")).await;
    }
    stage.pass(secs(61)).await;
    let told = |to: &str| stage.carrier.sent_to(to).len();
    assert_eq!(
        (told("h"), told("b")),
        (SENDS_PER_NEW_CONTACT, SENDS_PER_NEW_CONTACT + 3),
        "all of them in time"
    );
    stage.pass(secs(60)).await;
    assert_eq!(told("c"), SENDS_PER_NEW_CONTACT + 3);
    running.stop();
}

#[tokio::test]
async fn p08_p13_the_same_without_a_runner() {
    let stage = Stage::with(&["h", "b"], wait(60)).await;
    stage.carrier.always("h", Mood::Hangs);
    let mut numbers = Vec::new();
    for _ in 0..SENDS_PER_NEW_CONTACT + 3 {
        numbers.push(stage.report(crit("athens")).await);
    }
    let engine = stage.engine.clone();
    let first = tokio::spawn(async move { engine.tick().await });
    stage.pass(secs(61)).await;
    let engine = stage.engine.clone();
    let second = tokio::spawn(async move { engine.tick().await });
    stage.pass(secs(1)).await;
    assert_eq!(stage.carrier.sent_to("b").len(), SENDS_PER_NEW_CONTACT + 3);
    first.abort();
    second.abort();
}

#[tokio::test]
async fn p13_a_slow_store_delays_nothing_that_is_being_sent() {
    // One outcome is recorded, by a slow commit, while another is still to come.
    let stage = Stage::new(&["a b c d"]).await;
    for (to, takes) in [("a", 1), ("b", 1), ("c", 2), ("d", 3)] {
        stage.carrier.next(to, Mood::Takes(secs(takes), Outcome::Accepted));
    }
    let number = stage.report(crit("athens")).await;
    let advancing = stage.advancing(number);
    stage.pass(secs(10)).await;
    assert!(advancing.is_finished(), "neither waits for the other");
    assert_eq!(advancing.await.unwrap(), Advanced::WaitUntil(after(600)));
}

#[tokio::test]
async fn p12_an_outcome_that_comes_while_the_record_is_read_is_not_overlooked() {
    let stage = Stage::new(&["x y", "b"]).await;
    stage.carrier.next("x", Mood::Answers(Outcome::rejected("550")));
    stage.carrier.next("y", Mood::Takes(Duration::from_millis(500), Outcome::rejected("550")));
    let number = stage.report(crit("athens")).await;
    stage.store.next(Call::Load, Fault::None);
    stage.store.next(Call::Load, Fault::SlowAnswer(secs(1)));
    let advancing = stage.advancing(number);
    stage.pass(secs(2)).await;
    assert_eq!(stage.sent(), "0 1:x, 0 1:y, 1 2:b", "the level is dead, so the next one begins at once");
    assert_eq!(advancing.await.unwrap(), Advanced::WaitUntil(after(601)));
}

#[tokio::test]
async fn p13_in_a_tick_a_contact_that_hangs_delays_nobody_else() {
    let stage = Stage::new(&["h"]).await;
    stage.own("sparta", "hoplites", &["a"], wait(600)).await;
    stage.carrier.always("h", Mood::Hangs);
    for _ in 0..300 {
        stage.report(crit("athens")).await;
    }
    let last = stage.report(crit("sparta")).await;
    let engine = stage.engine.clone();
    let ticking = tokio::spawn(async move { engine.tick().await });
    // Each incident that waits for a slot is committed once, since its level begins. No time passes.
    for _ in 0..20 {
        settle().await;
    }
    let alerted = stage.carrier.sent_to("a");
    assert_eq!(alerted.len(), 1, "it is behind more than one page of those who wait for somebody who hangs");
    assert_eq!(alerted[0].incident, last);
    stage.pass(secs(121)).await;
    assert_eq!(ticking.await.unwrap().unwrap(), 301);
}
