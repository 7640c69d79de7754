//! Handles a carrier's later report on an alert that it had accepted.

use super::swap::{Changed, Swap};
use super::transitions::report_transitions;
use crate::error::Outage;
use crate::model::{DeliveryId, IncidentNumber, OutcomeKind};
use crate::plan::Input;
use crate::store::Record;

/// The result of a bounce.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Bounced {
    /// The delivery is now dead, durably.
    Dead(Record),
    /// The bounce changes nothing: it is already known, no such delivery exists, or nobody is alerted for the incident
    /// now.
    Ignored(Record),
    /// There is no such incident.
    Absent,
}

/// Records that an accepted alert bounced. `reason` is the carrier's text.
pub(super) async fn bounced(
    swap: &Swap,
    number: IncidentNumber,
    delivery: &DeliveryId,
    reason: &str,
) -> Result<Bounced, Outage> {
    Ok(match swap.change_of(number, |_| Input::Bounced { delivery, reason }).await? {
        Changed::Done { before, record } => {
            let outcome = OutcomeKind::Bounced.as_str();
            metrics::counter!("inresponse_deliveries_total", "outcome" => outcome).increment(1);
            tracing::error!(delivery = delivery.as_str(), reason, "an accepted alert bounced");
            report_transitions(&before, &record.incident);
            Bounced::Dead(record)
        }
        Changed::Nothing(record) | Changed::Refused(record, _) => Bounced::Ignored(record),
        Changed::Gone => Bounced::Absent,
    })
}

/// The result of a report that a carrier could not deliver what it had accepted, for now.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Undelivered {
    /// The delivery is due again, durably.
    DueAgain(Record),
    /// The report changes nothing: it is not about the latest attempt, or nobody is alerted for the incident now.
    Ignored(Record),
    /// There is no such incident.
    Absent,
}

/// See [`Engine::undelivered`](super::Engine::undelivered).
pub(super) async fn undelivered(
    swap: &Swap,
    number: IncidentNumber,
    delivery: &DeliveryId,
    attempt: u32,
    reason: &str,
) -> Result<Undelivered, Outage> {
    Ok(match swap.change_of(number, |_| Input::Undelivered { delivery, attempt, reason }).await? {
        Changed::Done { record, .. } => {
            let outcome = OutcomeKind::Bounced.as_str();
            metrics::counter!("inresponse_deliveries_total", "outcome" => outcome).increment(1);
            tracing::warn!(
                delivery = delivery.as_str(),
                attempt,
                reason,
                "an accepted alert failed; it is sent again"
            );
            Undelivered::DueAgain(record)
        }
        Changed::Nothing(record) | Changed::Refused(record, _) => Undelivered::Ignored(record),
        Changed::Gone => Undelivered::Absent,
    })
}
