//! Reports, repeats, and what people do.

use inresponse_core::OutageKind;
use inresponse_core::engine::{Advanced, Reported, Updated};
use inresponse_core::model::{DedupKey, ServiceName, Severity, State};
use inresponse_core::plan::{Refusal, StateChange, TakeOver, Update};
use inresponse_core::roster::Team;

use crate::support::{Call, Fault, Stage, after, contacts, crit, person, secs, settle, team};

#[tokio::test]
async fn p01_p02_a_report_gets_a_number_and_alerts_at_once() {
    let stage = Stage::new(&["a b", "c"]).await;
    let first = stage.report(crit("athens")).await;
    let second = stage.report(crit("athens")).await;
    assert!(second > first);
    assert_eq!(stage.incident(first).await.incident.state(), State::Open);
    assert_eq!(stage.advance(first).await, Advanced::WaitUntil(after(600)));
    assert_eq!(stage.sent(), "0 1:a, 0 1:b");
    let record = stage.incident(first).await;
    assert_eq!((record.count, record.incident.deliveries().len()), (1, 2));
}

#[tokio::test]
async fn p16_a_report_for_a_service_that_nobody_owns_stores_nothing() {
    let stage = Stage::new(&["a"]).await;
    let reported = stage.engine.report(crit("sparta").build().unwrap()).await.unwrap();
    assert_eq!(reported, Reported::UnknownService);
    assert_eq!((stage.store.calls(Call::Create), stage.engine.census().await.unwrap().open), (0, 0));
}

#[tokio::test]
async fn p03_a_repeat_is_counted_and_raises_but_never_alerts_twice() {
    let warn_alerts_one = Team::builder(contacts("z")).alert_levels(Severity::Warn, vec![1]).build().unwrap();
    let stage = Stage::with(&["a", "b"], warn_alerts_one).await;
    let report = |severity| {
        inresponse_core::model::Report::builder("athens", severity, "t").dedup_key("k").message("m")
    };
    let number = stage.report(report(Severity::Warn)).await;
    stage.advance(number).await;
    stage.clock.advance(secs(700));
    for severity in [Severity::Warn, Severity::Warn] {
        assert_eq!(stage.report(report(severity)).await, number);
    }
    let quiet = stage.incident(number).await;
    assert_eq!((quiet.count, quiet.incident.timeline().entries().len()), (3, 2), "counted, not told");
    assert_eq!(stage.report(report(Severity::Crit)).await, number);
    assert_eq!(stage.report(report(Severity::Err)).await, number, "a lower one is noted");
    stage.advance(number).await;
    assert_eq!(stage.sent(), "0 1:a, 700 2:b");
    assert_eq!(stage.incident(number).await.count, 5);

    stage.request(number, "jo", StateChange::Resolve).await;
    let (service, key) = (ServiceName::new("athens").unwrap(), DedupKey::new("k").unwrap());
    assert_eq!(stage.engine.find_open(&service, &key).await.unwrap(), None);
    let next = stage.report(report(Severity::Warn)).await;
    assert!(next > number, "the key is free once it is resolved");
    let open = stage.engine.find_open(&service, &key).await.unwrap();
    assert_eq!(open.map(|record| record.number()), Some(next));
}

#[tokio::test]
async fn p03_concurrent_reports_with_one_key_are_one_incident() {
    let stage = Stage::new(&["a"]).await;
    let reports = (0..20).map(|_| {
        let stage = stage.clone();
        tokio::spawn(async move { stage.report(crit("athens").dedup_key("k")).await })
    });
    let mut numbers = Vec::new();
    for report in reports.collect::<Vec<_>>() {
        numbers.push(report.await.unwrap());
    }
    numbers.dedup();
    assert_eq!(numbers.len(), 1);
    assert_eq!(stage.incident(numbers[0]).await.count, 20);
}

#[tokio::test]
async fn p04_a_create_whose_result_is_unknown_is_an_error_and_still_alerts() {
    let stage = Stage::new(&["a"]).await;
    stage.store.next(Call::Create, Fault::HappensUnknown);
    let report = || crit("athens").dedup_key("k");
    let error = stage.engine.report(report().build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), OutageKind::Unknown);
    assert_eq!(stage.engine.tick().await.unwrap(), 1);
    assert_eq!(stage.sent(), "0 1:a");
    let number = stage.report(report()).await;
    assert_eq!(stage.incident(number).await.count, 2, "with a key it is safe to send it again");
}

#[tokio::test]
async fn p04_under_a_runner_an_unknown_create_alerts_once_its_lease_is_over() {
    let stage = Stage::new(&["a"]).await;
    let mut running = stage.run();
    settle().await;
    stage.store.next(Call::Create, Fault::HappensUnknown);
    assert!(stage.engine.report(crit("athens").build().unwrap()).await.is_err());
    stage.pass(secs(29)).await;
    assert_eq!(stage.sent(), "", "for all that is known, somebody is sending it");
    stage.pass(secs(3)).await;
    assert_eq!(stage.sent(), "30 1:a#2");
    running.stop();
}

#[tokio::test]
async fn p04_a_create_that_failed_has_done_nothing() {
    let stage = Stage::new(&["a"]).await;
    for kind in [OutageKind::Retryable, OutageKind::Permanent, OutageKind::Unknown] {
        stage.store.next(Call::Create, Fault::Fails(kind));
        let error = stage.engine.report(crit("athens").build().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
    }
    assert_eq!(stage.engine.tick().await.unwrap(), 0);
}

#[tokio::test]
async fn p06_of_concurrent_claims_one_wins_and_the_others_learn_who() {
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    let claims = (0..16).map(|i| {
        let stage = stage.clone();
        tokio::spawn(async move { stage.claim(number, &format!("p{i}")).await })
    });
    let mut refused = Vec::new();
    let mut winner = None;
    for claim in claims.collect::<Vec<_>>() {
        match claim.await.unwrap() {
            Updated::Changed(record) => {
                assert!(winner.is_none(), "two won");
                winner = record.incident.claimed().map(|c| c.by.clone());
            }
            Updated::Refused(_, Refusal::ClaimedBy(who)) => refused.push(who),
            other => panic!("{other:?}"),
        }
    }
    let winner = winner.expect("one wins");
    assert_eq!(refused.len(), 15);
    assert!(refused.iter().all(|who| *who == winner));
    assert!(matches!(stage.claim(number, winner.as_str()).await, Updated::Unchanged(_)));
    let over = stage.request(number, "al", StateChange::Claim(TakeOver::Yes)).await;
    assert!(matches!(over, Updated::Changed(_)));
}

#[tokio::test]
async fn p05_an_update_of_an_incident_that_is_not_there_is_absent() {
    let stage = Stage::new(&["a"]).await;
    let number = inresponse_core::model::IncidentNumber::new(1);
    assert_eq!(stage.claim(number, "jo").await, Updated::Absent);
    assert_eq!(stage.advance(number).await, Advanced::Absent);
}

#[tokio::test]
async fn p04_an_update_whose_commit_is_unknown_is_an_error_and_may_be_sent_again() {
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    let claim = Update::state(person("jo"), StateChange::Claim(TakeOver::No));
    stage.store.next(Call::Commit, Fault::HappensUnknown);
    assert_eq!(stage.engine.update(number, &claim).await.unwrap_err().kind(), OutageKind::Unknown);
    assert!(matches!(stage.engine.update(number, &claim).await.unwrap(), Updated::Unchanged(_)));
}

#[tokio::test]
async fn p12_who_is_on_call_follows_the_calendar_and_the_defaults() {
    let stage = Stage::new(&["a"]).await;
    let on_call = stage.engine.on_call(&team("devops"), after(0)).await.unwrap().unwrap();
    assert_eq!(on_call.matrix.height(), 1);
    assert_eq!(stage.engine.on_call(&team("nobody"), after(0)).await.unwrap(), None);
    assert!(!stage.engine.can_alert(&team("nobody")).await.unwrap());
}
