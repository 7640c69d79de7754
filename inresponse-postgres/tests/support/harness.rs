//! The harness of the laws, on a real server.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use inresponse_conformance::{Durable, Expiring, Harness, Interrupted, Line, Relay, Shared};
use inresponse_postgres::{Database, PostgresRoster, PostgresStore};
use inresponse_testkit::postgres::Postgres;

/// A part of a database that a suite tests.
pub(crate) trait Part: Send + Sync + 'static {
    fn of(database: &Database) -> Self;
}

impl Part for PostgresStore {
    fn of(database: &Database) -> Self {
        database.store()
    }
}

impl Part for PostgresRoster {
    fn of(database: &Database) -> Self {
        database.roster()
    }
}

impl Part for Database {
    fn of(database: &Database) -> Self {
        database.clone()
    }
}

/// A server of its own for each law. A crash is one of the server: it is stopped in the midst of its work, and recovers.
pub(crate) struct OnPostgres<P> {
    pub(crate) server: Mutex<Postgres>,
    relays: Mutex<Vec<Relay>>,
    part: std::marker::PhantomData<fn() -> P>,
}

impl<P: Part> OnPostgres<P> {
    pub(crate) fn new() -> Self {
        Self::with(&["wal_writer_delay=10s", "wal_writer_flush_after=1GB"])
    }

    /// A server with these settings.
    pub(crate) fn with(settings: &[&str]) -> Self {
        let (server, relays) = (Mutex::new(Postgres::start_with(settings)), Mutex::default());
        Self { server, relays, part: std::marker::PhantomData }
    }

    async fn open(&self) -> P {
        let url = self.server.lock().unwrap().url();
        P::of(&super::open(&url).await)
    }
}

impl<P: Part> Harness for OnPostgres<P> {
    type Subject = P;

    async fn fresh(&self) -> P {
        self.open().await
    }
}

impl<P: Part> Durable for OnPostgres<P> {
    async fn reopen(&self, crashed: P) -> P {
        {
            let mut server = self.server.lock().unwrap();
            server.stop_immediately();
            server.start_again();
        }
        // Its connections are broken.
        std::mem::forget(crashed);
        self.open().await
    }
}

impl<P: Part> Shared for OnPostgres<P> {
    async fn another(&self, _: &P) -> P {
        self.open().await
    }
}

impl<P: Part> Interrupted for OnPostgres<P> {
    async fn over(&self, _: &P, line: &Line) -> P {
        let port = self.server.lock().unwrap().port();
        let relay = Relay::start(([127, 0, 0, 1], port).into(), line.clone()).await.unwrap();
        let database = super::open(&super::url(relay.address().port())).await;
        self.relays.lock().unwrap().push(relay);
        P::of(&database)
    }
}

impl Expiring for OnPostgres<PostgresStore> {
    async fn expire(&self, _: &PostgresStore, now: DateTime<Utc>) {
        let url = self.server.lock().unwrap().url();
        let database = super::open(&url).await;
        while database.forget_expired(now).await.unwrap() > 0 {}
    }
}
