//! Takes what a carrier tells later of an alert that it had accepted.

use super::Engine;
use super::lease::report_transitions;
use super::swap::Changed;
use crate::error::Outage;
use crate::model::{DeliveryId, IncidentNumber, OutcomeKind};
use crate::plan::Input;
use crate::store::Record;

/// What became of an alert that came back.
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
    /// Takes note that an alert which a carrier had accepted cannot be delivered (promise 12): if nobody is left
    /// who can be reached at its level, the next one is due at once.
    ///
    /// It may be told any number of times, and before the acceptance is recorded. `reason` is what the carrier
    /// said; it is shortened.
    ///
    /// # Errors
    /// The store is unavailable. It is safe to tell it again.
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
