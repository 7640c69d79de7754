//! The parts that the author of a store or roster provides to the suites.

use std::future::Future;

use chrono::{DateTime, Utc};

use crate::line::Line;

/// Makes the store, roster or settings under test.
///
/// Every closure like `|| async { MyStore::new() }` is a harness.
pub trait Harness: Send + Sync {
    /// The store, roster or settings under test.
    type Subject: Send + Sync + 'static;

    /// Makes an empty subject, on storage that nobody else uses. Each law calls this once, first.
    fn fresh(&self) -> impl Future<Output = Self::Subject> + Send;
}

/// A harness for subjects whose data survives the end of their process.
pub trait Durable: Harness {
    /// Ends `crashed` as a crash would, and opens its data again.
    ///
    /// If the storage is a server, its crash is the crash that matters: stop it so that it syncs nothing any more, such
    /// as PostgreSQL by `pg_ctl stop -m immediate`, and start it again. Otherwise a store passes whose sessions answer
    /// before their commits are durable. Let the server sync nothing by itself in the meantime, for PostgreSQL by
    /// `wal_writer_delay=10s` and `wal_writer_flush_after=1GB`: then the crash loses the last commit of a session with
    /// `synchronous_commit=off`.
    ///
    /// Do not close `crashed` properly first: [`std::mem::forget`] it and open the same files, or open a copy of the
    /// current files.
    fn reopen(&self, crashed: Self::Subject) -> impl Future<Output = Self::Subject> + Send;
}

/// A harness for subjects that several processes use at once.
pub trait Shared: Harness {
    /// Makes another handle on the storage of `first`, as another process would open it.
    fn another(&self, first: &Self::Subject) -> impl Future<Output = Self::Subject> + Send;
}

/// A harness for subjects whose answers can be lost on the way from their storage.
pub trait Interrupted: Harness {
    /// Makes another handle on the storage of `first`, which gets its answers over `line`.
    ///
    /// If the storage is reached over TCP, start a [`Relay`](crate::Relay) on the line, and let the handle connect to it.
    /// Otherwise ask [`Line::loses_answer`] whenever the storage answers.
    fn over(&self, first: &Self::Subject, line: &Line) -> impl Future<Output = Self::Subject> + Send;
}

/// A harness for stores that delete incidents that have expired.
pub trait Expiring: Harness {
    /// Deletes everything that has expired by `now`, as the storage or the adapter does from time to time.
    fn expire(&self, store: &Self::Subject, now: DateTime<Utc>) -> impl Future<Output = ()> + Send;
}

impl<F, Made, Subject> Harness for F
where
    F: Fn() -> Made + Send + Sync,
    Made: Future<Output = Subject> + Send,
    Subject: Send + Sync + 'static,
{
    type Subject = Subject;

    fn fresh(&self) -> impl Future<Output = Subject> + Send {
        self()
    }
}
