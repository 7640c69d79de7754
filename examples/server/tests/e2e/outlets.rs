//! Pushes, chats and programs: an alert by each, and a press of a button that claims.

use std::sync::Mutex;

use inresponse_testkit::carrier::{Carrier, Got, Manners, Says};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{SOON, Setup};

/// What the bot's updates contain from now on: the data of the button that was pressed.
static PRESSED: Mutex<Option<String>> = Mutex::new(None);

/// ntfy and Telegram on one port.
const BOTH: Manners = Manners { recipient: |got| Some(got.path.clone()), answer };

fn answer(got: &Got, _: inresponse_conformance::Behaviour, n: usize) -> Says {
    let chat = json!({ "id": 1000, "type": "private" });
    let result = match got.path.rsplit('/').next().unwrap() {
        "sendMessage" | "editMessageText" => json!({ "message_id": n, "date": 1, "chat": chat }),
        "getUpdates" => {
            let asked = got.json()["offset"].as_i64().unwrap();
            let pressed = PRESSED.lock().unwrap().clone().filter(|_| asked <= 5);
            let from = json!({ "id": 1000, "is_bot": false, "first_name": "Jo" });
            let update =
                |data| json!({ "update_id": 5, "callback_query": { "id": "1", "from": from, "data": data } });
            Value::Array(pressed.map(update).into_iter().collect())
        }
        "answerCallbackQuery" => json!(true),
        _ => return Says::new(200, json!({ "id": "x", "event": "message" })),
    };
    Says::new(200, json!({ "ok": true, "result": result }))
}

#[tokio::test]
async fn p20_a_press_in_telegram_claims_for_its_person_and_withdraws_every_message() {
    let dir = TempDir::new().unwrap();
    let carrier = Carrier::start(BOTH);
    let (url, told) = (carrier.url(), dir.path().join("told"));
    let config = format!(
        "[webhook]\ninternal = ['127.0.0.1']\n[ntfy]\nurl = '{url}'\n\
        [telegram]\nbot-token = '1:x'\napi-url = '{url}'\n\
        [command.file]\nprogram = 'sh'\narguments = ['-c', 'cat > {}']\n",
        told.display()
    );
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let server = Setup::new(dir.path(), 9).with("--config", "config.toml").start().await;
    let methods = json!({ "push": "ntfy:jo", "chat": "telegram:1000", "file": "command:file" });
    server.put("/people/jo", json!({ "methods": methods })).await;
    let team = json!({ "fallback": ["z@example.org"], "levels": [{ "notify": ["person:jo"] }] });
    server.put("/teams/devops", team).await;
    server.put("/services/web", json!({ "team": "devops" })).await;
    let number = server.report("web").await;
    let all_accepted = |incident: &Value| {
        let deliveries = incident["deliveries"].as_array().unwrap();
        deliveries.len() == 3 && deliveries.iter().all(|delivery| delivery["status"] == "accepted")
    };
    server.until(number, SOON, all_accepted).await;
    let message: Value = serde_json::from_slice(&std::fs::read(&told).unwrap()).unwrap();
    assert_eq!(
        (&message["type"], &message["data"]["incident"]["incidentId"]),
        (&json!("inresponse.alert"), &json!(number))
    );
    let sent = |method: &str| {
        let all = carrier.all().into_iter();
        all.filter(|got| got.path.ends_with(method)).map(|got| got.json()).collect::<Vec<_>>()
    };
    let button = sent("/sendMessage")[0]["reply_markup"]["inline_keyboard"][0][0].clone();
    assert_eq!(button["text"], "Claim");
    *PRESSED.lock().unwrap() = button["callback_data"].as_str().map(str::to_owned);
    let incident = server.until(number, SOON, |incident| incident["state"] == "CLAIMED").await;
    assert_eq!(incident["claimedBy"], "jo");
    // The messages with receipts are changed or withdrawn, although status updates are off; the program is not run again.
    let is_deleted = || carrier.all().iter().any(|got| got.method == "DELETE");
    for _ in 0..SOON.as_millis() / 50 {
        let (edited, told) = (sent("/editMessageText"), sent("/answerCallbackQuery"));
        if !edited.is_empty() && !told.is_empty() && is_deleted() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(sent("/editMessageText")[0]["text"].as_str().unwrap().starts_with("Claimed by jo"));
    assert!(is_deleted());
    let answered = sent("/answerCallbackQuery");
    assert!(answered[0]["text"].as_str().unwrap().contains("You have incident"), "{answered:?}");
}
