//! Connections for reading.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use inresponse_core::Outage;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::error::{Moment, outage, spoils_connection};
use crate::schema::open_reader;

/// How many reads may go on at once.
const READERS: usize = 4;

/// A few connections that take turns; opened when they are first needed, anew after an error.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        let turns = Arc::new(Semaphore::new(READERS));
        Self { inner: Arc::new(Inner { path, turns, idle: Mutex::default() }) }
    }

    /// Runs a query on a thread for blocking work.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Outage> {
        let inner = Arc::clone(&self.inner);
        let turn = Arc::clone(&inner.turns).acquire_owned().await;
        let turn = turn.map_err(|e| Outage::permanent("the readers were closed").because(e))?;
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let connection = match inner.take() {
                Some(connection) => connection,
                None => open_reader(&inner.path)?,
            };
            match query(&connection) {
                Ok(value) => {
                    inner.put(connection);
                    Ok(value)
                }
                Err(error) => {
                    let error = outage(error, Moment::BeforeCommit);
                    if !spoils_connection(&error) {
                        inner.put(connection);
                    }
                    Err(error)
                }
            }
        });
        task.await.unwrap_or_else(|e| Err(Outage::retryable("a read was aborted").because(e)))
    }
}

impl Inner {
    fn take(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}
