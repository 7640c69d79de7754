//! Reads and writes of the roster's entries and audit records.

use chrono::DateTime;
use inresponse_core::model::{Person, TeamName};
use inresponse_core::roster::{ChangeMark, Entry, EntryKey, RosterChange, RosterEdit};
use inresponse_core::{Chain, Outage};
use tokio_postgres::Row;

use crate::columns::{get, micros};
use crate::copy::Held;
use crate::error::Failure;
use crate::session::Session;
use crate::write_id::WriteId;

/// The number of audit records that are kept.
const CHANGES_KEPT: i64 = 10_000;

/// The state of the roster when it was locked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Locked {
    /// The roster's version, which counts its changes.
    pub(crate) version: i64,
    /// The number of the last audit record.
    pub(crate) last_change: i64,
}

/// Locks the roster until the end of the transaction, so that nobody else edits it.
pub(crate) async fn lock(session: &mut Session) -> Result<Option<Locked>, Failure> {
    let sql = "SELECT version, last_change FROM roster_version WHERE id = 1 FOR UPDATE";
    let row = session.query_opt(sql, &[]).await?;
    Ok(row.map(|row| Locked { version: row.get(0), last_change: row.get(1) }))
}

/// The roster's version, which counts its changes.
pub(crate) async fn version(session: &mut Session) -> Result<i64, Failure> {
    let row = session.query_opt("SELECT version FROM roster_version WHERE id = 1", &[]).await?;
    Ok(row.map_or(0, |row| row.get(0)))
}

/// Whether edits with that id were written.
pub(crate) async fn is_written(session: &mut Session, write_id: WriteId) -> Result<bool, Failure> {
    let sql = "SELECT number FROM roster_change WHERE write_id = $1 LIMIT 1";
    Ok(session.query_opt(sql, &[&write_id.value()]).await?.is_some())
}

/// Reads all entries. They are as of `version` if nobody can edit the roster meanwhile, or if the transaction reads a
/// snapshot. An entry that cannot be read is left out and logged.
pub(crate) async fn read_all(session: &mut Session, version: i64) -> Result<Held, Failure> {
    let rows = session.query("SELECT team, kind, name, body FROM roster_entry", &[]).await?;
    let mut held = Held { version, ..Held::default() };
    for row in &rows {
        let (team, kind, name): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        match entry(row) {
            Ok(entry) => held.entries.put(entry),
            Err(error) => {
                tracing::error!(kind, team, name, error = %Chain::of(&*error), "an entry of the roster cannot be read");
                held.unreadable.extend(key(row).ok());
            }
        }
    }
    Ok(held)
}

type Unreadable = Box<dyn std::error::Error + Send + Sync>;

fn key(row: &Row) -> Result<EntryKey, Unreadable> {
    let (team, kind, name): (&str, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(EntryKey::from_parts(kind.parse()?, team, name)?)
}

fn entry(row: &Row) -> Result<Entry, Unreadable> {
    Ok(Entry::decode(key(row)?, row.try_get(3)?)?)
}

/// The stored key of an entry: team, kind, name.
fn stored(key: &EntryKey) -> (String, &'static str, String) {
    (key.team().map(TeamName::to_string).unwrap_or_default(), key.kind().as_str(), key.name())
}

/// An edit as values of a statement.
pub(crate) enum Statement {
    Put { team: String, kind: &'static str, name: String, body: String },
    DeleteTeam { team: String },
    DeleteSchedule { team: String, name: String },
    Delete { team: String, kind: &'static str, name: String },
}

impl Statement {
    pub(crate) fn of(edit: &RosterEdit) -> Result<Self, Outage> {
        let (team, kind, name) = stored(&edit.key());
        Ok(match edit {
            RosterEdit::Put(entry) => {
                let body = entry.body();
                let body = body.map_err(|e| Outage::permanent("an entry cannot be written").because(e))?;
                Self::Put { team, kind, name, body }
            }
            RosterEdit::Delete(EntryKey::Team(_)) => Self::DeleteTeam { team },
            RosterEdit::Delete(EntryKey::Schedule(..)) => Self::DeleteSchedule { team, name },
            RosterEdit::Delete(_) => Self::Delete { team, kind, name },
        })
    }

    pub(crate) async fn run(&self, session: &mut Session) -> Result<u64, Failure> {
        match self {
            Self::Put { team, kind, name, body } => {
                let sql = "INSERT INTO roster_entry (team, kind, name, body) VALUES ($1, $2, $3, $4)
                           ON CONFLICT (team, kind, name) DO UPDATE SET body = excluded.body";
                session.execute(sql, &[team, kind, name, body]).await
            }
            Self::DeleteTeam { team } => {
                session.execute("DELETE FROM roster_entry WHERE team = $1", &[team]).await
            }
            Self::DeleteSchedule { team, name } => {
                let sql = "DELETE FROM roster_entry WHERE team = $1 AND (
                               (kind = 'schedule' AND name = $2)
                               OR (kind IN ('override', 'feed') AND starts_with(name, $2 || '/')))";
                session.execute(sql, &[team, name]).await
            }
            Self::Delete { team, kind, name } => {
                let sql = "DELETE FROM roster_entry WHERE team = $1 AND kind = $2 AND name = $3";
                session.execute(sql, &[team, kind, name]).await
            }
        }
    }
}

/// Writes audit records after those that exist, and the roster's next version.
pub(crate) async fn record(
    session: &mut Session,
    before: Locked,
    changes: &[RosterChange],
    write_id: WriteId,
) -> Result<(), Failure> {
    let mut number = before.last_change;
    for change in changes {
        number += 1;
        let (at, who, what) = (micros(change.at()), change.by().as_str(), change.stored());
        let sql = "INSERT INTO roster_change (number, at, who, what, write_id) VALUES ($1, $2, $3, $4, $5)";
        session.execute(sql, &[&number, &at, &who, &what, &write_id.value()]).await?;
    }
    session.execute("DELETE FROM roster_change WHERE number <= $1", &[&(number - CHANGES_KEPT)]).await?;
    let sql = "UPDATE roster_version SET version = $1, last_change = $2 WHERE id = 1";
    session.execute(sql, &[&(before.version + 1), &number]).await?;
    Ok(())
}

/// Reads audit records below a number, newest first.
pub(crate) async fn read_changes(
    session: &mut Session,
    below: i64,
    limit: i64,
) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
    let sql =
        "SELECT number, at, who, what FROM roster_change WHERE number < $1 ORDER BY number DESC LIMIT $2";
    let rows = session.query(sql, &[&below, &limit]).await.map_err(Failure::of_read)?;
    let mut changes = Vec::new();
    for row in &rows {
        let number = get::<i64>(row, 0)?;
        match change(row) {
            Ok(change) => {
                changes.push((ChangeMark::numbered(u64::try_from(number).unwrap_or_default()), change))
            }
            Err(error) => {
                tracing::error!(number, error = %Chain::of(&*error), "a record of a change of the roster cannot be read");
            }
        }
    }
    Ok(changes)
}

fn change(row: &Row) -> Result<RosterChange, Unreadable> {
    let at = DateTime::from_timestamp_micros(row.try_get(1)?);
    let at = at.ok_or("the time of the audit record is out of range")?;
    Ok(RosterChange::decode(at, Person::new(row.try_get::<_, &str>(2)?)?, row.try_get(3)?))
}
