//! A database as the source or the target of a [`transfer`](mod@inresponse_core::transfer).

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::DateTime;
use inresponse_core::Outage;
use inresponse_core::model::{IncidentNumber, Version};
use inresponse_core::transfer::{Item, Part, Source, StoredIncident, Target};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, TransactionBehavior, params, params_from_iter};

use crate::columns::{self, micros};
use crate::config::SqliteConfig;
use crate::error::{Moment, outage};
use crate::foreign::refuse_foreign;
use crate::schema::{migrate_alone, open_alone};

/// A database that nobody else can open meanwhile.
///
/// The lock is SQLite's exclusive one. It is held until this is dropped, and not granted while any process has the file
/// open. A server that is started meanwhile does not start.
#[derive(Debug, Clone)]
pub struct Moving {
    connection: Arc<Mutex<Connection>>,
}

impl Moving {
    /// Locks an existing database to read everything from it, and migrates it to this version's schema.
    ///
    /// # Errors
    /// The file does not exist, is in use, cannot be written, was made by a newer version, or contains anything that
    /// this program did not make.
    pub async fn source(config: SqliteConfig) -> Result<Self, Outage> {
        blocking(move || {
            let path = config.path();
            if !path.exists() {
                return Err(Outage::permanent(format!("there is no database {}", path.display())));
            }
            Self::open(path)
        })
        .await
    }

    /// Locks a database to write everything into it. If the file does not exist, it is created, readable by its owner
    /// only.
    ///
    /// # Errors
    /// The file is in use, cannot be written, was made by a newer version, or contains anything that this program did
    /// not make.
    pub async fn target(config: SqliteConfig) -> Result<Self, Outage> {
        blocking(move || Self::open(config.path())).await
    }

    fn open(path: &Path) -> Result<Self, Outage> {
        let mut connection = open_alone(path)?;
        // Before any statement that could start a trigger.
        refuse_foreign(&connection, path)?;
        migrate_alone(&mut connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    async fn with<T: Send + 'static>(
        &self,
        moment: Moment,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Outage> {
        let connection = Arc::clone(&self.connection);
        blocking(move || {
            // No code panics in the middle of a transaction that would be kept.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection).map_err(|e| outage(e, moment))
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Outage> + Send + 'static,
) -> Result<T, Outage> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| Err(Outage::unknown("the work on the database was aborted").because(e)))
}

const INCIDENTS: &str = "SELECT number, version, count, last_reported_at, expires_at, body FROM incident
    WHERE number > ?1 ORDER BY number LIMIT ?2";
const LAST_INCIDENT: &str = "SELECT number, version, count, last_reported_at, expires_at, body FROM incident
    ORDER BY number DESC LIMIT 1";
const ENTRIES: &str = "SELECT team, kind, name, body FROM roster_entry
    WHERE (team, kind, name) > (?1, ?2, ?3) ORDER BY team, kind, name LIMIT ?4";
const CHANGES: &str =
    "SELECT number, at, who, what FROM roster_change WHERE number > ?1 ORDER BY number LIMIT ?2";
const SETTINGS: &str = "SELECT name, value FROM setting WHERE name > ?1 ORDER BY name LIMIT ?2";

fn time(micros: i64) -> rusqlite::Result<DateTime<chrono::Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, "a stored time is out of range".into())
    })
}

fn incident(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item::Incident(StoredIncident {
        number: IncidentNumber::new(row.get(0)?),
        version: Version::new(row.get(1)?),
        count: row.get(2)?,
        last_reported_at: time(row.get(3)?)?,
        expires_at: row.get::<_, Option<i64>>(4)?.map(time).transpose()?,
        body: row.get(5)?,
    }))
}

fn page(
    connection: &Connection,
    part: Part,
    after: Option<&Item>,
    limit: i64,
) -> rusqlite::Result<Vec<Item>> {
    match part {
        Part::Incidents => {
            let after = match after {
                Some(Item::Incident(last)) => columns::number(last.number)?,
                // The lowest value: no number is negative.
                _ => (-1).into(),
            };
            connection.prepare_cached(INCIDENTS)?.query_map(params![after, limit], incident)?.collect()
        }
        Part::Entries => {
            let (team, kind, name) = match after {
                Some(Item::Entry { team, kind, name, .. }) => (team.as_str(), kind.as_str(), name.as_str()),
                _ => Default::default(),
            };
            let entry = |row: &Row<'_>| {
                let (team, kind, name, body) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(Item::Entry { team, kind, name, body })
            };
            connection.prepare_cached(ENTRIES)?.query_map(params![team, kind, name, limit], entry)?.collect()
        }
        Part::Changes => {
            let after = match after {
                Some(Item::Change { number, .. }) => i64::try_from(*number).unwrap_or(i64::MAX),
                _ => i64::MIN,
            };
            let change = |row: &Row<'_>| {
                let (number, at) = (row.get(0)?, time(row.get(1)?)?);
                Ok(Item::Change { number, at, who: row.get(2)?, what: row.get(3)? })
            };
            connection.prepare_cached(CHANGES)?.query_map(params![after, limit], change)?.collect()
        }
        Part::Settings => {
            let after = match after {
                Some(Item::Setting { name, .. }) => name.as_str(),
                _ => "",
            };
            let setting = |row: &Row<'_>| Ok(Item::Setting { name: row.get(0)?, value: row.get(1)? });
            connection.prepare_cached(SETTINGS)?.query_map(params![after, limit], setting)?.collect()
        }
    }
}

/// Writes one item, unless its key is taken.
fn add(connection: &Connection, item: &Item) -> rusqlite::Result<usize> {
    const KEEP: &str = "ON CONFLICT DO NOTHING";
    match item {
        Item::Incident(stored) => {
            let draft = stored.draft().map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
            let first = columns::first_values(
                stored.number,
                stored.version,
                stored.count,
                stored.last_reported_at,
                draft.incident().service(),
            )?;
            let [due_at, waiting_since, latest_at, _] = columns::planned(&draft);
            let planned = [due_at, waiting_since, latest_at, stored.body.clone().into()];
            let values = first.into_iter().chain(planned).chain(columns::listed(&draft));
            let sql = format!("{} {KEEP}", *columns::INSERT);
            connection.prepare_cached(&sql)?.execute(params_from_iter(values))
        }
        Item::Entry { team, kind, name, body } => {
            let sql =
                format!("INSERT INTO roster_entry (team, kind, name, body) VALUES (?1, ?2, ?3, ?4) {KEEP}");
            connection.prepare_cached(&sql)?.execute(params![team, kind, name, body])
        }
        Item::Change { number, at, who, what } => {
            let sql =
                format!("INSERT INTO roster_change (number, at, who, what) VALUES (?1, ?2, ?3, ?4) {KEEP}");
            connection.prepare_cached(&sql)?.execute(params![number, micros(*at), who, what])
        }
        Item::Setting { name, value } => {
            let sql = format!("INSERT INTO setting (name, value) VALUES (?1, ?2) {KEEP}");
            connection.prepare_cached(&sql)?.execute(params![name, value])
        }
    }
}

#[async_trait]
impl Source for Moving {
    async fn page(&self, part: Part, after: Option<&Item>, limit: usize) -> Result<Vec<Item>, Outage> {
        let (after, limit) = (after.cloned(), i64::try_from(limit).unwrap_or(i64::MAX));
        self.with(Moment::BeforeCommit, move |c| page(c, part, after.as_ref(), limit)).await
    }

    async fn last_number(&self) -> Result<IncidentNumber, Outage> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'incident'";
        let last = self.with(Moment::BeforeCommit, move |c| c.query_row(sql, [], |row| row.get(0))).await?;
        Ok(IncidentNumber::new(last))
    }
}

#[async_trait]
impl Target for Moving {
    async fn last_incident(&self) -> Result<Option<Item>, Outage> {
        self.with(Moment::BeforeCommit, |c| {
            c.prepare_cached(LAST_INCIDENT)?.query_map([], incident)?.next().transpose()
        })
        .await
    }

    async fn add(&self, items: &[Item]) -> Result<(), Outage> {
        let items = items.to_vec();
        self.with(Moment::Commit, move |c| {
            let transaction = c.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for item in &items {
                add(&transaction, item)?;
            }
            transaction.commit()
        })
        .await
    }

    async fn number_above(&self, last: IncidentNumber) -> Result<(), Outage> {
        let sql = "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'incident'";
        self.with(Moment::Commit, move |c| c.execute(sql, [columns::number(last)?]).map(drop)).await
    }

    async fn remove_setting(&self, name: &str) -> Result<(), Outage> {
        let name = name.to_owned();
        self.with(Moment::Commit, move |c| c.execute("DELETE FROM setting WHERE name = ?1", [name]).map(drop))
            .await
    }
}
