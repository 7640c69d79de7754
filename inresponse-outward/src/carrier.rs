//! The outcomes of a carrier whose URL the operator configured.

use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::notify::Outcome;
use reqwest::StatusCode;

use crate::outward::{Answer, Sent};
use crate::pause::retry_after;

/// The pause after a 429 that names no pause.
const PAUSE: Duration = Duration::from_secs(2);

impl Sent {
    /// The carrier's answer, or the outcome if there is none. The operator chose the host, so the recipient is not to
    /// blame if it is not allowed.
    ///
    /// # Errors
    /// There is no answer.
    pub fn answer(self) -> Result<Answer, Outcome> {
        match self {
            Sent::Answered(answer) => Ok(answer),
            Sent::Refused(refused) => Err(Outcome::unavailable(refused.to_string())),
            Sent::Never(reason) => Err(Outcome::unavailable(reason)),
            Sent::Lost(reason) => Err(Outcome::unknown(reason)),
        }
    }
}

impl Answer {
    /// The outcome of an answer that accepts nothing and does not blame the recipient. `said` is the carrier's reason, or
    /// empty.
    ///
    /// | answer | outcome |
    /// |---|---|
    /// | 502, 504 | unknown: the server behind the gateway may have taken it |
    /// | 429; any other with `Retry-After` | throttled |
    /// | any other | unavailable |
    pub fn not_taken(&self, said: &str, now: DateTime<Utc>) -> Outcome {
        let reason = match said {
            "" => format!("answered {}", self.status),
            said => format!("answered {}: {said}", self.status),
        };
        match (self.status, retry_after(&self.headers, now)) {
            (StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT, _) => Outcome::unknown(reason),
            (_, Some(after)) => Outcome::throttled(after, reason),
            (StatusCode::TOO_MANY_REQUESTS, None) => Outcome::throttled(PAUSE, reason),
            (_, None) => Outcome::unavailable(reason),
        }
    }
}
