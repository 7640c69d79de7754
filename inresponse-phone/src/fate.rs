//! What Twilio's answers and reports mean. The tables are in the documentation of the crate.

use std::time::Duration;

use inresponse_core::notify::Outcome;
use serde::Deserialize;

use crate::form::Form;
use crate::post::PostAnswer;

/// The pause if Twilio asks for one and does not say how long.
const PAUSE: Duration = Duration::from_secs(2);
/// The pause if a queue or a day's quota is full. The planner limits it to 30 s.
const LONG_PAUSE: Duration = Duration::from_secs(30);

/// The error of an answer: `{"code", "message", "more_info", "status"}`.
#[derive(Debug, Deserialize)]
struct Refusal {
    code: u32,
}

/// The outcome of an answer of Twilio's API to a request to send.
///
/// The text of an answer is never shown: it may contain the recipient's number.
pub(crate) fn outcome(answer: &PostAnswer) -> Outcome {
    let code = serde_json::from_slice::<Refusal>(&answer.body).ok().map(|refusal| refusal.code);
    let said = match code {
        Some(code) => format!("answered {}, {code} {}", answer.status, meaning(code)).trim_end().to_owned(),
        None => format!("answered {}", answer.status),
    };
    match (answer.status, code) {
        (200..=299, _) if is_made(&answer.body) => Outcome::Accepted,
        // It may be the page of a proxy, or a message of which the answer is broken.
        (200..=299, _) => Outcome::unknown(format!("{said} without a message or call")),
        (400..=499, Some(code)) if is_gone(code) => Outcome::rejected(said),
        (429, _) | (_, Some(20429)) => match &answer.outcome {
            Outcome::Throttled { after, .. } => Outcome::throttled(*after, said),
            _ => Outcome::throttled(PAUSE, said),
        },
        (400..=499, Some(21611 | 14107 | 63038)) => Outcome::throttled(LONG_PAUSE, said),
        // The message may have been queued before the error.
        (500 | 502 | 504, _) => Outcome::unknown(said),
        _ => match &answer.outcome {
            Outcome::Throttled { after, .. } => Outcome::throttled(*after, said),
            _ => Outcome::unavailable(said),
        },
    }
}

/// Whether an answer names the message or the call that Twilio made.
fn is_made(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Made {
        #[serde(rename = "sid")]
        _sid: String,
    }
    serde_json::from_slice::<Made>(body).is_ok()
}

/// Whether an error says that this recipient can never be reached. All else concerns the account, the sender, the message
/// or this moment.
fn is_gone(code: u32) -> bool {
    matches!(code, 21211 | 21214 | 21217 | 21265 | 21266 | 21610 | 21614 | 21635 | 30004 | 30005 | 30006)
}

/// An error in a few words, for people. Twilio's own text may contain the number.
fn meaning(code: u32) -> &'static str {
    match code {
        20003 => "wrong account or auth token",
        20404 => "no such account",
        20429 => "too many requests",
        21210 | 21212 | 21606 | 21659 => "the sender cannot be used",
        21211 | 21217 => "the number is not valid",
        21214 => "the number cannot be reached",
        21215 | 21408 => "the account may not send to this country",
        21216 => "the call is blocked by Twilio",
        21219 | 21608 => "a trial account reaches verified numbers only",
        21265 => "a short code cannot be reached",
        21266 => "the number is the sender",
        21610 => "the recipient has sent STOP",
        21611 => "the sender's queue is full",
        21612 => "the sender cannot reach this number",
        21614 | 21635 => "the number takes no text messages",
        30001 => "the queue overflowed",
        30002 => "the account is suspended",
        30003 => "the phone is off or out of reach",
        30004 => "the recipient blocks messages",
        30005 => "the number is unknown or no longer in use",
        30006 => "a landline, or a carrier out of reach",
        30007 => "filtered by the carrier or Twilio",
        30008 => "failed for an unknown reason",
        30034 => "the sender is not registered for the USA",
        14107 => "too many messages",
        63038 => "the account's messages of a day are used up",
        _ => "",
    }
}

/// What Twilio reports later about a message or a call that it had accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Later {
    /// Nothing that changes the delivery: it is on its way, it arrived, or nobody answered.
    Nothing,
    /// It will never arrive at this number.
    Gone(String),
    /// It did not arrive this time.
    Failed(String),
}

/// Reads the report on a message (`MessageStatus`, `ErrorCode`) or a call (`CallStatus`, `SipResponseCode`).
pub(crate) fn later(form: &Form) -> Later {
    let number = |name: &str| form.value(name).and_then(|value| value.trim().parse::<u32>().ok());
    let code = number("ErrorCode").filter(|code| *code > 0);
    match (form.value("MessageStatus"), form.value("CallStatus")) {
        (Some(status @ ("failed" | "undelivered")), _) => {
            let code = code.unwrap_or_default();
            let said = format!("{status}: {code} {}", meaning(code)).trim_end().to_owned();
            // A messaging service may have chosen a short code, which cannot reach every carrier.
            let by_chance =
                code == 30006 && form.value("MessagingServiceSid").is_some_and(|sid| !sid.is_empty());
            if is_gone(code) && !by_chance { Later::Gone(said) } else { Later::Failed(said) }
        }
        (None, Some("failed")) => match (number("SipResponseCode"), code) {
            // No such number, or one that is incomplete (RFC 3261 section 21).
            (Some(sip @ (404 | 410 | 484 | 604)), _) => {
                Later::Gone(format!("the call failed: no such number (SIP {sip})"))
            }
            (_, Some(code)) if is_gone(code) => {
                Later::Gone(format!("the call failed: {code} {}", meaning(code)))
            }
            (Some(sip), _) => Later::Failed(format!("the call failed (SIP {sip})")),
            (None, _) => Later::Failed("the call failed".to_owned()),
        },
        _ => Later::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str, by_status: Outcome) -> Outcome {
        outcome(&PostAnswer { status, body: body.as_bytes().to_vec(), outcome: by_status })
    }

    fn coded(status: u16, code: u32) -> Outcome {
        let body = format!(
            r#"{{"code":{code},"message":"canary","more_info":"https://www.twilio.com/docs/errors/{code}","status":{status}}}"#
        );
        let outcome = of(status, &body, Outcome::unavailable("x"));
        assert!(!outcome.reason().contains("canary"));
        outcome
    }

    #[test]
    fn p09_only_a_refusal_of_the_recipient_is_final() {
        for code in [21211, 21214, 21217, 21265, 21266, 21610, 21614, 21635] {
            let outcome = coded(400, code);
            assert!(
                matches!(&outcome, Outcome::Rejected { reason } if reason.contains(&code.to_string())),
                "{outcome:?}"
            );
        }
        for (status, code) in [
            (401, 20003),
            (403, 20003),
            (404, 20404),
            (400, 21210),
            (400, 21212),
            (400, 21215),
            (403, 21216),
            (400, 21219),
            (400, 21408),
            (400, 21606),
            (400, 21608),
            (400, 21612),
            (400, 21617),
            (400, 99999),
            (503, 20503),
            // A refusal is a 4xx.
            (503, 21211),
        ] {
            let outcome = coded(status, code);
            assert!(matches!(outcome, Outcome::Unavailable { .. }), "{status} {code}: {outcome:?}");
        }
        for (status, code, pause) in [(429, 20429, PAUSE), (400, 21611, LONG_PAUSE), (400, 63038, LONG_PAUSE)]
        {
            let Outcome::Throttled { after, .. } = coded(status, code) else { panic!("{code}") };
            assert_eq!(after, pause, "{code}");
        }
        for status in [500, 502, 504] {
            assert!(matches!(coded(status, 20500), Outcome::Unknown { .. }), "{status}");
        }
        for status in [200, 201] {
            assert_eq!(of(status, "{\"sid\": \"SM1\"}", Outcome::Accepted), Outcome::Accepted);
        }
        // Without a body that can be read, the status decides.
        for body in ["", "<html>21211</html>", "{\"code\": \"21211\"}", "[]"] {
            assert!(
                matches!(of(400, body, Outcome::unavailable("x")), Outcome::Unavailable { .. }),
                "{body}"
            );
        }
        let asked = of(429, "", Outcome::throttled(Duration::from_secs(7), "x"));
        assert_eq!(asked, Outcome::throttled(Duration::from_secs(7), "answered 429"));
    }

    #[test]
    fn p12_a_later_report_says_whether_the_number_is_gone() {
        let gone = |text: &str| Later::Gone(text.to_owned());
        let failed = |text: &str| Later::Failed(text.to_owned());
        for (form, expected) in [
            ("MessageStatus=queued", Later::Nothing),
            ("MessageStatus=sent", Later::Nothing),
            ("MessageStatus=delivered", Later::Nothing),
            ("MessageStatus=read", Later::Nothing),
            ("", Later::Nothing),
            (
                "MessageStatus=undelivered&ErrorCode=30005",
                gone("undelivered: 30005 the number is unknown or no longer in use"),
            ),
            (
                "MessageStatus=undelivered&ErrorCode=30006",
                gone("undelivered: 30006 a landline, or a carrier out of reach"),
            ),
            (
                "MessageStatus=undelivered&ErrorCode=30006&MessagingServiceSid=MG1",
                failed("undelivered: 30006 a landline, or a carrier out of reach"),
            ),
            ("MessageStatus=failed&ErrorCode=21610", gone("failed: 21610 the recipient has sent STOP")),
            (
                "MessageStatus=undelivered&ErrorCode=30003",
                failed("undelivered: 30003 the phone is off or out of reach"),
            ),
            (
                "MessageStatus=undelivered&ErrorCode=30008",
                failed("undelivered: 30008 failed for an unknown reason"),
            ),
            ("MessageStatus=failed&ErrorCode=30001", failed("failed: 30001 the queue overflowed")),
            ("MessageStatus=failed", failed("failed: 0")),
            ("MessageStatus=failed&ErrorCode=x", failed("failed: 0")),
            ("CallStatus=completed", Later::Nothing),
            // It rang: nobody answered, and the next step or level follows.
            ("CallStatus=busy&SipResponseCode=486", Later::Nothing),
            ("CallStatus=no-answer", Later::Nothing),
            ("CallStatus=canceled", Later::Nothing),
            ("CallStatus=failed&SipResponseCode=404", gone("the call failed: no such number (SIP 404)")),
            ("CallStatus=failed&SipResponseCode=484", gone("the call failed: no such number (SIP 484)")),
            ("CallStatus=failed&SipResponseCode=503", failed("the call failed (SIP 503)")),
            ("CallStatus=failed", failed("the call failed")),
        ] {
            assert_eq!(later(&Form::read(form.as_bytes()).unwrap()), expected, "{form}");
        }
    }
}
