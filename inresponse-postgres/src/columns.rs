//! The columns of an incident, and the statements that contain their names.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use inresponse_core::model::{IncidentNumber, RulesId, Version};
use inresponse_core::plan::{self, Draft};
use inresponse_core::store::Record;
use inresponse_core::{Chain, Outage};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use crate::write_id::WriteId;

/// The columns that [`record`] reads.
macro_rules! record_columns {
    () => {
        "number, version, count, last_reported_at, body"
    };
}
pub(crate) use record_columns;

/// The columns that every commit sets.
const DRAFTED: [&str; 13] = [
    "commit_id",
    "due_at",
    "waiting_since",
    "latest_at",
    "expires_at",
    "open_key",
    "team",
    "state",
    "severity",
    "unclaimed",
    "undelivered",
    "quiet_by",
    "body",
];

/// The statement that creates an incident, or counts a report of the open incident with its key.
///
/// Its parameters are the number, the time of the report, the service, how much to count, and [`drafted`], which
/// begins with the id of the write. After the columns of the record it returns whether this write created the record,
/// and whether it was counted in it.
pub(crate) static CREATE: LazyLock<String> = LazyLock::new(|| {
    let (columns, values) = (DRAFTED.join(", "), marks(5));
    format!(
        "INSERT INTO incident AS i (number, version, count, last_reported_at, service, create_id, repeat_id, {columns})
         VALUES ($1, {first}, 1, $2, $3, $5, $5, {values})
         ON CONFLICT (service, open_key) WHERE open_key IS NOT NULL DO UPDATE SET
             count = i.count + CASE WHEN i.create_id = $5 THEN 0 ELSE $4::BIGINT END,
             last_reported_at = CASE WHEN i.create_id = $5 OR $4 = 0 THEN i.last_reported_at
                 ELSE greatest(i.last_reported_at, $2) END,
             repeat_id = CASE WHEN i.create_id = $5 OR $4 = 0 THEN i.repeat_id ELSE $5 END
         RETURNING {record}, create_id = $5, repeat_id = $5",
        first = Version::FIRST.value(),
        record = record_columns!(),
    )
});

/// The statement of a commit. Its parameters are the number, the version, and [`drafted`], which begins with the id of
/// the write. It also matches if this same write has happened before.
pub(crate) static COMMIT: LazyLock<String> = LazyLock::new(|| {
    let (columns, values) = (DRAFTED.join(", "), marks(3));
    format!(
        "UPDATE incident SET version = $2 + 1, ({columns}) = ROW ({values})
         WHERE number = $1 AND (version = $2 OR (version = $2 + 1 AND commit_id = $3))"
    )
});

fn marks(from: usize) -> String {
    (from..from + DRAFTED.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// A value of any type.
pub(crate) type Value = Box<dyn ToSql + Send + Sync>;

/// The values of the columns that every commit sets.
pub(crate) fn drafted(draft: &Draft, write_id: WriteId) -> [Value; DRAFTED.len()] {
    let incident = draft.incident();
    [
        Box::new(write_id.value()),
        Box::new(draft.due_at().map(micros)),
        Box::new(plan::waiting_since(incident).map(micros)),
        Box::new(micros(draft.latest_at())),
        Box::new(draft.expires_at().map(micros)),
        Box::new(draft.open_key().map(|(_, key)| key.as_str().to_owned())),
        Box::new(incident.team().as_str().to_owned()),
        Box::new(incident.state().as_str().to_owned()),
        Box::new(incident.severity().as_str().to_owned()),
        Box::new(incident.is_unclaimed()),
        Box::new(incident.is_undelivered()),
        Box::new(draft.quiet_by().map(RulesId::value)),
        Box::new(draft.body()),
    ]
}

/// References to values, as statements take them.
pub(crate) fn borrowed(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
}

/// The value for the number of an incident; `None` if no incident can have it. PostgreSQL's integers have half the
/// range of the core's.
pub(crate) fn number(number: IncidentNumber) -> Option<i64> {
    i64::try_from(number.value()).ok()
}

/// The value for a version; `None` if no record can have it.
pub(crate) fn version(version: Version) -> Option<i64> {
    i64::try_from(version.value()).ok().filter(|version| *version < i64::MAX)
}

/// Reads a record from a row that begins with [`record_columns`].
pub(crate) fn record(row: &Row) -> Result<Record, Outage> {
    let number = |place| u64::try_from(get::<i64>(row, place)?).map_err(|e| unreadable().because(e));
    let (version, count) = (Version::new(number(1)?), number(2)?);
    let last_reported_at = DateTime::from_timestamp_micros(get(row, 3)?).ok_or_else(unreadable)?;
    Record::decode(get(row, 4)?, version, count, last_reported_at)
}

/// The record, or `None` with a line in the log. One row that cannot be read must not keep others from being alerted or
/// shown.
pub(crate) fn readable(row: &Row) -> Option<Record> {
    record(row)
        .inspect_err(|error| {
            let number = get::<i64>(row, 0).unwrap_or_default();
            tracing::error!(incident = number, error = %Chain::of(error), "a stored incident cannot be read");
        })
        .ok()
}

/// Reads a column.
pub(crate) fn get<'a, T: FromSql<'a>>(row: &'a Row, place: usize) -> Result<T, Outage> {
    row.try_get(place).map_err(|e| unreadable().because(e))
}

fn unreadable() -> Outage {
    Outage::permanent("a stored incident cannot be read")
}

/// The value of a time in every column: microseconds.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}
