//! What Twilio reports later, and replies that name no incident.

use std::time::Duration;

use inresponse_core::engine::RosterEdited;
use inresponse_core::model::{Contact, MethodName, Person, PersonId, State, TeamName};
use inresponse_core::roster::{Entry, FindingKind, Profile, Target, Team};

use crate::fake::FROM;
use crate::world::{JO, STRANGER, World};

const CALL: &str = "CA0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn p12_a_number_that_is_gone_makes_the_delivery_dead() {
    let world = World::of("sms").await;
    let number = world.report().await;
    let url = world.sent()[0].value("StatusCallback").to_owned();
    for status in ["queued", "sent", "delivered"] {
        world.came_back(&url, &[("MessageStatus", status), ("MessageSid", "SM1")]).await;
    }
    let incident = world.engine.get(number).await.unwrap().unwrap().incident;
    assert!(!incident.is_undelivered());
    let gone = [("MessageStatus", "undelivered"), ("ErrorCode", "30005")];
    assert_eq!(world.came_back(&url, &gone).await.status, 200);
    let incident = world.engine.get(number).await.unwrap().unwrap().incident;
    let last = incident.deliveries()[0].last().unwrap();
    assert_eq!(last.detail, "undelivered: 30005 the number is unknown or no longer in use");
}

#[tokio::test]
async fn p09_a_failure_of_the_carrier_is_sent_again_and_an_unanswered_call_is_not() {
    for (scheme, failed) in [
        ("sms", [("MessageStatus", "undelivered"), ("ErrorCode", "30008")]),
        ("tel", [("CallStatus", "failed"), ("SipResponseCode", "503")]),
    ] {
        let world = World::of(scheme).await;
        world.report().await;
        let url = world.sent()[0].value("StatusCallback").to_owned();
        if scheme == "tel" {
            for status in ["busy", "no-answer", "completed"] {
                world.came_back(&url, &[("CallStatus", status)]).await;
            }
            world.clock.advance(Duration::from_secs(60));
            world.engine.tick().await.unwrap();
            assert_eq!(world.sent().len(), 1);
        }
        for _ in 0..3 {
            assert_eq!(world.came_back(&url, &failed).await.status, 200);
        }
        world.clock.advance(Duration::from_secs(6));
        world.engine.tick().await.unwrap();
        let sent = world.sent();
        assert_eq!(sent.len(), 2, "it is sent again once, however often it is reported");
        assert_eq!(sent[0].reported("delivery"), sent[1].reported("delivery"));
        assert_eq!(
            (sent[0].reported("attempt"), sent[1].reported("attempt")),
            (Some("1".to_owned()), Some("2".to_owned()))
        );
        // The report about the first attempt comes late.
        world.came_back(&url, &failed).await;
        world.clock.advance(Duration::from_secs(60));
        world.engine.tick().await.unwrap();
        assert_eq!(world.sent().len(), 2);
    }
}

#[tokio::test]
async fn p20_a_reply_without_a_number_counts_if_only_one_incident_can_be_meant() {
    let world = World::of("sms").await;
    let first = world.report().await;
    let told = world.says(JO, " Ack ").await;
    assert!(told.contains(&format!("You have incident {first} now.")), "{told}");
    let (second, third) = (world.report().await, world.report().await);
    let told = world.says(JO, "c").await;
    assert!(told.contains(&format!("{third}c, {second}c")), "{told}");
    assert_eq!((world.state(second).await, world.state(third).await), (State::Open, State::Open));
    let told = world.says(JO, "ok").await;
    assert!(told.contains("not understood") && told.contains(&format!("{second}c")), "{told}");
    let told = world.says(JO, &format!("{second} R")).await;
    assert!(told.contains(&format!("Incident {second} is resolved now.")), "{told}");
}

#[tokio::test]
async fn p20_strangers_change_nothing_and_are_told_nothing() {
    let world = World::of("sms").await;
    let number = world.report().await;
    for text in [&*format!("{number}c"), "c", "ok", "99999c", "STOP", "", &"x".repeat(2000)] {
        let told = world.says(STRANGER, text).await;
        assert!(told.ends_with("<Response></Response>"), "{text}: {told}");
    }
    assert_eq!(world.state(number).await, State::Open);
}

#[tokio::test]
async fn a_wrong_key_repeats_the_text_of_the_call() {
    let world = World::of("tel").await;
    let number = world.report().await;
    let twiml = world.sent()[0].value("Twiml").to_owned();
    let url = twiml.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let reply =
        world.came_back(&url, &[("To", JO), ("From", FROM), ("Digits", "1"), ("CallSid", CALL)]).await;
    assert_eq!(reply.body, twiml);
    let reply =
        world.came_back(&url, &[("To", STRANGER), ("From", FROM), ("Digits", "4"), ("CallSid", CALL)]).await;
    assert!(reply.body.contains("does not count"), "{}", reply.body);
    assert_eq!(world.state(number).await, State::Open);
    let reply =
        world.came_back(&url, &[("To", JO), ("From", FROM), ("Digits", "4"), ("CallSid", CALL)]).await;
    assert!(reply.body.contains("You have incident"), "{}", reply.body);
    assert_eq!(world.state(number).await, State::Claimed);
}

/// A person with a mail address and a phone, whom the team alerts by both.
#[tokio::test]
async fn p12_a_number_that_sent_stop_is_not_alerted_until_it_sends_start() {
    let world = World::of("sms").await;
    let (jo, team) = (PersonId::new("jo").unwrap(), TeamName::new("devops").unwrap());
    let method = |name: &str, contact: &str| (MethodName::new(name).unwrap(), Contact::new(contact).unwrap());
    let methods = [method("mail", "jo@example.org"), method("text", &format!("sms:{JO}"))];
    let person = || Profile::builder(methods.iter().cloned().collect()).build().unwrap();
    let edit = async |entry: Entry| {
        let by = Person::new("ann").unwrap();
        let edited = world.engine.edit_roster(&by, &[entry.into()]).await.unwrap();
        assert!(matches!(edited, RosterEdited::Done(_)), "{edited:?}");
    };
    edit(Entry::person(&jo, person())).await;
    let settings = Team::builder(vec![Target::Person(jo.clone())]).build().unwrap();
    edit(Entry::team(&team, settings)).await;
    let stopped = async || world.engine.book().await.unwrap().person(&jo).unwrap().stopped().len();
    let alerted = async || {
        let number = world.report().await;
        let incident = world.engine.get(number).await.unwrap().unwrap().incident;
        let contacts = incident.deliveries().iter().map(|delivery| delivery.contact().scheme().to_owned());
        contacts.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(alerted().await, "mailto sms");

    let told = world.says_as(JO, "Stop", "5109").await;
    assert!(told.ends_with("<Response></Response>"), "Twilio answers it: {told}");
    assert_eq!(stopped().await, 1);
    assert_eq!(alerted().await, "mailto");
    let found = world.engine.coverage(Some(&team), 1).await.unwrap();
    assert!(found.values().flatten().any(|finding| finding.kind == FindingKind::StoppedMethod), "{found:?}");
    // Writing the person again changes nothing about that.
    edit(Entry::person(&jo, person())).await;
    assert_eq!((stopped().await, alerted().await.as_str()), (1, "mailto"));

    world.says(JO, "START").await;
    assert_eq!((stopped().await, alerted().await.as_str()), (0, "mailto sms"));
    // The message from before comes again.
    world.says_as(JO, "Stop", "5109").await;
    assert_eq!((stopped().await, alerted().await.as_str()), (0, "mailto sms"));
    // With words of the account's own, Twilio says what they mean.
    let url = "https://ir.example.org/channels/twilio/sms";
    world
        .came_back(
            url,
            &[
                ("From", JO),
                ("Body", "halt"),
                ("OptOutType", "STOP"),
                ("MessageSid", &format!("SM{:032x}", 7)),
            ],
        )
        .await;
    assert_eq!(stopped().await, 1);
    world.says(STRANGER, "STOP").await;
    assert_eq!(stopped().await, 1);
}
