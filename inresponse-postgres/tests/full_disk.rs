//! A full disk of the database's server: writes are clear outages, and nothing that was answered is lost.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use std::time::Duration;

use chrono::DateTime;
use inresponse_core::model::{Contact, Matrix, Person, Report, ServiceName, Severity, TeamName};
use inresponse_core::plan::{self, Opening};
use inresponse_core::roster::{Entry, Roster, RosterEdit};
use inresponse_core::settings::{Settings, Swapped};
use inresponse_core::store::{Committed, Created, Record, Store};
use inresponse_core::{Outage, OutageKind};
use inresponse_postgres::{Database, PostgresStore};
use inresponse_testkit::disk::SmallDisk;
use inresponse_testkit::postgres::Postgres;
use support::open;

/// A report with a text that PostgreSQL cannot compress to nothing.
fn opening(nth: u32) -> Opening {
    let words = (0..800u32).map(|i| (i ^ nth).wrapping_mul(2_654_435_761).to_string());
    let report = Report::builder("athens", Severity::Crit, "5xx").message(words.collect::<String>());
    let contacts = vec![vec![Contact::new("jo@example.org").unwrap()]];
    let matrix = Matrix::new(contacts, vec![], Duration::from_secs(600));
    let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    plan::open(report.build().unwrap(), TeamName::new("t").unwrap(), matrix, None, now).0
}

/// Creates incidents until the database fails. Returns those that were answered, and the outage.
async fn fill(store: &PostgresStore) -> (Vec<Record>, Outage) {
    let mut answered = Vec::new();
    for nth in 0.. {
        match store.create(opening(nth)).await {
            Ok(Created::New(record)) => answered.push(record),
            Ok(Created::Repeat(record)) => panic!("a repeat of {record:?}"),
            Err(outage) => return (answered, outage),
        }
    }
    unreachable!("the disk is full at some time")
}

async fn all_are_there(store: &PostgresStore, answered: &[Record]) {
    for record in answered {
        assert_eq!(store.load(record.number()).await.unwrap().as_ref(), Some(record), "it was answered");
    }
}

/// Everything can be written again, and the next incident has a number of its own.
async fn goes_on(database: &Database, answered: &[Record]) {
    let store = database.store();
    let Created::New(next) = store.create(opening(0)).await.unwrap() else { panic!("it has no key") };
    assert!(
        answered.iter().all(|record| record.number() < next.number()),
        "{} was given before",
        next.number()
    );
    let draft = opening(0).numbered(next.number());
    assert_eq!(store.commit(next.version, &draft).await.unwrap(), Committed::At(next.version.next()));
    assert_eq!(database.swap_setting("after", None, b"x").await.unwrap(), Swapped::Done);
    let _ = edited(database).await.unwrap();
}

async fn edited(database: &Database) -> Result<inresponse_core::roster::Edited, Outage> {
    let entry = Entry::service(&ServiceName::new("s").unwrap(), &TeamName::new("t").unwrap());
    let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    database.roster().apply(&Person::new("jo").unwrap(), at, &[RosterEdit::Put(entry)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_full_disk_is_a_clear_outage_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Postgres::start();
    let disk = SmallDisk::mount(folder.path(), "8m");
    server.own(folder.path());
    server.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", folder.path().display()));
    server.sql("ALTER ROLE CURRENT_USER SET default_tablespace = small");
    let database = open(&server.url()).await;
    let store = database.store();
    let (answered, outage) = fill(&store).await;
    assert!(answered.len() > 10, "{}", answered.len());
    assert_eq!(
        (outage.kind(), outage.to_string().as_str()),
        (OutageKind::Permanent, "the disk of the database is full")
    );
    // Nothing that is read needs space.
    all_are_there(&store, &answered).await;
    assert_eq!(store.census(DateTime::UNIX_EPOCH).await.unwrap().open, answered.len() as u64);
    disk.resize("64m");
    all_are_there(&store, &answered).await;
    goes_on(&database, &answered).await;
    drop((database, store, server));
    drop(disk);
}

/// If there is no space for its log, PostgreSQL stops at once, like in a crash.
#[tokio::test(flavor = "multi_thread")]
async fn p01_p04_a_full_disk_of_the_log_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Postgres::start_with(&["checkpoint_timeout=1h", "max_wal_size=1GB"]);
    server.stop_immediately();
    let disk = SmallDisk::mount(folder.path(), "12m");
    server.move_log_to(folder.path());
    server.start_again();
    let database = open(&server.url()).await;
    let (answered, outage) = fill(&database.store()).await;
    assert!(answered.len() > 10, "{}", answered.len());
    assert!([OutageKind::Unknown, OutageKind::Retryable].contains(&outage.kind()), "{outage}");
    disk.resize("64m");
    server.restart();
    let database = open(&server.url()).await;
    all_are_there(&database.store(), &answered).await;
    goes_on(&database, &answered).await;
    drop((database, server));
    drop(disk);
}
