//! Telegram and Slack, as their documentation describes them.

use std::sync::Arc;

use inresponse_chat::{SlackConfig, SlackNotifier, TelegramConfig, TelegramNotifier};
use inresponse_conformance::Behaviour;
use inresponse_core::clock::SystemClock;
use inresponse_outward::{InternalHosts, Outward};
use inresponse_testkit::carrier::{Carrier, Got, Manners, Says};
use serde_json::{Value, json};

pub(crate) const WEBHOOK_SECRET: &str = "webhook-canary-secret";
pub(crate) const SIGNING_SECRET: &str = "signing-canary";

fn outward() -> Outward {
    Outward::new(&InternalHosts::new().allow("127.0.0.1")).unwrap()
}

pub(crate) fn telegram(carrier: &Carrier) -> TelegramNotifier {
    let config =
        TelegramConfig::new("123456:bot-canary").unwrap().with_webhook_secret(WEBHOOK_SECRET).unwrap();
    let config = config.at(&carrier.url()).unwrap();
    TelegramNotifier::new(config, outward(), Arc::new(SystemClock::new())).unwrap()
}

/// A bot without a webhook.
pub(crate) fn asking(carrier: &Carrier) -> TelegramNotifier {
    let config = TelegramConfig::new("123456:bot-canary").unwrap().at(&carrier.url()).unwrap();
    TelegramNotifier::new(config, outward(), Arc::new(SystemClock::new())).unwrap()
}

pub(crate) fn slack(carrier: &Carrier) -> SlackNotifier {
    let config = SlackConfig::new("xoxb-canary", SIGNING_SECRET).unwrap().at(&carrier.url()).unwrap();
    SlackNotifier::new(config, outward(), Arc::new(SystemClock::new())).unwrap()
}

/// Telegram: <https://core.telegram.org/bots/api#making-requests>.
pub(crate) const TELEGRAM: Manners =
    Manners { recipient: |got| Some(parameters(got)["chat_id"].as_i64()?.to_string()), answer: in_telegram };

/// The parameters of a method: JSON, or a form whose values are JSON or texts.
fn parameters(got: &Got) -> Value {
    match got.json() {
        Value::Null => {
            let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| text.into());
            form_urlencoded::parse(&got.body).map(|(name, text)| (name.into_owned(), value(&text))).collect()
        }
        json => json,
    }
}

fn in_telegram(got: &Got, behaviour: Behaviour, n: usize) -> Says {
    let error = |status: u16, description: &str, more: Value| {
        let mut body = json!({ "ok": false, "error_code": status, "description": description });
        if !more.is_null() {
            body["parameters"] = more;
        }
        Says::new(status, body)
    };
    let method = got.path.rsplit('/').next().unwrap();
    let bot = json!({ "id": 123456, "is_bot": true, "first_name": "alerts", "username": "alerts_bot" });
    match behaviour {
        Behaviour::Reject => error(403, "Forbidden: bot was blocked by the user", Value::Null),
        Behaviour::RefuseSender => error(401, "Unauthorized", Value::Null),
        Behaviour::Busy => error(500, "Internal Server Error", Value::Null),
        Behaviour::Throttle => {
            let pause = Behaviour::PAUSE.as_secs();
            error(429, "Too Many Requests: retry after 7", json!({ "retry_after": pause }))
        }
        _ => match method {
            "sendMessage" | "editMessageText" => {
                let sent = parameters(got);
                let id = sent["message_id"].as_i64().unwrap_or(n as i64);
                let chat = json!({ "id": sent["chat_id"], "type": "private", "first_name": "Jo" });
                let mut message = json!({ "message_id": id, "from": bot, "chat": chat, "date": 1_800_000_000,
                    "text": sent["text"] });
                // A message without buttons has no keyboard.
                if sent["reply_markup"]["inline_keyboard"][0][0].is_object() {
                    message["reply_markup"] = sent["reply_markup"].clone();
                }
                Says::new(200, json!({ "ok": true, "result": message }))
            }
            "getMe" => Says::new(200, json!({ "ok": true, "result": bot })),
            "getUpdates" => Says::new(200, json!({ "ok": true, "result": [] })),
            _ => Says::new(200, json!({ "ok": true, "result": true })),
        },
    }
}

/// Slack: <https://docs.slack.dev/reference/methods/chat.postMessage>. A message to a user is in a channel of its own.
pub(crate) const SLACK: Manners = Manners {
    recipient: |got| {
        let channel = got.json()["channel"].as_str()?.to_owned();
        Some(channel.strip_prefix("D-").unwrap_or(&channel).to_owned())
    },
    answer: in_slack,
};

fn in_slack(got: &Got, behaviour: Behaviour, n: usize) -> Says {
    let error = |word: &str| Says::new(200, json!({ "ok": false, "error": word }));
    match behaviour {
        Behaviour::Reject => error("channel_not_found"),
        Behaviour::RefuseSender => error("invalid_auth"),
        Behaviour::Busy => error("service_unavailable"),
        Behaviour::Throttle => Says::new(429, json!({ "ok": false, "error": "ratelimited" }))
            .with("retry-after", Behaviour::PAUSE.as_secs()),
        _ => {
            let sent = got.json();
            let channel = sent["channel"].as_str().unwrap_or_default();
            let channel = match channel.starts_with('U') {
                true => format!("D-{channel}"),
                false => channel.to_owned(),
            };
            let ts = sent["ts"].as_str().map_or_else(|| format!("1800000000.{n:06}"), str::to_owned);
            let message = json!({ "type": "message", "bot_id": "B1", "user": "U0BOT", "ts": ts,
                "text": sent["text"], "blocks": sent["blocks"] });
            Says::new(200, json!({ "ok": true, "channel": channel, "ts": ts, "message": message }))
        }
    }
}
