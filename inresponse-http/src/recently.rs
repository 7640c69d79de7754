//! Limits how often something is done. All servers share the counts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::Outage;
use inresponse_core::settings::Swapped;

use crate::Api;

/// How many times something may be done within a window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// The maximum number of times within `window`.
    pub(crate) most: usize,
    /// The length of the window.
    pub(crate) window: TimeDelta,
}

/// Whether something may be done once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Counted {
    /// It may be done, and was counted.
    Yes,
    /// It may be done only after this time.
    NotNow(Duration),
}

/// How many times a change is tried again if another change came first.
const MAX_TRIES: usize = 8;

/// Counts once more, unless that was done too often recently. `what` names what is counted.
pub(crate) async fn count(api: &Api, what: &str, limit: Limit) -> Result<Counted, Outage> {
    for _ in 0..MAX_TRIES {
        let was = api.shared().setting(what).await?;
        let now = api.engine().now();
        // An unreadable value counts as missing.
        let done: Option<Vec<i64>> = was.as_deref().and_then(|was| serde_json::from_slice(was).ok());
        let done = done.unwrap_or_default().into_iter().filter_map(DateTime::<Utc>::from_timestamp_micros);
        // Times that a clock wrote while it was ahead count too, but not forever.
        let mut done: Vec<_> = done.filter(|at| (now - *at).abs() < limit.window).collect();
        if done.len() >= limit.most {
            let oldest = done.iter().min().copied().unwrap_or(now);
            let after = (oldest + limit.window - now).to_std().unwrap_or_default();
            return Ok(Counted::NotNow(Duration::from_secs(after.as_secs() + 1)));
        }
        done.push(now);
        let done: Vec<i64> = done.iter().map(DateTime::timestamp_micros).collect();
        let value =
            serde_json::to_vec(&done).map_err(|e| Outage::permanent("this cannot be counted").because(e))?;
        match api.shared().swap_setting(what, was.as_deref(), &value).await? {
            Swapped::Done => return Ok(Counted::Yes),
            Swapped::Changed => {}
        }
    }
    Err(Outage::retryable("too much of the same is done at once"))
}
