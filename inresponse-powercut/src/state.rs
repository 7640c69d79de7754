//! The content that a database must have, computed without the database.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use inresponse_core::model::{Incident, IncidentNumber, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::roster::{Edited, Effect, Entry, EntryKey, Refusal, RosterEdit};
use inresponse_core::settings::Swapped;
use inresponse_core::store::{Committed, Created, Record};
use inresponse_sqlite::{RosterWrite, Write, Written};
use rusqlite::Connection;

/// An incident as a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) record: Record,
    due_at: Option<DateTime<Utc>>,
    open_key: Option<String>,
}

impl Row {
    fn new(record: Record, draft: &Draft) -> Self {
        Self {
            record,
            due_at: draft.due_at(),
            open_key: draft.open_key().map(|(_, key)| key.as_str().into()),
        }
    }

    fn incident(&self) -> &Incident {
        &self.record.incident
    }
}

/// The whole content of a database.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    /// The last number that was given.
    pub(crate) last: u64,
    pub(crate) incidents: BTreeMap<u64, Arc<Row>>,
    roster_version: u64,
    /// The bodies of the roster's entries.
    entries: BTreeMap<EntryKey, String>,
    settings: BTreeMap<String, Vec<u8>>,
    /// The changed entries and their changes, oldest first.
    changes: Vec<String>,
}

impl State {
    /// The content of a new database.
    pub(crate) fn fresh() -> Self {
        Self {
            last: 9999,
            incidents: BTreeMap::new(),
            roster_version: 1,
            entries: BTreeMap::new(),
            settings: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    /// Reads the content of an existing database.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let last =
            connection
                .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'incident'", [], |row| row.get(0))?;
        let sql = "SELECT body, version, count, last_reported_at, due_at, open_key FROM incident";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let time = |micros: i64| DateTime::from_timestamp_micros(micros).unwrap_or_default();
            let body = row.get_ref(0)?.as_blob()?;
            let record = Record::decode(body, Version::new(row.get(1)?), row.get(2)?, time(row.get(3)?));
            let record = record.map_err(|e| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, e.into())
            })?;
            let due_at = row.get::<_, Option<i64>>(4)?.map(time);
            Ok((record.number().value(), Arc::new(Row { record, due_at, open_key: row.get(5)? })))
        });
        let incidents = rows?.collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            last,
            incidents,
            roster_version: connection
                .query_row("SELECT version FROM roster_version", [], |row| row.get(0))?,
            entries: connection
                .prepare_cached("SELECT team, kind, name, body FROM roster_entry")?
                .query_map([], |row| Ok((key(row)?, row.get(3)?)))?
                .collect::<rusqlite::Result<_>>()?,
            settings: pairs(connection, "SELECT name, value FROM setting")?,
            changes: connection
                .prepare_cached("SELECT what FROM roster_change ORDER BY number")?
                .query_map([], |row| Ok(changed(&row.get::<_, String>(0)?)))?
                .collect::<rusqlite::Result<_>>()?,
        })
    }

    /// Applies a write, and returns what must be answered.
    pub(crate) fn apply(&mut self, write: &Write) -> Written {
        match write {
            Write::Create(opening) => Written::Created(Box::new(self.create(opening))),
            Write::Commit { version, draft } => Written::Committed(self.commit(*version, draft)),
            Write::Roster(write) => {
                let edited = self.edit(write);
                Written::Edited { edited, version: self.roster_version }
            }
            // No draft of the workload says when it expires.
            Write::Forget { .. } => Written::Forgotten(0),
            Write::KeepSetting { name, value } => {
                Written::Setting(self.settings.entry(name.clone()).or_insert_with(|| value.clone()).clone())
            }
            Write::SwapSetting { name, was, value } => {
                let now = self.settings.get(name);
                if now != was.as_ref() && now != Some(value) {
                    return Written::Swapped(Swapped::Changed);
                }
                self.settings.insert(name.clone(), value.clone());
                Written::Swapped(Swapped::Done)
            }
            Write::PutSetting { name, value } => {
                self.settings.insert(name.clone(), value.clone());
                Written::Done
            }
        }
    }

    fn create(&mut self, opening: &Opening) -> Created {
        if let Some((service, key)) = opening.open_key() {
            let known = self.incidents.values_mut().find(|row| {
                row.incident().service() == service && row.open_key.as_deref() == Some(key.as_str())
            });
            if let Some(row) = known {
                let record = &mut Arc::make_mut(row).record;
                record.count += 1;
                record.last_reported_at = record.last_reported_at.max(opening.incident().created_at());
                return Created::Repeat(record.clone());
            }
        }
        self.last += 1;
        let draft = opening.clone().numbered(IncidentNumber::new(self.last));
        let record = Record::created(draft.incident().clone());
        self.incidents.insert(self.last, Arc::new(Row::new(record.clone(), &draft)));
        Created::New(record)
    }

    fn commit(&mut self, version: Version, draft: &Draft) -> Committed {
        match self.incidents.get_mut(&draft.incident().number().value()) {
            Some(row) if row.record.version == version => {
                let record = Record {
                    incident: draft.incident().clone(),
                    version: version.next(),
                    count: row.record.count,
                    last_reported_at: row.record.last_reported_at,
                };
                *row = Arc::new(Row::new(record, draft));
                Committed::At(version.next())
            }
            Some(_) | None => Committed::Stale,
        }
    }

    fn edit(&mut self, RosterWrite { edits, .. }: &RosterWrite) -> Edited {
        let (mut entries, mut effects, mut changes) = (self.entries.clone(), Vec::new(), Vec::new());
        for edit in edits {
            let key = edit.key();
            let effect = match edit {
                RosterEdit::Put(entry) => {
                    let body = entry.body().expect("the roster has no failing serializer");
                    match entries.insert(key.clone(), body.clone()) {
                        None => Effect::Created,
                        Some(was) if was == body => Effect::Unchanged,
                        Some(_) => Effect::Replaced,
                    }
                }
                RosterEdit::Delete(_) => {
                    let before = entries.len();
                    entries.retain(|other, _| *other != key && !other.is_inside(&key));
                    if entries.len() < before { Effect::Deleted } else { Effect::Absent }
                }
            };
            if effect.changes() {
                changes.push(format!("{key} {}", effect.as_str()));
            }
            effects.push(effect);
        }
        for key in edits.iter().filter(|edit| matches!(edit, RosterEdit::Delete(_))).map(RosterEdit::key) {
            let uses = |(user, body): &(&EntryKey, &String)| {
                let entry = Entry::decode((*user).clone(), body).expect("a stored entry can be read");
                entry.uses().contains(&key)
            };
            let is_new = |user: &EntryKey| edits.iter().any(|edit| edit.key() == *user);
            let (new, old): (Vec<_>, Vec<_>) =
                entries.iter().filter(uses).map(|(user, _)| user.clone()).partition(is_new);
            if let Some(by) = old.into_iter().chain(new).next() {
                return Edited::Refused(Refusal::InUse { key, by });
            }
        }
        self.entries = entries;
        self.roster_version += u64::from(!changes.is_empty());
        self.changes.extend(changes);
        Edited::Done(effects)
    }

    /// Describes how this content differs from the expected one.
    pub(crate) fn differs_from(&self, wanted: &Self) -> String {
        let missing: Vec<_> = wanted.incidents.keys().filter(|n| !self.incidents.contains_key(n)).collect();
        let surplus: Vec<_> = self.incidents.keys().filter(|n| !wanted.incidents.contains_key(n)).collect();
        let changed = wanted.incidents.iter().filter_map(|(number, row)| {
            let found = &self.incidents.get(number)?;
            (*found != row).then(|| {
                let (wanted, found) = (&row.record, &found.record);
                format!(
                    "incident {number} has version {} (expected {})",
                    found.version.value(),
                    wanted.version.value()
                )
            })
        });
        let changed: Vec<_> = changed.collect();
        let mut parts = vec![
            format!("incidents that are missing: {missing:?}"),
            format!("incidents that nobody created: {surplus:?}"),
            format!("incidents with another content: {changed:?}"),
        ];
        let roster = |state: &Self| (state.roster_version, state.entries.clone(), state.changes.clone());
        if roster(self) != roster(wanted) {
            parts.push("the roster differs".into());
        }
        if self.settings != wanted.settings {
            parts.push("the settings differ".into());
        }
        if self.last != wanted.last {
            parts.push(format!("the last number is {} (expected {})", self.last, wanted.last));
        }
        parts.join("; ")
    }
}

/// The key of an entry, from a row with team, kind and name.
fn key(row: &rusqlite::Row<'_>) -> rusqlite::Result<EntryKey> {
    let (team, kind, name): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let key = kind.parse().and_then(|kind| EntryKey::from_parts(kind, &team, &name));
    key.map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, e.into()))
}

/// The entry in a stored audit record, and its change.
fn changed(stored: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(stored).unwrap_or_default();
    let text = |field: &str| record[field].as_str().unwrap_or_default();
    let kind = text("entry").parse();
    let key = kind.and_then(|kind| EntryKey::from_parts(kind, text("team"), text("name")));
    key.map_or_else(|_| stored.to_owned(), |key| format!("{key} {}", text("change")))
}

fn pairs<T: rusqlite::types::FromSql>(
    connection: &Connection,
    sql: &str,
) -> rusqlite::Result<BTreeMap<String, T>> {
    connection.prepare_cached(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
