//! The columns of an incident, and the statements that contain their names.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use inresponse_core::model::{Incident, IncidentNumber, RulesId, ServiceName, Version};
use inresponse_core::plan::{self, Draft};
use inresponse_core::store::Record;
use rusqlite::types::{Type, Value};
use rusqlite::{Error, Result, Row};

/// The columns that [`record`] reads.
macro_rules! record_columns {
    () => {
        "body, version, count, last_reported_at"
    };
}
pub(crate) use record_columns;

/// The columns that are set when an incident is created. Repeats change some of them.
const FIRST: [&str; 5] = ["number", "version", "count", "last_reported_at", "service"];
/// The columns that most commits change: those of a lease or an outcome.
const PLANNED: [&str; 4] = ["due_at", "waiting_since", "latest_at", "body"];
/// The columns of the indexes for lists and counts, and for what is quiet.
const LISTED: [&str; 8] =
    ["severity", "state", "open_key", "unclaimed", "undelivered", "team", "expires_at", "quiet_by"];

/// The statement that adds a report to the count of an open incident.
pub(crate) const REPEAT: &str = concat!(
    "UPDATE incident SET count = count + 1, last_reported_at = max(last_reported_at, ?3)
     WHERE service = ?1 AND open_key = ?2
     RETURNING ",
    record_columns!()
);

/// The statement that inserts an incident. The statement's parameters are [`first`], [`planned`] and [`listed`].
pub(crate) static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = [&FIRST[..], &PLANNED, &LISTED].concat();
    format!("INSERT INTO incident ({}) VALUES ({})", columns.join(", "), marks(1, columns.len()))
});

/// The query whether the columns of lists and counts stay unchanged. The query returns no row if the record has another
/// version. The query's parameters are number, version and [`listed`].
pub(crate) static STAYS: LazyLock<String> = LazyLock::new(|| {
    let (columns, values) = (LISTED.join(", "), marks(3, LISTED.len()));
    format!("SELECT ({columns}) IS ({values}) FROM incident WHERE number = ?1 AND version = ?2")
});

/// The statement of a commit that leaves the indexes of the lists alone. The statement's parameters are the number and
/// [`planned`].
pub(crate) static COMMIT: LazyLock<String> = LazyLock::new(|| update(&PLANNED));

/// The statement of a commit that changes all columns. The statement's parameters are the number, [`planned`] and
/// [`listed`].
pub(crate) static COMMIT_ALL: LazyLock<String> = LazyLock::new(|| update(&[&PLANNED[..], &LISTED].concat()));

fn marks(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ")
}

fn update(columns: &[&str]) -> String {
    let set: String = columns.iter().zip(2..).map(|(column, n)| format!(", {column} = ?{n}")).collect();
    format!("UPDATE incident SET version = version + 1{set} WHERE number = ?1")
}

/// The value for the number of an incident.
pub(crate) fn number(number: IncidentNumber) -> Result<Value> {
    integer(number.value())
}

/// The value for a version.
pub(crate) fn version(version: Version) -> Result<Value> {
    integer(version.value())
}

/// The value for an unsigned integer. SQLite's integers are signed, so larger ones are refused.
fn integer(value: u64) -> Result<Value> {
    i64::try_from(value).map(Value::from).map_err(|e| Error::ToSqlConversionFailure(e.into()))
}

/// The values of the columns that are set when an incident is created: [`Record::created`] has the same ones.
pub(crate) fn first(incident: &Incident) -> Result<[Value; FIRST.len()]> {
    first_values(incident.number(), Version::FIRST, 1, incident.created_at(), incident.service())
}

/// The same values, one by one.
pub(crate) fn first_values(
    number_of: IncidentNumber,
    version_of: Version,
    count: u64,
    last_reported_at: DateTime<Utc>,
    service: &ServiceName,
) -> Result<[Value; FIRST.len()]> {
    Ok([
        number(number_of)?,
        version(version_of)?,
        integer(count)?,
        micros(last_reported_at).into(),
        service.as_str().to_owned().into(),
    ])
}

/// The values of the columns that most commits change.
pub(crate) fn planned(draft: &Draft) -> [Value; PLANNED.len()] {
    [
        draft.due_at().map(micros).into(),
        plan::waiting_since(draft.incident()).map(micros).into(),
        micros(draft.latest_at()).into(),
        draft.body().into(),
    ]
}

/// The values of the columns for lists and counts.
pub(crate) fn listed(draft: &Draft) -> [Value; LISTED.len()] {
    let incident = draft.incident();
    [
        incident.severity().as_str().to_owned().into(),
        incident.state().as_str().to_owned().into(),
        draft.open_key().map(|(_, key)| key.as_str().to_owned()).into(),
        incident.is_unclaimed().into(),
        incident.is_undelivered().into(),
        incident.team().as_str().to_owned().into(),
        draft.expires_at().map(micros).into(),
        draft.quiet_by().map(RulesId::value).into(),
    ]
}

/// Reads a record from a row that begins with [`record_columns`].
pub(crate) fn record(row: &Row<'_>) -> Result<Record> {
    let unreadable =
        |e: Box<dyn std::error::Error + Send + Sync>| Error::FromSqlConversionFailure(0, Type::Blob, e);
    let last_reported_at = DateTime::from_timestamp_micros(row.get(3)?)
        .ok_or_else(|| unreadable("a stored time is out of range".into()))?;
    let body = row.get_ref(0)?.as_blob()?;
    Record::decode(body, Version::new(row.get(1)?), row.get(2)?, last_reported_at)
        .map_err(|e| unreadable(e.into()))
}

/// The value of a time in every column: microseconds.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}
