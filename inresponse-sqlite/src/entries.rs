//! Reads and writes the roster's entries and audit records, as plain functions on a connection.

use chrono::{DateTime, NaiveDate, Utc};
use inresponse_core::Chain;
use inresponse_core::model::{Person, TeamName};
use inresponse_core::roster::{
    Answers, ChangeMark, Edited, Effect, Entry, EntryKey, EntryKind, Judged, Question, RosterChange,
    RosterEdit, Snapshot, Target, Was, judge_by,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::micros;

/// The arguments of [`Roster::apply`](inresponse_core::roster::Roster::apply).
#[derive(Debug, Clone)]
pub struct RosterWrite {
    /// The person who makes the edits.
    pub by: Person,
    /// When the edits are made.
    pub at: DateTime<Utc>,
    /// The edits.
    pub edits: Vec<RosterEdit>,
}

/// The number of audit records that are kept.
const CHANGES_KEPT: i64 = 10_000;

/// Makes edits and writes their audit records. Returns their effects and the roster's version, which is increased by
/// one if anything changed.
///
/// The transaction must have begun as a writing one, so that what is read is still true when the edits are written.
pub(crate) fn apply(connection: &Connection, write: &RosterWrite) -> rusqlite::Result<(Edited, u64)> {
    let RosterWrite { by, at, edits } = write;
    let judged = judge_by(by, *at, edits, |question, answers| answer(connection, question, answers))?;
    let (effects, changes) = match judged {
        // A question that has been answered is not asked again.
        Judged::Ask(_) => return Err(rusqlite::Error::InvalidQuery),
        Judged::Refused(refusal) => return Ok((Edited::Refused(refusal), version(connection)?)),
        Judged::Write { effects, changes } => (effects, changes),
    };
    for (edit, effect) in edits.iter().zip(&effects) {
        if effect.changes() {
            make(connection, edit)?;
        }
    }
    for change in &changes {
        record(connection, change)?;
    }
    let version = if effects.iter().any(|effect: &Effect| effect.changes()) {
        connection
            .prepare_cached("UPDATE roster_version SET version = version + 1 RETURNING version")?
            .query_row([], |row| row.get(0))?
    } else {
        version(connection)?
    };
    Ok((Edited::Done(effects), version))
}

/// The stored key of an entry: team, kind, name.
fn stored(key: &EntryKey) -> (String, &'static str, String) {
    (key.team().map(TeamName::to_string).unwrap_or_default(), key.kind().as_str(), key.name())
}

fn answer(connection: &Connection, question: &Question, answers: &mut Answers) -> rusqlite::Result<()> {
    let keys = match question {
        Question::Entry(key) => {
            answers.entry(key.clone(), was(connection, key)?);
            return Ok(());
        }
        Question::Users(key) => users(connection, key)?,
        Question::Parts(key) => parts(connection, key)?,
        Question::OnCallOfDays { team, apart_from } => on_call_of_days(connection, team, apart_from)?,
    };
    answers.keys(question.clone(), keys);
    Ok(())
}

fn was(connection: &Connection, key: &EntryKey) -> rusqlite::Result<Was> {
    let (team, kind, name) = stored(key);
    let body: Option<String> = connection
        .prepare_cached("SELECT body FROM roster_entry WHERE team = ?1 AND kind = ?2 AND name = ?3")?
        .query_row([team.as_str(), kind, &name], |row| row.get(0))
        .optional()?;
    Ok(match body {
        Some(body) => Entry::decode(key.clone(), &body).map_or(Was::Unreadable, Was::Entry),
        None if matches!(key, EntryKey::Team(_)) && has_parts(connection, &team)? => Was::OnlyParts,
        None => Was::Absent,
    })
}

fn has_parts(connection: &Connection, team: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM roster_entry WHERE team = ?1)")?
        .query_row([team], |row| row.get(0))
}

/// Entries that use a name.
fn users(connection: &Connection, key: &EntryKey) -> rusqlite::Result<Vec<EntryKey>> {
    // A body contains the name as JSON writes it. The decoded entry shows whether it uses the name.
    let name = match key {
        EntryKey::Team(team) => team.as_str(),
        EntryKey::Person(person) => person.as_str(),
        EntryKey::Schedule(_, schedule) => schedule.as_str(),
        EntryKey::Service(service) => service.as_str(),
        EntryKey::Heartbeat(name) => name.as_str(),
        EntryKey::Day(..)
        | EntryKey::Override(..)
        | EntryKey::Feed(..)
        | EntryKey::Silence(_)
        | EntryKey::Routes => {
            return Ok(Vec::new());
        }
    };
    let written = serde_json::Value::from(name).to_string();
    let written = written.trim_matches('"');
    let sql = "SELECT team, kind, name, body FROM roster_entry WHERE instr(body, ?1) > 0";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([written])?;
    let mut users = Vec::new();
    while let Some(row) = rows.next()? {
        // The uses of an unreadable entry are unknown, so it is skipped.
        let Ok(entry) = entry(row)? else { continue };
        let user = entry.key();
        if user != *key && !user.is_inside(key) && entry.uses().contains(key) {
            users.push(user);
        }
    }
    Ok(users)
}

/// A team's schedules, or a schedule's overrides.
fn parts(connection: &Connection, key: &EntryKey) -> rusqlite::Result<Vec<EntryKey>> {
    let (team, kind, prefix) = match key {
        EntryKey::Team(team) => (team, EntryKind::Schedule, String::new()),
        EntryKey::Schedule(team, schedule) => (team, EntryKind::Override, format!("{schedule}/")),
        EntryKey::Service(_)
        | EntryKey::Day(..)
        | EntryKey::Person(_)
        | EntryKey::Override(..)
        | EntryKey::Feed(..)
        | EntryKey::Heartbeat(_)
        | EntryKey::Silence(_)
        | EntryKey::Routes => return Ok(Vec::new()),
    };
    let sql =
        "SELECT name FROM roster_entry WHERE team = ?1 AND kind = ?2 AND substr(name, 1, length(?3)) = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let names = statement
        .query_map([team.as_str(), kind.as_str(), &prefix], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let keys = names.iter().filter_map(|name| EntryKey::from_parts(kind, team.as_str(), name).ok());
    Ok(keys.collect())
}

/// The schedules and teams that the calendar of a team names, on all days.
fn on_call_of_days(
    connection: &Connection,
    team: &TeamName,
    apart_from: &[NaiveDate],
) -> rusqlite::Result<Vec<EntryKey>> {
    let sql = "SELECT team, kind, name, body FROM roster_entry WHERE team = ?1 AND kind = 'day'
               AND (instr(body, 'schedule:') > 0 OR instr(body, 'team:') > 0)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([team.as_str()])?;
    let mut keys = std::collections::BTreeSet::new();
    while let Some(row) = rows.next()? {
        let Ok(Entry::Day { day, rota, .. }) = entry(row)? else { continue };
        if apart_from.contains(&day) {
            continue;
        }
        let leads_on = |target: &&Target| matches!(target, Target::Schedule { .. } | Target::Team(_));
        keys.extend(
            rota.oncall().iter().filter(leads_on).filter_map(|target| EntryKey::named_by(target, team)),
        );
    }
    Ok(keys.into_iter().collect())
}

fn make(connection: &Connection, edit: &RosterEdit) -> rusqlite::Result<()> {
    match edit {
        RosterEdit::Put(entry) => {
            let (team, kind, name) = stored(&entry.key());
            let body = entry.body().map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
            let sql = "INSERT INTO roster_entry (team, kind, name, body) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (team, kind, name) DO UPDATE SET body = excluded.body";
            connection.prepare_cached(sql)?.execute([team.as_str(), kind, &name, &body])?;
        }
        RosterEdit::Delete(EntryKey::Team(team)) => {
            let sql = "DELETE FROM roster_entry WHERE team = ?1";
            connection.prepare_cached(sql)?.execute([team.as_str()])?;
        }
        RosterEdit::Delete(key) => {
            if let EntryKey::Schedule(team, schedule) = key {
                let sql = "DELETE FROM roster_entry WHERE team = ?1 AND kind IN ('override', 'feed')
                           AND substr(name, 1, length(?2)) = ?2";
                connection.prepare_cached(sql)?.execute([team.as_str(), &format!("{schedule}/")])?;
            }
            let (team, kind, name) = stored(key);
            let sql = "DELETE FROM roster_entry WHERE team = ?1 AND kind = ?2 AND name = ?3";
            connection.prepare_cached(sql)?.execute([team.as_str(), kind, &name])?;
        }
    }
    Ok(())
}

fn record(connection: &Connection, change: &RosterChange) -> rusqlite::Result<()> {
    let values = params![micros(change.at()), change.by().as_str(), change.stored()];
    let sql = "INSERT INTO roster_change (at, who, what) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(values)?;
    let oldest = connection.last_insert_rowid() - CHANGES_KEPT;
    connection.prepare_cached("DELETE FROM roster_change WHERE number <= ?1")?.execute([oldest])?;
    Ok(())
}

/// The roster's version, which counts its changes.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT version FROM roster_version WHERE id = 1")?
        .query_row([], |row| row.get(0))
}

/// Reads all entries and their version in one transaction. An entry that cannot be read is left out and logged.
pub(crate) fn read_all(connection: &Connection) -> rusqlite::Result<(u64, Snapshot)> {
    let transaction = connection.unchecked_transaction()?;
    let (version, mut snapshot) = (version(&transaction)?, Snapshot::default());
    let mut statement = transaction.prepare_cached("SELECT team, kind, name, body FROM roster_entry")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match entry(row)? {
            Ok(entry) => snapshot.put(entry),
            Err(error) => {
                let (team, kind, name): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                tracing::error!(kind, team, name, error = %Chain::of(&*error), "an entry of the roster cannot be read");
            }
        }
    }
    Ok((version, snapshot))
}

type Unreadable = Box<dyn std::error::Error + Send + Sync>;

fn entry(row: &Row<'_>) -> rusqlite::Result<Result<Entry, Unreadable>> {
    let (team, kind, name, body): (String, String, String, String) =
        (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    let read = || {
        let key = EntryKey::from_parts(kind.parse()?, &team, &name)?;
        Ok::<_, Unreadable>(Entry::decode(key, &body)?)
    };
    Ok(read())
}

/// Reads audit records below a number, newest first.
pub(crate) fn read_changes(
    connection: &Connection,
    below: i64,
    limit: i64,
) -> rusqlite::Result<Vec<(ChangeMark, RosterChange)>> {
    let sql =
        "SELECT number, at, who, what FROM roster_change WHERE number < ?1 ORDER BY number DESC LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([below, limit])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, at, who, what): (u64, i64, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let read = || {
            let at =
                DateTime::from_timestamp_micros(at).ok_or("the time of the audit record is out of range")?;
            Ok::<_, Unreadable>(RosterChange::decode(at, Person::new(who)?, &what))
        };
        match read() {
            Ok(change) => changes.push((ChangeMark::numbered(number), change)),
            Err(error) => {
                tracing::error!(number, error = %Chain::of(&*error), "a record of a change to the roster cannot be read");
            }
        }
    }
    Ok(changes)
}
