//! Changes to an incident that an operator should hear of.

use crate::model::{Incident, State};

/// Says in the log what an operator would want to know the moment it happens.
pub(super) fn report_transitions(before: &Incident, after: &Incident) {
    let (incident, service) = (after.number().value(), after.service().as_str());
    if after.is_unclaimed() && !before.is_unclaimed() {
        metrics::counter!("inresponse_unclaimed_incidents_total").increment(1);
        tracing::warn!(incident, service, "the escalation has ended and nobody claimed the incident");
    }
    let is_flagged = |i: &Incident| i.handover().is_some_and(|handover| handover.unconfirmed_at.is_some());
    if is_flagged(after) && !is_flagged(before) {
        tracing::warn!(incident, service, "the person the incident was handed to could not be notified");
    }
    if before.state() == State::Claimed && after.state() == State::Open {
        tracing::warn!(
            incident,
            service,
            "the person the incident was handed to did not answer: it is open again"
        );
    }
    if after.is_undelivered() && !before.is_undelivered() {
        metrics::counter!("inresponse_undelivered_incidents_total").increment(1);
        tracing::error!(incident, service, "nobody could be reached about the incident");
    }
}
