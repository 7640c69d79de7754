//! Takes what people do to an incident.

use super::Engine;
use super::swap::Changed;
use crate::error::Outage;
use crate::model::{IncidentNumber, KeyName};
use crate::plan::{Input, Refusal, Update};
use crate::store::Record;

/// The result of a person's update.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Updated {
    /// Done, durably.
    Changed(Record),
    /// It was like that already.
    Unchanged(Record),
    /// It cannot be; nothing was changed.
    Refused(Record, Refusal),
    /// There is no such incident.
    Absent,
}

impl Engine {
    /// Does what a person wants to an incident.
    ///
    /// # Errors
    /// The store or the roster is unavailable. After an outage of kind unknown the change may have happened; it is safe
    /// to ask for the same state again.
    pub async fn update(&self, number: IncidentNumber, update: &Update) -> Result<Updated, Outage> {
        let Some(record) = self.inner.store.load(number).await? else { return Ok(Updated::Absent) };
        let changed = self.change(record, |round| Input::Update { update, round }).await?;
        Ok(match changed {
            Changed::Done { record, .. } => {
                tracing::info!(
                    incident = number.value(),
                    by = %update.by,
                    key = update.key.as_ref().map(KeyName::as_str),
                    state = %record.incident.state(),
                    "incident updated"
                );
                Updated::Changed(record)
            }
            Changed::Nothing(record) => Updated::Unchanged(record),
            Changed::Refused(record, refusal) => Updated::Refused(record, refusal),
            Changed::Gone => Updated::Absent,
        })
    }
}
