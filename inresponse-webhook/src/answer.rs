//! What a status means for the alert.

use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::notify::Outcome;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The pause after a 429 that asks for none in particular. Slack takes one message a second.
const PAUSE: Duration = Duration::from_secs(2);

/// What was answered. The body is never read: a status says all that is needed, and whoever is behind a URL has nothing
/// to say to whoever reads an incident.
pub(crate) fn outcome(status: StatusCode, headers: &HeaderMap, now: DateTime<Utc>) -> Outcome {
    let said = format!("answered {status}");
    let after = headers.get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now));
    match status {
        status if status.is_success() => Outcome::Accepted,
        StatusCode::TOO_MANY_REQUESTS => Outcome::throttled(after.unwrap_or(PAUSE), said),
        StatusCode::SERVICE_UNAVAILABLE => match after {
            Some(after) => Outcome::throttled(after, said),
            None => Outcome::unavailable(said),
        },
        // Whoever is behind the gateway may have taken it.
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Outcome::unknown(said),
        StatusCode::REQUEST_TIMEOUT => Outcome::unavailable(said),
        status if status.is_server_error() => Outcome::unavailable(said),
        status if status.is_redirection() => Outcome::rejected(format!("{said}; redirects are not followed")),
        _ => Outcome::rejected(said),
    }
}

/// Seconds, or a date (RFC 9110 section 10.2.3).
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    match text.trim().parse::<u32>() {
        Ok(seconds) => Some(Duration::from_secs(seconds.into())),
        Err(_) => {
            let at = DateTime::parse_from_rfc2822(text.trim()).ok()?;
            Some((at.to_utc() - now).to_std().unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p09_only_a_refusal_is_rejected_and_only_a_2xx_is_accepted() {
        let of = |status: u16, retry_after: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(text) = retry_after {
                headers.insert(RETRY_AFTER, text.parse().unwrap());
            }
            let now = DateTime::from_timestamp(784_111_777, 0).unwrap(); // Sun, 06 Nov 1994 08:49:37 GMT
            outcome(StatusCode::from_u16(status).unwrap(), &headers, now)
        };
        for status in [200, 201, 202, 204] {
            assert_eq!(of(status, None), Outcome::Accepted, "{status}");
        }
        for status in [301, 302, 307, 400, 401, 403, 404, 405, 410, 413, 422] {
            assert!(matches!(of(status, None), Outcome::Rejected { .. }), "{status}");
        }
        for status in [408, 500, 501, 503, 520] {
            assert!(matches!(of(status, None), Outcome::Unavailable { .. }), "{status}");
        }
        for status in [502, 504] {
            assert!(matches!(of(status, Some("3")), Outcome::Unknown { .. }), "{status}");
        }
        for (status, given, expected) in [
            (429, None, PAUSE),
            (429, Some("soon"), PAUSE),
            (429, Some("7"), Duration::from_secs(7)),
            (503, Some("9"), Duration::from_secs(9)),
            (429, Some("Sun, 06 Nov 1994 08:49:42 GMT"), Duration::from_secs(5)),
            (429, Some("Sun, 06 Nov 1994 08:49:32 GMT"), Duration::ZERO),
        ] {
            let Outcome::Throttled { after, .. } = of(status, given) else { panic!("{status} {given:?}") };
            assert_eq!(after, expected, "{status} {given:?}");
        }
    }
}
