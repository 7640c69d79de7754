//! Computes figures from measured times.

use std::time::Duration;

/// Median and 99th percentile.
pub(crate) fn percentiles(mut took: Vec<Duration>) -> [Duration; 2] {
    took.sort_unstable();
    [50, 99].map(|percent| took.get(took.len() * percent / 100).copied().unwrap_or_default())
}

pub(crate) fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}
