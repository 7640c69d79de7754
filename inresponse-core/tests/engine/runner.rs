//! The same under `run`, and two engines over one store.

use std::time::Duration;

use inresponse_core::OutageKind;
use inresponse_core::engine::{SENDS_PER_CONTACT, SENDS_PER_NEW_CONTACT};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{StateChange, TakeOver};
use inresponse_core::roster::Team;

use crate::support::{Call, Fault, Mood, Stage, contacts, crit, secs, settle};

fn wait(seconds: u64) -> Team {
    Team::builder(contacts("z")).escalate_after(secs(seconds)).build().unwrap()
}

#[tokio::test]
async fn p01_under_a_runner_the_first_lease_rides_on_the_create() {
    let stage = Stage::new(&["a b", "c"]).await;
    let mut running = stage.run();
    settle().await;
    stage.report(crit("athens")).await;
    settle().await;
    assert_eq!(stage.sent(), "0 1:a, 0 1:b", "at once, while time stands still");
    assert_eq!(stage.store.calls(Call::Create), 1);
    stage.pass(secs(599)).await;
    assert_eq!(stage.carrier.sent().len(), 2);
    stage.pass(secs(602)).await;
    assert_eq!(stage.sent(), "0 1:a, 0 1:b, 600 2:c, 1200 fallback:z");
    running.stop();
    settle().await;
    assert!(running.task.is_finished());
}

#[tokio::test]
async fn p11_under_a_runner_a_claim_stops_and_a_release_alerts_at_once() {
    let stage = Stage::new(&["a", "b"]).await;
    let mut running = stage.run();
    let number = stage.report(crit("athens")).await;
    stage.pass(secs(10)).await;
    stage.claim(number, "jo").await;
    stage.pass(secs(1300)).await;
    assert_eq!(stage.sent(), "0 1:a");
    stage.request(number, "jo", StateChange::Release(TakeOver::No)).await;
    settle().await;
    assert_eq!(stage.sent(), "0 1:a, 1310 1:a");
    running.stop();
}

#[tokio::test]
async fn p13_under_a_runner_a_contact_that_hangs_delays_neither_neighbour_nor_next_level() {
    let stage = Stage::with(&["h a", "b"], wait(5)).await;
    stage.carrier.always("h", Mood::Hangs);
    stage.carrier.next("a", Mood::Panics);
    let mut running = stage.run();
    stage.report(crit("athens")).await;
    stage.pass(secs(12)).await;
    let told = stage.sent();
    assert!(told.starts_with("0 1:h, 0 1:a"), "{told}");
    assert!(told.contains(", 5 2:b") && told.contains(", 10 fallback:z"), "{told}");
    assert!(told.contains("1:a#2"), "a panic is tried again: {told}");
    stage.pass(secs(120)).await;
    assert!(stage.carrier.sent_to("h").len() > 1, "and so is what hung");
    running.stop();
}

#[tokio::test]
async fn p08_a_first_alert_begins_while_the_runner_waits_for_a_slow_store() {
    let stage = Stage::new(&["a", "b"]).await;
    for _ in 0..2 {
        stage.store.next(Call::Due, Fault::SlowAnswer(secs(20)));
    }
    let mut running = stage.run();
    settle().await;
    stage.report(crit("athens")).await;
    settle().await;
    assert_eq!(
        stage.sent(),
        "0 1:a",
        "not twenty seconds later, when somebody else has alerted the next level"
    );
    running.stop();
}

#[tokio::test]
async fn p13_many_incidents_for_one_who_hangs_do_not_delay_another_contact() {
    let stage = Stage::new(&["h", "b"]).await;
    stage.own("sparta", "hoplites", &["a"], wait(600)).await;
    stage.carrier.always("h", Mood::Hangs);
    let mut running = stage.run();
    for _ in 0..600 {
        stage.report(crit("athens")).await;
    }
    stage.report(crit("sparta")).await;
    settle().await;
    assert_eq!(stage.carrier.sent_to("a").len(), 1, "at once");
    let hanging = stage.carrier.sent_to("h").len();
    assert!(hanging <= SENDS_PER_NEW_CONTACT, "{hanging} slots for one contact");
    running.stop();
}

#[tokio::test]
async fn p13_many_incidents_for_one_contact_are_sent_as_fast_as_it_accepts() {
    let stage = Stage::new(&["a"]).await;
    for _ in 0..100 {
        stage.report(crit("athens")).await;
    }
    let mut running = stage.run();
    stage.pass(secs(1)).await;
    // So many at a time, each of which takes no time at all: not so many a second.
    let sent = stage.carrier.sent().len();
    assert!(sent > 2 * SENDS_PER_CONTACT, "{sent} in a second");
    for _ in 0..40 {
        stage.clock.advance(Duration::from_millis(10));
        settle().await;
    }
    assert_eq!(stage.carrier.sent().len(), 100);
    running.stop();
}

#[tokio::test]
async fn p13_more_incidents_than_slots_are_sent_as_slots_become_free() {
    let stage = Stage::new(&["a"]).await;
    for team in 0..100 {
        let (service, level) = (format!("s{team}"), format!("c{team}"));
        stage.own(&service, &format!("t{team}"), &[&level], wait(600)).await;
        stage.carrier.always(&level, Mood::Takes(Duration::from_millis(5), Outcome::Accepted));
        for _ in 0..7 {
            stage.report(crit(&service)).await;
        }
    }
    let mut running = stage.run();
    for _ in 0..20 {
        settle().await;
    }
    assert_eq!(stage.carrier.sent().len(), 64, "as many as one mail domain has while nobody has answered");
    for _ in 0..20 {
        stage.clock.advance(Duration::from_millis(10));
        settle().await;
        settle().await;
    }
    assert_eq!(stage.carrier.sent().len(), 700, "the others within 200 ms");
    running.stop();
}

#[tokio::test]
async fn p10_two_engines_over_one_store_send_each_delivery_once() {
    let one = Stage::new(&["a b", "c"]).await;
    let two = one.another(&["a b", "c"]).await;
    let (mut first, mut second) = (one.run(), two.run());
    settle().await;
    for i in 0..20 {
        if i % 2 == 0 { &one } else { &two }.report(crit("athens")).await;
    }
    one.pass(secs(1210)).await;
    let mut sent: Vec<_> = one.carrier.sent().iter().map(|s| s.delivery.clone()).collect();
    assert_eq!(sent.len(), 20 * 4);
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), 20 * 4, "each once");
    first.stop();
    second.stop();
}

#[tokio::test]
async fn p09_a_report_to_an_engine_that_does_not_run_is_alerted_by_another() {
    let one = Stage::new(&["a", "b"]).await;
    let two = one.another(&["a", "b"]).await;
    let mut running = two.run();
    settle().await;
    one.report(crit("athens")).await;
    one.pass(secs(2)).await;
    assert_eq!(one.carrier.sent_to("a").len(), 1, "within a second or so");
    one.pass(secs(600)).await;
    assert_eq!(one.carrier.sent_to("b").len(), 1);
    running.stop();
}

#[tokio::test]
async fn p09_what_a_dead_engine_had_in_flight_is_sent_by_the_other() {
    let one = Stage::new(&["a"]).await;
    let two = one.another(&["a"]).await;
    one.carrier.next("a", Mood::Hangs);
    let dying = one.run();
    settle().await;
    one.report(crit("athens")).await;
    settle().await;
    dying.task.abort();
    settle().await;
    let mut running = two.run();
    one.pass(secs(32)).await;
    assert_eq!(one.sent(), "0 1:a, 30 1:a#2");
    running.stop();
}

#[tokio::test]
async fn p09_a_runner_that_was_dropped_takes_no_leases() {
    let stage = Stage::new(&["a"]).await;
    let running = stage.run();
    settle().await;
    running.task.abort();
    settle().await;
    let number = stage.report(crit("athens")).await;
    stage.advance(number).await;
    assert_eq!(stage.sent(), "0 1:a", "not thirty seconds later");
}

#[tokio::test]
async fn p09_a_graceful_stop_finishes_what_is_being_sent() {
    let stage = Stage::new(&["a", "b"]).await;
    stage.carrier.next("a", Mood::Takes(secs(10), Outcome::Accepted));
    let mut running = stage.run();
    settle().await;
    let number = stage.report(crit("athens")).await;
    settle().await;
    running.stop();
    stage.pass(secs(5)).await;
    assert!(!running.task.is_finished());
    let late = stage.report(crit("athens")).await;
    stage.pass(secs(6)).await;
    assert!(running.task.is_finished());
    assert_eq!(stage.carrier.finished(), 1);
    let record = stage.incident(number).await.incident;
    assert_eq!(record.deliveries()[0].last().unwrap().kind.as_str(), "accepted");
    assert_eq!(stage.sent(), "0 1:a", "what is reported during the stop waits for the next start");
    let mut again = stage.run();
    settle().await;
    assert_eq!(stage.carrier.sent().last().unwrap().incident, late);
    again.stop();
}

#[tokio::test]
async fn p09_a_graceful_stop_sends_what_was_leased_just_before() {
    let stage = Stage::new(&["a"]).await;
    let mut running = stage.run();
    settle().await;
    stage.report(crit("athens")).await;
    running.stop();
    settle().await;
    assert!(running.task.is_finished());
    assert_eq!(stage.sent(), "0 1:a");
}

#[tokio::test]
async fn p09_a_graceful_stop_ends_when_a_lease_would() {
    let stage = Stage::new(&["h"]).await;
    stage.carrier.always("h", Mood::Hangs);
    let mut running = stage.run();
    settle().await;
    stage.report(crit("athens")).await;
    settle().await;
    running.stop();
    stage.pass(secs(31)).await;
    assert!(running.task.is_finished());
}

#[tokio::test]
async fn p09_a_runner_never_gives_up_on_an_unavailable_store() {
    let stage = Stage::new(&["a", "b"]).await;
    let mut running = stage.run();
    settle().await;
    stage.report(crit("athens")).await;
    for _ in 0..20 {
        stage.store.next(Call::Due, Fault::Fails(OutageKind::Retryable));
        stage.store.next(Call::Commit, Fault::Fails(OutageKind::Permanent));
    }
    stage.pass(secs(700)).await;
    assert_eq!(stage.sent(), "0 1:a, 600 2:b");
    running.stop();
}

#[tokio::test]
async fn p13_a_runner_that_has_nothing_to_do_looks_once_a_second() {
    let stage = Stage::new(&["h", "b"]).await;
    stage.carrier.always("h", Mood::Hangs);
    let mut running = stage.run();
    for _ in 0..10 {
        stage.report(crit("athens")).await;
    }
    stage.pass(secs(2)).await;
    let before = stage.store.calls(Call::Due);
    stage.pass(secs(10)).await;
    let looks = stage.store.calls(Call::Due) - before;
    assert!((9..60).contains(&looks), "{looks} looks in ten seconds");
    running.stop();
}
