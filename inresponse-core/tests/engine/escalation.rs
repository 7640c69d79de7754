//! Levels over time, claims, releases.

use inresponse_core::engine::{Advanced, Updated};
use inresponse_core::model::{DeliveryStatus, Level, State};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::{Rota, Team};
use inresponse_core::testing::RosterTestExt;

use crate::support::{Call, Fault, Mood, Stage, T0, after, contacts, crit, person, secs, settle, team};

#[tokio::test]
async fn p08_p12_an_incident_escalates_to_the_fallback_and_is_unclaimed() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    let mut until = Vec::new();
    while let Advanced::WaitUntil(at) = stage.advance(number).await {
        until.push((at - T0).num_seconds());
        stage.clock.jump(at);
    }
    assert_eq!(until, [600, 1200]);
    assert_eq!(stage.sent(), "0 1:a, 600 2:b, 1200 fallback:z");
    let census = stage.engine.census().await.unwrap();
    assert_eq!((census.open, census.unclaimed, census.undelivered), (1, 1, 0));
}

#[tokio::test]
async fn p08_advancing_too_early_or_too_often_does_nothing() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    for seconds in [0, 1, 300, 599] {
        stage.clock.jump(after(seconds));
        assert_eq!(stage.advance(number).await, Advanced::WaitUntil(after(600)));
    }
    assert_eq!(stage.sent(), "0 1:a");
}

#[tokio::test]
async fn p12_where_everybody_is_dead_the_fallback_comes_at_once() {
    let stage = Stage::new(&["x", "", "x y"]).await;
    for to in ["x", "y", "z"] {
        stage.carrier.always(to, Mood::Answers(Outcome::rejected("550")));
    }
    let number = stage.report(crit("athens")).await;
    stage.carrier.next("z", Mood::Answers(Outcome::unavailable("421")));
    let Advanced::WaitUntil(again) = stage.advance(number).await else {
        panic!("the fallback is tried again")
    };
    assert_eq!(stage.sent(), "0 1:x, 0 3:x, 0 3:y, 0 fallback:z");
    assert_eq!(stage.engine.census().await.unwrap().undelivered, 0, "it may still be reached");
    stage.clock.jump(again);
    assert_eq!(stage.advance(number).await, Advanced::Done);
    let census = stage.engine.census().await.unwrap();
    assert_eq!((census.unclaimed, census.undelivered), (1, 1));
}

#[tokio::test]
async fn p12_a_contact_that_no_notifier_reaches_is_dead() {
    let stage = Stage::new(&["a"]).await;
    let sms = inresponse_core::model::Contact::new("sms:+123").unwrap();
    let rota = Rota::new(vec![sms], vec![contacts("b")]).unwrap();
    stage.engine.roster().put_day(&team("devops"), T0.date_naive(), &rota).await.unwrap();
    let number = stage.report(crit("athens")).await;
    stage.advance(number).await;
    assert_eq!(stage.sent(), "0 2:b");
}

#[tokio::test]
async fn p11_a_claim_stops_the_alerts_and_a_release_begins_again_at_once() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    stage.advance(number).await;
    stage.clock.advance(secs(599));
    assert!(matches!(stage.claim(number, "jo").await, Updated::Changed(_)));
    for _ in 0..3 {
        stage.clock.advance(secs(3600));
        assert_eq!(stage.advance(number).await, Advanced::Done);
        assert_eq!(stage.engine.tick().await.unwrap(), 0);
    }
    assert_eq!(stage.sent(), "0 1:a");
    let released = stage.request(number, "jo", StateChange::Release(TakeOver::No)).await;
    assert!(matches!(released, Updated::Changed(_)));
    stage.advance(number).await;
    assert_eq!(stage.sent(), "0 1:a, 11399 1:a");
    assert_eq!(stage.carrier.sent()[1].round, 2);
    stage.request(number, "al", StateChange::Resolve).await;
    stage.clock.advance(secs(3600));
    assert_eq!(stage.advance(number).await, Advanced::Done);
}

#[tokio::test]
async fn p11_a_claim_while_a_send_is_under_way_is_kept_and_so_is_the_outcome() {
    for outcome in [Outcome::Accepted, Outcome::unavailable("421"), Outcome::rejected("550")] {
        let stage = Stage::new(&["a", "b"]).await;
        let number = stage.report(crit("athens")).await;
        stage.carrier.next("a", Mood::Takes(secs(3), outcome.clone()));
        let advancing = stage.advancing(number);
        settle().await;
        stage.claim(number, "jo").await;
        stage.pass(secs(4)).await;
        assert_eq!(advancing.await.unwrap(), Advanced::Done, "{outcome:?}");
        let record = stage.incident(number).await;
        assert_eq!(record.incident.state(), State::Claimed);
        let status = record.incident.deliveries()[0].status();
        let expected = match outcome {
            Outcome::Accepted | Outcome::AcceptedAs(_) => matches!(status, DeliveryStatus::Accepted { .. }),
            Outcome::Rejected { .. } => matches!(status, DeliveryStatus::Dead { .. }),
            _ => matches!(status, DeliveryStatus::Stopped { .. }),
        };
        assert!(expected, "{outcome:?}: {status:?}");
    }
}

#[tokio::test]
async fn p08_each_round_asks_the_calendar_of_its_own_instant() {
    let stage = Stage::with(&["a"], Team::builder(contacts("z")).repeat(1).build().unwrap()).await;
    let number = stage.report(crit("athens")).await;
    stage.advance(number).await;
    // From tomorrow on it is somebody else's turn.
    let tomorrow = (T0 + chrono::TimeDelta::days(1)).date_naive();
    let rota = Rota::new(contacts("t"), vec![]).unwrap();
    stage.engine.roster().put_day(&team("devops"), tomorrow, &rota).await.unwrap();
    stage.clock.jump(T0 + chrono::TimeDelta::days(1));
    stage.advance(number).await;
    assert_eq!(stage.sent(), "0 1:a, 86400 1:t");
}

#[tokio::test]
async fn p08_a_release_that_another_change_overtook_alerts_the_team_that_has_it_by_then() {
    let stage = Stage::new(&["a"]).await;
    stage.own("beach", "surfers", &["s"], Team::builder(contacts("z")).build().unwrap()).await;
    let number = stage.report(crit("athens")).await;
    let _ = stage.advance(number).await;
    let _ = stage.claim(number, "jo").await;
    stage.store.next(Call::Commit, Fault::SlowCall(secs(5)));
    let release = {
        let engine = stage.engine.clone();
        let update = Update::state(person("jo"), StateChange::Release(TakeOver::Yes));
        tokio::spawn(async move { engine.update(number, &update).await.unwrap() })
    };
    settle().await;
    let handed = stage.request(number, "kim", StateChange::HandToTeam(team("surfers"))).await;
    assert!(matches!(handed, Updated::Changed(_)));
    let claimed = stage.claim(number, "kim").await;
    assert!(matches!(claimed, Updated::Changed(_)));
    stage.pass(secs(6)).await;
    assert!(matches!(release.await.unwrap(), Updated::Changed(_)));
    let incident = stage.incident(number).await.incident;
    assert_eq!(incident.team(), &team("surfers"));
    assert_eq!(incident.matrix().contacts(Level::At(1)), contacts("s"));
}
