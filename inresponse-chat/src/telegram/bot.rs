//! The notifier: sends messages with buttons, and edits them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, Receipt, Scheme};
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Occasion, Outcome};
use inresponse_outward::header::CONTENT_TYPE;
use inresponse_outward::{Answer, Outward, brief, many};
use serde_json::{Value, json};

use super::reply;
use crate::alert::alert_id;
use crate::config::TelegramConfig;
use crate::error::{ChatError, ChatErrorKind};
use crate::wanted::{buttons, label, letter};

/// The maximum length of a message, in UTF-16 code units (<https://core.telegram.org/bots/api#sendmessage>).
const MESSAGE: usize = 4096;
/// The number of bytes that are read of an answer. An answer to `sendMessage` contains the message.
const BODY: usize = 64 * 1024;
/// The number of bytes that are read of an answer to `getUpdates`.
const UPDATES: usize = 4 * 1024 * 1024;

/// Why a contact is rejected.
const NOT_OURS: &str = "the contact is not a chat of Telegram";

/// Alerts through a bot. Cloning is cheap.
#[derive(Clone)]
pub struct TelegramNotifier {
    outward: Outward,
    config: Arc<TelegramConfig>,
    clock: Arc<dyn Clock>,
}

impl TelegramNotifier {
    /// A notifier for that bot. It does not connect yet.
    ///
    /// # Errors
    /// The URL is not allowed.
    pub fn new(config: TelegramConfig, outward: Outward, clock: Arc<dyn Clock>) -> Result<Self, ChatError> {
        outward.gate().check(&config.url).map_err(|refused| {
            ChatError::new(ChatErrorKind::Url, "the URL of Telegram is not allowed").because(refused)
        })?;
        Ok(Self { outward, config: Arc::new(config), clock })
    }

    /// The scheme of its contacts: `telegram`.
    pub fn scheme() -> Scheme {
        Scheme::new("telegram").expect("the name is a scheme")
    }

    /// Which bot of which server this is, without what is secret.
    pub(super) fn identity(&self) -> String {
        let (bot, _) = self.config.bot_token.split_once(':').unwrap_or_default();
        format!("{bot} {}", self.config.url)
    }

    /// Calls a method of the Bot API.
    pub(super) async fn call(
        &self,
        method: &str,
        parameters: &Value,
        deadline: Duration,
    ) -> Result<Answer, Outcome> {
        let url = format!("{}bot{}/{method}", self.config.url, self.config.bot_token);
        let url = url.parse().map_err(|_| Outcome::unavailable("the URL of Telegram cannot be joined"))?;
        let request = self.outward.post(url).map_err(|refused| Outcome::unavailable(refused.to_string()))?;
        let request = request.header(CONTENT_TYPE, "application/json");
        let most = if method == "getUpdates" { UPDATES } else { BODY };
        self.outward.send(request, parameters.to_string().into(), |_| most, deadline).await.answer()
    }

    async fn send(&self, message: &Value, deadline: Duration) -> Outcome {
        match self.call("sendMessage", message, deadline).await {
            Ok(answer) => reply::sent(&answer, self.clock.now()),
            Err(outcome) => outcome,
        }
    }

    async fn edit(&self, alert: &Alert, receipt: &Receipt, deadline: Duration) -> Outcome {
        let place = receipt.as_str().split_once('/');
        let Some((chat, id)) = place.and_then(|(chat, id)| Some((chat, id.parse::<i64>().ok()?))) else {
            return Outcome::rejected("the receipt is not one of Telegram");
        };
        let Some(chat) = chat_id(chat) else {
            return Outcome::rejected("the receipt is not one of Telegram");
        };
        let mut message = message(alert, chat);
        message["message_id"] = json!(id);
        match self.call("editMessageText", &message, deadline).await {
            Ok(answer) => reply::edited(&answer, self.clock.now()),
            Err(outcome) => outcome,
        }
    }

    /// The secret with which the webhook was set.
    pub(super) fn webhook_secret(&self) -> Option<&str> {
        self.config.webhook_secret.as_deref()
    }
}

/// A chat as the Bot API takes it: a number, or the user name of a channel (`@name`).
fn chat_id(text: &str) -> Option<Value> {
    let is_name = |name: &str| {
        (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    match text.strip_prefix('@') {
        Some(name) => is_name(name).then(|| json!(text)),
        None => text.parse::<i64>().ok().map(|id| json!(id)),
    }
}

/// The parameters of `sendMessage` and of `editMessageText`. The text has no markup, so what strangers wrote is shown as
/// it is.
fn message(alert: &Alert, chat: Value) -> Value {
    let incident = alert.incident();
    let units = char::len_utf16;
    let mut text = brief::cut(&brief::head(alert), MESSAGE / 4, units);
    if brief::tells_what_happened(alert) {
        text = format!("{text}\n\n{}", brief::cut(incident.message(), MESSAGE / 4, units));
    }
    text = format!("{text}\n\n{}", brief::cut(&brief::context(alert), MESSAGE / 4, units));
    if let Some(url) = alert.board_url() {
        text = format!("{text}\n{}", brief::cut(url, 512, units));
    }
    text = format!("{text}\nalert {}", alert.delivery_id());
    let answered = alert_id(alert);
    let press = |wanted: &_| json!({ "text": label(alert, *wanted), "callback_data": format!("{}{}", letter(*wanted), answered) });
    let buttons: Vec<Value> = buttons(alert).iter().map(press).collect();
    let rows = if buttons.is_empty() { json!([]) } else { json!([buttons]) };
    let mut message = json!({
        "chat_id": chat,
        "text": text,
        "link_preview_options": { "is_disabled": true },
        "reply_markup": { "inline_keyboard": rows },
    });
    if matches!(alert.occasion(), Occasion::Claimed | Occasion::Resolved) {
        message["disable_notification"] = json!(true);
    }
    message
}

/// The parameters of `sendMessage` for many incidents. A link that does not fit is left out.
fn message_of_bundle(bundle: &Bundle, chat: Value) -> Value {
    let units = char::len_utf16;
    let mut parts = vec![brief::cut(&bundle.headline(), MESSAGE / 16, units)];
    let link = bundle.claim_all_url().filter(|url| url.len() <= MESSAGE / 4);
    parts.extend(link.map(|url| format!("Claim all of these: {url}")));
    parts.push(brief::cut(&many::services(bundle), MESSAGE / 8, units));
    let worst = many::worst(bundle).map(|(head, _)| brief::cut(&head, MESSAGE / 32, units));
    parts.push(worst.collect::<Vec<_>>().join("\n"));
    parts.extend(many::others(bundle).map(|others| brief::cut(&others, MESSAGE / 16, units)));
    parts.push(format!("alerts {}", bundle.id()));
    json!({
        "chat_id": chat,
        "text": parts.join("\n\n"),
        "link_preview_options": { "is_disabled": true },
    })
}

#[async_trait]
impl Notifier for TelegramNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let Some(chat) = chat_id(alert.contact().address()) else {
            return Outcome::rejected(NOT_OURS);
        };
        match alert.receipt() {
            // An edit does not ring, and what was handed to somebody must.
            Some(receipt) if alert.occasion() != Occasion::Handed => {
                self.edit(alert, receipt, deadline).await
            }
            Some(_) | None => self.send(&message(alert, chat), deadline).await,
        }
    }

    /// Reaches contacts whose address is the id of a chat, or `@` and the user name of a channel.
    fn reaches(&self, contact: &Contact) -> bool {
        chat_id(contact.address()).is_some()
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }
}

#[async_trait]
impl NotifyBundle for TelegramNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        let Some(chat) = chat_id(bundle.contact().address()) else {
            return Outcome::rejected(NOT_OURS);
        };
        // A status update of one of the incidents must not replace the message.
        self.send(&message_of_bundle(bundle, chat), deadline).await.without_receipt()
    }
}

impl fmt::Debug for TelegramNotifier {
    /// Shows everything except the token and the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramNotifier").field("config", &self.config).finish_non_exhaustive()
    }
}
