//! Claims all incidents of a bundle (promise 23).

use futures_util::stream::{self, StreamExt};

use super::lookup::Lookup;
use super::swap::Swap;
use super::update::{Updated, update};
use crate::error::{Chain, Outage};
use crate::model::{Contact, IncidentNumber, KeyName, Person, State};
use crate::plan::{StateChange, TakeOver, Update};
use crate::store::Record;

/// How many incidents are claimed at once for one request.
const AT_ONCE: usize = 16;

/// The result of the claim of one incident among many.
#[derive(Debug)]
#[must_use]
pub struct ClaimedOne {
    /// The incident that was to be claimed.
    pub number: IncidentNumber,
    /// What the claim did, as for one incident. After an outage the claim may have been made.
    pub result: Result<Updated, Outage>,
    before: Option<Record>,
    is_theirs: bool,
}

impl ClaimedOne {
    /// Whether the claimant has the incident. Who was called in to an incident that somebody else has helps, and does not
    /// have it.
    pub fn is_theirs(&self) -> bool {
        self.is_theirs
    }

    /// The incident after the claim. After an outage it is as it was read before, if it was read.
    pub fn record(&self) -> Option<&Record> {
        match &self.result {
            Ok(Updated::Changed(record) | Updated::Unchanged(record) | Updated::Refused(record, _)) => {
                Some(record)
            }
            Ok(Updated::Absent) => None,
            Err(_) => self.before.as_ref(),
        }
    }
}

/// Claims each incident by its own swap. A failure of one prevents no other claim.
pub(super) async fn claim_all(
    swap: &Swap,
    lookup: &Lookup,
    incidents: &[IncidentNumber],
    asked_at: &Contact,
    by: Option<&Person>,
) -> Vec<ClaimedOne> {
    // Copied: with a closure over references, a caller's future could not be spawned.
    let claiming = incidents.iter().copied().map(|number| claim_one(swap, lookup, number, asked_at, by));
    stream::iter(claiming).buffered(AT_ONCE).collect().await
}

async fn claim_one(
    swap: &Swap,
    lookup: &Lookup,
    number: IncidentNumber,
    asked_at: &Contact,
    by: Option<&Person>,
) -> ClaimedOne {
    let mut one = ClaimedOne { number, result: Ok(Updated::Absent), before: None, is_theirs: false };
    match swap.store.load(number).await {
        Ok(before) => one.before = before,
        Err(error) => one.result = Err(error),
    }
    if let Some(before) = &one.before {
        match by.cloned().map_or_else(|| before.incident.claimant_at(asked_at), Ok) {
            Ok(by) => {
                one.result = update(swap, lookup, number, &claim(&by, asked_at)).await;
                one.is_theirs = matches!(&one.result,
                    Ok(Updated::Changed(record) | Updated::Unchanged(record)) if has_it(record, &by, asked_at));
            }
            Err(error) => {
                one.result = Err(Outage::permanent("the recipient has no valid name").because(error))
            }
        }
    }
    if let Err(error) = &one.result {
        tracing::warn!(incident = number.value(), error = %Chain::of(error), "an incident of a bundle could not be claimed");
    }
    one
}

fn claim(by: &Person, asked_at: &Contact) -> Update {
    Update {
        asked_at: Some(asked_at.clone()),
        ..Update::state(by.clone(), StateChange::Claim(TakeOver::No)).with_key(KeyName::link())
    }
}

/// Whether the claimant has the incident after a claim that counted.
fn has_it(record: &Record, by: &Person, asked_at: &Contact) -> bool {
    let incident = &record.incident;
    // The engine may know the person by another name than the one they gave.
    let is_them = |person: &Person| person.is(by) || incident.is_at(person, asked_at);
    let holder = incident.claimed().filter(|_| incident.state() == State::Claimed).map(|claimed| &claimed.by);
    holder.is_some_and(|holder| is_them(holder) || !incident.responders().iter().any(|one| is_them(&one.by)))
}
