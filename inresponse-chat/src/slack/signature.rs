//! Verifies what comes back: the signature of a request
//! (<https://docs.slack.dev/authentication/verifying-requests-from-slack>).

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How old or early a request may be, in seconds.
const WINDOW: i64 = 5 * 60;

/// Whether a request has a valid signature: the header `X-Slack-Signature` is `v0=` and the hexadecimal HMAC-SHA-256 of
/// `v0:timestamp:body`, and the time in `X-Slack-Request-Timestamp` is at most five minutes ago or ahead. The signature
/// is compared in constant time.
pub fn is_from_slack(
    signature: Option<&str>,
    timestamp: Option<&str>,
    body: &[u8],
    signing_secret: &str,
    now: DateTime<Utc>,
) -> bool {
    verified(signature, timestamp, body, signing_secret, now).is_some()
}

fn verified(
    signature: Option<&str>,
    timestamp: Option<&str>,
    body: &[u8],
    signing_secret: &str,
    now: DateTime<Utc>,
) -> Option<()> {
    let timestamp = timestamp.filter(|text| text.len() <= 20)?;
    let at: i64 = timestamp.parse().ok()?;
    if now.timestamp().checked_sub(at)?.checked_abs()? > WINDOW {
        return None;
    }
    let signature = bytes(signature?.strip_prefix("v0=")?)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(signing_secret.as_bytes()).ok()?;
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    mac.verify_slice(&signature).ok()
}

/// Reads 64 hexadecimal digits in lower case.
fn bytes(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Slack's documentation.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
        channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
        response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
        trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    const AT: &str = "1531420618";

    fn holds(signature: &str, timestamp: &str, body: &str, seconds: i64) -> bool {
        let now = DateTime::from_timestamp(1_531_420_618 + seconds, 0).unwrap();
        is_from_slack(Some(signature), Some(timestamp), body.as_bytes(), SECRET, now)
    }

    #[test]
    fn p20_the_example_of_the_documentation_is_verified_and_nothing_like_it() {
        assert!(holds(SIGNATURE, AT, BODY, 0));
        assert!(holds(SIGNATURE, AT, BODY, 300) && holds(SIGNATURE, AT, BODY, -300));
        assert!(!holds(SIGNATURE, AT, BODY, 301) && !holds(SIGNATURE, AT, BODY, -301));
        assert!(!holds(SIGNATURE, "1531420619", BODY, 0));
        assert!(!holds(SIGNATURE, AT, &BODY[1..], 0));
        assert!(!holds(&SIGNATURE[..SIGNATURE.len() - 1], AT, BODY, 0));
        assert!(!holds(&SIGNATURE.to_uppercase(), AT, BODY, 0));
        for junk in ["", "v0=", "v1=", &"v0=".repeat(30), &format!("{SIGNATURE}0"), "v0=é"] {
            assert!(!holds(junk, AT, BODY, 0), "{junk}");
        }
        for junk in ["", "x", "-9223372036854775808", "9223372036854775807", "99999999999999999999999"] {
            assert!(!holds(SIGNATURE, junk, BODY, 0), "{junk}");
        }
    }
}
