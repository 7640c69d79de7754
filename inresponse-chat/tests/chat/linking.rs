//! An account is linked by a code, and may answer then.

use std::sync::Arc;
use std::time::Duration;

use inresponse_chat::{
    Polled, SlackAnswers, SlackNotifier, TelegramAnswers, TelegramNotifier, TelegramPolling,
};
use inresponse_core::model::{Contact, PersonId, Scheme, State};
use inresponse_core::notify::Notifiers;
use inresponse_core::plan::Wanted;
use inresponse_testkit::carrier::{Carrier, Says};
use inresponse_testkit::table::Table;
use serde_json::{Value, json};

use crate::answers::{
    asked_in_slack, asked_in_telegram, form, in_slack, in_telegram, press, pressed, signed, told_in_slack,
    told_in_telegram, update,
};
use crate::services::{self, SIGNING_SECRET, SLACK, TELEGRAM, WEBHOOK_SECRET};

/// A message that somebody writes to the bot.
pub(crate) fn message(text: &str, by: &Contact) -> Value {
    let id: i64 = by.address().parse().unwrap();
    let user = json!({ "id": id, "is_bot": false, "first_name": "Somebody" });
    let chat = json!({ "id": id, "type": "private", "first_name": "Somebody" });
    json!({ "update_id": 7, "message": { "message_id": 3, "date": 1_800_000_000, "from": user, "chat": chat,
        "text": text } })
}

async fn code(table: &Table, person: &str, scheme: Scheme) -> String {
    let person = PersonId::new(person).unwrap();
    table.engine.link_code(&person, &scheme).await.unwrap().unwrap().code
}

async fn methods(table: &Table, person: &str) -> Vec<String> {
    let book = table.engine.book().await.unwrap();
    let profile = book.person(&PersonId::new(person).unwrap()).unwrap();
    profile.methods().iter().map(|(name, contact)| format!("{name} {}", contact.as_str())).collect()
}

#[tokio::test]
async fn p20_a_code_links_an_account_of_telegram_once_and_the_account_may_answer() {
    let carrier = Carrier::start(TELEGRAM);
    let bot = services::telegram(&carrier);
    let (jo, kim, group) = (in_telegram(0), in_telegram(1), Contact::new("telegram:-1001234567890").unwrap());
    let notifiers = Notifiers::new().with(TelegramNotifier::scheme(), bot.clone());
    let table =
        Table::set(notifiers, vec![Arc::new(TelegramAnswers::new(bot))], [&jo, &kim], Some(&group)).await;
    let number = table.report().await;
    let asked = asked_in_telegram(&carrier.got(group.address())[0]);
    let phone = in_telegram(2);
    let press = || update(&press(&format!("c{asked}"), &phone), Some(WEBHOOK_SECRET));
    let told = told_in_telegram(&table.call(press()).await.body);
    assert!(told.contains("not linked to a person"), "{told}");
    assert_eq!(table.state(number).await, (State::Open, None));

    let code = code(&table, "jo", TelegramNotifier::scheme()).await;
    let send = |text: String, by: &Contact| update(&message(&text, by), Some(WEBHOOK_SECRET));
    for (text, by) in [("/link wrong".to_owned(), &phone), (format!("/link {code}x"), &phone)] {
        let answered = table.call(send(text, by)).await;
        assert!(answered.body.contains("not valid"), "{answered:?}");
    }
    // The account of kim is kim's.
    let answered = table.call(send(format!("/link {code}"), &kim)).await;
    assert!(answered.body.contains("somebody else already"), "{answered:?}");
    let answered = table.call(send(format!("/link {code}"), &phone)).await;
    let body: Value = serde_json::from_str(&answered.body).unwrap();
    assert_eq!((&body["method"], &body["chat_id"]), (&json!("sendMessage"), &json!(1002)));
    assert!(body["text"].as_str().unwrap().contains("linked to jo"), "{body}");
    assert_eq!(methods(&table, "jo").await, ["chat telegram:1000", "telegram telegram:1002"]);
    let answered = table.call(send(format!("/start {code}"), &in_telegram(3))).await;
    assert!(answered.body.contains("not valid"), "a code works once: {answered:?}");

    let told = told_in_telegram(&table.call(press()).await.body);
    assert!(told.contains("You have incident"), "{told}");
    assert_eq!(table.state(number).await, (State::Claimed, Some("jo".to_owned())));
}

#[tokio::test]
async fn p20_a_code_links_an_account_of_slack_and_the_account_may_answer() {
    let carrier = Carrier::start(SLACK);
    let app = services::slack(&carrier);
    let (jo, kim, channel) = (in_slack(0), in_slack(1), Contact::new("slack:C024BE91L").unwrap());
    let notifiers = Notifiers::new().with(SlackNotifier::scheme(), app.clone());
    let table =
        Table::set(notifiers, vec![Arc::new(SlackAnswers::new(app))], [&jo, &kim], Some(&channel)).await;
    let number = table.report().await;
    let asked = asked_in_slack(&carrier.got(channel.address())[0]);
    let now = table.engine.now().timestamp();
    let laptop = in_slack(2);
    let press = || signed(pressed(&carrier, &asked, &laptop, Wanted::Claim), SIGNING_SECRET, now);
    table.call(press()).await;
    let told = told_in_slack(&carrier).await;
    assert!(told.contains("not linked to a person") && told.contains("/inresponse link"), "{told}");
    assert_eq!(table.state(number).await, (State::Open, None));

    let code = code(&table, "kim", SlackNotifier::scheme()).await;
    let command = |text: &str| {
        let fields =
            [("command", "/inresponse"), ("text", text), ("user_id", laptop.address()), ("user_name", "jo")];
        signed(form(&fields), SIGNING_SECRET, now)
    };
    for (text, expected) in [
        ("", "link your account"),
        ("link", "link your account"),
        ("link wrong", "not valid"),
        (&format!("link {code}"), "linked to kim"),
        (&format!("link {code}"), "not valid"),
    ] {
        let answered = table.call(command(text)).await;
        let body: Value = serde_json::from_str(&answered.body).unwrap();
        assert_eq!(body["response_type"], "ephemeral", "{text}");
        assert!(body["text"].as_str().unwrap().contains(expected), "{text}: {body}");
    }
    table.call(press()).await;
    let told = told_in_slack(&carrier).await;
    assert!(told.contains("You have incident"), "{told}");
    assert_eq!(table.state(number).await, (State::Claimed, Some("kim".to_owned())));
    let challenge = signed(br#"{"type":"url_verification","challenge":"abc"}"#.to_vec(), SIGNING_SECRET, now);
    assert_eq!(table.call(challenge).await.body, r#"{"challenge":"abc"}"#);
}

#[tokio::test]
async fn p20_one_server_at_a_time_asks_telegram_and_an_update_is_given_back_only_after_it_was_taken() {
    let carrier = Carrier::start(TELEGRAM);
    let bot = services::asking(&carrier);
    let (jo, kim) = (in_telegram(0), in_telegram(1));
    let notifiers = Notifiers::new().with(TelegramNotifier::scheme(), bot.clone());
    let table =
        Table::set(notifiers, vec![Arc::new(TelegramAnswers::new(bot.clone()))], [&jo, &kim], None).await;
    let number = table.report().await;
    let asked = asked_in_telegram(&carrier.got(jo.address())[0]);
    // Without a webhook secret, nothing is taken from outside.
    let forged = table.call(update(&press(&format!("c{asked}"), &jo), Some(""))).await;
    assert_eq!(forged.status, 404);
    let polling = TelegramPolling::new(table.engine.clone(), table.settings.clone(), bot);
    let numbered = |id: i64, mut update: Value| {
        update["update_id"] = json!(id);
        update
    };
    let updates = [
        numbered(40, press("junk", &jo)),
        json!({ "update_id": 41, "poll": {} }),
        numbered(42, press(&format!("c{asked}"), &jo)),
    ];
    carrier.say_next([Says::new(200, json!({ "ok": true, "result": updates }))]);
    assert_eq!(polling.poll(Duration::ZERO).await.unwrap(), Polled::Took(3));
    assert_eq!(table.state(number).await, (State::Claimed, Some("jo".to_owned())));
    let calls = |method: &str| {
        let all = carrier.all().into_iter();
        all.filter(|got| got.path.ends_with(method)).map(|got| got.json()).collect::<Vec<_>>()
    };
    let told = calls("/answerCallbackQuery");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1]["text"].as_str().unwrap().contains("You have incident"), "{told:?}");
    assert_eq!(polling.poll(Duration::ZERO).await.unwrap(), Polled::Took(0));
    let offsets: Vec<_> = calls("/getUpdates").iter().map(|asked| asked["offset"].clone()).collect();
    assert_eq!(offsets, [json!(0), json!(43)]);

    // After a week without an update, Telegram may begin at a lower id.
    let second = table.report().await;
    let asked_again = asked_in_telegram(carrier.got(jo.address()).last().unwrap());
    let lower = numbered(12, press(&format!("c{asked_again}"), &jo));
    carrier.say_next([Says::new(200, json!({ "ok": true, "result": [lower] }))]);
    assert_eq!(polling.poll(Duration::ZERO).await.unwrap(), Polled::Took(1));
    assert_eq!(table.state(second).await, (State::Claimed, Some("jo".to_owned())));
    assert_eq!(polling.poll(Duration::ZERO).await.unwrap(), Polled::Took(0));
    assert_eq!(calls("/getUpdates").last().unwrap()["offset"], json!(13));

    // The process that has the lease is alone until it ends.
    let held = r#"{"until":"2027-01-15T08:00:20Z","offset":50}"#;
    use inresponse_core::settings::Settings as _;
    let was = table.settings.setting("telegram.polling").await.unwrap();
    let swapped =
        table.settings.swap_setting("telegram.polling", was.as_deref(), held.as_bytes()).await.unwrap();
    assert_eq!(swapped, inresponse_core::settings::Swapped::Done);
    assert_eq!(polling.poll(Duration::ZERO).await.unwrap(), Polled::NotOurs);
    table.clock.advance(Duration::from_secs(30));
    carrier.say_next([
        Says::new(409, json!({ "ok": false, "error_code": 409, "description": "Conflict" })),
        Says::new(200, "<html>"),
    ]);
    assert_eq!(polling.poll(Duration::ZERO).await.unwrap(), Polled::Failed);
    assert_eq!(polling.poll(Duration::ZERO).await.unwrap(), Polled::Failed);
    assert_eq!(polling.poll(Duration::ZERO).await.unwrap(), Polled::Took(0));
    assert_eq!(calls("/getUpdates").last().unwrap()["offset"], json!(50));
}

#[tokio::test]
async fn p20_a_persons_page_shows_a_code_to_those_who_may_change_the_person() {
    let carrier = Carrier::start(TELEGRAM);
    let bot = services::telegram(&carrier);
    let (jo, kim) = (in_telegram(0), in_telegram(1));
    let notifiers = Notifiers::new().with(TelegramNotifier::scheme(), bot.clone());
    let table = Table::set(notifiers, vec![Arc::new(TelegramAnswers::new(bot))], [&jo, &kim], None).await;
    let page = table.page("/board/people/jo", Table::RESPOND).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("/link"), "a code changes the person");
    let page = table.page("/board/people/jo", Table::ADMIN).await;
    let (_, rest) = page.body.split_once("<code>/link ").expect("a code");
    let code = rest.split('<').next().unwrap();
    let link = update(&message(&format!("/link {code}"), &in_telegram(2)), Some(WEBHOOK_SECRET));
    let answered = table.call(link).await;
    assert!(answered.body.contains("linked to jo"), "{answered:?}");
    assert_eq!(methods(&table, "jo").await.len(), 2);
    let audited = table.engine.roster().changes(None, 1).await.unwrap();
    assert_eq!(audited[0].1.by().as_str(), "jo");
}
