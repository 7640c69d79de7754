//! Requests that come again, long after they were answered; and machines that answer each other.

use std::time::Duration;

use inresponse_core::engine::Updated;
use inresponse_core::model::{IncidentNumber, Person, State};
use inresponse_core::plan::{StateChange, TakeOver, Update};

use crate::fake::FROM;
use crate::world::{JO, STRANGER, World};

const SILENCE: &str = "<Response></Response>";

impl World {
    async fn change(&self, number: IncidentNumber, by: &str, change: StateChange) {
        let update = Update::state(Person::new(by).unwrap(), change);
        let updated = self.engine.update(number, &update).await.unwrap();
        assert!(matches!(updated, Updated::Changed(_)), "{updated:?}");
        self.engine.tick().await.unwrap();
    }

    /// Jo's number has it, as a person.
    async fn jo_takes_over(&self, number: IncidentNumber) {
        self.change(number, JO, StateChange::Claim(TakeOver::Yes)).await;
    }
}

#[tokio::test]
async fn p20_a_reply_that_comes_again_after_a_release_claims_nothing() {
    for text in ["c", "{}c", "{} ack"] {
        let world = World::of("sms").await;
        let number = world.report().await;
        let text = text.replace("{}", &number.to_string());
        let told = world.says_as(JO, &text, "a").await;
        assert!(told.contains("You have incident"), "{told}");
        let told = world.says_as(JO, &text, "a").await;
        assert!(told.contains("You already have incident"), "{told}");
        world.change(number, "kim", StateChange::Release(TakeOver::Yes)).await;
        let told = world.says_as(JO, &text, "a").await;
        assert!(told.contains("You have already answered that"), "{told}");
        assert_eq!(world.state(number).await, State::Open, "{text}");
        let told = world.says_as(JO, &text, "b").await;
        assert!(told.contains("You have incident"), "a new reply counts: {told}");
    }
}

/// A reply of one letter means one incident only when it first comes.
#[tokio::test]
async fn p20_a_reply_without_a_number_is_about_the_incident_that_it_first_meant() {
    let world = World::of("sms").await;
    let first = world.report().await;
    world.says_as(JO, "c", "a").await;
    let second = world.report().await;
    let told = world.says_as(JO, "c", "a").await;
    assert!(told.contains(&format!("You already have incident {first}")), "{told}");
    assert_eq!(world.state(second).await, State::Open);

    let third = world.report().await;
    let told = world.says_as(JO, "c", "b").await;
    assert!(told.contains(&format!("{third}c, {second}c")), "{told}");
    world.change(third, "kim", StateChange::Resolve).await;
    let told = world.says_as(JO, "c", "b").await;
    assert!(told.contains("already answered"), "it meant no incident: {told}");
    assert_eq!(world.state(second).await, State::Open);
}

#[tokio::test]
async fn p20_a_reply_that_was_refused_does_not_count_when_it_comes_again() {
    let world = World::of("sms").await;
    let number = world.report().await;
    world.change(number, "kim", StateChange::Claim(TakeOver::No)).await;
    let text = format!("{number}r");
    let told = world.says_as(JO, &text, "a").await;
    assert!(told.contains("kim has incident"), "{told}");
    world.jo_takes_over(number).await;
    let told = world.says_as(JO, &text, "a").await;
    assert!(told.contains("You have already answered that"), "{told}");
    assert_eq!(world.state(number).await, State::Claimed);
    world.says_as(JO, &text, "b").await;
    assert_eq!(world.state(number).await, State::Resolved);
}

#[tokio::test]
async fn p20_a_key_that_was_refused_does_not_count_when_it_comes_again() {
    let world = World::of("tel").await;
    let number = world.report().await;
    let twiml = world.sent()[0].value("Twiml").to_owned();
    let url = twiml.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let resolves = async |call: &str| {
        let call = &*format!("CA{call:0>32}");
        let form = [("To", JO), ("From", FROM), ("Digits", "6"), ("CallSid", call)];
        world.came_back(&url, &form).await.body
    };
    world.change(number, "kim", StateChange::Claim(TakeOver::No)).await;
    assert!(resolves("a").await.contains("kim has incident"));
    world.jo_takes_over(number).await;
    let told = resolves("a").await;
    assert!(told.contains("You have already answered that"), "{told}");
    assert_eq!(world.state(number).await, State::Claimed);
    resolves("b").await;
    assert_eq!(world.state(number).await, State::Resolved);
}

/// A machine that answers each text message with one of its own.
#[tokio::test]
async fn machines_that_answer_each_other_come_to_an_end() {
    let world = World::of("sms").await;
    let number = world.report().await;
    let answered = async |text: &str| {
        let mut answers = 0;
        for _ in 0..50 {
            answers += usize::from(!world.says(JO, text).await.ends_with(SILENCE));
        }
        answers
    };
    for text in ["I am away.", "r", "99999c", "STOPP"] {
        let answers = answered(text).await;
        assert!(answers <= 5, "{text}: {answers}");
        world.clock.advance(Duration::from_secs(3600));
    }
    assert_eq!(answered("I am away.").await, 5);
    assert_eq!(answered("I am away.").await, 0);
    // A reply that claims is carried out and answered.
    let told = world.says(JO, &format!("{number}c")).await;
    assert!(told.contains("You have incident"), "{told}");
    let told = world.says(JO, &format!("{number}c")).await;
    assert!(told.ends_with(SILENCE), "{told}");
    world.clock.advance(Duration::from_secs(3600));
    let told = world.says(JO, &format!("{number}c")).await;
    assert!(told.contains("You already have incident"), "{told}");
}

#[tokio::test]
async fn p20_a_reply_without_a_whole_id_is_refused() {
    let world = World::of("sms").await;
    let number = world.report().await;
    let url = "https://ir.example.org/channels/twilio/sms";
    let whole = format!("SM{:032x}", 1);
    for id in ["", "SM", "SM1", &whole[..33], &whole[1..], &format!("{whole}0"), &whole.replace('1', "g")] {
        let id = (!id.is_empty()).then_some(("MessageSid", id));
        let text = format!("{number}c");
        let form: Vec<_> = [("From", JO), ("To", FROM), ("Body", &*text)].into_iter().chain(id).collect();
        let reply = world.came_back(url, &form).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (400, "MessageSid is missing or no id of a message"),
            "{id:?}"
        );
    }
    assert_eq!(world.state(number).await, State::Open);
    assert!(world.says(STRANGER, &format!("{number}c")).await.ends_with(SILENCE));
}
