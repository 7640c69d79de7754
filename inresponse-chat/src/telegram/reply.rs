//! The outcome of an answer of the Bot API. The table is in the documentation of the crate.

use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::model::Receipt;
use inresponse_core::notify::Outcome;
use inresponse_outward::{Answer, StatusCode, brief};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reply {
    ok: bool,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
struct Parameters {
    retry_after: Option<u32>,
}

#[derive(Deserialize)]
struct Sent {
    result: Message,
}

#[derive(Deserialize)]
struct Message {
    message_id: i64,
    chat: Chat,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
}

/// What the API says of a recipient that is gone, after `Bad Request: `.
const GONE: [&str; 4] =
    ["chat not found", "user not found", "group chat was upgraded to a supergroup chat", "peer_id_invalid"];

/// The outcome of `sendMessage`.
pub(super) fn sent(answer: &Answer, now: DateTime<Utc>) -> Outcome {
    if answer.status.is_success() {
        return match serde_json::from_slice::<Reply>(&answer.body) {
            Ok(reply) if reply.ok => {
                let sent = serde_json::from_slice::<Sent>(&answer.body).ok().map(|sent| sent.result);
                let receipt = sent.and_then(|m| Receipt::new(format!("{}/{}", m.chat.id, m.message_id)).ok());
                receipt.map_or(Outcome::Accepted, Outcome::AcceptedAs)
            }
            Ok(reply) => Outcome::unavailable(brief::reason(&reply.description)),
            Err(_) => Outcome::unknown("the answer of Telegram cannot be read"),
        };
    }
    refused(answer, now)
}

/// The outcome of `editMessageText`. A message that says the same already, or that is gone, needs no edit.
pub(super) fn edited(answer: &Answer, now: DateTime<Utc>) -> Outcome {
    const NOTHING_TO_DO: [&str; 4] = [
        "message is not modified",
        "message to edit not found",
        "message can't be edited",
        "message_id_invalid",
    ];
    let description = description(answer).to_ascii_lowercase();
    if answer.status == StatusCode::BAD_REQUEST && NOTHING_TO_DO.iter().any(|text| description.contains(text))
    {
        return Outcome::Accepted;
    }
    if answer.status.is_success() { Outcome::Accepted } else { refused(answer, now) }
}

fn refused(answer: &Answer, now: DateTime<Utc>) -> Outcome {
    let said = brief::reason(&description(answer));
    let lower = said.to_ascii_lowercase();
    let reply = serde_json::from_slice::<Reply>(&answer.body).ok();
    match answer.status {
        // The bot was blocked or removed, the user never wrote to it, or the account was deleted.
        StatusCode::FORBIDDEN if reply.is_some() => Outcome::rejected(said),
        StatusCode::BAD_REQUEST if GONE.iter().any(|text| lower.contains(text)) => Outcome::rejected(said),
        StatusCode::TOO_MANY_REQUESTS => match reply.and_then(|reply| reply.parameters.retry_after) {
            Some(seconds) => Outcome::throttled(Duration::from_secs(seconds.into()), said),
            None => answer.not_taken(&said, now),
        },
        _ => answer.not_taken(&said, now),
    }
}

fn description(answer: &Answer) -> String {
    serde_json::from_slice::<Reply>(&answer.body).map_or_else(|_| String::new(), |reply| reply.description)
}

#[cfg(test)]
mod tests {
    use inresponse_core::model::OutcomeKind;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers: inresponse_outward::header::HeaderMap::new(), body: body.into() }
    }

    #[test]
    fn p09_only_a_chat_that_is_gone_is_rejected_and_only_an_ok_is_accepted() {
        use OutcomeKind::{Accepted, Rejected, Throttled, Unavailable, Unknown};
        let now = DateTime::UNIX_EPOCH;
        for (status, description, kind) in [
            (403, "Forbidden: bot was blocked by the user", Rejected),
            (403, "Forbidden: bot was kicked from the supergroup chat", Rejected),
            (403, "Forbidden: user is deactivated", Rejected),
            (403, "Forbidden: bot can't initiate conversation with a user", Rejected),
            (400, "Bad Request: chat not found", Rejected),
            (400, "Bad Request: group chat was upgraded to a supergroup chat", Rejected),
            (400, "Bad Request: message is too long", Unavailable),
            (400, "Bad Request: BUTTON_DATA_INVALID", Unavailable),
            (401, "Unauthorized", Unavailable),
            (404, "Not Found", Unavailable),
            (409, "Conflict: terminated by other getUpdates request", Unavailable),
            (429, "Too Many Requests: retry after 5", Throttled),
            (500, "Internal Server Error", Unavailable),
            (502, "Bad Gateway", Unknown),
            (504, "Gateway Timeout", Unknown),
        ] {
            let body = format!(r#"{{"ok":false,"error_code":{status},"description":"{description}"}}"#);
            assert_eq!(sent(&answer(status, &body), now).kind(), kind, "{status} {description}");
        }
        let throttled = r#"{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":35}}"#;
        let Outcome::Throttled { after, .. } = sent(&answer(429, throttled), now) else { panic!() };
        assert_eq!(after, Duration::from_secs(35));
        for (status, body, kind) in [
            (200, r#"{"ok":true,"result":{"message_id":7,"chat":{"id":-100}}}"#, Accepted),
            (200, r#"{"ok":true,"result":{}}"#, Accepted),
            (200, r#"{"ok":false,"description":"odd"}"#, Unavailable),
            (200, "<html>", Unknown),
            (200, "", Unknown),
            (403, "<html>a proxy</html>", Unavailable),
            (302, "", Unavailable),
        ] {
            assert_eq!(sent(&answer(status, body), now).kind(), kind, "{status} {body}");
        }
        let taken = sent(&answer(200, r#"{"ok":true,"result":{"message_id":7,"chat":{"id":-100}}}"#), now);
        assert_eq!(taken.receipt().unwrap().as_str(), "-100/7");
    }

    #[test]
    fn a_message_that_needs_no_edit_is_edited() {
        for (description, kind) in [
            ("Bad Request: message is not modified: specified new message content", OutcomeKind::Accepted),
            ("Bad Request: message to edit not found", OutcomeKind::Accepted),
            ("Bad Request: message can't be edited", OutcomeKind::Accepted),
            ("Bad Request: chat not found", OutcomeKind::Rejected),
            ("Bad Request: can't parse entities", OutcomeKind::Unavailable),
        ] {
            let body = format!(r#"{{"ok":false,"error_code":400,"description":"{description}"}}"#);
            assert_eq!(edited(&answer(400, &body), DateTime::UNIX_EPOCH).kind(), kind, "{description}");
        }
    }
}
