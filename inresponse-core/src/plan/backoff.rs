//! The pause before the next attempt.

use std::time::Duration;

use crate::model::DeliveryId;

/// The longest pause before a retry, except after an unknown outcome.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(30);

const FIRST_DELAY: Duration = Duration::from_secs(1);
const FIRST_DELAY_UNKNOWN: Duration = Duration::from_secs(5);

/// The pause after the carrier was unavailable: 1 s, 2 s, 4 s, … up to 30 s.
pub(super) fn unavailable(delivery: &DeliveryId, attempt: u32) -> Duration {
    jittered(exponential(FIRST_DELAY, attempt, MAX_DELAY), delivery, attempt)
}

/// The pause after the carrier asked for one: the requested pause, or that for an unavailable carrier if it is longer;
/// at most 30 s.
pub(super) fn throttled(delivery: &DeliveryId, attempt: u32, after: Duration) -> Duration {
    unavailable(delivery, attempt).max(after).min(MAX_DELAY)
}

/// The pause after an attempt that may have arrived: 5 s, 10 s, 20 s, … up to the level's wait.
pub(super) fn unknown(delivery: &DeliveryId, attempt: u32, wait: Duration) -> Duration {
    jittered(exponential(FIRST_DELAY_UNKNOWN, attempt, wait.max(FIRST_DELAY)), delivery, attempt)
}

fn exponential(first: Duration, attempt: u32, most: Duration) -> Duration {
    let doublings = attempt.saturating_sub(1).min(20);
    first.saturating_mul(1 << doublings).min(most)
}

/// Shortens a pause by up to a fifth, by a hash of delivery and attempt. So sends that failed together are not retried
/// together, and the same attempt always has the same pause.
fn jittered(delay: Duration, delivery: &DeliveryId, attempt: u32) -> Duration {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325; // FNV-1a, 64 bits
    for byte in delivery.as_str().bytes().chain(attempt.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let thousandths = (hash >> 32) % 201;
    delay - delay * u32::try_from(thousandths).expect("at most 200") / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeliveryKey, IncidentNumber, Level};
    use chrono::DateTime;

    #[test]
    fn p09_retries_back_off_to_at_most_thirty_seconds() {
        let key = DeliveryKey::alert(1, Level::At(1), 0);
        let id = DeliveryId::new(IncidentNumber::new(1), key, DateTime::UNIX_EPOCH);
        for attempt in 1..200 {
            let delay = unavailable(&id, attempt);
            assert!(delay >= FIRST_DELAY * 4 / 5 && delay <= MAX_DELAY, "{delay:?}");
            assert!(throttled(&id, attempt, Duration::from_secs(3600)) <= MAX_DELAY);
            assert!(unknown(&id, attempt, Duration::from_secs(600)) <= Duration::from_secs(600));
            assert!(unknown(&id, attempt, Duration::from_secs(2)) <= Duration::from_secs(2));
        }
        assert!(unavailable(&id, 50) > Duration::from_secs(20), "it does back off");
        assert!(throttled(&id, 1, Duration::from_secs(7)) == Duration::from_secs(7));
    }

    #[test]
    fn p09_the_same_attempt_always_waits_as_long() {
        let key = DeliveryKey::alert(1, Level::At(1), 0);
        let id = DeliveryId::new(IncidentNumber::new(1), key, DateTime::UNIX_EPOCH);
        assert_eq!(id.as_str(), "1-1-1-0-0");
        // By FNV-1a of that and of the attempt as four bytes, the lowest first, 54, 179 and 2 thousandths less.
        let waits = [1, 2, 3].map(|attempt| unavailable(&id, attempt).as_millis());
        assert_eq!(waits, [946, 1642, 3992]);
    }
}
