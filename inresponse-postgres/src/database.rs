//! Opens the database, and holds the parts that share it.

use chrono::{DateTime, Utc};
use inresponse_core::Outage;

use crate::columns::micros;
use crate::config::PostgresConfig;
use crate::error::Failure;
use crate::roster::{PostgresRoster, Watch};
use crate::schema::{self, Schema};
use crate::session::Sessions;
use crate::store::PostgresStore;

/// The maximum number of connections for calls that alerts wait for.
const ALERTS: usize = 16;
/// The maximum number of connections for queries by people.
const PEOPLE: usize = 4;
/// The number of incidents that are deleted at once. Other statements must not wait long for deletions.
const FORGET_AT_ONCE: i64 = 500;

const FORGET: &str = "
    DELETE FROM incident WHERE number IN (
        SELECT number FROM incident WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";

/// An open database. Cloning is cheap. A server uses at most 20 connections.
#[derive(Debug, Clone)]
pub struct Database {
    store: PostgresStore,
    roster: PostgresRoster,
    pub(crate) people: Sessions,
}

impl Database {
    /// Opens the database, and migrates it to this version's schema. Call this within a tokio runtime.
    ///
    /// # Errors
    /// The database cannot be reached or changed, or was made by a newer version.
    pub async fn open(config: PostgresConfig) -> Result<Self, Outage> {
        Self::open_watched(&config, Watch::default()).await
    }

    /// Opens the database with another way to look for changes to the roster.
    pub(crate) async fn open_watched(config: &PostgresConfig, watch: Watch) -> Result<Self, Outage> {
        let (alerts, people) = (Sessions::new(config, ALERTS)?, Sessions::new(config, PEOPLE)?);
        let found = schema::look(&mut alerts.take().await?).await?;
        match found {
            Schema::Current => {}
            Schema::Absent | Schema::Older => {
                let mut session = alerts.take().await?.limited_to(schema::patience());
                schema::migrate(&mut session).await?;
            }
            Schema::Newer => return Err(schema::newer()),
        }
        let roster = PostgresRoster::start(alerts.clone(), people.clone(), watch).await?;
        Ok(Self { store: PostgresStore { alerts, people: people.clone() }, roster, people })
    }

    /// Compares the schema of a database with this version's. Changes nothing.
    ///
    /// # Errors
    /// The database cannot be reached, or its server cannot be used.
    pub async fn check(config: &PostgresConfig) -> Result<Schema, Outage> {
        schema::look(&mut Sessions::new(config, 1)?.take().await?).await
    }

    /// The store of incidents.
    pub fn store(&self) -> PostgresStore {
        self.store.clone()
    }

    /// The roster.
    pub fn roster(&self) -> PostgresRoster {
        self.roster.clone()
    }

    /// Deletes incidents that have expired by `now`, at most some hundred, and returns how many.
    ///
    /// [`keep_resolved`](inresponse_core::engine::EngineBuilder::keep_resolved) decides which ones expire. The numbers
    /// of deleted incidents are not used again.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn forget_expired(&self, now: DateTime<Utc>) -> Result<usize, Outage> {
        let mut session = self.people.take().await?;
        let deleted = session.execute(FORGET, &[&micros(now), &FORGET_AT_ONCE]).await;
        deleted.map(|many| usize::try_from(many).unwrap_or(usize::MAX)).map_err(Failure::of_write)
    }
}
