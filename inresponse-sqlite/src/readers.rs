//! The connections for reading.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use inresponse_core::Outage;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::error::{Moment, outage, spoils_connection};
use crate::schema::open_reader;

/// The limit of concurrent reads.
const READERS: usize = 4;
/// The time limit for a read to wait for its turn before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// A few connections that take turns. A connection is opened when it is first needed, and again after an error.
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
        let turn = match Arc::clone(&inner.turns).try_acquire_owned() {
            Ok(turn) => Ok(turn),
            Err(_) => {
                let turn = Arc::clone(&inner.turns).acquire_owned();
                let turn = tokio::time::timeout(PATIENCE, turn).await;
                turn.map_err(|_| Outage::retryable("too many reads are waiting"))?
            }
        };
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use inresponse_core::OutageKind;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn p13_a_read_waits_a_bounded_time_for_its_turn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        drop(crate::schema::open_writer(&path).unwrap());
        let readers = Readers::new(path);
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let may_go_on = Arc::new(Mutex::new(may_go_on));
        let hold = || {
            let (readers, may_go_on) = (readers.clone(), Arc::clone(&may_go_on));
            let wait = move |_: &Connection| {
                may_go_on.lock().unwrap().recv().unwrap();
                Ok(())
            };
            tokio::spawn(async move { readers.read(wait).await })
        };
        let held: Vec<_> = (0..READERS).map(|_| hold()).collect();
        while readers.inner.turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let waits = tokio::spawn({
            let readers = readers.clone();
            async move { readers.read(|_| Ok(())).await }
        });
        tokio::task::yield_now().await;
        tokio::time::advance(PATIENCE + Duration::from_secs(1)).await;
        assert_eq!(waits.await.unwrap().unwrap_err().kind(), OutageKind::Retryable);
        for _ in 0..READERS {
            go_on.send(()).unwrap();
        }
        for read in held {
            read.await.unwrap().unwrap();
        }
        readers.read(|_| Ok(())).await.unwrap();
    }
}
