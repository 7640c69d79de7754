//! The times that an incident records as past, to see whether a clock was ahead when it was stored.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::model::{Delivery, DeliveryStatus, Incident};

/// The maximum length of a lease.
pub(crate) const MAX_LEASE: Duration = Duration::from_secs(3600);

/// Like [`Draft::latest_at`](super::Draft::latest_at): not before any time that
/// [`clock_went_back`](super::clock_back::clock_went_back) looks at.
pub(super) fn latest_at(incident: &Incident) -> DateTime<Utc> {
    happened(incident).chain(leases(incident)).fold(incident.updated_at, DateTime::max)
}

/// Times that had come when they were written, by the clock that they were written by.
pub(super) fn happened(incident: &Incident) -> impl Iterator<Item = DateTime<Utc>> + '_ {
    let begun = incident.begun.iter().flat_map(|begun| [Some(begun.at), begun.passed_at]).flatten();
    let outcomes = incident.current_deliveries().filter_map(|d| d.last.as_ref()).map(|last| last.at);
    let unsettled = incident.current_deliveries().filter(|d| d.is_unsettled()).map(Delivery::counted_from);
    let handed = incident.handover.iter().flat_map(|handover| [Some(handover.at), handover.unconfirmed_at]);
    let ends = incident.claim_end.iter().map(|end| end.since);
    let told = begun.chain(outcomes).chain(unsettled).chain(handed.flatten()).chain(ends);
    told.chain([incident.updated_at, incident.round_began_at])
}

/// The ends of leases.
pub(super) fn leases(incident: &Incident) -> impl Iterator<Item = DateTime<Utc>> + '_ {
    incident.current_deliveries().filter_map(|d| match d.status {
        DeliveryStatus::InFlight { until } => Some(until),
        DeliveryStatus::Pending { .. }
        | DeliveryStatus::Accepted { .. }
        | DeliveryStatus::Dead { .. }
        | DeliveryStatus::Limited { .. }
        | DeliveryStatus::Stopped { .. } => None,
    })
}
