//! Reads and verifies what comes back from Telegram: an `Update` (<https://core.telegram.org/bots/api#update>).

use inresponse_core::model::{Contact, DeliveryId};
use inresponse_core::plan::Wanted;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use crate::wanted::by_letter;

/// What an update means to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Somebody pressed a button.
    Press(Press),
    /// Somebody sent a code that links their account.
    Link {
        /// The account of the sender.
        account: Contact,
        /// The chat in which to answer.
        chat: i64,
        /// The code.
        code: String,
    },
    /// Somebody began a conversation with the bot without a code, or sent a command that it does not know.
    Help {
        /// The chat in which to answer.
        chat: i64,
        /// The account of the sender.
        account: Contact,
    },
    /// Anything else.
    Other,
}

/// A button that was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Press {
    /// Telegram's name of the press, which an answer names.
    pub id: String,
    /// The account that pressed.
    pub account: Contact,
    /// The alert and what is asked for; `None` if the button is none of ours.
    pub asks: Option<(DeliveryId, Wanted)>,
}

#[derive(Deserialize)]
struct Raw {
    callback_query: Option<Callback>,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Callback {
    id: String,
    from: User,
    data: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    from: Option<User>,
    chat: Chat,
    text: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    #[serde(default)]
    is_bot: bool,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
    #[serde(rename = "type", default)]
    kind: String,
}

/// Whether the header `X-Telegram-Bot-Api-Secret-Token` has the secret with which the webhook was set. They are compared
/// in constant time.
pub fn is_from_telegram(header: Option<&str>, secret: &str) -> bool {
    header.is_some_and(|header| bool::from(header.as_bytes().ct_eq(secret.as_bytes())))
}

/// Reads an update. `None` if it is not JSON of that shape.
pub fn read_update(body: &[u8]) -> Option<Update> {
    let raw: Raw = serde_json::from_slice(body).ok()?;
    Some(understood(raw).unwrap_or(Update::Other))
}

fn understood(raw: Raw) -> Option<Update> {
    if let Some(callback) = raw.callback_query {
        let account = account(&callback.from)?;
        let is_id = (1..=128).contains(&callback.id.len());
        let asks = callback.data.as_deref().and_then(asks);
        return is_id.then_some(Update::Press(Press { id: callback.id, account, asks }));
    }
    let message = raw.message?;
    let account = account(&message.from?)?;
    // In a group, everybody could read the code before it is used.
    if message.chat.kind != "private" {
        return None;
    }
    let text = message.text?;
    let (command, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    let chat = message.chat.id;
    // A command may name the bot: `/link@our_bot`.
    match (command.split('@').next()?, rest.trim()) {
        ("/start" | "/link", "") => Some(Update::Help { chat, account }),
        ("/start" | "/link", code) => Some(Update::Link { account, chat, code: code.to_owned() }),
        (command, _) if command.starts_with('/') => Some(Update::Help { chat, account }),
        _ => None,
    }
}

fn account(user: &User) -> Option<Contact> {
    if user.is_bot {
        return None;
    }
    Contact::new(format!("telegram:{}", user.id)).ok()
}

/// The letter of a button, and the delivery id.
fn asks(data: &str) -> Option<(DeliveryId, Wanted)> {
    let (letter, id) = data.split_at_checked(1)?;
    Some((DeliveryId::read(id).ok()?, by_letter(letter)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: i64) -> Contact {
        Contact::new(format!("telegram:{id}")).unwrap()
    }

    #[test]
    fn a_press_is_read_with_the_account_of_who_pressed() {
        let body = r#"{"update_id":1,"callback_query":{"id":"4382bfdwdsb323b2d9","from":{"id":42,"is_bot":false,
            "first_name":"Jo","username":"kim"},"message":{"message_id":9,"date":1,"chat":{"id":-100,"type":"group"},
            "from":{"id":7,"is_bot":true,"first_name":"bot"},"text":"x"},"chat_instance":"1","data":"c10001-1-1-0-abc"}}"#;
        let id = DeliveryId::read("10001-1-1-0-abc").unwrap();
        let press =
            Press { id: "4382bfdwdsb323b2d9".into(), account: contact(42), asks: Some((id, Wanted::Claim)) };
        assert_eq!(read_update(body.as_bytes()), Some(Update::Press(press)));
        for data in ["", "x10001-1-1-0-abc", "c", "c\u{e9}", "é", "c a b"] {
            let body = format!(r#"{{"callback_query":{{"id":"1","from":{{"id":42}},"data":"{data}"}}}}"#);
            let press = Press { id: "1".into(), account: contact(42), asks: None };
            assert_eq!(read_update(body.as_bytes()), Some(Update::Press(press)), "{data}");
        }
    }

    #[test]
    fn p20_a_code_counts_in_a_private_chat_only() {
        let message = |kind: &str, text: &str| {
            format!(
                r#"{{"message":{{"message_id":1,"date":1,"from":{{"id":42,"is_bot":false}},
                "chat":{{"id":42,"type":"{kind}"}},"text":"{text}"}}}}"#
            )
        };
        let read = |kind, text| read_update(message(kind, text).as_bytes()).unwrap();
        let link = Update::Link { account: contact(42), chat: 42, code: "abc".into() };
        for text in ["/start abc", "/link abc", " /link   abc ", "/link@our_bot abc"] {
            assert_eq!(read("private", text), link, "{text}");
            assert_eq!(read("group", text), Update::Other, "{text}");
            assert_eq!(read("", text), Update::Other, "{text}");
        }
        for text in ["/start", "/help", "/link@x"] {
            assert_eq!(read("private", text), Update::Help { chat: 42, account: contact(42) }, "{text}");
        }
        assert_eq!(read("private", "link abc"), Update::Other);
        for junk in ["{}", r#"{"message":{"chat":{"id":1}}}"#, r#"{"edited_message":{}}"#] {
            assert_eq!(read_update(junk.as_bytes()), Some(Update::Other), "{junk}");
        }
        for junk in ["", "x", "[]", r#"{"callback_query":1}"#] {
            assert_eq!(read_update(junk.as_bytes()), None, "{junk}");
        }
    }

    #[test]
    fn p20_only_the_whole_secret_is_the_secret() {
        for (header, expected) in [
            (None, false),
            (Some(""), false),
            (Some("secre"), false),
            (Some("secret"), true),
            (Some("secret "), false),
        ] {
            assert_eq!(is_from_telegram(header, "secret"), expected, "{header:?}");
        }
    }
}
