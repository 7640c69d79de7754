//! The outcome of a receiver's answer.

use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::notify::Outcome;
use inresponse_outward::header::HeaderMap;
use inresponse_outward::{StatusCode, retry_after};

use crate::config::Chat;

/// The pause after a 429 that names no pause. Slack accepts one message a second.
const PAUSE: Duration = Duration::from_secs(2);

/// The number of bytes that are read of a body. A chat's error text is at its beginning.
pub(crate) const MAX_BODY: usize = 1024;

/// Whether the body of a refusal is read. The body is only compared with the texts that chats document, and never
/// shown, so that the owner of a URL cannot write into an incident.
pub(crate) fn tells(chat: Option<Chat>, status: StatusCode) -> bool {
    chat.is_some() && status.is_client_error()
}

/// The outcome of an answer. The table is in the documentation of the crate. `body` is the beginning of the body, if it
/// [tells](tells) anything.
pub(crate) fn outcome(
    status: StatusCode,
    headers: &HeaderMap,
    chat: Option<Chat>,
    body: &[u8],
    now: DateTime<Utc>,
) -> Outcome {
    let said = format!("answered {status}");
    let after = retry_after(headers, now);
    match status {
        status if status.is_success() => return Outcome::Accepted,
        // The server behind the gateway may have taken it.
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => return Outcome::unknown(said),
        StatusCode::GONE => return Outcome::rejected(said),
        StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT => {
            return Outcome::rejected(format!("{said}; redirects are not followed"));
        }
        _ => {}
    }
    if let Some(word) = chat.filter(|chat| tells(Some(*chat), status)).and_then(|chat| gone(chat, body)) {
        return Outcome::rejected(format!("{said}: {word}"));
    }
    match after {
        Some(after) => Outcome::throttled(after, said),
        None if status == StatusCode::TOO_MANY_REQUESTS => Outcome::throttled(PAUSE, said),
        None if status.is_redirection() => {
            Outcome::unavailable(format!("{said}; redirects are not followed"))
        }
        None => Outcome::unavailable(said),
    }
}

/// A chat's text that says that a channel or a webhook no longer exists.
fn gone(chat: Chat, body: &[u8]) -> Option<&'static str> {
    /// The bodies with which Slack refuses.
    const SLACK: [&str; 7] = [
        "channel_not_found",
        "channel_is_archived",
        "user_not_found",
        "no_service",
        "no_team",
        "team_disabled",
        "invalid_token",
    ];
    /// The code in the JSON body with which Teams refuses: somebody has deleted the workflow.
    const TEAMS: [&str; 1] = ["WorkflowNotFound"];
    let body = body.trim_ascii();
    match chat {
        Chat::Slack => SLACK.into_iter().find(|word| body == word.as_bytes()),
        Chat::Teams => {
            let quoted = |word: &&str| String::from_utf8_lossy(body).contains(&format!("\"{word}\""));
            TEAMS.into_iter().find(quoted)
        }
    }
}

#[cfg(test)]
mod tests {
    use inresponse_outward::header::RETRY_AFTER;

    use super::*;

    fn of(status: u16, retry_after: Option<&str>, chat: Option<Chat>, body: &str) -> Outcome {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(RETRY_AFTER, text.parse().unwrap());
        }
        let now = DateTime::from_timestamp(784_111_777, 0).unwrap(); // Sun, 06 Nov 1994 08:49:37 GMT
        outcome(StatusCode::from_u16(status).unwrap(), &headers, chat, body.as_bytes(), now)
    }

    #[test]
    fn p09_only_a_url_that_is_gone_is_rejected_and_only_a_2xx_is_accepted() {
        for status in [200, 201, 202, 204] {
            assert_eq!(of(status, None, None, ""), Outcome::Accepted, "{status}");
        }
        for status in [301, 308, 410] {
            assert!(matches!(of(status, None, None, ""), Outcome::Rejected { .. }), "{status}");
        }
        for status in [
            300, 302, 303, 307, 400, 401, 402, 403, 404, 405, 406, 408, 409, 411, 413, 415, 421, 422, 425,
            451, 499, 500, 501, 503, 507, 520,
        ] {
            assert!(matches!(of(status, None, None, ""), Outcome::Unavailable { .. }), "{status}");
        }
        for status in [502, 504] {
            assert!(matches!(of(status, Some("3"), None, ""), Outcome::Unknown { .. }), "{status}");
        }
        for (status, given, expected) in [
            (429, None, PAUSE),
            (429, Some("soon"), PAUSE),
            (429, Some("7"), Duration::from_secs(7)),
            (503, Some("9"), Duration::from_secs(9)),
            (404, Some("9"), Duration::from_secs(9)),
            (413, Some("9"), Duration::from_secs(9)),
            (429, Some("Sun, 06 Nov 1994 08:49:42 GMT"), Duration::from_secs(5)),
            (429, Some("Sun, 06 Nov 1994 08:49:32 GMT"), Duration::ZERO),
        ] {
            let Outcome::Throttled { after, .. } = of(status, given, None, "") else {
                panic!("{status} {given:?}")
            };
            assert_eq!(after, expected, "{status} {given:?}");
        }
    }

    #[test]
    fn p09_a_chat_says_which_refusals_are_its_channels() {
        const DELETED: &str =
            r#"{"error":{"code":"WorkflowNotFound","message":"The workflow could not be found."}}"#;
        const DISABLED: &str =
            r#"{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"no WorkflowNotFound"}}"#;
        for (chat, status, body, is_rejected) in [
            (Chat::Slack, 404, "channel_not_found", true),
            (Chat::Slack, 404, "no_service\n", true),
            (Chat::Slack, 404, "no_team", true),
            (Chat::Slack, 403, "invalid_token", true),
            (Chat::Slack, 403, "team_disabled", true),
            (Chat::Slack, 400, "user_not_found", true),
            (Chat::Slack, 410, "channel_is_archived", true),
            (Chat::Teams, 404, DELETED, true),
            (Chat::Teams, 410, "", true),
            // About the message, a restriction that can be lifted, or nothing that is documented.
            (Chat::Slack, 400, "invalid_payload", false),
            (Chat::Slack, 400, "invalid_blocks", false),
            (Chat::Slack, 400, "no_text", false),
            (Chat::Slack, 403, "action_prohibited", false),
            (Chat::Slack, 403, "posting_to_general_channel_denied", false),
            (Chat::Slack, 404, "", false),
            (Chat::Slack, 404, "<html>no_service</html>", false),
            (Chat::Slack, 500, "no_service", false),
            (Chat::Slack, 500, "rollup_error", false),
            (Chat::Teams, 400, DISABLED, false),
            (Chat::Teams, 401, r#"{"error":{"code":"DirectApiAuthorizationRequired"}}"#, false),
            (Chat::Teams, 404, "no_service", false),
        ] {
            let outcome = of(status, None, Some(chat), body);
            assert_eq!(
                matches!(outcome, Outcome::Rejected { .. }),
                is_rejected,
                "{status} {body}: {outcome:?}"
            );
        }
        let stranger = of(404, None, None, "no_service");
        assert!(matches!(stranger, Outcome::Unavailable { .. }), "{stranger:?}");
    }
}
