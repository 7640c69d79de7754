//! How many incidents stand where.

use super::clocks::Clocks;
use crate::error::Outage;
use crate::store::{Census, Store};

/// An alert that waits longer than this for acceptance shows in health check, metrics and log.
pub const WAITING_TOO_LONG: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// Counts the incidents.
pub(super) async fn census(store: &dyn Store, clocks: &Clocks) -> Result<Census, Outage> {
    store.census(clocks.now() - WAITING_TOO_LONG).await
}
