//! Makes people's updates of an incident.

use std::sync::Arc;

use super::lookup::Lookup;
use super::swap::{Changed, Swap};
use crate::error::{Chain, Outage};
use crate::model::{IncidentNumber, KeyName, Person, PersonId};
use crate::plan::{Input, Refusal, StateChange, Update};
use crate::store::Record;

/// The result of a person's update.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Updated {
    /// The update was made, durably.
    Changed(Record),
    /// The incident was already in the requested state.
    Unchanged(Record),
    /// The update is not possible; nothing was changed.
    Refused(Record, Refusal),
    /// There is no such incident.
    Absent,
}

/// Makes a person's update of an incident.
pub(super) async fn update(
    swap: &Swap,
    lookup: &Lookup,
    number: IncidentNumber,
    update: &Update,
) -> Result<Updated, Outage> {
    let update = &identified(lookup, update).await;
    if update.state == Some(StateChange::Escalate) {
        judge_first(swap, lookup, number).await?;
    }
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

/// A silence may hold the incident that was made after its last alert. Only if the incident knows it, an escalation
/// overrules it.
async fn judge_first(swap: &Swap, lookup: &Lookup, number: IncidentNumber) -> Result<(), Outage> {
    let rules = &*lookup.quiet_rules_or_last().await;
    if rules.is_empty() {
        return Ok(());
    }
    match swap.change_of(number, |round| Input::Judge { rules, round }).await? {
        Changed::Done { .. } | Changed::Nothing(_) | Changed::Refused(..) | Changed::Gone => Ok(()),
    }
}

/// Promise 6: the same update with people in place of names and addresses.
async fn identified(lookup: &Lookup, update: &Update) -> Update {
    let book = match lookup.held_book().await {
        Ok(book) => book,
        // Nobody is kept from claiming because the roster cannot be read: they claim by the name they gave.
        Err(error) => {
            tracing::warn!(error = %Chain::of(&error), "the roster cannot say who made an update");
            return update.clone();
        }
    };
    // Who answers by the address of a message is the person at that address, over every channel.
    let asked_at = update.asked_at.as_ref().filter(|contact| update.by.is_named_by(contact));
    let by = asked_at.and_then(|contact| book.person_at(contact).map(Person::from));
    let mut update = Update { by: by.unwrap_or_else(|| book.identify(&update.by)), ..update.clone() };
    let holder = match &mut update.state {
        Some(StateChange::HandTo(to)) => {
            *to = book.identify(to);
            Some(&*to)
        }
        // The claimant is told before the claim ends.
        Some(StateChange::Claim(_) | StateChange::Snooze(_)) => Some(&update.by),
        Some(
            StateChange::Release(_)
            | StateChange::Resolve
            | StateChange::End(_)
            | StateChange::HandToTeam(_)
            | StateChange::Escalate,
        )
        | None => None,
    };
    if let Some(holder) = holder {
        let profile = PersonId::new(holder.as_str()).ok().and_then(|id| book.person(&id).map(Arc::clone));
        let methods = profile.iter().flat_map(|profile| profile.open_methods());
        update.reach = methods.map(|(name, contact)| (name.clone(), contact.clone())).collect();
    }
    update
}
