//! Measures the costs of each store's create, commit and query of due incidents. DynamoDB is included with the feature
//! `dynamo`, in an emulator that `cargo xtask bench stores` starts.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "benchmarks have no public interface"
)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use inresponse_core::memory::MemoryStore;
use inresponse_core::store::{Committed, Created, Record, Store};
use inresponse_sqlite::{Database, SqliteConfig};
use tokio::runtime::Runtime;

use common::{accepted, leased, now, opening};

/// The number of concurrent writes in the measurements that name it, as many as on a busy server.
const AT_ONCE: usize = 64;
/// The number of open incidents.
const OPEN: usize = 2_000;
/// The number of records that the engine reads at a time.
const PAGE: usize = 256;

fn stores(runtime: &Runtime) -> Vec<(&'static str, Arc<dyn Store>)> {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("stores.db");
    for end in ["", "-wal", "-shm"] {
        let _none = std::fs::remove_file(format!("{}{end}", file.display()));
    }
    let database = runtime.block_on(Database::open(SqliteConfig::new(file))).unwrap();
    let mut stores: Vec<(_, Arc<dyn Store>)> =
        vec![("memory", Arc::new(MemoryStore::new())), ("SQLite", Arc::new(database.store()))];
    stores.extend(on_dynamo(runtime));
    stores
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
    for (name, store) in stores(&runtime) {
        let store = &*store;
        let mut group = criterion.benchmark_group("create");
        group.sample_size(20);
        group.bench_function(BenchmarkId::new(name, 1), |b| b.to_async(&runtime).iter(|| create(store)));
        group.throughput(Throughput::Elements(AT_ONCE as u64));
        group.bench_function(BenchmarkId::new(name, AT_ONCE), |b| {
            b.to_async(&runtime).iter(|| join_all((0..AT_ONCE).map(|_| create(store))));
        });
        group.finish();

        let mut group = criterion.benchmark_group("commit");
        group.sample_size(20);
        group.bench_function(BenchmarkId::new(name, 1), |b| {
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
        group.finish();
    }
}

fn due(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    for (name, store) in stores(&runtime) {
        let store = &*store;
        runtime.block_on(async {
            for _ in 0..OPEN / AT_ONCE {
                join_all((0..AT_ONCE).map(|_| create(store))).await;
            }
        });
        let mut group = criterion.benchmark_group("due");
        group.sample_size(20);
        for (found, at) in [("nothing", now() - TimeDelta::days(1)), ("a page", now() + TimeDelta::days(1))] {
            group.bench_function(BenchmarkId::new(name, found), |b| {
                b.to_async(&runtime).iter(async || store.due(at, None, PAGE).await.unwrap());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, writes, due);
criterion_main!(benches);
