//! The laws of every store, roster and settings, on a real server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use std::sync::Mutex;

use inresponse_conformance::{Durable, Harness, Shared};
use inresponse_postgres::{Database, PostgresRoster, PostgresStore};
use inresponse_testkit::postgres::Postgres;

/// A part of a database that a suite tests.
trait Part: Send + Sync + 'static {
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
struct OnPostgres<P> {
    server: Mutex<Postgres>,
    part: std::marker::PhantomData<fn() -> P>,
}

impl<P: Part> OnPostgres<P> {
    fn new() -> Self {
        Self { server: Mutex::new(Postgres::start()), part: std::marker::PhantomData }
    }

    async fn open(&self) -> P {
        let url = self.server.lock().unwrap().url();
        P::of(&support::open(&url).await)
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

mod store {
    use super::*;
    inresponse_conformance::store_laws!(OnPostgres::<PostgresStore>::new());
}

mod roster {
    use super::*;
    inresponse_conformance::roster_laws!(OnPostgres::<PostgresRoster>::new());
}

mod settings {
    use super::*;
    inresponse_conformance::settings_laws!(OnPostgres::<Database>::new());
}
