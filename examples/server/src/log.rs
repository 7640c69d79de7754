//! The log: lines wait in a bounded queue, and a thread writes them. So no request waits for a slow disk or terminal.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// The maximum number of lines that wait.
const LINES: usize = 8192;
/// The size at which lines are written together, in bytes.
const TOGETHER: usize = 64 * 1024;
/// How long the end of the program waits for the last lines.
const PATIENCE: Duration = Duration::from_secs(5);
/// The number of tries in that time to find a place in the queue.
const TRIES: u32 = 500;

/// Makes the writer of each line. Clones share one queue.
///
/// If the queue is full, a line is dropped and counted. Warnings and errors are never dropped: they wait.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    /// Everything before this is to be written; then the sender is told.
    Flush(SyncSender<()>),
}

/// Dropping this writes what still waits.
#[derive(Debug)]
pub(crate) struct Flush(SyncSender<Message>);

/// Starts the thread that writes lines to `to`.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn start(to: impl Write + Send + 'static) -> io::Result<(Log, Flush)> {
    let (queue, lines) = sync_channel(LINES);
    let dropped = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&dropped);
    std::thread::Builder::new().name("inresponse-log".into()).spawn(move || write(to, &lines, &counted))?;
    let flush = Flush(queue.clone());
    Ok((Log { queue, dropped }, flush))
}

fn write(mut to: impl Write, lines: &Receiver<Message>, dropped: &AtomicU64) {
    while let Ok(first) = lines.recv() {
        let (mut text, mut flushed) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Line(line) => text.extend(line),
                Message::Flush(done) => flushed.push(done),
            }
            next = if text.len() < TOGETHER { lines.try_recv().ok() } else { None };
        }
        match dropped.swap(0, Ordering::Relaxed) {
            0 => {}
            count => text.extend(format!("WARN {count} lines of the log were dropped\n").bytes()),
        }
        // Nobody can be told that the log cannot be written.
        let _written = to.write_all(&text).and_then(|()| to.flush());
        for done in flushed {
            let _told = done.try_send(());
        }
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let (done, flushed) = sync_channel(1);
        let mut message = Message::Flush(done);
        for _ in 0..TRIES {
            match self.0.try_send(message) {
                Ok(()) => {
                    let _in_time = flushed.recv_timeout(PATIENCE);
                    return;
                }
                Err(TrySendError::Full(again)) => message = again,
                Err(TrySendError::Disconnected(_)) => return,
            }
            std::thread::sleep(PATIENCE / TRIES);
        }
    }
}

/// Whether a line may be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worth {
    MayBeDropped,
    MustBeKept,
}

/// The writer of one line.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    log: &'a Log,
    worth: Worth,
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { log: self, worth: Worth::MustBeKept }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line<'a> {
        let is_warning = *about.level() <= Level::WARN;
        Line { log: self, worth: if is_warning { Worth::MustBeKept } else { Worth::MayBeDropped } }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let message = Message::Line(line.to_vec());
        match self.worth {
            // The queue exists as long as its thread, which ends only with the program.
            Worth::MustBeKept => _ = self.log.queue.send(message),
            Worth::MayBeDropped => {
                if let Err(TrySendError::Full(_)) = self.log.queue.try_send(message) {
                    self.log.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard};

    use super::*;

    /// A place for lines that takes nothing while a test holds it.
    #[derive(Debug, Clone, Default)]
    struct Disk(Arc<Mutex<Vec<u8>>>);

    impl Disk {
        fn held(&self) -> MutexGuard<'_, Vec<u8>> {
            self.0.lock().unwrap()
        }

        fn lines(&self) -> Vec<String> {
            String::from_utf8(self.held().clone()).unwrap().lines().map(str::to_owned).collect()
        }
    }

    impl Write for Disk {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.held().extend(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn write_line(log: &Log, worth: Worth, text: &str) {
        Line { log, worth }.write_all(format!("{text}\n").as_bytes()).unwrap();
    }

    #[test]
    fn lines_are_written_in_their_order_and_all_of_them_before_the_end() {
        let disk = Disk::default();
        let (log, flush) = start(disk.clone()).unwrap();
        (0..1000).for_each(|n| write_line(&log, Worth::MayBeDropped, &n.to_string()));
        drop(flush);
        assert_eq!(disk.lines(), (0..1000).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn a_slow_disk_delays_nobody_and_what_is_dropped_is_counted_and_no_warning_is() {
        let disk = Disk::default();
        let (log, flush) = start(disk.clone()).unwrap();
        let many = 3 * LINES;
        let stuck = disk.held();
        (0..many).for_each(|_| write_line(&log, Worth::MayBeDropped, "information"));
        let warning = log.clone();
        let waits = std::thread::spawn(move || write_line(&warning, Worth::MustBeKept, "a warning"));
        drop(stuck);
        waits.join().unwrap();
        drop(flush);
        let lines = disk.lines();
        let counted = |line: &String| line.strip_prefix("WARN ")?.split(' ').next()?.parse::<usize>().ok();
        let dropped: usize = lines.iter().filter_map(counted).sum();
        let written = lines.iter().filter(|line| *line == "information").count();
        assert!(dropped > 0);
        assert_eq!(written + dropped, many);
        assert_eq!(lines.iter().filter(|line| *line == "a warning").count(), 1);
    }
}
