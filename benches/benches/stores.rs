//! Measures the costs of each store's create, commit, repeat, census and query of due incidents. PostgreSQL is a real
//! server that the benchmark starts. DynamoDB is included with the feature
//! `dynamo`, in an emulator that `cargo xtask bench stores` starts.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "benchmarks have no public interface"
)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use inresponse_core::memory::MemoryStore;
use inresponse_core::model::{IncidentNumber, Version};
use inresponse_core::store::{Committed, Created, DueMark, Record, Store};
use inresponse_core::transfer::{Item, Source as _, StoredIncident, Target};
use inresponse_postgres::PostgresConfig;
use inresponse_sqlite::{Database, SqliteConfig};
use inresponse_testkit::postgres::Postgres;
use tokio::runtime::Runtime;

use common::{accepted, keyed, leased, now, opening};

/// The number of concurrent writes in the measurements that name it, as many as on a busy server.
const AT_ONCE: usize = 64;
/// The number of open incidents.
const OPEN: usize = 2_000;
/// The number of records that the engine reads at a time.
const PAGE: usize = 256;

/// The stores, and the server of PostgreSQL, which ends when this is dropped.
struct Stores {
    stores: Vec<(&'static str, Arc<dyn Store>)>,
    _postgres: Postgres,
}

/// A new file of SQLite.
fn file() -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stores.db");
    for end in ["", "-wal", "-shm", "-journal"] {
        let _none = std::fs::remove_file(format!("{}{end}", file.display()));
    }
    file
}

async fn on_postgres(url: &str) -> Arc<dyn Store> {
    let config = PostgresConfig::from_url(url).unwrap().patient(30);
    Arc::new(inresponse_postgres::Database::open(config).await.unwrap().store())
}

fn stores(runtime: &Runtime) -> Stores {
    let database = runtime.block_on(Database::open(SqliteConfig::new(file()))).unwrap();
    let postgres = Postgres::start();
    let mut stores: Vec<(_, Arc<dyn Store>)> =
        vec![("memory", Arc::new(MemoryStore::new())), ("SQLite", Arc::new(database.store()))];
    stores.push(("PostgreSQL", runtime.block_on(on_postgres(&postgres.url()))));
    stores.extend(on_dynamo(runtime));
    Stores { stores, _postgres: postgres }
}

#[cfg(not(feature = "dynamo"))]
fn on_dynamo(_: &Runtime) -> Option<(&'static str, Arc<dyn Store>)> {
    None
}

#[cfg(feature = "dynamo")]
fn on_dynamo(runtime: &Runtime) -> Option<(&'static str, Arc<dyn Store>)> {
    let store = runtime.block_on(common::dynamo::store("stores-")).unwrap();
    Some(("DynamoDB's emulator", Arc::new(store)))
}

async fn create(store: &dyn Store) -> Record {
    match store.create(opening()).await.unwrap() {
        Created::New(record) => record,
        Created::Repeat(record) => panic!("{record:?} was there"),
    }
}

fn writes(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let (_, send) = leased();
    for (name, store) in &stores(&runtime).stores {
        let store = &**store;
        let mut group = criterion.benchmark_group("create");
        group.sample_size(20);
        group.bench_function(BenchmarkId::new(*name, 1), |b| b.to_async(&runtime).iter(|| create(store)));
        group.throughput(Throughput::Elements(AT_ONCE as u64));
        group.bench_function(BenchmarkId::new(*name, AT_ONCE), |b| {
            b.to_async(&runtime).iter(|| join_all((0..AT_ONCE).map(|_| create(store))));
        });
        group.finish();

        let mut group = criterion.benchmark_group("commit");
        group.sample_size(20);
        group.bench_function(BenchmarkId::new(*name, 1), |b| {
            b.to_async(&runtime).iter_custom(async |times| {
                let mut took = Duration::ZERO;
                for _ in 0..times {
                    let record = create(store).await;
                    let draft = accepted(&record.incident, &send);
                    let begun = Instant::now();
                    let committed = store.commit(record.version, &draft).await.unwrap();
                    took += begun.elapsed();
                    assert!(matches!(committed, Committed::At(_)));
                }
                took
            });
        });
        group.throughput(Throughput::Elements(AT_ONCE as u64));
        group.bench_function(BenchmarkId::new(*name, AT_ONCE), |b| {
            b.to_async(&runtime).iter_custom(async |times| {
                let mut took = Duration::ZERO;
                for _ in 0..times {
                    let records = join_all((0..AT_ONCE).map(|_| create(store))).await;
                    let drafts: Vec<_> =
                        records.iter().map(|record| accepted(&record.incident, &send)).collect();
                    let commits = records.iter().zip(&drafts);
                    let begun = Instant::now();
                    let commits = commits.map(|(record, draft)| store.commit(record.version, draft));
                    let committed = join_all(commits).await;
                    took += begun.elapsed();
                    assert!(committed.iter().all(|c| matches!(c, Ok(Committed::At(_)))));
                }
                took
            });
        });
        group.finish();

        // All reports have the same key.
        let mut group = criterion.benchmark_group("repeat");
        group.sample_size(20);
        group.throughput(Throughput::Elements(AT_ONCE as u64));
        let _ = runtime.block_on(store.create(keyed())).unwrap();
        group.bench_function(BenchmarkId::new(*name, AT_ONCE), |b| {
            b.to_async(&runtime).iter(|| join_all((0..AT_ONCE).map(|_| store.create(keyed()))));
        });
        group.finish();
    }
}

/// Measures what a create on PostgreSQL consists of, and what one statement for many creates would bring.
fn parts_of_a_create(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let postgres = Postgres::start();
    runtime.block_on(on_postgres(&postgres.url()));
    let mut group = criterion.benchmark_group("create on PostgreSQL");
    group.sample_size(20);
    let client = runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(&postgres.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    });
    let sql = "SELECT nextval('incident_number')";
    let statement = runtime.block_on(client.prepare(sql)).unwrap();
    group.bench_function("a number", |b| {
        b.to_async(&runtime).iter(async || client.query_one(&statement, &[]).await.unwrap());
    });
    drop(client);
    let config = PostgresConfig::from_url(&postgres.url()).unwrap().patient(30);
    let target = runtime.block_on(inresponse_postgres::Moving::target(&config)).unwrap();
    let mut next = 1_000_000;
    group.throughput(Throughput::Elements(AT_ONCE as u64));
    // The numbers would be taken by one more statement.
    group.bench_function(format!("{AT_ONCE} rows by one statement"), |b| {
        b.iter_custom(|times| {
            let mut took = Duration::ZERO;
            for _ in 0..times {
                let items = items(next, AT_ONCE as u64);
                next += AT_ONCE as u64;
                let begun = Instant::now();
                runtime.block_on(async {
                    let _ = target.last_number().await.unwrap();
                    target.add(&items).await.unwrap();
                });
                took += begun.elapsed();
            }
            took
        });
    });
    group.finish();
}

/// That many new incidents from a number on, as they are stored.
fn items(from: u64, many: u64) -> Vec<Item> {
    let item = |number| {
        let draft = opening().numbered(IncidentNumber::new(number));
        Item::Incident(StoredIncident {
            number: draft.incident().number(),
            version: Version::FIRST,
            count: 1,
            last_reported_at: now(),
            expires_at: None,
            body: draft.body(),
        })
    };
    (from..from + many).map(item).collect()
}

/// Measures what is read while very many incidents are open.
fn very_many(criterion: &mut Criterion) {
    let many = std::env::var("INRESPONSE_BENCH_OPEN").map_or(1_000_000, |many| many.parse().unwrap());
    let runtime = Runtime::new().unwrap();
    let (file, postgres) = (file(), Postgres::start());
    let fill = async |target: &dyn Target| {
        for from in (0..many).step_by(PAGE) {
            target.add(&items(10_000 + from, (PAGE as u64).min(many - from))).await.unwrap();
        }
    };
    let config = PostgresConfig::from_url(&postgres.url()).unwrap().patient(30);
    let stores: [(_, Arc<dyn Store>); 2] = runtime.block_on(async {
        fill(&inresponse_sqlite::Moving::target(SqliteConfig::new(&file)).await.unwrap()).await;
        fill(&inresponse_postgres::Moving::target(&config).await.unwrap()).await;
        let sqlite = Database::open(SqliteConfig::new(&file)).await.unwrap();
        let sqlite: Arc<dyn Store> = Arc::new(sqlite.store());
        [("SQLite", sqlite), ("PostgreSQL", on_postgres(&postgres.url()).await)]
    });
    postgres.sql("ANALYZE");
    let size = |bytes: u64| format!("{} MB", bytes / 1_000_000);
    let of_postgres: u64 = postgres.sql("SELECT pg_database_size(current_database())").parse().unwrap();
    let of_sqlite = std::fs::metadata(&file).unwrap().len();
    println!("{many} open incidents: SQLite {}, PostgreSQL {}", size(of_sqlite), size(of_postgres));
    for (name, store) in &stores {
        let mut group = criterion.benchmark_group(format!("{many} open"));
        group.sample_size(20);
        group.bench_function(BenchmarkId::new(*name, "census"), |b| {
            b.to_async(&runtime).iter(async || store.census(now()).await.unwrap());
        });
        let after = Some(DueMark { due_at: now() + TimeDelta::days(1), number: IncidentNumber::new(0) });
        let late = now() + TimeDelta::days(2);
        for (found, after) in [("nothing due", after), ("a page due", None)] {
            group.bench_function(BenchmarkId::new(*name, found), |b| {
                b.to_async(&runtime).iter(async || store.due(late, after, PAGE).await.unwrap());
            });
        }
        group.finish();
    }
}

fn due(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    for (name, store) in &stores(&runtime).stores {
        let store = &**store;
        runtime.block_on(async {
            for _ in 0..OPEN / AT_ONCE {
                join_all((0..AT_ONCE).map(|_| create(store))).await;
            }
        });
        let mut group = criterion.benchmark_group("due");
        group.sample_size(20);
        for (found, at) in [("nothing", now() - TimeDelta::days(1)), ("a page", now() + TimeDelta::days(1))] {
            group.bench_function(BenchmarkId::new(*name, found), |b| {
                b.to_async(&runtime).iter(async || store.due(at, None, PAGE).await.unwrap());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, writes, parts_of_a_create, due, very_many);
criterion_main!(benches);
