//! Alerts that were accepted and came back.

use inresponse_core::engine::{Advanced, Bounced};
use inresponse_core::model::{DeliveryId, IncidentNumber, State};
use inresponse_core::notify::Outcome;

use crate::support::{Mood, Stage, after, crit, secs, settle};

const WHY: &str = "550 5.1.1 no such user";

async fn first_delivery(stage: &Stage, number: IncidentNumber) -> DeliveryId {
    let incident = stage.incident(number).await.incident;
    incident.delivery_id(incident.deliveries()[0].key())
}

#[tokio::test]
async fn p12_what_the_carrier_gave_back_brings_the_next_level_at_once() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    assert_eq!(stage.advance(number).await, Advanced::WaitUntil(after(600)));
    let delivery = first_delivery(&stage, number).await;
    stage.clock.advance(secs(20));
    let bounced = stage.engine.bounced(number, &delivery, WHY).await.unwrap();
    assert!(matches!(bounced, Bounced::Dead(_)), "{bounced:?}");
    assert_eq!(stage.advance(number).await, Advanced::WaitUntil(after(620)));
    assert_eq!(stage.sent(), "0 1:a, 20 2:b");

    let version = stage.incident(number).await.version;
    let again = stage.engine.bounced(number, &delivery, WHY).await.unwrap();
    assert!(matches!(again, Bounced::Ignored(_)), "{again:?}");
    assert_eq!(stage.incident(number).await.version, version, "nothing was written");
}

#[tokio::test]
async fn p12_where_everything_came_back_the_incident_is_undelivered() {
    let stage = Stage::new(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    for i in 0..2 {
        stage.advance(number).await;
        let incident = stage.incident(number).await.incident;
        let delivery = incident.delivery_id(incident.deliveries()[i].key());
        stage.engine.bounced(number, &delivery, WHY).await.unwrap();
    }
    assert_eq!(stage.sent(), "0 1:a, 0 fallback:z");
    let census = stage.engine.census().await.unwrap();
    assert_eq!((census.unclaimed, census.undelivered), (1, 1));
}

#[tokio::test]
async fn p12_a_bounce_that_comes_before_the_answer_is_kept() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    stage.carrier.next("a", Mood::Takes(secs(3), Outcome::Accepted));
    let advancing = stage.advancing(number);
    settle().await;
    let delivery = first_delivery(&stage, number).await;
    let bounced = stage.engine.bounced(number, &delivery, WHY).await.unwrap();
    assert!(matches!(bounced, Bounced::Dead(_)), "{bounced:?}");
    stage.pass(secs(4)).await;
    let Advanced::WaitUntil(at) = advancing.await.unwrap() else { panic!("the fallback is to come") };
    assert!(at <= after(604), "{at}");
    assert!(stage.sent().starts_with("0 1:a, ") && stage.sent().ends_with(" 2:b"), "{}", stage.sent());
}

#[tokio::test]
async fn a_bounce_of_a_claimed_incident_or_of_none_changes_nothing() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    stage.advance(number).await;
    let delivery = first_delivery(&stage, number).await;
    stage.claim(number, "jo").await;
    let bounced = stage.engine.bounced(number, &delivery, WHY).await.unwrap();
    assert!(matches!(bounced, Bounced::Ignored(record) if record.incident.state() == State::Claimed));
    assert_eq!(stage.advance(number).await, Advanced::Done);
    let nobody = stage.engine.bounced(IncidentNumber::new(1), &delivery, WHY).await.unwrap();
    assert_eq!(nobody, Bounced::Absent);
}
