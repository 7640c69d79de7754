//! The storage of incidents, the roster and shared settings.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use inresponse_core::clock::Clock;
use inresponse_core::engine::EngineBuilder;
use inresponse_core::notify::Notifiers;
use inresponse_core::settings::Settings;
use inresponse_core::transfer::UNFINISHED;
use inresponse_core::{Engine, Outage};
use inresponse_http::Api;
use inresponse_sqlite::{Database, SqliteConfig};

use crate::config::StorageConfig;

/// An open store with its roster and settings.
pub(crate) enum Storage {
    Sqlite(Database),
    Postgres(inresponse_postgres::Database),
    #[cfg(feature = "aws")]
    Dynamo(Box<crate::aws::Tables>),
}

impl Storage {
    /// Opens the storage. A database that an unfinished `inresponse migrate` has filled only in part is refused.
    pub(crate) async fn open(config: StorageConfig) -> Result<Self, Outage> {
        let storage = Self::open_any(config).await?;
        match storage.setting(UNFINISHED).await? {
            None => Ok(storage),
            Some(_) => Err(Outage::permanent(
                "the database is the target of a migration that has not ended; run `inresponse migrate` again",
            )),
        }
    }

    async fn open_any(config: StorageConfig) -> Result<Self, Outage> {
        match config {
            StorageConfig::Sqlite(file) => Database::open(SqliteConfig::new(file)).await.map(Self::Sqlite),
            StorageConfig::Postgres(config) => {
                inresponse_postgres::Database::open(*config).await.map(Self::Postgres)
            }
            #[cfg(feature = "aws")]
            StorageConfig::Dynamo { prefix } => {
                crate::aws::Tables::open(&prefix).await.map(|tables| Self::Dynamo(Box::new(tables)))
            }
        }
    }

    /// Makes an engine that uses this storage.
    pub(crate) fn engine(&self, notifiers: Notifiers, clock: impl Clock) -> EngineBuilder {
        match self {
            Self::Sqlite(database) => Engine::builder(database.store(), database.roster(), notifiers, clock),
            Self::Postgres(database) => {
                Engine::builder(database.store(), database.roster(), notifiers, clock)
            }
            #[cfg(feature = "aws")]
            Self::Dynamo(tables) => {
                Engine::builder(tables.store.clone(), tables.roster.clone(), notifiers, clock)
            }
        }
    }

    /// Stores `value` under `name` if no value is stored there yet. Returns the stored value.
    pub(crate) async fn keep_setting(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, Outage> {
        match self {
            Self::Sqlite(database) => database.keep_setting(name, value).await,
            Self::Postgres(database) => database.keep_setting(name, value).await,
            #[cfg(feature = "aws")]
            Self::Dynamo(tables) => tables.store.keep_setting(name, value).await,
        }
    }

    /// The settings that all servers share.
    pub(crate) fn settings(&self) -> Arc<dyn Settings> {
        match self {
            Self::Sqlite(database) => Arc::new(database.clone()),
            Self::Postgres(database) => Arc::new(database.clone()),
            #[cfg(feature = "aws")]
            Self::Dynamo(tables) => Arc::new(tables.store.clone()),
        }
    }

    /// Gives the API this storage for its shared settings.
    pub(crate) fn shared_by(&self, api: Api) -> Api {
        match self {
            Self::Sqlite(database) => api.settings(database.clone()),
            Self::Postgres(database) => api.settings(database.clone()),
            #[cfg(feature = "aws")]
            Self::Dynamo(tables) => api.settings(tables.store.clone()),
        }
    }

    /// Deletes some of the incidents that have expired by `now`, and returns how many.
    pub(crate) async fn forget_expired(&self, now: DateTime<Utc>) -> Result<usize, Outage> {
        match self {
            Self::Sqlite(database) => database.forget_expired(now).await,
            Self::Postgres(database) => database.forget_expired(now).await,
            // DynamoDB does that by itself.
            #[cfg(feature = "aws")]
            Self::Dynamo(_) => Ok(0),
        }
    }

    /// Replaces the value stored under that name.
    pub(crate) async fn put_setting(&self, name: &str, value: Vec<u8>) -> Result<(), Outage> {
        match self {
            Self::Sqlite(database) => database.put_setting(name, value).await,
            Self::Postgres(database) => database.put_setting(name, value).await,
            #[cfg(feature = "aws")]
            Self::Dynamo(tables) => tables.store.put_setting(name, value).await,
        }
    }

    /// The value stored under that name.
    pub(crate) async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Outage> {
        match self {
            Self::Sqlite(database) => database.setting(name).await,
            Self::Postgres(database) => database.setting(name).await,
            #[cfg(feature = "aws")]
            Self::Dynamo(tables) => tables.store.setting(name).await,
        }
    }
}
