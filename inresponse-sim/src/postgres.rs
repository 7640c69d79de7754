//! The store on a real PostgreSQL server: each call is made whole, while the simulation waits.
//!
//! An answer takes no simulated time, and calls come one after the other, so a seed always plays out in the same way.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock, mpsc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{DedupKey, IncidentNumber, RulesId, ServiceName, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};
use inresponse_postgres::{Database, PostgresConfig, PostgresStore};
use inresponse_testkit::postgres::Postgres;
use tokio::runtime::Runtime;

use crate::store::{Ways, shared};

/// How many times as long as usual a call may take.
const PATIENCE: u32 = 30;

/// The URL of the database that runs copy, without its name.
static SERVER: OnceLock<String> = OnceLock::new();
/// The name of the database that runs copy.
const TEMPLATE: &str = "sim";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().expect("a thread can be started")
});

/// The server of all runs. Dropping it stops the server.
pub struct Server {
    _postgres: Postgres,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl Server {
    /// Starts a server with a database for runs to copy. There is only one in a process. What is written is not synced,
    /// because no run crashes the server.
    ///
    /// # Panics
    /// The server cannot be started.
    #[allow(clippy::new_without_default, reason = "it starts a process")]
    pub fn start() -> Self {
        let postgres = Postgres::start_with(&["fsync=off", "autovacuum=off"]);
        let url = postgres.url();
        let base = url.trim_end_matches("postgres");
        SERVER.set(base.to_owned()).expect("only one server is started");
        postgres.sql(&format!("CREATE DATABASE {TEMPLATE}"));
        // Its connections end before it is copied.
        drop(wait_for(open(format!("{base}{TEMPLATE}"))));
        Self { _postgres: postgres }
    }
}

/// Does something outside the simulation, while the simulation waits.
fn wait_for<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (tell, told) = mpsc::sync_channel(1);
    RUNTIME.spawn(async move {
        // The caller waits.
        let _ = tell.send(work.await);
    });
    told.recv().expect("work outside the simulation does not panic")
}

async fn open(url: String) -> Database {
    let config = PostgresConfig::from_url(&url).expect("the URL is valid").patient(PATIENCE);
    Database::open(config).await.expect("the database is opened")
}

async fn run(statement: String) -> Result<(), tokio_postgres::Error> {
    let server = format!("{}postgres", SERVER.get().expect("the server was started"));
    let (client, connection) = tokio_postgres::connect(&server, tokio_postgres::NoTls).await?;
    let carrying = tokio::spawn(connection);
    let done = client.batch_execute(&statement).await;
    carrying.abort();
    done
}

/// The store of one run. Its database is dropped with it.
struct Whole {
    store: Option<PostgresStore>,
    name: String,
}

impl std::fmt::Debug for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Whole({})", self.name)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        drop(self.store.take());
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // Remaining data disappear with the server.
        RUNTIME.spawn(async move { run(statement).await.ok() });
    }
}

/// The access of the processes to a new database.
///
/// # Panics
/// No [`Server`] was started, or it does not answer.
pub fn ways() -> Ways {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let name = format!("sim{}", RUNS.fetch_add(1, Ordering::Relaxed));
    let server = SERVER.get().expect("the server was started");
    let url = format!("{server}{name}");
    let make = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}");
    let store = wait_for(async move {
        // Another run may be copying the database, or its last connection may just be ending.
        let mut made = run(make.clone()).await;
        for _ in 0..1000 {
            if made.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            made = run(make.clone()).await;
        }
        made.expect("a database can be made");
        open(url).await.store()
    });
    shared(Whole { store: Some(store), name })
}

impl Whole {
    /// Makes a call, while the simulation waits.
    fn call<T: Send + 'static, F: Future<Output = Result<T, Outage>> + Send + 'static>(
        &self,
        call: impl FnOnce(Arc<PostgresStore>) -> F,
    ) -> Result<T, Outage> {
        let store = self.store.clone().expect("the store is there until it is dropped");
        wait_for(call(Arc::new(store)))
    }
}

#[async_trait]
impl Store for Whole {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        self.call(|store| async move { store.create(opening).await })
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        self.call(|store| async move { store.load(number).await })
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        let (service, key) = (service.clone(), key.clone());
        self.call(|store| async move { store.find_open(&service, &key).await })
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.call(|store| async move { store.due(now, after, limit).await })
    }

    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.call(|store| async move { store.ahead(now, after, limit).await })
    }

    async fn quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.call(|store| async move { store.quiet(judged_by, after, limit).await })
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        let draft = draft.clone();
        self.call(|store| async move { store.commit(version, &draft).await })
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        let query = query.clone();
        self.call(|store| async move { store.list(&query).await })
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        self.call(|store| async move { store.census(waiting_before).await })
    }
}
