//! Storms: what waits for one contact goes out together (promise 23), and each delivery ends as its message does.

use std::collections::BTreeSet;
use std::time::Duration;

use inresponse_core::OutageKind;
use inresponse_core::model::{OutcomeKind, Severity};
use inresponse_core::notify::Outcome;

use crate::press::Storm;
use crate::support::{Call, Fault, Mood, Stage, crit, secs, settle};

const CRIT: Severity = Severity::Crit;
const WARN: Severity = Severity::Warn;

fn unavailable() -> Mood {
    Mood::Answers(Outcome::unavailable("421 later"))
}

/// Each of them once, and nothing else.
fn is_each_once(ids: &[String], many: usize) {
    let each: BTreeSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), each.len()), (many, many), "{ids:?}");
}

#[tokio::test]
async fn p23_past_the_singles_of_a_minute_the_rest_goes_together_the_worst_first() {
    let storm = Storm::new(5, &["a"]).await;
    let mut running = storm.stage.run();
    settle().await;
    let warns = storm.reports(12, WARN).await;
    let crits = storm.reports(3, CRIT).await;
    storm.pass(secs(2)).await;
    assert_eq!(storm.press.sizes("a"), [(0, 1), (0, 1), (0, 1), (0, 1), (0, 1), (1_000, 10)]);
    let bundle = &storm.press.messages()[5];
    let order: Vec<_> = bundle.incidents.iter().map(|(number, _)| *number).collect();
    assert_eq!(order, [&crits[..], &warns[5..]].concat());
    is_each_once(&storm.press.accepted(), 15);
    for number in warns.into_iter().chain(crits) {
        let record = storm.stage.incident(number).await.incident;
        let delivery = &record.deliveries()[0];
        assert_eq!((delivery.last().unwrap().kind, delivery.attempts()), (OutcomeKind::Accepted, 1));
    }
    running.stop();
    running.task.await.unwrap();
}

#[tokio::test]
async fn p23_the_gap_grows_and_a_crit_waits_for_five_seconds_at_most() {
    let storm = Storm::new(1, &["a"]).await;
    let _running = storm.stage.run();
    settle().await;
    for _ in 0..80 {
        storm.reports(1, WARN).await;
        storm.pass(Duration::from_millis(500)).await;
    }
    let times: Vec<_> = storm.press.sizes("a").into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
    storm.reports(1, CRIT).await;
    storm.pass(secs(1)).await;
    let last = storm.press.messages().pop().unwrap();
    assert_eq!(last.incidents[0].1, CRIT);
    assert!(last.at < Duration::from_millis(40_500), "{:?}", last.at);
    is_each_once(&storm.press.accepted(), 81);
}

#[tokio::test]
async fn p23_a_quiet_contact_gets_its_first_alert_at_once_whatever_others_get() {
    let storm = Storm::new(2, &["a"]).await;
    storm
        .stage
        .own(
            "sparta",
            "hoplites",
            &["b"],
            inresponse_core::roster::Team::builder(crate::support::contacts("z")).build().unwrap(),
        )
        .await;
    let _running = storm.stage.run();
    settle().await;
    storm.reports(30, WARN).await;
    storm.stage.report(crit("sparta")).await;
    settle().await;
    assert_eq!(storm.press.sizes("b"), [(0, 1)]);
}

#[tokio::test]
async fn p23_zero_never_bundles() {
    let storm = Storm::new(0, &["a"]).await;
    let _running = storm.stage.run();
    settle().await;
    storm.reports(40, CRIT).await;
    storm.pass(secs(2)).await;
    assert!(storm.press.messages().iter().all(|message| message.incidents.len() == 1));
    is_each_once(&storm.press.accepted(), 40);
}

#[tokio::test]
async fn p23_a_notifier_without_bundles_is_called_for_each() {
    let stage = Stage::new(&["a"]).await;
    let _running = stage.run();
    settle().await;
    for _ in 0..40 {
        stage.report(crit("athens")).await;
    }
    stage.pass(secs(1)).await;
    assert_eq!(stage.carrier.sent_to("a").len(), 40);
}

#[tokio::test]
async fn p11_p23_what_is_claimed_meanwhile_leaves_the_bundle_and_one_that_is_left_goes_alone() {
    let storm = Storm::new(1, &["a"]).await;
    let _running = storm.stage.run();
    settle().await;
    let numbers = storm.reports(4, CRIT).await;
    storm.stage.claim(numbers[1], "kim").await;
    storm.stage.claim(numbers[3], "kim").await;
    storm.pass(secs(2)).await;
    assert_eq!(storm.press.sizes("a"), [(0, 1), (1_000, 1)]);
    assert_eq!(storm.press.messages()[1].incidents, [(numbers[2], CRIT)]);
}

#[tokio::test]
async fn p09_p23_a_swap_that_is_lost_drops_out_and_its_delivery_goes_later() {
    let storm = Storm::new(1, &["a"]).await;
    let _running = storm.stage.run();
    settle().await;
    storm.reports(6, CRIT).await;
    storm.stage.store.next(Call::Commit, Fault::Fails(OutageKind::Retryable));
    storm.pass(secs(10)).await;
    let sizes = storm.press.sizes("a");
    assert_eq!(sizes[..2], [(0, 1), (1_000, 4)], "{sizes:?}");
    is_each_once(&storm.press.accepted(), 6);
}

#[tokio::test]
async fn p11_p23_a_lease_whose_commit_is_slow_delays_nobody_else_and_goes_later() {
    let storm = Storm::new(1, &["a"]).await;
    let _running = storm.stage.run();
    settle().await;
    let numbers = storm.reports(6, CRIT).await;
    storm.stage.store.next(Call::Commit, Fault::SlowAnswer(secs(5)));
    storm.pass(secs(3)).await;
    let sizes = storm.press.sizes("a");
    assert_eq!(sizes, [(0, 1), (1_500, 4)], "{sizes:?}");
    // The slow one is claimed before it could go.
    let slow =
        numbers.iter().find(|n| !storm.press.messages().iter().any(|m| m.incidents.contains(&(**n, CRIT))));
    storm.stage.claim(*slow.unwrap(), "kim").await;
    storm.pass(secs(20)).await;
    is_each_once(&storm.press.accepted(), 5);
}

#[tokio::test]
async fn p12_p23_a_refused_recipient_ends_all_of_them_and_the_next_level_is_due_at_once() {
    let storm = Storm::new(2, &["a", "b"]).await;
    storm.press.refuse("a");
    let _running = storm.stage.run();
    settle().await;
    let numbers = storm.reports(9, CRIT).await;
    storm.pass(secs(5)).await;
    let sum = |to| storm.press.sizes(to).iter().map(|(_, size)| size).sum::<usize>();
    assert_eq!((sum("a"), sum("b")), (9, 9));
    for number in numbers {
        let record = storm.stage.incident(number).await.incident;
        assert_eq!(record.deliveries()[0].last().unwrap().kind, OutcomeKind::Rejected);
    }
    is_each_once(&storm.press.accepted(), 9);
}

#[tokio::test]
async fn p09_p23_another_refusal_splits_the_bundle_and_every_delivery_arrives_once() {
    let storm = Storm::new(1, &["a"]).await;
    let _running = storm.stage.run();
    settle().await;
    storm.reports(100, WARN).await;
    storm.press.next(unavailable());
    storm.press.next(unavailable());
    storm.pass(secs(40)).await;
    let sizes: Vec<_> = storm.press.sizes("a").into_iter().map(|(_, size)| size).collect();
    assert_eq!(sizes[..3], [1, 99, 62], "{sizes:?}");
    assert!(sizes[3..].contains(&7), "{sizes:?}");
    is_each_once(&storm.press.accepted(), 100);
}

#[tokio::test]
async fn p13_p23_an_incident_that_no_carrier_takes_does_not_end_the_others() {
    let storm = Storm::new(1, &["a"]).await;
    let _running = storm.stage.run();
    settle().await;
    let numbers = storm.reports(90, CRIT).await;
    storm.press.poison(numbers[7], Outcome::unavailable("554 a word in it is refused"));
    storm.pass(secs(60)).await;
    is_each_once(&storm.press.accepted(), 89);
    let record = storm.stage.incident(numbers[7]).await.incident;
    assert_eq!(record.deliveries()[0].last().unwrap().kind, OutcomeKind::Unavailable);
}

#[tokio::test]
async fn p10_p23_a_throttled_bundle_comes_again_as_a_whole() {
    let storm = Storm::new(1, &["a"]).await;
    let _running = storm.stage.run();
    settle().await;
    storm.reports(30, CRIT).await;
    storm.press.next(Mood::Answers(Outcome::throttled(secs(3), "451 slower")));
    storm.pass(secs(20)).await;
    let sizes = storm.press.sizes("a");
    assert_eq!(sizes, [(0, 1), (1_000, 29), (4_000, 29)]);
    is_each_once(&storm.press.accepted(), 30);
}

#[tokio::test]
async fn p10_p23_a_panic_is_unknown_for_each_and_the_ids_stay() {
    let storm = Storm::new(1, &["a"]).await;
    let _running = storm.stage.run();
    settle().await;
    storm.reports(20, CRIT).await;
    storm.press.next(Mood::Panics);
    storm.pass(secs(40)).await;
    is_each_once(&storm.press.accepted(), 20);
    let messages = storm.press.messages();
    let first: BTreeSet<_> = messages[1].deliveries.iter().collect();
    let later: BTreeSet<_> = messages[2..].iter().flat_map(|message| &message.deliveries).collect();
    assert_eq!(first, later);
}

#[tokio::test]
async fn p09_p23_a_process_that_dies_in_a_bundle_repeats_it_in_smaller_ones() {
    let storm = Storm::new(1, &["a"]).await;
    let running = storm.stage.run();
    settle().await;
    storm.reports(101, CRIT).await;
    storm.press.next(Mood::Hangs);
    storm.pass(secs(2)).await;
    assert_eq!(storm.press.sizes("a"), [(0, 1), (1_000, 100)]);
    running.task.abort();
    _ = running.task.await;
    let other = storm.another(1).await;
    let _running = other.stage.run();
    other.pass(secs(45)).await;
    let sizes: Vec<_> = other.press.sizes("a").into_iter().skip(2).map(|(_, size)| size).collect();
    assert!(sizes.iter().all(|size| *size <= 62), "{sizes:?}");
    assert!(sizes.contains(&62), "{sizes:?}");
    is_each_once(&other.press.accepted(), 101);
}

#[tokio::test]
async fn p09_p23_a_process_that_starts_bundles_what_waits_and_a_full_bundle_is_followed_at_once() {
    let storm = Storm::new(5, &["a"]).await;
    storm.reports(1_200, WARN).await;
    let _running = storm.stage.run();
    storm.pass(secs(6)).await;
    let sizes: Vec<_> = storm.press.sizes("a").into_iter().map(|(_, size)| size).collect();
    assert_eq!(sizes, [1, 1, 1, 1, 1, 500, 500, 195]);
    let at: Vec<_> = storm.press.sizes("a").into_iter().map(|(at, _)| at).collect();
    assert!(at[7] <= at[5] + 500, "{at:?}");
    is_each_once(&storm.press.accepted(), 1_200);
}

#[tokio::test]
async fn p08_p23_a_level_that_waits_for_pace_has_begun() {
    let storm = Storm::new(1, &["a", "b"]).await;
    storm.press.next(Mood::Answers(Outcome::Accepted));
    let _running = storm.stage.run();
    settle().await;
    let numbers = storm.reports(3, CRIT).await;
    storm.pass(secs(598)).await;
    assert!(storm.press.sizes("b").is_empty());
    storm.pass(secs(6)).await;
    let told: usize = storm.press.sizes("b").iter().map(|(_, size)| size).sum();
    assert_eq!(told, numbers.len());
    assert_eq!(storm.press.sizes("b")[0], (600_000, 1));
}

#[tokio::test]
async fn p10_p23_what_a_stopping_engine_leased_is_sent_once() {
    let storm = Storm::new(1, &["a"]).await;
    let mut running = storm.stage.run();
    settle().await;
    storm.reports(40, CRIT).await;
    storm.press.next(Mood::Takes(secs(3), Outcome::Accepted));
    storm.pass(secs(2)).await;
    running.stop();
    storm.pass(secs(4)).await;
    assert!(running.task.is_finished());
    is_each_once(&storm.press.accepted(), 40);
}
