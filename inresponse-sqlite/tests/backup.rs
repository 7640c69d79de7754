//! Backups of a database that is being written to, and what they give back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{Contact, IncidentNumber, Matrix, Person, Report, Severity, TeamName};
use inresponse_core::plan::{self, Decision, Draft, Input, Opening, StateChange, Update};
use inresponse_core::store::{Committed, Created, ListQuery, Record, Store};
use inresponse_core::{Outage, OutageKind};
use inresponse_sqlite::backup::{self, Existing, NUMBERS_LEFT_OUT};
use inresponse_sqlite::{Database, SqliteConfig, SqliteStore};

const T0: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");

fn opening() -> Opening {
    let on_call = vec![vec![Contact::new("jo@example.org").unwrap()]];
    let matrix =
        Matrix::new(on_call, vec![Contact::new("ops@example.org").unwrap()], Duration::from_secs(600));
    let report = Report::builder("athens", Severity::Crit, "5xx").message("x".repeat(2000)).build().unwrap();
    plan::open(report, TeamName::new("devops").unwrap(), matrix, None, T0).0
}

async fn report(store: &SqliteStore) -> Record {
    match store.create(opening()).await.unwrap() {
        Created::New(record) => record,
        Created::Repeat(record) => panic!("no key, yet it is {record:?}"),
    }
}

async fn open(path: &Path) -> Database {
    Database::open(SqliteConfig::new(path)).await.unwrap()
}

async fn numbers(store: &SqliteStore) -> BTreeSet<IncidentNumber> {
    let everything = ListQuery { limit: 1_000_000, ..ListQuery::default() };
    store.list(&everything).await.unwrap().iter().map(Record::number).collect()
}

/// The threads of a database that was dropped end a moment later.
fn once_alone<T>(restore: impl Fn() -> Result<T, Outage>) -> T {
    for _ in 0..2400 {
        match restore() {
            Err(error) if error.to_string().contains("in use") => {
                std::thread::sleep(Duration::from_millis(50))
            }
            done => return done.unwrap(),
        }
    }
    panic!("still in use after two minutes")
}

fn resolved(record: &Record) -> Draft {
    let update = Update::state(Person::new("jo").unwrap(), StateChange::Resolve);
    match plan::step(&record.incident, Input::Update { update: &update, round: None }, T0) {
        Decision::Change(plan) => plan.draft,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_p02_a_restored_backup_holds_all_that_was_answered_before_it_and_gives_no_number_again() {
    let dir = tempfile::tempdir().unwrap();
    let (live, copy) = (dir.path().join("live.db"), dir.path().join("copy.db"));
    let database = open(&live).await;
    let store = database.store();
    let mut before = BTreeSet::new();
    for _ in 0..500 {
        before.insert(report(&store).await.number());
    }
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        async move {
            let mut given = BTreeSet::new();
            while !stop.load(Ordering::Relaxed) {
                given.insert(report(&store).await.number());
            }
            given
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (from, to) = (live.clone(), copy.clone());
    let (steps, whole) = tokio::task::spawn_blocking(move || {
        let (mut steps, mut whole) = (0, false);
        backup::backup(&from, &to, |progress| {
            steps += 1;
            whole = progress.done == progress.total;
        })
        .unwrap();
        (steps, whole)
    })
    .await
    .unwrap();
    assert!(steps > 0 && whole, "{steps} reports of progress");
    stop.store(true, Ordering::Relaxed);
    let given: BTreeSet<_> = load.await.unwrap();
    let last = *given.last().unwrap();

    let in_use = backup::restore(&copy, &live, Existing::PutAside, |_| {}).unwrap_err();
    assert!(in_use.to_string().contains("in use"), "{in_use}");
    assert_eq!(in_use.kind(), OutageKind::Permanent);
    drop((database, store));

    let refused = backup::restore(&copy, &live, Existing::Refuse, |_| {}).unwrap_err();
    assert!(refused.to_string().contains("already exists"), "{refused}");
    let restored = once_alone(|| backup::restore(&copy, &live, Existing::PutAside, |_| {}));
    assert!(restored.put_aside.as_ref().is_some_and(|aside| aside.exists()));
    let database = open(&live).await;
    let there = numbers(&database.store()).await;
    assert!(there.is_superset(&before), "what was answered before the backup");
    assert!(there.len() < before.len() + given.len(), "the backup was taken under load");
    assert_eq!(there.len() as u64, restored.incidents);
    assert!(report(&database.store()).await.number() > last);
}

#[tokio::test]
async fn p02_a_backup_restored_in_another_place_leaves_out_what_may_have_been_given() {
    let dir = tempfile::tempdir().unwrap();
    let [live, copy, other] = ["live.db", "copy.db", "other.db"].map(|name| dir.path().join(name));
    let database = open(&live).await;
    let number = report(&database.store()).await.number();
    backup::backup(&live, &copy, |_| {}).unwrap();
    let refused = backup::backup(&live, &copy, |_| {}).unwrap_err();
    assert!(refused.to_string().contains("already exists"), "{refused}");
    assert_eq!(backup::restore(&copy, &other, Existing::Refuse, |_| {}).unwrap().put_aside, None);
    let next = report(&open(&other).await.store()).await.number();
    assert_eq!(next.value(), number.value() + NUMBERS_LEFT_OUT + 1);
}

#[tokio::test]
async fn p02_a_backup_restored_over_a_younger_database_gives_no_number_of_its_own_again() {
    let dir = tempfile::tempdir().unwrap();
    let [live, copy] = ["live.db", "copy.db"].map(|name| dir.path().join(name));
    let database = open(&live).await;
    let _ = database.keep_setting("secret", b"one".to_vec()).await.unwrap();
    for _ in 0..20 {
        let _ = report(&database.store()).await;
    }
    backup::backup(&live, &copy, |_| {}).unwrap();
    let given = report(&database.store()).await.number();
    drop(database);
    // The disk is lost, and a server begins again before anybody restores.
    for file in ["live.db", "live.db-wal", "live.db-shm"] {
        let _ = std::fs::remove_file(dir.path().join(file));
    }
    let database = open(&live).await;
    let _ = database.keep_setting("secret", b"two".to_vec()).await.unwrap();
    let _ = report(&database.store()).await;
    drop(database);
    let restored = once_alone(|| backup::restore(&copy, &live, Existing::PutAside, |_| {}));
    assert!(restored.last_number >= given.value() + NUMBERS_LEFT_OUT - 1, "{restored:?}");
    assert!(report(&open(&live).await.store()).await.number() > given);
}

#[tokio::test(flavor = "multi_thread")]
async fn p02_no_server_uses_a_database_that_is_being_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let [live, copy] = ["live.db", "copy.db"].map(|name| dir.path().join(name));
    let database = open(&live).await;
    let number = report(&database.store()).await.number();
    backup::backup(&live, &copy, |_| {}).unwrap();
    drop(database);
    let (began, begins) = std::sync::mpsc::channel();
    let restore = std::thread::spawn({
        let (copy, live) = (copy.clone(), live.clone());
        move || once_alone(|| backup::restore(&copy, &live, Existing::PutAside, |_| _ = began.send(())))
    });
    begins.recv().unwrap();
    // One that opens it now waits, and is refused or finds what was restored.
    let opened = Database::open(SqliteConfig::new(&live)).await;
    let restored = restore.join().unwrap();
    assert!(restored.put_aside.as_ref().is_some_and(|aside| aside.exists()));
    let database = match opened {
        Ok(database) => database,
        Err(error) => {
            assert!(error.to_string().contains("busy") || error.to_string().contains("locked"), "{error}");
            open(&live).await
        }
    };
    assert!(report(&database.store()).await.number().value() > number.value() + NUMBERS_LEFT_OUT);
}

#[test]
fn what_is_no_backup_is_refused_and_nothing_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let [text, empty, to] = ["text", "empty", "to.db"].map(|name| dir.path().join(name));
    std::fs::write(&text, "not a database, but long enough to look like one".repeat(100)).unwrap();
    std::fs::write(&empty, "").unwrap();
    for from in [&text, &empty, &dir.path().join("absent")] {
        backup::restore(from, &to, Existing::Refuse, |_| {}).unwrap_err();
        assert!(!to.exists());
    }
}

#[tokio::test]
async fn what_is_not_of_this_program_is_neither_backed_up_nor_restored_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let [live, copy, to, again] =
        ["live.db", "copy.db", "to.db", "again.db"].map(|name| dir.path().join(name));
    let database = open(&live).await;
    let _ = report(&database.store()).await;
    let _ = database.keep_setting("secret", b"one".to_vec()).await.unwrap();
    for (statement, expected) in [
        (
            "CREATE TRIGGER planted AFTER INSERT ON incident BEGIN DELETE FROM incident; END",
            "this program did not make: the trigger `planted`",
        ),
        ("CREATE VIEW shown AS SELECT 1", "this program did not make: the view `shown`"),
        ("CREATE TABLE more (x)", "this program did not make: the table `more`"),
        ("CREATE INDEX slow ON incident (body)", "this program did not make: the index `slow`"),
        ("CREATE TABLE \"\x1b[31m\" (x)", "the table `\\u{1b}[31m`"),
        (
            "DROP TRIGGER incident_goes",
            "is missing something that this program makes: the trigger `incident_goes`",
        ),
        (
            "DROP TRIGGER incident_goes; \
             CREATE TRIGGER incident_goes AFTER DELETE ON incident BEGIN DELETE FROM setting; END",
            "not as this program made it: the trigger `incident_goes`",
        ),
        ("ALTER TABLE incident ADD COLUMN more TEXT", "not as this program made it: the table `incident`"),
        (
            "DROP TABLE roster_entry; \
             CREATE VIEW roster_entry AS SELECT '' AS team, 'service' AS kind, 'athens' AS name, '{}' AS body",
            "this program did not make: the view `roster_entry`",
        ),
        (
            "DROP VIEW service; CREATE VIEW service AS SELECT 'athens' AS name, 'evil' AS team",
            "not as this program made it: the view `service`",
        ),
    ] {
        let _ = std::fs::remove_file(&copy);
        backup::backup(&live, &copy, |_| {}).unwrap();
        rusqlite::Connection::open(&copy).unwrap().execute_batch(statement).unwrap();
        for refused in [
            backup::restore(&copy, &to, Existing::Refuse, |_| {}).map(|_| ()),
            backup::check(&copy).map(|_| ()),
            backup::backup(&copy, &again, |_| {}),
        ] {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(expected) && !refused.contains('\x1b'), "{refused}");
        }
        assert!(!to.exists() && !again.exists() && !dir.path().join("again.db.partial").exists());
    }
    // What only looks different is the same.
    let _ = std::fs::remove_file(&copy);
    backup::backup(&live, &copy, |_| {}).unwrap();
    let edited = "PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'body ', '/* all of it */   body ') WHERE name = 'incident'";
    rusqlite::Connection::open(&copy).unwrap().execute_batch(edited).unwrap();
    assert_eq!(backup::check(&copy).unwrap(), backup::Checked::Current);
    backup::backup(&copy, &again, |_| {}).unwrap();
    let restored = backup::restore(&copy, &to, Existing::Refuse, |_| {}).unwrap();
    assert_eq!(restored.settings, ["secret"]);
}

#[tokio::test]
async fn a_backup_of_an_older_version_is_restored_if_nothing_else_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let [old, to] = ["old.db", "to.db"].map(|name| dir.path().join(name));
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/before-formats.sqlite"), &old).unwrap();
    assert_eq!(backup::check(&old).unwrap(), backup::Checked::Older);
    backup::restore(&old, &to, Existing::Refuse, |_| {}).unwrap();
    assert_eq!(backup::check(&to).unwrap(), backup::Checked::Current);
    rusqlite::Connection::open(&old).unwrap().execute_batch("CREATE VIEW shown AS SELECT 1").unwrap();
    let refused = backup::check(&old).unwrap_err().to_string();
    assert!(refused.contains("the view `shown`"), "{refused}");
}

#[tokio::test]
async fn what_has_expired_is_let_go_and_its_number_is_not_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(&dir.path().join("live.db")).await;
    let store = database.store();
    let (kept, old) = (report(&store).await, report(&store).await);
    let draft = resolved(&old).kept_for(Duration::from_secs(60));
    assert!(matches!(store.commit(old.version, &draft).await.unwrap(), Committed::At(_)));
    for (seconds, forgotten) in [(59, 0), (61, 1), (61, 0)] {
        let now = T0 + TimeDelta::seconds(seconds);
        assert_eq!(database.forget_expired(now).await.unwrap(), forgotten);
    }
    assert_eq!(numbers(&store).await, BTreeSet::from([kept.number()]));
    assert!(report(&store).await.number() > old.number());
}
