//! On a phone: a person links accounts, confirms a number, and tests each method.

use hmac::{Hmac, KeyInit, Mac};
use inresponse_conformance::Behaviour;
use inresponse_testkit::carrier::{Carrier, Got, Manners, Says};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::looks::looked_at;
use crate::scene::Scene;
use crate::server::SOON;
use crate::window::{LOOKS, Look, PHONE, Window};

const WEBHOOK_SECRET: &str = "a-secret-of-the-webhook";
const SIGNING_SECRET: &str = "a-secret-that-signs";
const NUMBER: &str = "+302101234567";

/// Telegram, Slack and Twilio on one port.
const ALL: Manners = Manners { recipient: |got| Some(got.path.clone()), answer };

fn answer(got: &Got, _: Behaviour, n: usize) -> Says {
    let chat = json!({ "id": 1000, "type": "private" });
    match got.path.rsplit('/').next().unwrap() {
        "sendMessage" => {
            Says::new(200, json!({ "ok": true, "result": { "message_id": n, "date": 1, "chat": chat } }))
        }
        "chat.postMessage" => {
            Says::new(200, json!({ "ok": true, "channel": "D1", "ts": "1800000000.000001" }))
        }
        "Messages.json" => Says::new(201, json!({ "sid": format!("SM{n:032}"), "status": "queued" })),
        _ => Says::new(200, json!({ "ok": true, "result": true })),
    }
}

async fn scene(carrier: &Carrier) -> Scene {
    let url = carrier.url();
    let scene = Scene::configured(&format!(
        "public-url = 'https://alerts.example.org'\n\
        [webhook]\ninternal = ['127.0.0.1']\n\
        [telegram]\nbot-token = '1:x'\napi-url = '{url}'\nwebhook-secret = '{WEBHOOK_SECRET}'\n\
        [slack-app]\nbot-token = 'xoxb-1'\nsigning-secret = '{SIGNING_SECRET}'\napi-url = '{url}'\n\
        [twilio]\naccount-sid = 'AC0123456789abcdef0123456789abcdef'\n\
        auth-token = '0123456789abcdef0123456789abcdef'\nfrom = '+15005550006'\napi-url = '{url}'\n"
    ))
    .await;
    let person = json!({ "name": "Jo Doe", "timezone": "Europe/Athens",
        "methods": { "mail": "jo@example.org", "text": format!("sms:{NUMBER}") } });
    scene.server.put("/people/jo", person).await;
    scene
}

/// Sends what somebody wrote in Telegram or Slack, as the service does; answers what the person reads.
async fn said(request: reqwest::RequestBuilder) -> String {
    let answer = request.timeout(SOON).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    let body: Value = answer.json().await.unwrap();
    body["text"].as_str().unwrap().to_owned()
}

async fn said_in_telegram(scene: &Scene, text: &str) -> String {
    let from = json!({ "id": 1000, "is_bot": false, "first_name": "Jo" });
    let chat = json!({ "id": 1000, "type": "private", "first_name": "Jo" });
    let message = json!({ "message_id": 3, "date": 1_800_000_000, "from": from, "chat": chat, "text": text });
    let request = crate::server::client().post(format!("{}/channels/telegram", scene.server.url));
    let request = request.header("X-Telegram-Bot-Api-Secret-Token", WEBHOOK_SECRET);
    said(request.json(&json!({ "update_id": 7, "message": message }))).await
}

async fn said_in_slack(scene: &Scene, command: &str) -> String {
    let (name, text) = command.split_once(' ').unwrap();
    let fields = [("command", name), ("text", text), ("user_id", "U024BE7LH"), ("user_name", "jo")];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let at = crate::server::unix_now() as i64;
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{at}:{body}").as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = crate::server::client().post(format!("{}/channels/slack", scene.server.url));
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.header("X-Slack-Request-Timestamp", at);
    said(request.header("X-Slack-Signature", format!("v0={digits}")).body(body)).await
}

/// The text that the page tells the person to send from an account of that channel.
async fn to_send(phone: &Window, scheme: &str) -> String {
    let script = format!(
        "return [...document.querySelectorAll('section[aria-labelledby=accounts] li')]
            .find((item) => item.innerText.startsWith('{scheme}:')).querySelector('code').innerText"
    );
    phone.run(&script).await.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn on_a_phone_accounts_are_linked_by_code_a_number_is_confirmed_and_each_method_is_tested() {
    let carrier = Carrier::start(ALL);
    let scene = scene(&carrier).await;
    let on_a_phone: Vec<Look> = LOOKS.into_iter().filter(|look| look.width == PHONE).collect();
    let phone = Window::signed_in(&scene.server, "jo").await;
    let page = format!("{}/board/people/jo", scene.server.url);
    phone.go(&page).await;
    phone.until_says("telegram: no account is linked").await;
    phone.until_says("slack: no account is linked").await;
    looked_at(&phone, "person-to-link", &on_a_phone).await;
    phone.look(on_a_phone[0]).await;

    let in_telegram = to_send(&phone, "telegram").await;
    let wrong = said_in_telegram(&scene, "/link 123-wrong").await;
    assert!(wrong.contains("not valid"), "{wrong}");
    phone.go(&page).await;
    phone.until_says("telegram: no account is linked").await;
    let linked = said_in_telegram(&scene, &in_telegram).await;
    assert!(linked.contains("linked to jo"), "{linked}");
    phone.go(&page).await;
    phone.until_says("telegram: an account is linked").await;
    // A code is of the person as they were, so the page shows another one now.
    let in_slack = to_send(&phone, "slack").await;
    let linked = said_in_slack(&scene, &in_slack).await;
    assert!(linked.contains("linked to jo"), "{linked}");
    phone.go(&page).await;
    phone.until_says("slack: an account is linked").await;

    // The number, whose code is in the message that was sent to it.
    phone.until_says("not verified").await;
    phone.press("#do-send-text").await;
    let code = code_sent(&carrier).await;
    phone.type_into("#code-text", "000 000 0").await;
    phone.press("#do-confirm-text").await;
    phone.until_says("is not the code that was sent").await;
    phone.type_into("#code-text", &code).await;
    phone.press("#do-confirm-text").await;
    phone.until_says(", verified").await;

    // One message by each method, and its result.
    phone.press("#do-test").await;
    phone.until("#tests").await;
    let told = phone.text().await;
    for method in ["mail", "text", "telegram", "slack"] {
        assert!(told.contains(&format!("{method}: the message was accepted after")), "{method}: {told}");
    }
    assert_eq!(scene.letter("jo@example.org").await.claim_links(), Vec::<String>::new());
    looked_at(&phone, "person-linked", &on_a_phone).await;
    let complaints = phone.complaints().await;
    let failures = complaints.iter().filter(|text| !text.contains("422 (Unprocessable"));
    assert_eq!(failures.collect::<Vec<_>>(), Vec::<&String>::new());
}

/// The code in the text message to the number, when it was sent.
async fn code_sent(carrier: &Carrier) -> String {
    for _ in 0..SOON.as_millis() / 50 {
        let sent = carrier.all().into_iter().find(|got| got.path.ends_with("/Messages.json"));
        let fields = |got: Got| form_urlencoded::parse(&got.body).into_owned().collect::<Vec<_>>();
        if let Some(fields) = sent.map(fields) {
            assert!(fields.contains(&("To".to_owned(), NUMBER.to_owned())), "{fields:?}");
            let (_, text) = fields.iter().find(|(name, _)| name == "Body").unwrap();
            return text
                .split(|c: char| !c.is_ascii_digit())
                .find(|part| part.len() == 6)
                .unwrap()
                .to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no code was sent");
}
