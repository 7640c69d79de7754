//! Takes what people do to an incident.

use std::sync::Arc;

use super::Engine;
use super::swap::Changed;
use crate::error::{Chain, Outage};
use crate::model::{IncidentNumber, KeyName, PersonId, TeamName};
use crate::plan::{Input, Refusal, StateChange, Update};
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
        let update = &self.identified(record.incident.team(), update).await;
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

    /// Promise 6: the same update with people in place of names and addresses.
    async fn identified(&self, team: &TeamName, update: &Update) -> Update {
        let now = self.now();
        let book = match self.inner.roster.directory(team, now, now).await {
            Ok(directory) => Arc::clone(directory.book()),
            // Nobody is kept from claiming because the roster cannot be read: they claim by the name they gave.
            Err(error) => {
                tracing::warn!(error = %Chain::of(&error), "the roster cannot say who made an update");
                return update.clone();
            }
        };
        let mut update = Update { by: book.identify(&update.by), ..update.clone() };
        if let Some(StateChange::HandTo(to)) = &update.state {
            let person = book.identify(to);
            let profile = PersonId::new(person.as_str()).ok().and_then(|id| book.person(&id).cloned());
            let methods = profile.iter().flat_map(|profile| profile.methods());
            update.reach = methods.map(|(name, contact)| (name.clone(), contact.clone())).collect();
            update.state = Some(StateChange::HandTo(person));
        }
        update
    }
}
