//! Takes what people do to an incident.

use super::swap::{Changed, Swap};
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

/// Does what a person wants to an incident.
pub(super) async fn update(swap: &Swap, number: IncidentNumber, update: &Update) -> Result<Updated, Outage> {
    let changed = swap.change_of(number, |round| Input::Update { update, round }).await?;
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
