//! Opens the database, and holds the parts that share it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::settings::{Settings, Swapped};
use rusqlite::OptionalExtension;

use crate::batch::{Write, Written};
use crate::config::SqliteConfig;
use crate::readers::Readers;
use crate::roster::{SqliteRoster, Watch};
use crate::schema::open_writer;
use crate::store::SqliteStore;
use crate::writer::Writer;

/// The number of incidents that are deleted at once. A batch of reports must not wait long for deletions.
const FORGET_AT_ONCE: usize = 500;

/// An open database. Cloning is cheap. The database's threads end when the last clone, store and roster is dropped.
#[derive(Debug, Clone)]
pub struct Database {
    store: SqliteStore,
    roster: SqliteRoster,
}

impl Database {
    /// Opens the database, creates it if it does not exist, and migrates it to this version's schema.
    ///
    /// # Errors
    /// The database cannot be opened or written, is not a database, or was made by a newer version.
    pub async fn open(config: SqliteConfig) -> Result<Self, Outage> {
        Self::open_watched(config, Watch::default()).await
    }

    /// Opens the database with another way to look for changes to the roster.
    pub(crate) async fn open_watched(config: SqliteConfig, watch: Watch) -> Result<Self, Outage> {
        let opened = tokio::task::spawn_blocking(move || {
            let path = config.path();
            let writer = Writer::start(path.to_owned(), open_writer(path)?)?;
            let (readers, people) = (Readers::new(path.to_owned()), Readers::new(path.to_owned()));
            let roster = SqliteRoster::start(writer.clone(), people.clone(), path.to_owned(), watch)?;
            Ok(Self { store: SqliteStore { writer, readers, people }, roster })
        });
        opened.await.unwrap_or_else(|e| Err(Outage::retryable("opening was aborted").because(e)))
    }

    /// The store of incidents.
    pub fn store(&self) -> SqliteStore {
        self.store.clone()
    }

    /// The roster.
    pub fn roster(&self) -> SqliteRoster {
        self.roster.clone()
    }

    /// Stores `value` if no value is stored under that name yet. Returns the stored value.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn keep_setting(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, Outage> {
        match self.store.writer.write(Write::KeepSetting { name: name.to_owned(), value }).await? {
            Written::Setting(value) => Ok(value),
            other => {
                Err(Outage::permanent(format!("the writer returned the result of another write: {other:?}")))
            }
        }
    }

    /// Deletes incidents that have expired by `now`, at most some hundred, and returns how many.
    ///
    /// [`keep_resolved`](inresponse_core::engine::EngineBuilder::keep_resolved) decides which ones expire. The numbers
    /// of deleted incidents are not used again.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn forget_expired(&self, now: DateTime<Utc>) -> Result<usize, Outage> {
        match self.store.writer.write(Write::Forget { now, limit: FORGET_AT_ONCE }).await? {
            Written::Forgotten(many) => Ok(many),
            other => {
                Err(Outage::permanent(format!("the writer returned the result of another write: {other:?}")))
            }
        }
    }

    /// Replaces the value stored under that name.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn put_setting(&self, name: &str, value: Vec<u8>) -> Result<(), Outage> {
        self.store.writer.write(Write::PutSetting { name: name.to_owned(), value }).await.map(|_| ())
    }
}

#[async_trait]
impl Settings for Database {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Outage> {
        let name = name.to_owned();
        let read = move |c: &rusqlite::Connection| {
            c.prepare_cached("SELECT value FROM setting WHERE name = ?1")?
                .query_row([name], |row| row.get(0))
                .optional()
        };
        self.store.people.read(read).await
    }

    async fn swap_setting(&self, name: &str, was: Option<&[u8]>, value: &[u8]) -> Result<Swapped, Outage> {
        let write =
            Write::SwapSetting { name: name.to_owned(), was: was.map(<[u8]>::to_vec), value: value.to_vec() };
        match self.store.writer.write(write).await? {
            Written::Swapped(swapped) => Ok(swapped),
            other => {
                Err(Outage::permanent(format!("the writer returned the result of another write: {other:?}")))
            }
        }
    }
}
