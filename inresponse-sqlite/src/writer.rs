//! The thread that makes all writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use inresponse_core::{Chain, Outage};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::batch::{Write, Written, write_batch};
use crate::error::spoils_connection;
use crate::schema::open_writer_again;

/// The maximum number of writes that wait.
const QUEUE: usize = 4096;
/// The maximum number of writes that are committed together.
const MAX_BATCH: usize = 512;
/// The time limit for a write to wait for a place in the queue before it is refused.
const PATIENCE: Duration = Duration::from_secs(2);

/// A handle on the writer's thread. The thread ends when the last handle is dropped and its queue is done.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Job>,
}

#[derive(Debug)]
struct Job {
    write: Write,
    done: oneshot::Sender<Result<Written, Outage>>,
}

impl Writer {
    /// Starts the thread on an open connection.
    pub(crate) fn start(path: PathBuf, connection: Connection) -> Result<Self, Outage> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("inresponse-writer".into())
            .spawn(move || run(&path, connection, jobs))
            .map_err(|e| Outage::retryable("the writer's thread could not be started").because(e))?;
        Ok(Self { queue })
    }

    /// Makes one write durably, together with other writes that wait.
    pub(crate) async fn write(&self, write: Write) -> Result<Written, Outage> {
        let place = match self.queue.try_reserve() {
            Ok(place) => place,
            Err(_) => match tokio::time::timeout(PATIENCE, self.queue.reserve()).await {
                Ok(Ok(place)) => place,
                Ok(Err(_)) => return Err(Outage::permanent("the writer has ended")),
                Err(_) => return Err(Outage::retryable("too many writes are waiting")),
            },
        };
        let (done, written) = oneshot::channel();
        place.send(Job { write, done });
        written.await.unwrap_or_else(|_| Err(Outage::unknown("the writer ended before it answered")))
    }
}

fn run(path: &std::path::Path, connection: Connection, mut jobs: mpsc::Receiver<Job>) {
    let mut connection = Some(connection);
    let mut waiting = Vec::with_capacity(MAX_BATCH);
    while jobs.blocking_recv_many(&mut waiting, MAX_BATCH) > 0 {
        metrics::histogram!("inresponse_commit_batch_size").record(waiting.len() as f64);
        metrics::gauge!("inresponse_commit_queue_depth").set(jobs.len() as f64);
        let (writes, answers): (Vec<_>, Vec<_>) = waiting.drain(..).map(|job| (job.write, job.done)).unzip();
        let result = catch_unwind(AssertUnwindSafe(|| attempt(path, &mut connection, &writes)))
            .unwrap_or_else(|_| Err(Outage::unknown("the writer panicked")));
        match result {
            Ok(written) => {
                for (answer, written) in answers.into_iter().zip(written) {
                    // Who no longer waits for the answer does not miss it.
                    let _ = answer.send(written);
                }
            }
            Err(error) => {
                tracing::error!(error = %Chain::of(&error), writes = answers.len(), "writes could not be committed");
                if spoils_connection(&error) {
                    connection = None;
                }
                let shared = Arc::new(error);
                for answer in answers {
                    let outage = Outage::new(shared.kind(), shared.to_string()).because(Arc::clone(&shared));
                    let _ = answer.send(Err(outage));
                }
            }
        }
    }
}

/// Writes a batch, on a new connection if the last one failed.
fn attempt(
    path: &std::path::Path,
    connection: &mut Option<Connection>,
    writes: &[Write],
) -> Result<Vec<Result<Written, Outage>>, Outage> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(open_writer_again(path)?),
    };
    write_batch(connection, writes)
}
