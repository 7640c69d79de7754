//! The outcome of an answer of the Web API, which is a 200 with `"ok":false` and a word if something is wrong. The table is
//! in the documentation of the crate.

use chrono::{DateTime, Utc};
use inresponse_core::model::Receipt;
use inresponse_core::notify::Outcome;
use inresponse_outward::{Answer, brief};
use serde::Deserialize;

#[derive(Deserialize)]
struct Said {
    ok: bool,
    #[serde(default)]
    error: String,
    channel: Option<String>,
    ts: Option<String>,
}

/// The words that say that this recipient is gone.
const GONE: [&str; 7] = [
    "channel_not_found",
    "is_archived",
    "user_not_found",
    "users_not_found",
    "user_disabled",
    "cannot_dm_bot",
    "messages_tab_disabled",
];
/// The words that say that too much was sent.
const TOO_MUCH: [&str; 3] = ["ratelimited", "rate_limited", "message_limit_exceeded"];
/// The words after which "it is possible that some aspect of the operation succeeded".
const MAY_HAVE: [&str; 3] = ["fatal_error", "internal_error", "request_timeout"];

/// The pause if too much was sent. Slack takes one message a second in a channel.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(2);

/// The outcome of `chat.postMessage`.
pub(super) fn posted(answer: &Answer, now: DateTime<Utc>) -> Outcome {
    match read(answer, now) {
        Ok(Said { channel: Some(channel), ts: Some(ts), .. }) => {
            Receipt::new(format!("{channel}/{ts}")).map_or(Outcome::Accepted, Outcome::AcceptedAs)
        }
        Ok(_) => Outcome::Accepted,
        Err(outcome) => outcome,
    }
}

/// The outcome of `chat.update`. A message that is gone or cannot be changed any more needs no change.
pub(super) fn updated(answer: &Answer, now: DateTime<Utc>) -> Outcome {
    const NOTHING_TO_DO: [&str; 4] =
        ["message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"];
    match read(answer, now) {
        Ok(_) => Outcome::Accepted,
        Err(outcome) if NOTHING_TO_DO.contains(&outcome.reason()) => Outcome::Accepted,
        Err(outcome) => outcome,
    }
}

fn read(answer: &Answer, now: DateTime<Utc>) -> Result<Said, Outcome> {
    let said = serde_json::from_slice::<Said>(&answer.body);
    if !answer.status.is_success() {
        let word = said.map_or_else(|_| String::new(), |said| brief::reason(&said.error));
        return Err(answer.not_taken(&word, now));
    }
    let said = said.map_err(|_| Outcome::unknown("the answer of Slack cannot be read"))?;
    if said.ok {
        return Ok(said);
    }
    let word = brief::reason(&said.error);
    Err(match word.as_str() {
        gone if GONE.contains(&gone) => Outcome::rejected(word),
        much if TOO_MUCH.contains(&much) => {
            Outcome::throttled(inresponse_outward::retry_after(&answer.headers, now).unwrap_or(PAUSE), word)
        }
        may if MAY_HAVE.contains(&may) => Outcome::unknown(word),
        _ => Outcome::unavailable(word),
    })
}

#[cfg(test)]
mod tests {
    use inresponse_core::model::OutcomeKind;
    use inresponse_outward::StatusCode;
    use inresponse_outward::header::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers: HeaderMap::new(), body: body.into() }
    }

    #[test]
    fn p09_a_word_says_the_result_of_a_message() {
        use OutcomeKind::{Accepted, Rejected, Throttled, Unavailable, Unknown};
        let now = DateTime::UNIX_EPOCH;
        for (word, kind) in [
            ("channel_not_found", Rejected),
            ("is_archived", Rejected),
            ("users_not_found", Rejected),
            ("user_not_found", Rejected),
            ("not_in_channel", Unavailable),
            ("restricted_action", Unavailable),
            ("msg_too_long", Unavailable),
            ("invalid_blocks", Unavailable),
            ("not_authed", Unavailable),
            ("invalid_auth", Unavailable),
            ("account_inactive", Unavailable),
            ("token_revoked", Unavailable),
            ("missing_scope", Unavailable),
            ("service_unavailable", Unavailable),
            ("team_added_to_org", Unavailable),
            ("a word that is new", Unavailable),
            ("", Unavailable),
            ("ratelimited", Throttled),
            ("rate_limited", Throttled),
            ("message_limit_exceeded", Throttled),
            ("fatal_error", Unknown),
            ("internal_error", Unknown),
        ] {
            let body = format!(r#"{{"ok":false,"error":"{word}"}}"#);
            assert_eq!(posted(&answer(200, &body), now).kind(), kind, "{word}");
        }
        for (status, body, kind) in [
            (200, r#"{"ok":true,"channel":"C024BE91L","ts":"1503435956.000247"}"#, Accepted),
            (200, r#"{"ok":true}"#, Accepted),
            (200, "<html>", Unknown),
            (429, "", Throttled),
            (500, "", Unavailable),
            (503, "", Unavailable),
            (502, "", Unknown),
            (302, "", Unavailable),
        ] {
            assert_eq!(posted(&answer(status, body), now).kind(), kind, "{status} {body}");
        }
        let taken =
            posted(&answer(200, r#"{"ok":true,"channel":"C024BE91L","ts":"1503435956.000247"}"#), now);
        assert_eq!(taken.receipt().unwrap().as_str(), "C024BE91L/1503435956.000247");
        for (word, kind) in [
            ("message_not_found", Accepted),
            ("cant_update_message", Accepted),
            ("edit_window_closed", Accepted),
            ("ratelimited", Throttled),
            ("invalid_auth", Unavailable),
        ] {
            let body = format!(r#"{{"ok":false,"error":"{word}"}}"#);
            assert_eq!(updated(&answer(200, &body), now).kind(), kind, "{word}");
        }
    }
}
