//! The writes, as a plain function on a connection.

use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{Incident, IncidentNumber, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::roster::Edited;
use inresponse_core::settings::Swapped;
use inresponse_core::store::{Committed, Created, Record};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params, params_from_iter};

use crate::columns::{self, REPEAT, micros, record};
use crate::entries::{self, RosterWrite};
use crate::error::{Moment, outage};

/// One write.
#[derive(Debug, Clone)]
pub enum Write {
    /// [`Store::create`](inresponse_core::store::Store::create).
    Create(Box<Opening>),
    /// [`Store::commit`](inresponse_core::store::Store::commit).
    Commit {
        /// The version that the record must have.
        version: Version,
        /// The new value of the record.
        draft: Box<Draft>,
    },
    /// Edits of the roster.
    Roster(RosterWrite),
    /// Deletes incidents that have expired.
    Forget {
        /// The incidents that expired until then are deleted.
        now: DateTime<Utc>,
        /// The maximum number of incidents to delete.
        limit: usize,
    },
    /// Stores a setting, unless it already has a value.
    KeepSetting {
        /// The name of the setting.
        name: String,
        /// The value to store if there is none.
        value: Vec<u8>,
    },
    /// [`Settings::swap_setting`](inresponse_core::settings::Settings::swap_setting).
    SwapSetting {
        /// The name of the setting.
        name: String,
        /// The expected value; `None`: there must be no value.
        was: Option<Vec<u8>>,
        /// The new value of the setting.
        value: Vec<u8>,
    },
    /// Replaces a setting.
    PutSetting {
        /// The name of the setting.
        name: String,
        /// The new value of the setting.
        value: Vec<u8>,
    },
}

impl Write {
    /// About how many bytes the write has. Only texts of any length count exactly.
    pub(crate) fn bytes(&self) -> usize {
        /// The usual size of an incident besides its texts.
        const INCIDENT: usize = 2048;
        /// The usual size of an entry of the roster.
        const ENTRY: usize = 1024;
        let of = |incident: &Incident| INCIDENT + incident.title().len() + incident.message().len();
        match self {
            Self::Create(opening) => of(opening.incident()),
            Self::Commit { draft, .. } => of(draft.incident()),
            Self::Roster(write) => write.edits.len() * ENTRY,
            Self::Forget { .. } => ENTRY,
            Self::KeepSetting { value, .. }
            | Self::SwapSetting { value, .. }
            | Self::PutSetting { value, .. } => value.len(),
        }
    }
}

/// The result of a write.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Written {
    /// The result of a create.
    Created(Box<Created>),
    /// The result of a commit.
    Committed(Committed),
    /// The setting was replaced.
    Done,
    /// The result of edits of the roster.
    Edited {
        /// The effects of the edits.
        edited: Edited,
        /// The roster's version after the edits: increased by one if they changed anything.
        version: u64,
    },
    /// The number of expired incidents that were deleted.
    Forgotten(usize),
    /// The value that the setting has now.
    Setting(Vec<u8>),
    /// The result of a swap of a setting.
    Swapped(Swapped),
}

/// Makes all writes in one durable transaction. A write that fails leaves nothing behind.
///
/// The outer error means that none of the writes happened (or, if its kind is unknown, that all or none may have). An
/// inner error means that this one did not happen. The function blocks until the disk has synced.
///
/// # Errors
/// The transaction could not begin or commit.
pub fn write_batch(
    connection: &mut Connection,
    batch: Vec<Write>,
) -> Result<Vec<Result<Written, Outage>>, Outage> {
    write_batch_timed(connection, batch, || {})
}

/// Makes all writes, like [`write_batch`], and calls `applied` when only the commit is left.
pub(crate) fn write_batch_timed(
    connection: &mut Connection,
    batch: Vec<Write>,
    applied: impl FnOnce(),
) -> Result<Vec<Result<Written, Outage>>, Outage> {
    let before = |e| outage(e, Moment::BeforeCommit);
    // The transaction is immediate: other processes must not change what it read before it writes.
    let mut transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(before)?;
    let mut written = Vec::with_capacity(batch.len());
    for write in batch {
        let outcome = match write {
            // One statement that changes anything, which undoes itself where it fails.
            Write::Create(_)
            | Write::Commit { .. }
            | Write::Forget { .. }
            | Write::KeepSetting { .. }
            | Write::SwapSetting { .. }
            | Write::PutSetting { .. } => apply(&transaction, write),
            Write::Roster(_) => {
                let savepoint = transaction.savepoint().map_err(before)?;
                match apply(&savepoint, write) {
                    Ok(done) => savepoint.commit().map(|()| done),
                    Err(error) if savepoint.is_autocommit() => Err(error),
                    Err(error) => savepoint.finish().and(Err(error)),
                }
            }
        };
        match outcome {
            // Few errors, such as a full disk, end the whole transaction at once.
            Err(error) if transaction.is_autocommit() => return Err(outage(error, Moment::BeforeCommit)),
            outcome => written.push(outcome.map_err(|e| outage(e, Moment::BeforeCommit))),
        }
    }
    applied();
    transaction.commit().map_err(|e| outage(e, Moment::Commit))?;
    Ok(written)
}

fn apply(connection: &Connection, write: Write) -> rusqlite::Result<Written> {
    match write {
        Write::Create(opening) => create(connection, *opening).map(|c| Written::Created(Box::new(c))),
        Write::Commit { version, draft } => commit(connection, version, &draft).map(Written::Committed),
        Write::Roster(write) => {
            entries::apply(connection, &write).map(|(edited, version)| Written::Edited { edited, version })
        }
        Write::Forget { now, limit } => {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            connection.prepare_cached(FORGET)?.execute(params![micros(now), limit]).map(Written::Forgotten)
        }
        Write::KeepSetting { name, value } => {
            connection
                .prepare_cached("INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute(params![name, value])?;
            connection
                .prepare_cached("SELECT value FROM setting WHERE name = ?1")?
                .query_row([name], |row| row.get(0))
                .map(Written::Setting)
        }
        Write::SwapSetting { name, was, value } => {
            let sql = match &was {
                None => {
                    "INSERT INTO setting (name, value) VALUES (?1, ?3)
                         ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value IN (?2, ?3)"
                }
                Some(_) => "UPDATE setting SET value = ?3 WHERE name = ?1 AND value IN (?2, ?3)",
            };
            let changed = connection.prepare_cached(sql)?.execute(params![name, was, value])?;
            Ok(Written::Swapped(if changed == 0 { Swapped::Changed } else { Swapped::Done }))
        }
        Write::PutSetting { name, value } => {
            let sql = "INSERT INTO setting (name, value) VALUES (?1, ?2)
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            connection.prepare_cached(sql)?.execute(params![name, value])?;
            Ok(Written::Done)
        }
    }
}

const LAST_NUMBER: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'incident'";

fn create(connection: &Connection, opening: Opening) -> rusqlite::Result<Created> {
    if let Some((service, key)) = opening.open_key() {
        let reported_at = opening.incident().created_at().timestamp_micros();
        let repeat = connection
            .prepare_cached(REPEAT)?
            .query_row(params![service.as_str(), key.as_str(), reported_at], record)
            .optional()?;
        if let Some(record) = repeat {
            return Ok(Created::Repeat(record));
        }
    }
    let last: u64 = connection.prepare_cached(LAST_NUMBER)?.query_row([], |row| row.get(0))?;
    let draft = opening.numbered(IncidentNumber::new(last + 1));
    let first = columns::first(draft.incident())?;
    let values = first.into_iter().chain(columns::planned(&draft)).chain(columns::listed(&draft));
    connection.prepare_cached(&columns::INSERT)?.execute(params_from_iter(values))?;
    Ok(Created::New(Record::created(draft.into_incident())))
}

const FORGET: &str = "
    DELETE FROM incident WHERE number IN (SELECT number FROM incident WHERE expires_at <= ?1 LIMIT ?2)";

fn commit(connection: &Connection, version: Version, draft: &Draft) -> rusqlite::Result<Committed> {
    let number = [columns::number(draft.incident().number())?];
    let (planned, listed) = (columns::planned(draft), columns::listed(draft));
    let of_version = [&number[0], &columns::version(version)?];
    // The transaction began for writing, so nobody changes the record in between.
    let stays = connection
        .prepare_cached(&columns::STAYS)?
        .query_row(params_from_iter(of_version.into_iter().chain(&listed)), |row| row.get(0))
        .optional()?;
    let changed = match stays {
        None => return Ok(Committed::Stale),
        Some(true) => connection
            .prepare_cached(&columns::COMMIT)?
            .execute(params_from_iter(number.iter().chain(&planned)))?,
        Some(false) => connection
            .prepare_cached(&columns::COMMIT_ALL)?
            .execute(params_from_iter(number.iter().chain(&planned).chain(&listed)))?,
    };
    Ok(if changed == 1 { Committed::At(version.next()) } else { Committed::Stale })
}
