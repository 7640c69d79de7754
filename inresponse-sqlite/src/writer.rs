//! The thread that makes all writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use inresponse_core::clock::{Clock, SystemClock};
use inresponse_core::share::Share;
use inresponse_core::{Chain, Outage};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::batch::{Write, Written, write_batch_timed};
use crate::batch_size::Pace;
use crate::error::spoils_connection;
use crate::queue::{Queue, Room};
use crate::schema::open_writer_again;

/// The maximum number of writes that wait.
const QUEUE: usize = 4096;
/// The maximum size of a batch in bytes, before it is encoded.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// The time limit for a write to wait for a place in the queue before it is refused.
const PATIENCE: Duration = Duration::from_secs(2);

/// A handle on the writer's thread. The thread ends when the last handle is dropped and its queue is done.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    handle: Arc<Handle>,
}

/// What all clones of a [`Writer`] share. Dropping it tells the thread to end.
#[derive(Debug)]
struct Handle {
    line: Arc<Line>,
    places: Arc<Semaphore>,
}

/// What the thread shares with the handles.
#[derive(Debug)]
struct Line {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug)]
struct Waiting {
    queue: Queue<Job>,
    stage: Stage,
}

/// Whether the thread takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Writes are taken.
    Open,
    /// There are no handles. The thread ends after the last write.
    Leaving,
    /// The thread has ended.
    Ended,
}

#[derive(Debug)]
struct Job {
    write: Write,
    done: oneshot::Sender<Result<Written, Outage>>,
    /// The place in the queue, which becomes free when the job is taken.
    _place: OwnedSemaphorePermit,
}

impl Writer {
    /// Starts the thread on an open connection.
    pub(crate) fn start(path: PathBuf, connection: Connection) -> Result<Self, Outage> {
        let waiting = Mutex::new(Waiting { queue: Queue::new(), stage: Stage::Open });
        let line = Arc::new(Line { waiting, changed: Condvar::new() });
        let ends = Ends(Arc::clone(&line));
        std::thread::Builder::new()
            .name("inresponse-writer".into())
            .spawn(move || run(&path, connection, &ends.0))
            .map_err(|e| Outage::retryable("the writer's thread could not be started").because(e))?;
        Ok(Self { handle: Arc::new(Handle { line, places: Arc::new(Semaphore::new(QUEUE)) }) })
    }

    /// Makes one write durably, together with other writes that wait. The write waits in the line of the current
    /// [`Share`].
    pub(crate) async fn write(&self, write: Write) -> Result<Written, Outage> {
        let place = self.place().await?;
        let (done, written) = oneshot::channel();
        let line = &self.handle.line;
        {
            let mut waiting = line.waiting();
            if waiting.stage == Stage::Ended {
                return Err(Outage::permanent("the writer has ended"));
            }
            let bytes = write.bytes();
            waiting.queue.push(Share::current(), bytes, Job { write, done, _place: place });
        }
        line.changed.notify_one();
        written.await.unwrap_or_else(|_| Err(Outage::unknown("the writer ended before it answered")))
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Outage> {
        let places = &self.handle.places;
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Ok(place);
        }
        match tokio::time::timeout(PATIENCE, Arc::clone(places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(Outage::permanent("the writer has ended")),
            Err(_) => Err(Outage::retryable("too many writes are waiting")),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut waiting = self.line.waiting();
        if waiting.stage == Stage::Open {
            waiting.stage = Stage::Leaving;
        }
        drop(waiting);
        self.line.changed.notify_one();
    }
}

impl Line {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for writes, and takes the next batch and the number of writes that still wait; `None` at the end.
    fn next(&self, pace: &mut Pace, now: impl Fn() -> Duration) -> Option<(Vec<Job>, usize)> {
        let mut waiting = self.waiting();
        while waiting.queue.is_empty() {
            if waiting.stage != Stage::Open {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let now = now();
        pace.meet(waiting.queue.clients(), now);
        let jobs = waiting.queue.take(Room { entries: pace.writes(now), bytes: BATCH_BYTES });
        Some((jobs, waiting.queue.len()))
    }
}

/// Ends the line together with the thread, however the thread ends. Nobody waits for a thread that is gone.
struct Ends(Arc<Line>);

impl Drop for Ends {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.stage = Stage::Ended;
        let lost = std::mem::replace(&mut waiting.queue, Queue::new());
        drop(waiting);
        drop(lost);
    }
}

fn run(path: &Path, connection: Connection, line: &Line) {
    let (clock, mut pace) = (SystemClock::new(), Pace::new());
    let mut connection = Some(connection);
    while let Some((jobs, left)) = line.next(&mut pace, || clock.monotonic()) {
        metrics::histogram!("inresponse_commit_batch_size").record(jobs.len() as f64);
        metrics::gauge!("inresponse_commit_queue_depth").set(left as f64);
        let (writes, answers): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.write, job.done)).unzip();
        let began = clock.monotonic();
        let mut applied = began;
        let batch =
            AssertUnwindSafe(|| attempt(path, &mut connection, writes, || applied = clock.monotonic()));
        let result = catch_unwind(batch).unwrap_or_else(|_| Err(Outage::unknown("the writer panicked")));
        match result {
            Ok(written) => {
                pace.record(written.len(), applied - began, clock.monotonic() - applied);
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

/// Writes a batch, on a new connection if the last one failed. Calls `applied` before it commits.
fn attempt(
    path: &Path,
    connection: &mut Option<Connection>,
    writes: Vec<Write>,
    applied: impl FnOnce(),
) -> Result<Vec<Result<Written, Outage>>, Outage> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(open_writer_again(path)?),
    };
    write_batch_timed(connection, writes, applied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::open_writer;

    fn started() -> (tempfile::TempDir, Writer) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("writer.db");
        let connection = open_writer(&path).unwrap();
        (dir, Writer::start(path, connection).unwrap())
    }

    fn setting(name: u32) -> Write {
        Write::KeepSetting { name: name.to_string(), value: name.to_be_bytes().to_vec() }
    }

    #[tokio::test]
    async fn every_write_gets_its_own_answer_whatever_its_share() {
        let (_dir, writer) = started();
        let shares: Vec<_> = (0..4).map(|_| Share::new()).collect();
        let writes: Vec<_> = (0..1200_u32)
            .map(|name| {
                let (writer, share) = (writer.clone(), shares[name as usize % shares.len()]);
                tokio::spawn(share.of(Box::pin(async move { writer.write(setting(name)).await })))
            })
            .collect();
        for (name, write) in (0_u32..).zip(writes) {
            let written = write.await.unwrap().unwrap();
            assert_eq!(written, Written::Setting(name.to_be_bytes().to_vec()));
        }
    }

    #[tokio::test]
    async fn the_thread_ends_with_its_last_handle_after_what_waits_was_written() {
        let (_dir, writer) = started();
        let line = Arc::clone(&writer.handle.line);
        let written = writer.write(setting(1)).await.unwrap();
        assert_eq!(written, Written::Setting(1_u32.to_be_bytes().to_vec()));
        drop(writer.clone());
        assert_eq!(line.waiting().stage, Stage::Open, "there is another handle");
        drop(writer);
        while line.waiting().stage != Stage::Ended {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_thread_that_has_ended() {
        let (_dir, writer) = started();
        drop(Ends(Arc::clone(&writer.handle.line)));
        assert_eq!(writer.write(setting(1)).await.unwrap_err().to_string(), "the writer has ended");
        // The real thread is told to end too.
        writer.handle.line.changed.notify_one();
    }
}
