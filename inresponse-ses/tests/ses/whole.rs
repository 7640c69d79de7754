//! From the mail that SES took to the next level, by what the recipients get.

use std::sync::Arc;

use inresponse_core::Engine;
use inresponse_core::clock::SystemClock;
use inresponse_core::engine::Reported;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Contact, Report, ServiceName, Severity, TeamName};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::{Rota, Team};
use inresponse_core::testing::RosterTestExt;
use inresponse_ses::{Taken, take};
use serde_json::{Value, json};

use crate::stub::{Answer, Call, Stub};

async fn engine(stub: &Stub) -> Engine {
    let contacts = |name: &str| vec![Contact::new(format!("{name}@example.org")).unwrap()];
    let (roster, team) = (MemoryRoster::new(), TeamName::new("devops").unwrap());
    roster.put_team(&team, &Team::builder(contacts("ops")).build().unwrap()).await.unwrap();
    roster.put_service(&ServiceName::new("athens").unwrap(), &team).await.unwrap();
    let today = inresponse_core::clock::Clock::now(&SystemClock::new()).date_naive();
    for day in [today.pred_opt().unwrap(), today, today.succ_opt().unwrap()] {
        let rota = Rota::new(contacts("jo"), vec![contacts("kim")]).unwrap();
        roster.put_day(&team, day, &rota).await.unwrap();
    }
    let notifiers = Notifiers::new().mail(stub.notifier());
    Engine::builder(MemoryStore::new(), roster, notifiers, SystemClock::new()).build()
}

/// What SES reports about a bounced mail, with the tags that it was given.
fn bounce_of(call: &Call) -> Vec<u8> {
    let tags = call.body["EmailTags"].as_array().unwrap();
    let tags: serde_json::Map<String, Value> =
        tags.iter().map(|tag| (tag["Name"].as_str().unwrap().to_owned(), json!([tag["Value"]]))).collect();
    let told = json!({
        "eventType": "Bounce",
        "bounce": { "bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": [] },
        "mail": { "destination": [call.to()], "tags": tags }
    });
    told.to_string().into_bytes()
}

#[tokio::test]
async fn p12_an_address_that_ses_accepts_and_cannot_deliver_to_holds_nobody_up() {
    let stub = Arc::new(Stub::start(|_| Answer::accepted()));
    let engine = engine(&stub).await;
    let report = Report::builder("athens", Severity::Crit, "5xx").build().unwrap();
    let Reported::New(record) = engine.report(report).await.unwrap() else { panic!("a new incident") };
    let number = record.number();
    let recipients = || stub.calls().iter().map(Call::to).collect::<Vec<_>>();
    for so_far in [
        vec!["jo@example.org"],
        vec!["jo@example.org", "kim@example.org"],
        vec!["jo@example.org", "kim@example.org", "ops@example.org"],
    ] {
        // The levels are ten minutes apart; nobody waits for them.
        let _ = engine.advance(number).await.unwrap();
        assert_eq!(recipients(), so_far);
        let taken = take(&engine, &bounce_of(stub.calls().last().unwrap())).await.unwrap();
        assert!(matches!(taken, Taken::Dead), "{taken:?}");
    }
    let census = engine.census().await.unwrap();
    assert_eq!((census.unclaimed, census.undelivered), (1, 1), "nobody was reached");

    // SNS may deliver a message more than once.
    for call in stub.calls() {
        let again = take(&engine, &bounce_of(&call)).await.unwrap();
        assert!(matches!(again, Taken::Nothing), "{again:?}");
    }
    assert!(matches!(take(&engine, b"{}").await.unwrap(), Taken::Foreign(_)));
}
