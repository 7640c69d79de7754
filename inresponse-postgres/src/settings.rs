//! The settings that all servers share, in PostgreSQL.

use async_trait::async_trait;
use inresponse_core::Outage;
use inresponse_core::settings::{Settings, Swapped};

use crate::columns::get;
use crate::database::Database;
use crate::error::Failure;
use crate::tries::{Earlier, Tried, Tries};

impl Database {
    /// Stores `value` if no value is stored under that name yet. Returns the stored value.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn keep_setting(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, Outage> {
        let sql = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        self.put(sql, name, &value).await?;
        let kept = self.setting(name).await?;
        kept.ok_or_else(|| Outage::retryable("a setting was deleted while it was stored"))
    }

    /// Replaces the value stored under that name.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn put_setting(&self, name: &str, value: Vec<u8>) -> Result<(), Outage> {
        let sql = "INSERT INTO setting (name, value) VALUES ($1, $2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.put(sql, name, &value).await
    }

    /// Changes a value. Both kinds of change have the same effect if they are made twice.
    async fn put(&self, sql: &str, name: &str, value: &[u8]) -> Result<(), Outage> {
        self.people
            .in_time(async {
                let mut tries = Tries::new();
                loop {
                    let tried = self.try_put(sql, name, value).await;
                    if let Some(()) = tries.after(tried).await? {
                        return Ok(());
                    }
                }
            })
            .await
    }

    async fn try_put(&self, sql: &str, name: &str, value: &[u8]) -> Result<Tried<()>, Outage> {
        match self.people.take().await?.execute(sql, &[&name, &value]).await {
            Ok(_) => Ok(Tried::Done(())),
            Err(failure) => Tried::of(failure),
        }
    }

    async fn try_swap(
        &self,
        (name, was, value): (&str, Option<&[u8]>, &[u8]),
        earlier: Earlier,
    ) -> Result<Tried<Swapped>, Outage> {
        let mut session = self.people.take().await?;
        // The new value counts as the expected one too, because an earlier try of this write may have happened.
        let swapped = match &was {
            None => {
                let sql = "INSERT INTO setting AS s (name, value) VALUES ($1, $2)
                           ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE s.value = excluded.value";
                session.execute(sql, &[&name, &value]).await
            }
            Some(was) => {
                let sql = "UPDATE setting SET value = $3 WHERE name = $1 AND value IN ($2, $3)";
                session.execute(sql, &[&name, was, &value]).await
            }
        };
        match (swapped, earlier) {
            (Ok(0), Earlier::None) => Ok(Tried::Done(Swapped::Changed)),
            // It may have been done, and changed again by somebody else.
            (Ok(0), Earlier::Perhaps) => {
                Err(Outage::unknown("it is not known whether the setting was changed"))
            }
            (Ok(_), _) => Ok(Tried::Done(Swapped::Done)),
            (Err(failure), _) => Tried::of(failure),
        }
    }
}

#[async_trait]
impl Settings for Database {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Outage> {
        let sql = "SELECT value FROM setting WHERE name = $1";
        let row = self.people.take().await?.query_opt(sql, &[&name]).await.map_err(Failure::of_read)?;
        row.map(|row| get(&row, 0)).transpose()
    }

    async fn swap_setting(&self, name: &str, was: Option<&[u8]>, value: &[u8]) -> Result<Swapped, Outage> {
        self.people
            .in_time(async {
                let mut tries = Tries::new();
                loop {
                    let tried = self.try_swap((name, was, value), tries.earlier()).await;
                    if let Some(swapped) = tries.after(tried).await? {
                        return Ok(swapped);
                    }
                }
            })
            .await
    }
}
