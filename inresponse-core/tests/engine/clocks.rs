//! Clocks that jump.

use std::time::Duration;

use inresponse_core::OutageKind;
use inresponse_core::notify::Outcome;
use inresponse_core::plan;

use crate::support::{Call, Fault, Mood, Stage, T0, after, crit, secs, settle};

const TEN_YEARS: i64 = 10 * 365 * 24 * 3600;

#[tokio::test]
async fn p14_under_a_clock_that_goes_back_ten_years_everything_goes_on() {
    let stage = Stage::new(&["a u", "b"]).await;
    stage.carrier.next("u", Mood::Answers(Outcome::unavailable("421")));
    let mut running = stage.run();
    stage.report(crit("athens")).await;
    stage.pass(secs(100)).await;
    assert_eq!(stage.sent(), "0 1:a, 0 1:u, 1 1:u#2");
    stage.clock.jump(after(-TEN_YEARS));
    stage.pass(secs(498)).await;
    assert_eq!(stage.carrier.sent().len(), 3, "not before its wait is over");
    // At the latest as long after the jump as it was after the last change, which was the second attempt.
    stage.pass(secs(103)).await;
    let told = stage.sent();
    assert_eq!((told.ends_with("2:b"), stage.carrier.sent().len()), (true, 4), "{told}");
    // And what is reported now is alerted now.
    stage.report(crit("athens")).await;
    settle().await;
    assert_eq!(stage.carrier.sent().len(), 6);
    running.stop();
}

#[tokio::test]
async fn p14_what_changed_between_a_jump_and_its_repair_is_brought_back_too() {
    let stage = Stage::new(&["a", "b"]).await;
    stage.carrier.next("a", Mood::Takes(Duration::from_millis(300), Outcome::Accepted));
    let mut running = stage.run();
    settle().await;
    stage.report(crit("athens")).await;
    settle().await;
    // The outcome is recorded by the clock as it is now, before the runner has looked at the clock.
    stage.clock.jump(after(-TEN_YEARS));
    stage.pass(secs(99)).await;
    assert_eq!(stage.carrier.finished(), 1);
    stage.pass(secs(505)).await;
    assert_eq!(stage.carrier.sent_to("b").len(), 1);
    running.stop();
}

#[tokio::test]
async fn p14_what_is_written_by_the_old_time_after_the_repair_is_brought_back_too() {
    let stage = Stage::new(&["a", "b"]).await;
    let mut running = stage.run();
    settle().await;
    // The report is on its way into a slow store while the clock goes back and the runner brings times back.
    stage.store.next(Call::Create, Fault::SlowCall(secs(5)));
    let reporter = stage.clone();
    let reporting = tokio::spawn(async move { reporter.report(crit("athens")).await });
    settle().await;
    stage.clock.jump(after(-TEN_YEARS));
    stage.pass(secs(10)).await;
    reporting.await.unwrap();
    stage.pass(secs(600)).await;
    assert_eq!(stage.carrier.sent_to("b").len(), 1, "{}", stage.sent());
    running.stop();
}

#[tokio::test]
async fn p14_a_clock_that_went_back_while_nothing_ran_loses_nothing() {
    let stage = Stage::new(&["a", "b"]).await;
    let old = stage.report(crit("athens")).await;
    stage.advance(old).await;
    // The newest incident was closed before the old one escalated for the last time.
    let newest = stage.report(crit("athens")).await;
    stage.request(newest, "jo", inresponse_core::plan::StateChange::Resolve).await;
    stage.clock.jump(after(590));
    stage.claim(old, "jo").await;
    let release = inresponse_core::plan::StateChange::Release(inresponse_core::plan::TakeOver::No);
    stage.request(old, "jo", release).await;
    stage.advance(old).await;
    assert_eq!(stage.sent(), "0 1:a, 590 1:a");
    stage.clock.jump(after(100));
    let mut running = stage.run();
    stage.pass(secs(602)).await;
    assert_eq!(stage.sent(), "0 1:a, 590 1:a, 700 2:b");
    running.stop();
}

#[tokio::test]
async fn p14_what_was_committed_too_shortly_before_to_be_seen_is_brought_back_too() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    stage.advance(number).await;
    stage.clock.jump(after(-TEN_YEARS));
    for _ in 0..3 {
        stage.store.next(Call::Due, Fault::Lags);
    }
    let mut running = stage.run();
    stage.pass(secs(620)).await;
    assert_eq!(stage.carrier.sent_to("b").len(), 1);
    running.stop();
}

#[tokio::test]
async fn p14_times_are_brought_back_even_if_the_store_was_unavailable_just_then() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    stage.advance(number).await;
    stage.clock.jump(after(-TEN_YEARS));
    for call in [Call::List, Call::Due, Call::Due, Call::Due] {
        stage.store.next(call, Fault::Fails(OutageKind::Retryable));
    }
    let mut running = stage.run();
    stage.pass(secs(610)).await;
    assert_eq!(stage.carrier.sent_to("b").len(), 1);

    stage.clock.jump(after(-2 * TEN_YEARS));
    for _ in 0..3 {
        stage.store.next(Call::Due, Fault::Fails(OutageKind::Retryable));
    }
    stage.pass(secs(610)).await;
    assert_eq!(stage.carrier.sent_to("z").len(), 1, "the same while it ran");
    running.stop();
}

#[tokio::test]
async fn p14_a_clock_that_was_ahead_only_while_the_store_kept_the_runner_waiting_is_noticed() {
    let stage = Stage::new(&["a", "b"]).await;
    stage.carrier.next("a", Mood::Takes(secs(2), Outcome::unavailable("busy")));
    let mut running = stage.run();
    stage.report(crit("athens")).await;
    stage.store.next(Call::Due, Fault::SlowCall(secs(8)));
    stage.pass(secs(1)).await;
    stage.clock.jump(after(5301));
    stage.pass(secs(2)).await;
    stage.clock.jump(after(3));
    stage.pass(secs(60)).await;
    assert_eq!(stage.carrier.sent_to("a").len(), 2, "{}", stage.sent());
    running.stop();
}

#[tokio::test]
async fn p14_after_a_forward_jump_nothing_is_twice_in_flight() {
    let stage = Stage::new(&["a", "b"]).await;
    stage.carrier.next("a", Mood::Takes(secs(10), Outcome::Accepted));
    let mut running = stage.run();
    stage.report(crit("athens")).await;
    stage.pass(secs(1)).await;
    stage.clock.jump(T0 + chrono::TimeDelta::days(1));
    stage.pass(secs(8)).await;
    assert_eq!(stage.sent(), "0 1:a", "its lease is over by the wall clock, but it is in flight here");
    stage.pass(secs(3)).await;
    assert_eq!(stage.carrier.most_at_once(), 1);
    assert_eq!(stage.carrier.sent_to("a").len(), 1, "and it was accepted");
    assert_eq!(stage.carrier.sent_to("b").len(), 1, "the wait is over by the wall clock");
    running.stop();
}

#[tokio::test]
async fn p14_after_a_forward_jump_nothing_is_twice_in_flight_without_a_runner() {
    let stage = Stage::new(&["a", "b"]).await;
    stage.carrier.next("a", Mood::Takes(secs(10), Outcome::Accepted));
    let number = stage.report(crit("athens")).await;
    let first = stage.advancing(number);
    stage.pass(secs(1)).await;
    stage.clock.jump(after(3600));
    let second = stage.advancing(number);
    stage.pass(secs(8)).await;
    assert_eq!(stage.sent(), "0 1:a");
    stage.pass(secs(3)).await;
    _ = (first.await.unwrap(), second.await.unwrap());
    assert_eq!((stage.carrier.most_at_once(), stage.carrier.sent_to("a").len()), (1, 1));
}

#[tokio::test]
async fn p14_a_lease_that_a_clock_ahead_may_take_as_over_is_renewed_before_its_send_begins() {
    let stage = Stage::new(&["a", "b"]).await;
    // The lease is thirty seconds long, and was taken with the create.
    stage.store.next(Call::Create, Fault::SlowAnswer(secs(22)));
    let mut running = stage.run();
    settle().await;
    let reporter = stage.clone();
    let reporting = tokio::spawn(async move { reporter.report(crit("athens")).await });
    stage.carrier.next("a", Mood::Takes(secs(9), Outcome::Accepted));
    stage.pass(secs(23)).await;
    let number = reporting.await.unwrap();
    let lease = stage.store.peek(number).await.incident;
    assert!(plan::due_at(&lease) >= Some(after(52)), "until {:?}", plan::due_at(&lease));
    stage.pass(secs(20)).await;
    assert_eq!(stage.sent(), "22 1:a");
    running.stop();
}

#[tokio::test]
async fn p14_a_lease_ends_by_either_clock() {
    // While the commit of the lease is on its way, the wall clock jumps past the end of the lease.
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    stage.store.next(Call::Commit, Fault::SlowAnswer(secs(1)));
    let advancing = stage.advancing(number);
    settle().await;
    stage.clock.jump(after(60));
    stage.pass(secs(2)).await;
    _ = advancing.await.unwrap();
    assert_eq!(stage.sent(), "61 1:a");
    let record = stage.store.peek(number).await.incident;
    let attempts: Vec<_> = record.deliveries().iter().map(|d| d.attempts()).collect();
    assert_eq!(attempts, [1], "its lease was renewed before it began");
    // It goes back while the commit takes longer than the lease, which somebody else takes over.
    let number = stage.report(crit("athens")).await;
    stage.store.next(Call::Commit, Fault::SlowAnswer(secs(31)));
    let advancing = stage.advancing(number);
    settle().await;
    stage.clock.jump(after(0));
    stage.pass(secs(30)).await;
    let other = stage.another(&["a"]).await;
    stage.clock.jump(after(200));
    other.advance(number).await;
    stage.pass(secs(3)).await;
    let sent = stage.carrier.sent();
    let of_this: Vec<_> = sent.iter().filter(|sent| sent.incident == number).collect();
    assert_eq!(of_this.len(), 1, "{}", stage.sent());
    assert_eq!(of_this[0].attempt, 2);
    advancing.abort();
}

#[tokio::test]
async fn p14_a_restart_reads_nothing_of_what_was_written_by_the_clock_as_it_is() {
    let before = Stage::new(&["a", "b"]).await;
    for _ in 0..50 {
        let number = before.report(crit("athens")).await;
        before.advance(number).await;
    }
    let stage = before.another(&["a", "b"]).await;
    stage.clock.advance(secs(1));
    let mut running = stage.run();
    stage.pass(secs(20)).await;
    assert_eq!(stage.store.ahead(), 0, "nor does the second look");
    assert_eq!(stage.carrier.sent_to("a").len(), 50);
    running.stop();
}
