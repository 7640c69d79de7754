//! What answers over Telegram and Slack may do, and how their messages change.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::{Request, Response, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use inresponse_chat::{SlackAnswers, SlackNotifier, TelegramAnswers, TelegramNotifier};
use inresponse_core::clock::Clock as _;
use inresponse_core::model::Contact;
use inresponse_core::notify::{Channel, Notifiers};
use inresponse_core::plan::Wanted;
use inresponse_core::testing::ManualClock;
use inresponse_testkit::answers::{ChannelHarness, Proves, Who, check};
use inresponse_testkit::carrier::{Carrier, Got};
use inresponse_testkit::server::SOON;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::services::{self, SIGNING_SECRET, SLACK, TELEGRAM, WEBHOOK_SECRET};

/// Jo and Kim have numbers that follow each other.
fn number(who: Who) -> usize {
    match who {
        Who::Jo => 0,
        Who::Kim => 1,
    }
}

pub(crate) struct Telegram(pub(crate) Carrier);

impl Telegram {
    pub(crate) fn new() -> Self {
        Self(Carrier::start(TELEGRAM))
    }
}

pub(crate) fn in_telegram(n: usize) -> Contact {
    Contact::new(format!("telegram:{}", 1000 + n)).unwrap()
}

/// The id of the alert that the buttons of a message answer.
pub(crate) fn asked_in_telegram(got: &Got) -> String {
    let keyboard = got.json()["reply_markup"]["inline_keyboard"].clone();
    let data = keyboard[0][0]["callback_data"].as_str().unwrap().to_owned();
    assert!(data.len() <= 64, "{data}");
    data[1..].to_owned()
}

/// An update by the webhook.
pub(crate) fn update(update: &Value, secret: Option<&str>) -> Request<Vec<u8>> {
    let request = Request::post("/channels/telegram").header("content-type", "application/json");
    let request = secret
        .iter()
        .fold(request, |request, secret| request.header("X-Telegram-Bot-Api-Secret-Token", *secret));
    request.body(update.to_string().into_bytes()).unwrap()
}

/// A press of a button, as Telegram sends it.
pub(crate) fn press(data: &str, by: &Contact) -> Value {
    let id: i64 = by.address().parse().unwrap();
    let user = json!({ "id": id, "is_bot": false, "first_name": "Somebody", "username": "jo" });
    let bot = json!({ "id": 123456, "is_bot": true, "first_name": "alerts" });
    json!({ "update_id": 1, "callback_query": { "id": "4382bfdwdsb323b2d9", "from": user, "chat_instance": "-3",
        "message": { "message_id": 1, "date": 1_800_000_000, "from": bot, "text": "x",
            "chat": { "id": id, "type": "private", "first_name": "Somebody" } },
        "data": data } })
}

/// The text that answers a press.
pub(crate) fn told_in_telegram(body: &str) -> String {
    let method: Value = serde_json::from_str(body).unwrap();
    assert_eq!(method["method"], "answerCallbackQuery", "{method}");
    let text = method["text"].as_str().unwrap().to_owned();
    assert!(text.chars().count() <= 200, "{text}");
    text
}

fn as_text(request: Request<Vec<u8>>) -> Request<String> {
    request.map(|body| String::from_utf8(body).unwrap())
}

impl ChannelHarness for Telegram {
    type Message = String;

    fn contact(&self, who: Who) -> Contact {
        in_telegram(number(who))
    }

    fn notifiers(&self, notifiers: Notifiers) -> Notifiers {
        notifiers.with(TelegramNotifier::scheme(), services::telegram(&self.0))
    }

    fn channel(&self) -> Arc<dyn Channel> {
        Arc::new(TelegramAnswers::new(services::telegram(&self.0)))
    }

    fn proves(&self) -> Proves {
        Proves::TheAccount
    }

    fn asks_for(&self) -> &'static [Wanted] {
        &[Wanted::Claim, Wanted::Resolve, Wanted::Escalate]
    }

    async fn messages(&self, who: Who) -> Vec<String> {
        let got = self.0.got(self.contact(who).address());
        got.iter().filter(|got| got.path.ends_with("/sendMessage")).map(asked_in_telegram).collect()
    }

    fn answer(&self, who: Who, message: &String, wants: Wanted) -> Request<String> {
        let letter = match wants {
            Wanted::Claim => 'c',
            Wanted::Resolve => 'r',
            Wanted::Escalate => 'e',
        };
        as_text(update(&press(&format!("{letter}{message}"), &self.contact(who)), Some(WEBHOOK_SECRET)))
    }

    fn forged(&self, mut request: Request<String>) -> Request<String> {
        let wrong = WEBHOOK_SECRET[1..].parse().unwrap();
        request.headers_mut().insert("x-telegram-bot-api-secret-token", wrong);
        request
    }

    async fn told(&self, response: &Response<String>) -> String {
        told_in_telegram(response.body())
    }
}

#[tokio::test]
async fn p20_an_answer_over_telegram_counts_for_the_person_who_was_asked() {
    check(async || Telegram::new()).await;
}

pub(crate) struct Slack {
    pub(crate) carrier: Carrier,
    clock: OnceLock<ManualClock>,
}

impl Slack {
    pub(crate) fn new() -> Self {
        Self { carrier: Carrier::start(SLACK), clock: OnceLock::new() }
    }
}

pub(crate) fn in_slack(n: usize) -> Contact {
    Contact::new(format!("slack:U{n:08}")).unwrap()
}

/// The id of the alert that the buttons of a message answer.
pub(crate) fn asked_in_slack(got: &Got) -> String {
    let sent = got.json();
    let blocks = sent["blocks"].as_array().unwrap();
    let actions = blocks.iter().find(|block| block["type"] == "actions").unwrap();
    actions["elements"][0]["value"].as_str().unwrap().to_owned()
}

/// A press of a button, as Slack sends it.
pub(crate) fn pressed(carrier: &Carrier, asked: &str, by: &Contact, wants: Wanted) -> Vec<u8> {
    let action = match wants {
        Wanted::Claim => "claim",
        Wanted::Resolve => "resolve",
        Wanted::Escalate => "escalate",
    };
    let button =
        json!({ "type": "button", "action_id": action, "block_id": "b", "value": asked, "action_ts": "1" });
    let payload = json!({ "type": "block_actions", "team": { "id": "T1" }, "trigger_id": "1.2",
        "user": { "id": by.address(), "username": "jo" },
        "response_url": format!("{}/respond", carrier.url()), "actions": [button] });
    form(&[("payload", &payload.to_string())])
}

/// What Slack is told after a press.
pub(crate) async fn told_in_slack(carrier: &Carrier) -> String {
    let found = tokio::time::timeout(SOON, async {
        loop {
            // What was told before is taken away.
            if let Some(got) = carrier.take("/respond") {
                return got;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let told = found.await.unwrap().json();
    assert_eq!((&told["response_type"], &told["replace_original"]), (&json!("ephemeral"), &json!(false)));
    told["text"].as_str().unwrap().to_owned()
}

pub(crate) fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

/// A request with Slack's signature.
pub(crate) fn signed(body: Vec<u8>, secret: &str, at: i64) -> Request<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{at}:").as_bytes());
    mac.update(&body);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request =
        Request::post("/channels/slack").header("content-type", "application/x-www-form-urlencoded");
    let request =
        request.header("X-Slack-Request-Timestamp", at).header("X-Slack-Signature", format!("v0={digits}"));
    request.body(body).unwrap()
}

impl ChannelHarness for Slack {
    type Message = String;

    fn contact(&self, who: Who) -> Contact {
        in_slack(number(who))
    }

    fn notifiers(&self, notifiers: Notifiers) -> Notifiers {
        notifiers.with(SlackNotifier::scheme(), services::slack(&self.carrier))
    }

    fn channel(&self) -> Arc<dyn Channel> {
        Arc::new(SlackAnswers::new(services::slack(&self.carrier)))
    }

    fn proves(&self) -> Proves {
        Proves::TheAccount
    }

    fn asks_for(&self) -> &'static [Wanted] {
        &[Wanted::Claim, Wanted::Resolve, Wanted::Escalate]
    }

    fn follow(&self, clock: &ManualClock) {
        self.clock.set(clock.clone()).unwrap();
    }

    async fn messages(&self, who: Who) -> Vec<String> {
        let got = self.carrier.got(self.contact(who).address());
        got.iter().filter(|got| got.path == "/chat.postMessage").map(asked_in_slack).collect()
    }

    fn answer(&self, who: Who, message: &String, wants: Wanted) -> Request<String> {
        let body = pressed(&self.carrier, message, &self.contact(who), wants);
        as_text(signed(body, SIGNING_SECRET, self.clock.get().unwrap().now().timestamp()))
    }

    fn forged(&self, mut request: Request<String>) -> Request<String> {
        request.body_mut().push(' ');
        request
    }

    async fn told(&self, response: &Response<String>) -> String {
        assert_eq!((response.status(), response.body().as_str()), (StatusCode::OK, ""));
        told_in_slack(&self.carrier).await
    }
}

#[tokio::test]
async fn p20_an_answer_over_slack_counts_for_the_person_who_was_asked() {
    check(async || Slack::new()).await;
}

mod messages {
    use inresponse_core::plan::{StateChange, TakeOver};
    use inresponse_testkit::table::Table;

    use super::*;

    async fn scene(harness: &impl ChannelHarness) -> Table {
        let (jo, kim) = (harness.contact(Who::Jo), harness.contact(Who::Kim));
        Table::set(harness.notifiers(Notifiers::new()), vec![harness.channel()], [&jo, &kim], None).await
    }

    #[tokio::test]
    async fn p11_a_message_of_telegram_changes_with_its_incident_in_its_place() {
        let asks = Telegram::new();
        let table = scene(&asks).await;
        let number = table.report().await;
        let labels = |got: &Got| {
            let keyboard = got.json()["reply_markup"]["inline_keyboard"].clone();
            let row = keyboard[0].as_array().cloned().unwrap_or_default();
            row.iter().map(|button| button["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(labels(&asks.0.all()[0]), ["Claim", "Resolve", "Escalate"]);
        table.change(number, "ann", StateChange::Claim(TakeOver::No)).await;
        table.change(number, "ann", StateChange::Resolve).await;
        let edits: Vec<Got> = asks.0.all().split_off(1);
        assert_eq!(edits.len(), 2, "{edits:?}");
        for (edit, (begins, buttons)) in
            edits.iter().zip([("Claimed by ann", &["Resolve"][..]), ("Resolved by ann", &[])])
        {
            let sent = edit.json();
            assert!(edit.path.ends_with("/editMessageText"), "{}", edit.path);
            assert_eq!((&sent["chat_id"], &sent["message_id"]), (&json!(1000), &json!(1)));
            assert!(sent["text"].as_str().unwrap().starts_with(begins), "{sent}");
            assert_eq!(labels(edit), buttons);
        }
    }

    #[tokio::test]
    async fn p11_a_message_of_slack_changes_with_its_incident_in_its_place() {
        let asks = Slack::new();
        let table = scene(&asks).await;
        let number = table.report().await;
        table.change(number, "ann", StateChange::Claim(TakeOver::No)).await;
        table.change(number, "ann", StateChange::Resolve).await;
        let updates: Vec<Got> = asks.carrier.all().split_off(1);
        assert_eq!(updates.len(), 2, "{updates:?}");
        for (update, (begins, buttons)) in updates.iter().zip([("Claimed by ann", 1), ("Resolved by ann", 0)])
        {
            let sent = update.json();
            assert_eq!(update.path, "/chat.update");
            assert_eq!((&sent["channel"], &sent["ts"]), (&json!("D-U00000000"), &json!("1800000000.000001")));
            assert!(sent["text"].as_str().unwrap().starts_with(begins), "{sent}");
            let blocks = sent["blocks"].as_array().unwrap();
            let actions = blocks.iter().find(|block| block["type"] == "actions");
            assert_eq!(actions.map_or(0, |block| block["elements"].as_array().unwrap().len()), buttons);
        }
    }
}
