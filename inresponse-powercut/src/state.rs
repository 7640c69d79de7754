//! What a database must hold, worked out without it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use inresponse_core::model::{Incident, IncidentNumber, ServiceName, TeamName, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::roster::{Deleted, TeamDeleted};
use inresponse_core::settings::Swapped;
use inresponse_core::store::{Committed, Created, Record};
use inresponse_sqlite::{Edited, RosterEdit, Write, Written};
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

/// Everything that a database holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    /// The last number that was given.
    pub(crate) last: u64,
    pub(crate) incidents: BTreeMap<u64, Arc<Row>>,
    roster_version: u64,
    services: BTreeMap<String, String>,
    teams: BTreeMap<String, String>,
    calendar: BTreeMap<(String, String), String>,
    settings: BTreeMap<String, Vec<u8>>,
    /// What was noted of changes of the roster, oldest first.
    changes: Vec<String>,
}

impl State {
    /// Of a database that was just created.
    pub(crate) fn fresh() -> Self {
        Self {
            last: 9999,
            incidents: BTreeMap::new(),
            roster_version: 1,
            services: BTreeMap::new(),
            teams: BTreeMap::new(),
            calendar: BTreeMap::new(),
            settings: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    /// Of a database that is there.
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
            services: pairs(connection, "SELECT name, team FROM service")?,
            teams: pairs(connection, "SELECT name, settings FROM team")?,
            calendar: connection
                .prepare_cached("SELECT team, day, rota FROM calendar")?
                .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?
                .collect::<rusqlite::Result<_>>()?,
            settings: pairs(connection, "SELECT name, value FROM setting")?,
            changes: connection
                .prepare_cached("SELECT what FROM roster_change ORDER BY number")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?,
        })
    }

    /// What a write does, and what is answered.
    pub(crate) fn apply(&mut self, write: &Write) -> Written {
        match write {
            Write::Create(opening) => Written::Created(Box::new(self.create(opening))),
            Write::Commit { version, draft } => Written::Committed(self.commit(*version, draft)),
            Write::Roster(edit) => {
                self.roster_version += 1;
                Written::Edited { edited: self.edit(edit), version: self.roster_version }
            }
            Write::NoteChange(change) => {
                self.changes.push(change.what().to_owned());
                Written::Done
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

    fn edit(&mut self, edit: &RosterEdit) -> Edited {
        let deleted = |gone: bool| Edited::Deleted(if gone { Deleted::Gone } else { Deleted::Absent });
        let json =
            |value: Result<String, serde_json::Error>| value.expect("the roster has no failing serializer");
        match edit {
            RosterEdit::PutService { service, team } => {
                self.services.insert(service.as_str().into(), team.as_str().into());
                Edited::Put
            }
            RosterEdit::PutTeam { team, settings } => {
                self.teams.insert(team.as_str().into(), json(serde_json::to_string(settings)));
                Edited::Put
            }
            RosterEdit::PutDay { team, day, rota } => {
                self.calendar.insert(key(team, *day), json(serde_json::to_string(rota)));
                Edited::Put
            }
            RosterEdit::DeleteService { service } => {
                deleted(self.services.remove(service.as_str()).is_some())
            }
            RosterEdit::DeleteDay { team, day } => deleted(self.calendar.remove(&key(team, *day)).is_some()),
            RosterEdit::DeleteTeam { team } => Edited::TeamDeleted(self.delete_team(team)),
        }
    }

    fn delete_team(&mut self, team: &TeamName) -> TeamDeleted {
        let owned = self.services.iter().find(|(_, owner)| *owner == team.as_str());
        if let Some((service, _)) = owned {
            return TeamDeleted::OwnsService(
                ServiceName::new(service).expect("it was a name when it was put"),
            );
        }
        let before = self.teams.len() + self.calendar.len();
        self.teams.remove(team.as_str());
        self.calendar.retain(|(of, _), _| of != team.as_str());
        if self.teams.len() + self.calendar.len() < before { TeamDeleted::Gone } else { TeamDeleted::Absent }
    }

    /// How this differs from what must be there, for people.
    pub(crate) fn differs_from(&self, wanted: &Self) -> String {
        let missing: Vec<_> = wanted.incidents.keys().filter(|n| !self.incidents.contains_key(n)).collect();
        let surplus: Vec<_> = self.incidents.keys().filter(|n| !wanted.incidents.contains_key(n)).collect();
        let changed = wanted.incidents.iter().filter_map(|(number, row)| {
            let found = &self.incidents.get(number)?;
            (*found != row).then(|| {
                let (wanted, found) = (&row.record, &found.record);
                format!("{number} at version {} (wanted {})", found.version.value(), wanted.version.value())
            })
        });
        let changed: Vec<_> = changed.collect();
        let mut parts = vec![
            format!("numbers that are lost: {missing:?}"),
            format!("that nobody made: {surplus:?}"),
            format!("incidents that are others: {changed:?}"),
        ];
        let rosters = |state: &Self| {
            (state.roster_version, state.services.clone(), state.teams.clone(), state.calendar.clone())
        };
        if rosters(self) != rosters(wanted) {
            parts.push("the roster is another".into());
        }
        if self.settings != wanted.settings {
            parts.push("the settings are others".into());
        }
        if self.last != wanted.last {
            parts.push(format!("the last number is {} (wanted {})", self.last, wanted.last));
        }
        parts.join("; ")
    }
}

fn key(team: &TeamName, day: NaiveDate) -> (String, String) {
    (team.as_str().into(), day.to_string())
}

fn pairs<T: rusqlite::types::FromSql>(
    connection: &Connection,
    sql: &str,
) -> rusqlite::Result<BTreeMap<String, T>> {
    connection.prepare_cached(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
