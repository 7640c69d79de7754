//! Since when the deployment has been listening for pings, as a pure function.
//!
//! The servers of a deployment share an *alive* time, which one of them writes every few seconds. A server that finds it
//! old knows that nobody listened for a while: pings may have been lost.

use std::time::Duration;

use chrono::serde::ts_microseconds;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The stored alive time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alive {
    /// When a process last said that it is there.
    #[serde(with = "ts_microseconds")]
    pub(super) at: DateTime<Utc>,
    /// Since when some process was there all the time.
    #[serde(with = "ts_microseconds")]
    pub(super) since: DateTime<Utc>,
}

/// What the wall clock of this process did since its last look, compared with the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WallClock {
    Steady,
    Jumped,
}

impl WallClock {
    /// Compares what both clocks say has passed.
    pub(super) fn compared(
        wall: (DateTime<Utc>, DateTime<Utc>),
        monotonic: (Duration, Duration),
        tolerance: TimeDelta,
    ) -> Self {
        let passed = monotonic.1.saturating_sub(monotonic.0);
        let passed = TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX);
        let difference = (wall.1 - wall.0).checked_sub(&passed).unwrap_or(TimeDelta::MAX);
        if difference.abs() > tolerance { Self::Jumped } else { Self::Steady }
    }
}

/// The alive time that a process writes at `now`. Nobody listened if the stored time is further away than `gap`, in either
/// direction, or if the clock jumped.
pub(super) fn alive(stored: Option<Alive>, clock: WallClock, gap: TimeDelta, now: DateTime<Utc>) -> Alive {
    match (stored, clock) {
        (Some(stored), WallClock::Steady) if (now - stored.at).abs() <= gap => {
            Alive { at: stored.at.max(now), since: stored.since.min(now) }
        }
        (Some(_) | None, _) => Alive { at: now, since: now },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p24_servers_that_were_away_for_more_than_the_gap_say_so() {
        use WallClock::{Jumped, Steady};
        let at = |seconds: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + seconds);
        let stored = |seconds, since| Some(Alive { at: at(seconds), since: at(since) });
        let cases = [
            ("the first server", None, Steady, 0, (0, 0)),
            ("a server that is there", stored(-5, -100), Steady, 0, (0, -100)),
            ("a quick restart", stored(-30, -100), Steady, 0, (0, -100)),
            ("nobody was there", stored(-31, -100), Steady, 0, (0, 0)),
            ("another server's clock is a little ahead", stored(3, -100), Steady, 0, (3, -100)),
            ("the clock went back", stored(31, -100), Steady, 0, (0, 0)),
            ("the clock jumped a little", stored(-5, -100), Jumped, 0, (0, 0)),
            ("since a time that is not there yet", stored(10, 5), Steady, 0, (10, 0)),
        ];
        for (case, stored, clock, now, (alive_at, since)) in cases {
            let expected = Alive { at: at(alive_at), since: at(since) };
            assert_eq!(alive(stored, clock, TimeDelta::seconds(30), at(now)), expected, "{case}");
        }
    }

    #[test]
    fn p24_a_jump_is_what_the_monotonic_clock_does_not_know() {
        let t0 = DateTime::<Utc>::UNIX_EPOCH;
        let compared = |wall_ms: i64, monotonic_ms: u64| {
            let wall = (t0, t0 + TimeDelta::milliseconds(wall_ms));
            let monotonic = (Duration::from_secs(7), Duration::from_millis(7_000 + monotonic_ms));
            WallClock::compared(wall, monotonic, TimeDelta::seconds(1))
        };
        for (wall, monotonic, expected) in [
            (1_000, 1_000, WallClock::Steady),
            (60_000, 60_000, WallClock::Steady),
            (2_000, 1_000, WallClock::Steady),
            (2_001, 1_000, WallClock::Jumped),
            (-1, 1_000, WallClock::Jumped),
        ] {
            assert_eq!(compared(wall, monotonic), expected, "{wall} {monotonic}");
        }
    }
}
