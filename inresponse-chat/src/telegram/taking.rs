//! Takes what comes back from Telegram.

use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::engine::Answered;
use inresponse_core::model::KeyName;
use inresponse_core::notify::{CameBack, Channel, Linking, Reply};
use inresponse_core::plan::{Answer, AnswerTo, Refusal};
use inresponse_core::{Engine, Outage};
use serde_json::{Value, json};

use super::bot::TelegramNotifier;
use super::update::{Press, Update, is_from_telegram, read_update};

/// The maximum length of what a press is answered with, in characters
/// (<https://core.telegram.org/bots/api#answercallbackquery>).
const TOLD: usize = 200;
/// The time limit of an answer to Telegram.
const DEADLINE: Duration = Duration::from_secs(10);

/// Takes what the webhook of a bot sends: presses of buttons, and codes that link accounts.
#[derive(Debug, Clone)]
pub struct TelegramAnswers {
    bot: TelegramNotifier,
}

/// A method of the Bot API that answers an update, with its parameters.
pub(super) struct Call {
    method: &'static str,
    parameters: Value,
}

impl TelegramAnswers {
    /// Answers to the alerts of that bot.
    pub fn new(bot: TelegramNotifier) -> Self {
        Self { bot }
    }
}

#[async_trait]
impl Channel for TelegramAnswers {
    /// No path if the bot has no webhook secret: then the server asks for what comes back.
    fn paths(&self) -> &'static [&'static str] {
        if self.bot.webhook_secret().is_some() { &["telegram"] } else { &[] }
    }

    fn linking(&self) -> Option<Linking> {
        let scheme = TelegramNotifier::scheme();
        Some(Linking { scheme, to: "to the bot in Telegram", command: "/link" })
    }

    async fn take(&self, engine: &Engine, came_back: CameBack<'_>) -> Result<Reply, Outage> {
        let header = came_back.header("x-telegram-bot-api-secret-token");
        if !self.bot.webhook_secret().is_some_and(|secret| is_from_telegram(header, secret)) {
            return Ok(Reply::forbidden());
        }
        let Some(update) = read_update(came_back.body) else {
            return Ok(Reply::unreadable("the update cannot be read"));
        };
        // Telegram carries out the method that answers its request.
        Ok(match taken(engine, update).await? {
            Some(Call { method, mut parameters }) => {
                parameters["method"] = json!(method);
                Reply { status: 200, content_type: "application/json", body: parameters.to_string() }
            }
            None => Reply::text(""),
        })
    }
}

/// Does what an update asks for, and says how to answer it.
pub(super) async fn taken(engine: &Engine, update: Update) -> Result<Option<Call>, Outage> {
    let (account, chat, text) = match update {
        Update::Press(press) => return pressed(engine, press).await.map(Some),
        Update::Link { account, chat, code } => {
            let linked = engine.link(&code, &account).await?;
            (account, chat, linked.text())
        }
        Update::Help { chat, account } => {
            let text = "This bot sends alerts of InResponse. To answer them, link your account: send /link and the code \
                that your page in InResponse shows.";
            (account, chat, text.to_owned())
        }
        Update::Other => return Ok(None),
    };
    let text = format!("{text}\n\nYour account is {}.", account.as_str());
    Ok(Some(Call { method: "sendMessage", parameters: json!({ "chat_id": chat, "text": text }) }))
}

async fn pressed(engine: &Engine, press: Press) -> Result<Call, Outage> {
    let Press { id, account, asks } = press;
    let asked = asks.and_then(|(delivery, wants)| Some((delivery.incident()?, delivery, wants)));
    let answered = match asked {
        Some((incident, delivery, wants)) => {
            let answer = Answer {
                to: AnswerTo::Delivery(delivery),
                from: Some(account.clone()),
                account: None,
                wants,
                counts_in: None,
                over: KeyName::channel(&TelegramNotifier::scheme()),
            };
            Some(engine.answer(incident, answer).await?)
        }
        None => None,
    };
    let was_not_asked = matches!(
        &answered,
        Some(Answered::Refused(_, Refusal::NotAsked | Refusal::Replaced) | Answered::Absent)
    );
    // The data of a button can be forged, and the state of an incident is not for strangers.
    let is_stranger = was_not_asked && engine.book().await?.person_at(&account).is_none();
    let is_done = matches!(answered, Some(Answered::Done(..)));
    let text = match answered {
        Some(_) if is_stranger => "That alert was not sent to you, so your answer does not count.".to_owned(),
        Some(answered) => answered.text(),
        None => "That button means nothing here.".to_owned(),
    };
    let text: String = text.chars().take(TOLD).collect();
    // What was not done is shown until the person has seen it.
    let parameters = json!({ "callback_query_id": id, "text": text, "show_alert": !is_done });
    Ok(Call { method: "answerCallbackQuery", parameters })
}

impl TelegramNotifier {
    /// Answers an update. That the answer cannot be sent changes nothing.
    pub(super) async fn answer(&self, call: Call) {
        let answered = self.call(call.method, &call.parameters, DEADLINE).await;
        let reason = match &answered {
            Ok(answer) if answer.status.is_success() => return,
            Ok(answer) => format!("answered {}", answer.status),
            Err(outcome) => outcome.reason().to_owned(),
        };
        tracing::warn!(method = call.method, reason, "an answer to Telegram could not be sent");
    }
}
