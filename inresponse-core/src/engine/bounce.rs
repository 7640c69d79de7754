//! Handles a carrier's later report on an alert that it had accepted.

use super::Engine;
use super::lease::report_transitions;
use super::swap::Changed;
use crate::error::Outage;
use crate::model::{DeliveryId, IncidentNumber, OutcomeKind};
use crate::plan::Input;
use crate::store::Record;

/// The result of a bounce.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Bounced {
    /// It is dead now, durably.
    Dead(Record),
    /// It makes no difference: it is known already, nobody knows of such a delivery any more, or nobody is alerted
    /// of the incident now.
    Ignored(Record),
    /// There is no such incident.
    Absent,
}

impl Engine {
    /// Records that an accepted alert bounced (promise 12). If nobody else can be reached at its level, the next level
    /// is due at once.
    ///
    /// It may be called any number of times, and before the acceptance is recorded. `reason` is the carrier's text; it
    /// is shortened.
    ///
    /// # Errors
    /// The store is unavailable. It is safe to call this again.
    pub async fn bounced(
        &self,
        number: IncidentNumber,
        delivery: &DeliveryId,
        reason: &str,
    ) -> Result<Bounced, Outage> {
        let Some(record) = self.inner.store.load(number).await? else { return Ok(Bounced::Absent) };
        Ok(match self.change(record, |_| Input::Bounced { delivery, reason }).await? {
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
}
