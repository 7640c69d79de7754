//! Calls to the store under test, each with its required answer.

use chrono::{DateTime, Utc};
use inresponse_core::model::IncidentNumber;
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Committed, Created, ListQuery, Record, Store};

/// More incidents than any law puts into a store.
pub(super) const ALL: usize = 1000;

pub(super) async fn create(store: &impl Store, opening: Opening) -> Created {
    store.create(opening).await.expect("the store creates")
}

/// Creates an incident that must be new.
pub(super) async fn new(store: &impl Store, opening: Opening) -> Record {
    match create(store, opening).await {
        Created::New(record) => record,
        Created::Repeat(record) => {
            panic!("expected a new incident, but the store returned the open {record:?}")
        }
    }
}

/// Creates an incident that must be a repeat.
pub(super) async fn repeat(store: &impl Store, opening: Opening) -> Record {
    match create(store, opening).await {
        Created::Repeat(record) => record,
        Created::New(record) => {
            panic!("expected the open incident, but the store returned the new {record:?}")
        }
    }
}

pub(super) async fn load(store: &impl Store, number: IncidentNumber) -> Option<Record> {
    store.load(number).await.expect("the store loads")
}

/// Loads an incident that must exist.
pub(super) async fn present(store: &impl Store, number: IncidentNumber) -> Record {
    load(store, number).await.unwrap_or_else(|| panic!("incident {number} is lost"))
}

/// Commits a change at the version of `record`, which must succeed, and returns the record as it must be now.
pub(super) async fn commit(store: &impl Store, record: &Record, draft: Draft) -> Record {
    let next = record.version.next();
    let committed = store.commit(record.version, &draft).await.expect("the store commits");
    assert_eq!(committed, Committed::At(next), "a commit at the version that was read succeeds");
    Record { version: next, incident: draft.into_incident(), ..record.clone() }
}

/// All incidents due at `now`.
pub(super) async fn due(store: &impl Store, now: DateTime<Utc>) -> Vec<Record> {
    store.due(now, None, ALL).await.expect("the store lists due incidents")
}

/// The numbers of the incidents due at `now`.
pub(super) async fn due_numbers(store: &impl Store, now: DateTime<Utc>) -> Vec<IncidentNumber> {
    numbers(&due(store, now).await)
}

/// The numbers on a page.
pub(super) async fn listed(store: &impl Store, query: &ListQuery) -> Vec<IncidentNumber> {
    numbers(&store.list(query).await.expect("the store lists"))
}

pub(super) fn numbers(records: &[Record]) -> Vec<IncidentNumber> {
    records.iter().map(Record::number).collect()
}
