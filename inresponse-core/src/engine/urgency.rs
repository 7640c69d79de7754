//! How urgent a send is.

use crate::model::{Incident, Purpose, Severity, State};

/// The order of waiting sends: the worst severity first, status updates last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    StatusUpdate,
    Alert(Severity),
}

impl Urgency {
    pub(super) fn of(incident: &Incident) -> Self {
        match incident.state() {
            State::Open => Self::Alert(incident.severity()),
            State::Claimed | State::Resolved => Self::StatusUpdate,
        }
    }

    /// The urgency of one delivery of an incident.
    pub(super) fn of_delivery(incident: &Incident, purpose: Purpose) -> Self {
        if purpose.is_status_update() { Self::StatusUpdate } else { Self::of(incident) }
    }
}
