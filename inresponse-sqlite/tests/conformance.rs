//! The laws of every store and roster, on real files.
//!
//! No answer of a file gets lost on its way: it comes from the same process. So the laws of outages do not apply.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use inresponse_conformance::{Durable, Expiring, Harness, Shared};
use inresponse_sqlite::{Database, SqliteConfig, SqliteRoster, SqliteStore};
use tempfile::TempDir;

/// Databases in a folder that goes with the test.
struct Files {
    dir: TempDir,
    current: Mutex<PathBuf>,
}

impl Files {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let current = Mutex::new(dir.path().join("first.db"));
        Self { dir, current }
    }

    async fn open(path: &Path) -> Database {
        Database::open(SqliteConfig::new(path)).await.unwrap()
    }

    async fn open_current(&self) -> Database {
        let path = self.current.lock().unwrap().clone();
        Self::open(&path).await
    }

    /// Opens what a crash would leave behind: the files as they are now, while they are still in use.
    async fn crash(&self) -> Database {
        let before = self.current.lock().unwrap().clone();
        let name = format!("after-{}", before.file_name().unwrap().display());
        let after = self.dir.path().join(name);
        for suffix in ["", "-wal"] {
            let of = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
            std::fs::copy(of(&before), of(&after)).unwrap();
        }
        *self.current.lock().unwrap() = after.clone();
        Self::open(&after).await
    }
}

struct Stores(Files);

impl Harness for Stores {
    type Subject = SqliteStore;

    async fn fresh(&self) -> SqliteStore {
        self.0.open_current().await.store()
    }
}

impl Durable for Stores {
    async fn reopen(&self, crashed: SqliteStore) -> SqliteStore {
        let store = self.0.crash().await.store();
        drop(crashed);
        store
    }
}

impl Shared for Stores {
    async fn another(&self, _: &SqliteStore) -> SqliteStore {
        self.0.open_current().await.store()
    }
}

impl Expiring for Stores {
    async fn expire(&self, _: &SqliteStore, now: DateTime<Utc>) {
        let database = self.0.open_current().await;
        while database.forget_expired(now).await.unwrap() > 0 {}
    }
}

struct Rosters(Files);

impl Harness for Rosters {
    type Subject = SqliteRoster;

    async fn fresh(&self) -> SqliteRoster {
        self.0.open_current().await.roster()
    }
}

impl Durable for Rosters {
    async fn reopen(&self, crashed: SqliteRoster) -> SqliteRoster {
        let roster = self.0.crash().await.roster();
        drop(crashed);
        roster
    }
}

impl Shared for Rosters {
    async fn another(&self, _: &SqliteRoster) -> SqliteRoster {
        self.0.open_current().await.roster()
    }
}

struct Databases(Files);

impl Harness for Databases {
    type Subject = Database;

    async fn fresh(&self) -> Database {
        self.0.open_current().await
    }
}

impl Durable for Databases {
    async fn reopen(&self, crashed: Database) -> Database {
        let database = self.0.crash().await;
        drop(crashed);
        database
    }
}

impl Shared for Databases {
    async fn another(&self, _: &Database) -> Database {
        self.0.open_current().await
    }
}

mod store {
    inresponse_conformance::store_laws!(super::Stores(super::Files::new()), except: outages);
}

mod roster {
    inresponse_conformance::roster_laws!(super::Rosters(super::Files::new()), except: outages);
}

mod settings {
    inresponse_conformance::settings_laws!(super::Databases(super::Files::new()), except: outages);
}
