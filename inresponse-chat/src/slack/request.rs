//! Reads what comes back from Slack: interactions, slash commands and events.

use std::borrow::Cow;

use inresponse_core::model::{Contact, DeliveryId};
use inresponse_core::plan::Wanted;
use serde::Deserialize;

/// What a request means to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Slack checks the URL of events (`url_verification`).
    Challenge(String),
    /// Somebody pressed a button.
    Action(Action),
    /// Somebody sent `/inresponse`, with what follows it.
    Command {
        /// The account of the sender.
        account: Contact,
        /// What follows the command.
        text: String,
    },
    /// Somebody sent a direct message to the app.
    Message {
        /// The account of the sender.
        account: Contact,
        /// The channel of the conversation.
        channel: String,
        /// The text.
        text: String,
    },
    /// Anything else.
    Other,
}

/// A button that was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The account that pressed.
    pub account: Contact,
    /// Where to answer.
    pub response_url: Option<String>,
    /// The alert and what is asked for; `None` if the button is none of ours.
    pub asks: Option<(DeliveryId, Wanted)>,
}

#[derive(Deserialize)]
struct Interaction {
    #[serde(rename = "type")]
    kind: String,
    user: User,
    response_url: Option<String>,
    #[serde(default)]
    actions: Vec<Pressed>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Pressed {
    action_id: String,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Outer {
    #[serde(rename = "type")]
    kind: String,
    challenge: Option<String>,
    event: Option<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    channel_type: Option<String>,
    channel: Option<String>,
    user: Option<String>,
    text: Option<String>,
    bot_id: Option<String>,
    subtype: Option<String>,
}

/// Reads a verified request. `None` if it has none of Slack's shapes.
pub fn read_request(body: &[u8]) -> Option<Request> {
    if body.trim_ascii_start().first() == Some(&b'{') {
        return event(serde_json::from_slice(body).ok()?);
    }
    let field = |name: &str| {
        form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value): (_, Cow<'_, str>)| value)
    };
    if let Some(payload) = field("payload") {
        return interaction(serde_json::from_str(&payload).ok()?);
    }
    let (account, text) = (account(&field("user_id")?)?, field("text")?.into_owned());
    field("command")?;
    Some(Request::Command { account, text })
}

fn interaction(interaction: Interaction) -> Option<Request> {
    let account = account(&interaction.user.id)?;
    if interaction.kind != "block_actions" {
        return Some(Request::Other);
    }
    let asks = interaction.actions.into_iter().next().and_then(|pressed| {
        let wanted = match pressed.action_id.as_str() {
            "claim" => Wanted::Claim,
            "resolve" => Wanted::Resolve,
            "escalate" => Wanted::Escalate,
            _ => return None,
        };
        Some((DeliveryId::read(pressed.value?).ok()?, wanted))
    });
    Some(Request::Action(Action { account, response_url: interaction.response_url, asks }))
}

fn event(outer: Outer) -> Option<Request> {
    match outer.kind.as_str() {
        "url_verification" => {
            let challenge = outer.challenge.filter(|challenge| challenge.len() <= 1024)?;
            Some(Request::Challenge(challenge))
        }
        "event_callback" => Some(outer.event.and_then(said).unwrap_or(Request::Other)),
        _ => Some(Request::Other),
    }
}

/// A direct message that a person wrote. The app's own messages are events too.
fn said(event: Event) -> Option<Request> {
    let by_a_person = event.bot_id.is_none() && event.subtype.is_none();
    if event.kind != "message" || event.channel_type.as_deref() != Some("im") || !by_a_person {
        return None;
    }
    Some(Request::Message { account: account(&event.user?)?, channel: event.channel?, text: event.text? })
}

fn account(user: &str) -> Option<Contact> {
    let is_id = (2..=64).contains(&user.len()) && user.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_id {
        return None;
    }
    Contact::new(format!("slack:{user}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jo() -> Contact {
        Contact::new("slack:U2CERLKJA").unwrap()
    }

    fn form(fields: &[(&str, &str)]) -> Vec<u8> {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
    }

    #[test]
    fn a_button_is_read_with_the_account_of_who_pressed() {
        let payload = r#"{"type":"block_actions","user":{"id":"U2CERLKJA","username":"kim","team_id":"T1"},
            "api_app_id":"A1","container":{"type":"message"},"response_url":"https://hooks.slack.com/actions/x",
            "actions":[{"action_id":"resolve","block_id":"b","type":"button","value":"10001-1-1-0-abc","action_ts":"1"}]}"#;
        let asks = Some((DeliveryId::read("10001-1-1-0-abc").unwrap(), Wanted::Resolve));
        let response_url = Some("https://hooks.slack.com/actions/x".to_owned());
        let action = Action { account: jo(), response_url, asks };
        assert_eq!(read_request(&form(&[("payload", payload)])), Some(Request::Action(action)));
        for (from, to) in [("resolve", "erase"), ("10001-1-1-0-abc", "a b"), ("\"value\"", "\"other\"")] {
            let Some(Request::Action(action)) =
                read_request(&form(&[("payload", &payload.replace(from, to))]))
            else {
                panic!("{to}")
            };
            assert_eq!(action.asks, None, "{to}");
        }
        assert_eq!(
            read_request(&form(&[("payload", &payload.replace("block_actions", "view_submission"))])),
            Some(Request::Other)
        );
        assert_eq!(read_request(&form(&[("payload", &payload.replace("U2CERLKJA", "U 2"))])), None);
    }

    #[test]
    fn commands_messages_and_challenges_are_told_apart() {
        let command = form(&[("command", "/inresponse"), ("user_id", "U2CERLKJA"), ("text", "link a-b_c")]);
        assert_eq!(
            read_request(&command),
            Some(Request::Command { account: jo(), text: "link a-b_c".into() })
        );
        let challenge = br#"{"token":"x","challenge":"3eZbrw1aB","type":"url_verification"}"#;
        assert_eq!(read_request(challenge), Some(Request::Challenge("3eZbrw1aB".into())));
        let message = |more: &str| {
            format!(
                r#"{{"type":"event_callback","event":{{"type":"message","channel_type":"im","channel":"D1",
                "user":"U2CERLKJA","text":"link abc"{more}}}}}"#
            )
        };
        let said = Request::Message { account: jo(), channel: "D1".into(), text: "link abc".into() };
        assert_eq!(read_request(message("").as_bytes()), Some(said));
        for more in [r#","bot_id":"B1""#, r#","subtype":"message_changed""#] {
            assert_eq!(read_request(message(more).as_bytes()), Some(Request::Other), "{more}");
        }
        let in_channel = message("").replace("\"im\"", "\"channel\"");
        assert_eq!(read_request(in_channel.as_bytes()), Some(Request::Other));
        for junk in ["", "x", "{", "payload=", "payload={}", "command=/x", "user_id=U2CERLKJA&text=x"] {
            assert_eq!(read_request(junk.as_bytes()), None, "{junk}");
        }
    }
}
