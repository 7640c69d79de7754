//! Sends a test message to each method of the people who asked for it, once a week.

use chrono::{DateTime, TimeDelta, Utc};

use super::plan::check_after;
use super::row::digest;
use crate::Engine;
use crate::error::Outage;
use crate::model::{OutcomeKind, PersonId};
use crate::roster::Profile;
use crate::settings::{Settings, Swapped};

/// For how long a process has a test that it took.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// Tests the methods of a person who asked for it, if that is due: on Monday at nine o'clock in the person's
/// zone. The stored due time is taken by a swap, so that one process does it.
pub(super) async fn look(
    engine: &Engine,
    settings: &dyn Settings,
    person: &PersonId,
    profile: &Profile,
    now: DateTime<Utc>,
) -> Result<(), Outage> {
    let key = format!("weekly-test.{}", digest(person.as_str()));
    let stored = settings.setting(&key).await?;
    let next = check_after(profile.timezone(), now);
    let (due, put) = match stored.as_deref().and_then(read) {
        // A stored time that is more than a week away is one of a clock that was ahead.
        Some(due_at) if due_at > now && due_at <= next + LEASE => return Ok(()),
        Some(due_at) if due_at <= now => (true, now + LEASE),
        Some(_) | None => (false, next),
    };
    match settings.swap_setting(&key, stored.as_deref(), &written(put)).await? {
        Swapped::Changed => return Ok(()),
        Swapped::Done if !due => return Ok(()),
        Swapped::Done => {}
    }
    for tested in engine.test_methods(person).await?.unwrap_or_default() {
        let outcome = tested.outcome.kind();
        if !matches!(outcome, OutcomeKind::Accepted | OutcomeKind::Limited) {
            let (method, reason) = (tested.method, tested.outcome.reason());
            tracing::warn!(%person, %method, outcome = outcome.as_str(), reason, "the weekly test of a method failed");
        }
    }
    // If another process has taken it since, that one puts it off.
    let _ = settings.swap_setting(&key, Some(&written(put)), &written(next)).await?;
    Ok(())
}

fn written(at: DateTime<Utc>) -> Vec<u8> {
    at.timestamp_micros().to_string().into_bytes()
}

fn read(stored: &[u8]) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(std::str::from_utf8(stored).ok()?.parse().ok()?)
}
