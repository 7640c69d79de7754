//! Stores that fail, processes that die.

use inresponse_core::OutageKind;
use inresponse_core::engine::Advanced;
use inresponse_core::model::{DeliveryStatus, OutcomeKind};
use inresponse_core::notify::Outcome;
use inresponse_core::testing::RecordingNotifier;

use crate::faulty_roster::Reads;
use crate::support::{Call, Fault, Mood, Stage, after, crit, secs, settle};

#[tokio::test]
async fn p11_a_lease_whose_commit_is_unknown_begins_no_send() {
    for fault in [Fault::HappensUnknown, Fault::Fails(OutageKind::Unknown)] {
        let stage = Stage::new(&["a"]).await;
        let number = stage.report(crit("athens")).await;
        stage.store.next(Call::Commit, fault);
        assert!(stage.engine.advance(number).await.is_err());
        assert_eq!(stage.sent(), "");
        let again = match fault {
            // The record shows the lease. This process knows that it sent nothing.
            Fault::HappensUnknown => "0 1:a#2",
            _ => "0 1:a",
        };
        stage.advance(number).await;
        assert_eq!(stage.sent(), again, "{fault:?}");
    }
}

#[tokio::test]
async fn p09_a_process_that_dies_in_mid_send_leaves_a_delivery_that_is_due_again() {
    let stage = Stage::new(&["a b", "c"]).await;
    let number = stage.report(crit("athens")).await;
    stage.carrier.next("b", Mood::Hangs);
    let dying = stage.advancing(number);
    settle().await;
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    // Another process goes on, once the lease of what was in flight is over.
    let other = stage.another(&["a b", "c"]).await;
    assert_eq!(other.advance(number).await, Advanced::WaitUntil(after(30)));
    other.clock.advance(secs(30));
    assert_eq!(other.advance(number).await, Advanced::WaitUntil(after(600)));
    assert_eq!(stage.sent(), "0 1:a, 0 1:b, 30 1:b#2", "what was accepted is not sent again");
    let sent = stage.carrier.sent_to("b");
    assert_eq!(sent[0].delivery, sent[1].delivery, "a repeat bears the same delivery id");
}

#[tokio::test]
async fn p09_the_same_process_takes_up_what_was_dropped() {
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    stage.carrier.next("a", Mood::Hangs);
    let dropped = stage.advancing(number);
    settle().await;
    dropped.abort();
    _ = dropped.await;
    stage.clock.advance(secs(30));
    stage.advance(number).await;
    assert_eq!(stage.sent(), "0 1:a, 30 1:a#2", "nothing of the first attempt is left behind");
}

#[tokio::test]
async fn p09_five_processes_that_a_delivery_ends_make_it_dead() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    stage.carrier.always("a", Mood::Hangs);
    for _ in 0..5 {
        let dying = stage.advancing(number);
        settle().await;
        dying.abort();
        _ = dying.await;
        stage.clock.advance(secs(30));
    }
    stage.advance(number).await;
    let expected = "0 1:a, 30 1:a#2, 60 1:a#3, 90 1:a#4, 120 1:a#5, 150 2:b";
    assert_eq!(stage.sent(), expected);
}

#[tokio::test]
async fn p09_leases_whose_commits_stayed_unknown_kill_nothing() {
    for wait in [0, 1, 30, 100] {
        let stage = Stage::new(&["a b", "c"]).await;
        let number = stage.report(crit("athens")).await;
        for _ in 0..13 {
            stage.store.next(Call::Commit, Fault::HappensUnknown);
            assert!(stage.engine.advance(number).await.is_err());
            stage.clock.advance(secs(wait));
            // What the process knows it tells even if the store fails once more.
            stage.store.next(Call::Commit, Fault::Fails(OutageKind::Retryable));
            assert!(stage.engine.advance(number).await.is_err());
        }
        stage.advance(number).await;
        let record = stage.incident(number).await.incident;
        assert!(record.deliveries().iter().take(2).all(|d| d.expired() == 0), "after {wait} s: {record:?}");
        assert_eq!(stage.carrier.sent_to("a").len(), 1, "after {wait} s");
        assert_eq!(stage.carrier.sent_to("b").len(), 1, "after {wait} s");
    }
}

#[tokio::test]
async fn p09_p10_a_lease_that_another_process_took_meanwhile_is_left_alone() {
    // Then, or at the very same moment.
    for later in [1, 0] {
        let stage = Stage::new(&["a"]).await;
        let other = stage.another(&["a"]).await;
        let number = stage.report(crit("athens")).await;
        // The commit did not happen, and another process leases the same attempt.
        stage.store.next(Call::Commit, Fault::Fails(OutageKind::Unknown));
        assert!(stage.engine.advance(number).await.is_err());
        stage.clock.advance(secs(later));
        stage.carrier.next("a", Mood::Takes(secs(5), Outcome::Accepted));
        let sending = other.advancing(number);
        settle().await;
        for _ in 0..10 {
            stage.advance(number).await;
            stage.pass(secs(1)).await;
        }
        sending.await.unwrap();
        assert_eq!(stage.sent(), format!("{later} 1:a"));
    }
}

#[tokio::test]
async fn p10_a_carrier_that_takes_several_leases_is_sent_to_once() {
    for takes in [5, 15, 29, 31, 60, 119] {
        let stage = Stage::new(&["a", "b"]).await;
        let other = stage.another(&["a", "b"]).await;
        let number = stage.report(crit("athens")).await;
        stage.carrier.next("a", Mood::Takes(secs(takes), Outcome::Accepted));
        let sending = stage.advancing(number);
        settle().await;
        for _ in 0..takes + 5 {
            other.engine.tick().await.unwrap();
            stage.pass(secs(1)).await;
        }
        assert_eq!(sending.await.unwrap(), Advanced::WaitUntil(after(600)));
        assert_eq!(stage.sent(), "0 1:a", "which took {takes} s");
        let record = stage.incident(number).await.incident;
        assert!(matches!(record.deliveries()[0].status(), DeliveryStatus::Accepted { .. }));
    }
}

#[tokio::test]
async fn p10_p14_a_slow_lease_and_a_slow_carrier_repeat_nothing() {
    for (lease, takes) in [(2, 29), (9, 14), (11, 20), (19, 14), (25, 25), (29, 40), (45, 1)] {
        let stage = Stage::new(&["a", "b"]).await;
        let other = stage.another(&["a", "b"]).await;
        let number = stage.report(crit("athens")).await;
        stage.store.next(Call::Commit, Fault::SlowAnswer(secs(lease)));
        stage.carrier.always("a", Mood::Takes(secs(takes), Outcome::Accepted));
        let sending = stage.advancing(number);
        for _ in 0..lease + 2 * takes + 40 {
            // The other process also sees what this one does, and takes over what is due.
            let (engine, number) = (other.engine.clone(), number);
            tokio::spawn(async move { engine.advance(number).await });
            stage.pass(secs(1)).await;
        }
        sending.abort();
        assert_eq!(
            stage.carrier.sent_to("a").len(),
            1,
            "lease {lease} s, carrier {takes} s: {}",
            stage.sent()
        );
    }
}

#[tokio::test]
async fn p09_a_process_that_dies_in_a_long_send_is_taken_over_within_a_lease() {
    let stage = Stage::new(&["a", "b"]).await;
    let other = stage.another(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    stage.carrier.next("a", Mood::Hangs);
    let dying = stage.advancing(number);
    stage.pass(secs(55)).await;
    dying.abort();
    _ = dying.await;
    for _ in 0..31 {
        other.engine.tick().await.unwrap();
        stage.pass(secs(1)).await;
    }
    let sent = stage.carrier.sent_to("a");
    assert_eq!(sent.len(), 2);
    assert!(sent[1].at <= after(85), "{}", stage.sent());
}

#[tokio::test]
async fn p14_a_send_whose_lease_cannot_be_renewed_is_given_up_before_the_lease_is_over() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    stage.carrier.next("a", Mood::Takes(secs(100), Outcome::Accepted));
    let sending = stage.advancing(number);
    settle().await;
    for _ in 0..200 {
        stage.store.next(Call::Load, Fault::Fails(OutageKind::Retryable));
    }
    stage.pass(secs(19)).await;
    let is_in_flight = async || {
        let record = stage.store.peek(number).await.incident;
        matches!(record.deliveries()[0].status(), DeliveryStatus::InFlight { .. })
    };
    assert!(is_in_flight().await);
    stage.pass(secs(2)).await;
    assert!(!is_in_flight().await, "it is unknown from second 20 on");
    sending.abort();
}

#[tokio::test]
async fn p11_a_claim_during_a_long_send_lets_it_end_and_sends_nothing_more() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    stage.carrier.next("a", Mood::Takes(secs(70), Outcome::Accepted));
    let sending = stage.advancing(number);
    stage.pass(secs(5)).await;
    stage.claim(number, "jo").await;
    stage.pass(secs(70)).await;
    assert_eq!(sending.await.unwrap(), Advanced::Done);
    let record = stage.incident(number).await.incident;
    assert!(matches!(record.deliveries()[0].status(), DeliveryStatus::Accepted { .. }));
    assert_eq!(stage.sent(), "0 1:a");
}

#[tokio::test]
async fn p10_an_outcome_is_recorded_however_long_the_store_takes() {
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    stage.store.next(Call::Commit, Fault::None); // the lease
    for kind in [OutageKind::Retryable, OutageKind::Permanent, OutageKind::Unknown] {
        stage.store.next(Call::Commit, Fault::Fails(kind));
    }
    stage.store.next(Call::Commit, Fault::HappensUnknown);
    stage.store.next(Call::Load, Fault::None);
    stage.store.next(Call::Load, Fault::Fails(OutageKind::Retryable));
    let advancing = stage.advancing(number);
    stage.pass(secs(15)).await;
    assert_eq!(advancing.await.unwrap(), Advanced::WaitUntil(after(600)));
    assert_eq!(stage.sent(), "0 1:a", "it is not sent again for that");
    assert_eq!(stage.incident(number).await.incident.deliveries()[0].attempts(), 1);
}

#[tokio::test]
async fn p10_an_outcome_merges_into_what_the_incident_has_become() {
    let stage = Stage::new(&["a b c"]).await;
    let number = stage.report(crit("athens")).await;
    stage.carrier.next("a", Mood::Takes(secs(1), Outcome::Accepted));
    stage.carrier.next("b", Mood::Takes(secs(1), Outcome::rejected("550")));
    stage.carrier.next("c", Mood::Takes(secs(1), Outcome::Accepted));
    let advancing = stage.advancing(number);
    settle().await;
    stage.claim(number, "jo").await;
    stage.pass(secs(2)).await;
    assert_eq!(advancing.await.unwrap(), Advanced::Done);
    let deliveries = stage.incident(number).await.incident;
    let statuses: Vec<_> = deliveries.deliveries().iter().map(|d| d.status()).collect();
    assert!(matches!(statuses[0], DeliveryStatus::Accepted { .. }));
    assert!(matches!(statuses[1], DeliveryStatus::Dead { .. }));
    assert!(matches!(statuses[2], DeliveryStatus::Accepted { .. }));
}

#[tokio::test]
async fn p11_no_send_begins_under_a_slow_lease_once_it_is_claimed() {
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    // The lease is committed, but its answer is late; meanwhile somebody claims.
    stage.store.next(Call::Commit, Fault::SlowAnswer(secs(5)));
    let advancing = stage.advancing(number);
    settle().await;
    let claimer = stage.clone();
    let claiming = tokio::spawn(async move { claimer.claim(number, "jo").await });
    stage.pass(secs(6)).await;
    assert_eq!(advancing.await.unwrap(), Advanced::Done);
    claiming.await.unwrap();
    assert_eq!(stage.sent(), "");
    let record = stage.incident(number).await.incident;
    assert_eq!(record.deliveries()[0].last().unwrap().kind, OutcomeKind::NotBegun);
}

#[tokio::test]
async fn p11_no_send_begins_after_a_look_that_is_slow_itself_once_it_is_claimed() {
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    stage.store.next(Call::Commit, Fault::SlowAnswer(secs(5)));
    stage.store.next(Call::Load, Fault::None);
    stage.store.next(Call::Load, Fault::SlowAnswer(secs(3)));
    let advancing = stage.advancing(number);
    // What the look saw at second 5 is old when it is answered: somebody claims at second 6.
    stage.pass(secs(6)).await;
    let claimed = stage.claim(number, "jo").await;
    assert!(matches!(claimed, inresponse_core::engine::Updated::Changed(_)), "{claimed:?}");
    stage.pass(secs(3)).await;
    assert_eq!(advancing.await.unwrap(), Advanced::Done);
    assert_eq!(stage.sent(), "");
}

#[tokio::test]
async fn p11_no_send_of_a_round_that_is_over_begins_under_a_slow_lease() {
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    stage.store.next(Call::Commit, Fault::SlowAnswer(secs(5)));
    let advancing = stage.advancing(number);
    settle().await;
    // Claimed and released before the first round's send began: the person on call now is told, once.
    let claimer = stage.clone();
    let claiming = tokio::spawn(async move {
        claimer.claim(number, "jo").await;
        let release = inresponse_core::plan::StateChange::Release(inresponse_core::plan::TakeOver::No);
        claimer.request(number, "jo", release).await;
    });
    stage.pass(secs(6)).await;
    advancing.await.unwrap();
    claiming.await.unwrap();
    let rounds: Vec<_> = stage.carrier.sent().iter().map(|sent| sent.round).collect();
    assert_eq!(rounds, [2]);
}

#[tokio::test]
async fn p11_a_slow_lease_of_an_open_incident_is_looked_at_once_more_and_sent() {
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    stage.store.next(Call::Commit, Fault::SlowAnswer(secs(5)));
    let advancing = stage.advancing(number);
    stage.pass(secs(6)).await;
    advancing.await.unwrap();
    assert_eq!(stage.sent(), "5 1:a");
}

#[tokio::test]
async fn p14_no_send_begins_under_a_lease_that_is_over() {
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    stage.store.next(Call::Commit, Fault::SlowAnswer(secs(31)));
    let advancing = stage.advancing(number);
    stage.pass(secs(40)).await;
    advancing.await.unwrap();
    assert_eq!(stage.sent(), "31 1:a", "nobody took it over, so the lease was renewed");
}

#[tokio::test]
async fn p14_no_send_begins_under_a_lease_that_another_process_took_over() {
    let stage = Stage::new(&["a"]).await;
    let other = stage.another(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    stage.store.next(Call::Commit, Fault::SlowAnswer(secs(31)));
    let advancing = stage.advancing(number);
    stage.pass(secs(30)).await;
    other.advance(number).await;
    assert_eq!(stage.sent(), "30 1:a#2");
    stage.pass(secs(10)).await;
    advancing.await.unwrap();
    assert_eq!(stage.sent(), "30 1:a#2");
}

#[tokio::test]
async fn p04_an_outage_while_advancing_is_an_error_and_nothing_is_lost() {
    for call in [Call::Load, Call::Commit] {
        let stage = Stage::new(&["a"]).await;
        let number = stage.report(crit("athens")).await;
        stage.store.next(call, Fault::Fails(OutageKind::Retryable));
        assert!(stage.engine.advance(number).await.is_err());
        stage.advance(number).await;
        assert_eq!(stage.sent(), "0 1:a");
    }
}

#[tokio::test]
async fn p09_an_outage_while_sends_are_under_way_lets_them_finish_first() {
    let stage = Stage::new(&["a b"]).await;
    let number = stage.report(crit("athens")).await;
    stage.carrier.next("b", Mood::Takes(secs(3), Outcome::Accepted));
    stage.store.next(Call::Load, Fault::None);
    stage.store.next(Call::Load, Fault::Fails(OutageKind::Retryable));
    let engine = stage.engine.clone();
    let advancing = tokio::spawn(async move { engine.advance(number).await });
    stage.pass(secs(4)).await;
    assert!(advancing.await.unwrap().is_err());
    let record = stage.incident(number).await.incident;
    assert!(record.deliveries().iter().all(|d| matches!(d.status(), DeliveryStatus::Accepted { .. })));
}

#[tokio::test]
async fn p10_many_who_advance_one_incident_send_each_delivery_once() {
    let stage = Stage::new(&["a b c", "d e", "f"]).await;
    let other = stage.another(&["a b c", "d e", "f"]).await;
    let number = stage.report(crit("athens")).await;
    for _ in 0..3 {
        let advancing: Vec<_> =
            (0..8).map(|i| if i % 2 == 0 { &stage } else { &other }.advancing(number)).collect();
        for task in advancing {
            _ = task.await.unwrap();
        }
        stage.clock.advance(secs(600));
    }
    let mut sent: Vec<_> = stage.carrier.sent().iter().map(|s| format!("{}:{}", s.level, s.to)).collect();
    sent.sort();
    assert_eq!(sent, ["1:a", "1:b", "1:c", "2:d", "2:e", "3:f"]);
}

#[tokio::test]
async fn the_recording_notifier_remembers_and_obeys() {
    let notifier = RecordingNotifier::new();
    let a = crate::support::contacts("a").remove(0);
    notifier.then_for(a.clone(), Outcome::rejected("550"));
    notifier.then(Outcome::unavailable("421"));
    let (stage, recording) = Stage::recording(&["b a", "c"], notifier).await;
    let number = stage.report(crit("athens")).await;
    stage.advance(number).await;
    let attempts = recording.attempts();
    assert_eq!(attempts.len(), 2);
    assert!(attempts.iter().all(|a| a.attempt == 1 && a.round == 1 && a.incident == number));
    let url = attempts[0].claim_url.as_deref().unwrap();
    let token = url.split_once("token=").unwrap().1;
    let claim = stage.engine.verify_claim(number, token).unwrap();
    assert_eq!((claim.incident, &claim.recipient), (number, &attempts[0].contact));
}

#[tokio::test]
async fn p10_the_time_in_which_the_roster_was_read_is_part_of_the_first_lease() {
    // How long the roster takes, and how far the wall clock of this server goes back meanwhile. The carrier takes six
    // seconds for each message, and a server with another clock sends what is still unsent when a lease ends.
    let cases = [(0, 0), (15, 0), (25, 0), (29, 0), (45, 0), (15, 10), (25, 16), (28, 19)];
    for (seconds, back) in cases {
        let (stage, roster) = Stage::reading(&["a"]).await;
        let other = stage.elsewhere(&["a"]).await;
        stage.carrier.always("a", Mood::Takes(secs(6), Outcome::Accepted));
        let mut running = [stage.run(), other.run()];
        settle().await;
        roster.teams(Reads::Take(secs(seconds)));
        let reporter = stage.clone();
        let reporting = tokio::spawn(async move { reporter.report(crit("athens")).await });
        for second in 0..100 {
            settle().await;
            if second == 5 {
                stage.clock.jump(after(5 - back));
            }
            [&stage, &other].iter().for_each(|server| server.clock.advance(secs(1)));
        }
        reporting.await.unwrap();
        let sent = stage.sent();
        assert_eq!(stage.carrier.sent().len(), 1, "{seconds} s, {back} s back: {sent}");
        running.iter_mut().for_each(crate::support::Running::stop);
    }
}
