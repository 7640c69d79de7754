//! What is wrong with the file is said clearly, nothing is lost by it, and it is over when its cause is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use inresponse_core::model::{Contact, Matrix, Report, Severity, TeamName};
use inresponse_core::plan::{self, Opening};
use inresponse_core::store::{Created, Store};
use inresponse_core::{Outage, OutageKind};
use inresponse_sqlite::{Database, SqliteConfig, Write, Written, prepare, write_batch};
use rusqlite::Connection;

fn opening(key: Option<&str>) -> Opening {
    let mut report = Report::builder("athens", Severity::Crit, "5xx").message("x".repeat(8000));
    if let Some(key) = key {
        report = report.dedup_key(key);
    }
    let matrix = Matrix::new(
        vec![vec![Contact::new("jo@example.org").unwrap()]],
        vec![],
        std::time::Duration::from_secs(600),
    );
    let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    plan::open(report.build().unwrap(), TeamName::new("t").unwrap(), matrix, None, now).0
}

fn kind(result: Result<Created, Outage>) -> (OutageKind, String) {
    let error = result.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn p01_a_full_disk_answers_no_number_and_is_over_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("full.db");
    // The database itself is told to stay small, which fails in the same way as a disk without room.
    let mut connection = prepare(Connection::open(&path).unwrap()).unwrap();
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    connection.pragma_update(None, "max_page_count", pages + 3).unwrap();
    let create = || vec![Write::Create(Box::new(opening(None)))];
    let mut stored = 0;
    let failed = loop {
        match write_batch(&mut connection, create()) {
            Ok(written) => match written.into_iter().next().unwrap() {
                Ok(_) => stored += 1,
                Err(error) => break error,
            },
            Err(error) => break error,
        }
        assert!(stored < 100);
    };
    assert_eq!((failed.kind(), failed.to_string().as_str()), (OutageKind::Permanent, "the disk is full"));
    let count: u64 = connection.query_row("SELECT count(*) FROM incident", [], |row| row.get(0)).unwrap();
    assert_eq!(count, stored);
    connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    assert!(write_batch(&mut connection, create()).unwrap()[0].is_ok());
}

#[tokio::test]
async fn p01_a_read_only_database_answers_no_number_and_is_over_when_it_can_be_written() {
    let mut connection = prepare(Connection::open_in_memory().unwrap()).unwrap();
    connection.pragma_update(None, "query_only", true).unwrap();
    let create = vec![Write::Create(Box::new(opening(None)))];
    let failed = write_batch(&mut connection, create.clone()).unwrap_err();
    assert_eq!(
        (failed.kind(), failed.to_string().as_str()),
        (OutageKind::Permanent, "the database is read-only")
    );
    connection.pragma_update(None, "query_only", false).unwrap();
    assert!(write_batch(&mut connection, create).unwrap()[0].is_ok());
}

#[tokio::test]
async fn a_bad_write_does_not_fail_its_neighbours() {
    let mut connection = prepare(Connection::open_in_memory().unwrap()).unwrap();
    // Two that are open under one key cannot be: the trigger makes the second write of three fail.
    connection
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON incident WHEN new.number = 10001
             BEGIN SELECT raise(ABORT, 'refused'); END",
        )
        .unwrap();
    let batch: Vec<_> = ["a", "b", "c"].iter().map(|k| Write::Create(Box::new(opening(Some(k))))).collect();
    let written = write_batch(&mut connection, batch[..1].to_vec()).unwrap();
    assert!(matches!(&written[0], Ok(Written::Created(created)) if matches!(**created, Created::New(_))));
    let repeat = Write::Create(Box::new(opening(Some("a"))));
    let written = write_batch(&mut connection, vec![batch[1].clone(), repeat]).unwrap();
    assert!(written[0].is_err(), "{written:?}");
    assert!(matches!(&written[1], Ok(Written::Created(created)) if matches!(**created, Created::Repeat(_))));
}

#[tokio::test]
async fn a_file_that_is_no_database_or_from_the_future_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let junk = dir.path().join("junk.db");
    std::fs::write(&junk, "no database at all ".repeat(500)).unwrap();
    let error = Database::open(SqliteConfig::new(&junk)).await.unwrap_err();
    assert_eq!(error.kind(), OutageKind::Permanent);
    assert!(error.to_string().contains("not a database"), "{error}");

    let newer = dir.path().join("newer.db");
    prepare(Connection::open(&newer).unwrap()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Database::open(SqliteConfig::new(&newer)).await.unwrap_err();
    assert_eq!(error.kind(), OutageKind::Permanent);
    assert!(error.to_string().contains("newer version"), "{error}");

    let nowhere = dir.path().join("no/such/folder/x.db");
    let error = Database::open(SqliteConfig::new(&nowhere)).await.unwrap_err();
    assert!(error.to_string().contains("cannot be created"), "{error}");
}

#[tokio::test]
async fn p01_a_database_that_is_corrupted_while_open_answers_no_number() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("torn.db");
    let database = Database::open(SqliteConfig::new(&path)).await.unwrap();
    let store = database.store();
    assert!(matches!(store.create(opening(None)).await, Ok(Created::New(_))));
    // The table is gone behind its back: an error of the schema stands for any other.
    Connection::open(&path).unwrap().execute_batch("ALTER TABLE incident RENAME TO hidden").unwrap();
    let (kind, message) = kind(store.create(opening(None)).await);
    assert_eq!(kind, OutageKind::Retryable, "{message}");
    Connection::open(&path).unwrap().execute_batch("ALTER TABLE hidden RENAME TO incident").unwrap();
    let Ok(Created::New(record)) = store.create(opening(None)).await else { panic!("it did not recover") };
    assert!(store.load(record.number()).await.unwrap().is_some());
}

#[tokio::test]
async fn the_database_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.db");
    let database = Database::open(SqliteConfig::new(&path)).await.unwrap();
    database.keep_setting("secret", b"canary".to_vec()).await.unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", file.path());
    }
}
