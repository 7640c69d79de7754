//! Notices that the wall clock jumped, and corrects stored times after it went back (promise 14).

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::clocks::Clocks;
use super::paging::Paging;
use super::swap::{Changed, Swap};
use crate::error::{Chain, Outage};
use crate::plan::Input;
use crate::store::Store;

/// The pause before another try after an outage.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long after a correction of times earlier commits become visible.
const REPAIR_AGAIN: Duration = Duration::from_secs(15);
/// A wall clock that moved this much against the monotonic one has jumped (promise 14).
const JUMP: TimeDelta = TimeDelta::seconds(1);

/// The wall clock went back.
#[derive(Debug)]
pub(super) struct ClockWentBack;

/// Corrects the stored times of incidents.
#[derive(Debug, Clone)]
pub(super) struct Repair {
    pub(super) store: Arc<dyn Store>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) swap: Arc<Swap>,
    /// How long leases last.
    pub(super) lease: Duration,
}

impl Repair {
    /// Promise 14: after the clock went back, corrects the due times, and tries until it works. Then it does so once
    /// more, for recent commits that the query for due incidents did not show yet.
    pub(super) async fn repair(self, _: ClockWentBack) {
        self.repair_once().await;
        self.clocks.sleep(REPAIR_AGAIN).await;
        self.repair_once().await;
    }

    async fn repair_once(&self) {
        loop {
            match self.bring_back_times().await {
                Ok(0) => return,
                Ok(incidents) => {
                    tracing::warn!(incidents, "the wall clock went back: due times were corrected");
                    return;
                }
                Err(error) => {
                    tracing::error!(error = %Chain::of(&error), "the wall clock went back: due times cannot be corrected yet");
                    self.clocks.sleep(AGAIN_AFTER).await;
                }
            }
        }
    }

    async fn bring_back_times(&self) -> Result<usize, Outage> {
        let (now, mut repaired) = (self.clocks.now(), 0);
        let mut paging = Paging::due_by(DateTime::<Utc>::MAX_UTC);
        while let Some((after, limit)) = paging.next() {
            let page = self.store.ahead(now, after, limit).await?;
            paging.read(&page);
            for record in page {
                let lease = self.lease;
                match self.swap.change(record, |_| Input::ClockWentBack { lease }).await? {
                    Changed::Done { .. } => repaired += 1,
                    Changed::Nothing(_) | Changed::Refused(..) | Changed::Gone => {}
                }
            }
        }
        Ok(repaired)
    }
}

/// The clocks at the last comparison.
pub(super) struct Watch {
    wall: DateTime<Utc>,
    monotonic: Duration,
}

impl Watch {
    pub(super) fn begin(clocks: &Clocks) -> Self {
        Self { wall: clocks.now(), monotonic: clocks.monotonic() }
    }

    /// Compares the clocks; answers if the wall clock went back.
    pub(super) fn clock(&mut self, clocks: &Clocks) -> Option<ClockWentBack> {
        let (wall, monotonic) = (clocks.now(), clocks.monotonic());
        let passed = TimeDelta::from_std(monotonic.saturating_sub(self.monotonic)).unwrap_or(TimeDelta::MAX);
        let moved = (wall - self.wall) - passed;
        (self.wall, self.monotonic) = (wall, monotonic);
        // It may have been ahead, and back again, since it was looked at here.
        let back = clocks.went_back_by(wall, monotonic);
        let jump = if back > JUMP { -back } else { moved };
        if jump.abs() <= JUMP {
            return None;
        }
        let (direction, back) =
            if jump < TimeDelta::zero() { ("back", Some(ClockWentBack)) } else { ("forward", None) };
        tracing::warn!(seconds = jump.num_seconds(), direction, "the wall clock jumped");
        metrics::counter!("inresponse_clock_jumps_total", "direction" => direction).increment(1);
        back
    }
}
