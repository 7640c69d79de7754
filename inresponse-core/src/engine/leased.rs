//! A send whose lease is durable, and how long leases last.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::in_flight::InFlightMark;
use super::slots::Slot;
use crate::model::{DeliveryKey, Version};
use crate::notify::Alert;

/// A send whose lease is durable. Dropping it unsent is like a crash: it is due again when the lease ends.
#[derive(Debug)]
pub(super) struct LeasedSend {
    pub(super) alert: Alert,
    pub(super) delivery: DeliveryKey,
    pub(super) attempt: u32,
    pub(super) lease: LeaseTimes,
    /// The version at which the alert's incident was committed with the lease.
    pub(super) version: Version,
    pub(super) last_reported_at: DateTime<Utc>,
    pub(super) place: Place,
    pub(super) mark: InFlightMark,
}

/// What a send has before its lease is taken.
#[derive(Debug)]
pub(super) enum Place {
    /// A sending slot of its own.
    Slot(Slot),
    /// A seat in a bundle, which has one slot.
    Seat,
}

/// When a lease was taken and ends, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeaseTimes {
    /// The wall time at which it ends.
    pub(super) until: DateTime<Utc>,
    /// The monotonic time at which its commit began.
    pub(super) planned: Duration,
}

/// How long leases of this process last.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeaseLength {
    /// The configured length.
    pub(super) plain: Duration,
    /// A little more, by which they differ from leases that another process takes in the same microsecond.
    pub(super) mark: Duration,
}

impl LeaseLength {
    /// How long leases last that are taken now.
    pub(super) fn marked(self) -> Duration {
        self.plain + self.mark
    }
}
