//! What goes wrong with the database: nothing that was answered is lost, and nothing happens twice.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::DateTime;
use inresponse_core::OutageKind;
use inresponse_core::model::{
    Contact, IncidentNumber, Matrix, Person, Report, ServiceName, Severity, TeamName, Version,
};
use inresponse_core::plan::{self, Opening};
use inresponse_core::roster::{Edited, Effect, Entry, Roster, RosterEdit};
use inresponse_core::settings::{Settings, Swapped};
use inresponse_core::store::{Committed, Created, Record, Store};
use inresponse_postgres::{Database, PostgresConfig, PostgresStore, TimeLimits};
use inresponse_testkit::postgres::Postgres;
use support::{config, open};

fn opening(key: Option<&str>) -> Opening {
    let mut report = Report::builder("athens", Severity::Crit, "5xx");
    if let Some(key) = key {
        report = report.dedup_key(key);
    }
    let contacts = vec![vec![Contact::new("jo@example.org").unwrap()]];
    let matrix = Matrix::new(contacts, vec![], Duration::from_secs(600));
    let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    plan::open(report.build().unwrap(), TeamName::new("t").unwrap(), matrix, None, now).0
}

async fn new(store: &PostgresStore) -> Record {
    match store.create(opening(None)).await.unwrap() {
        Created::New(record) => record,
        Created::Repeat(record) => panic!("a repeat of {record:?}"),
    }
}

/// The same incident as a draft.
fn draft_of(number: IncidentNumber, key: Option<&str>) -> plan::Draft {
    opening(key).numbered(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_a_session_commits_durably_whatever_the_servers_default_is() {
    let mut server = Postgres::start_with(&["synchronous_commit=off", "wal_writer_delay=10s"]);
    server.sql("CREATE TABLE by_default (n INT)");
    let database = open(&server.url()).await;
    for _ in 0..3 {
        let record = new(&database.store()).await;
        server.sql("INSERT INTO by_default VALUES (1)");
        server.stop_immediately();
        server.start_again();
        let store = open(&server.url()).await.store();
        assert_eq!(store.load(record.number()).await.unwrap(), Some(record));
    }
    // The same crashes lose what a session with the default commits, so this test would notice.
    let kept: u32 = server.sql("SELECT count(*) FROM by_default").parse().unwrap();
    assert!(kept < 3, "the crashes lost nothing at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_a_session_counts_every_report_whatever_the_default_isolation_is() {
    let server = Postgres::start_with(&["default_transaction_isolation=serializable"]);
    let store = open(&server.url()).await.store();
    let report = |_| {
        let store = store.clone();
        tokio::spawn(async move { store.create(opening(Some("5xx"))).await.unwrap() })
    };
    let reported = futures_util::future::join_all((0..40).map(report)).await;
    let new = reported.iter().filter(|created| matches!(created, Ok(Created::New(_)))).count();
    assert_eq!(new, 1);
    assert_eq!(server.sql("SELECT count FROM incident"), "40");
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_killed_sessions_lose_nothing_and_repeat_nothing() {
    let server = Postgres::start();
    let database = open(&server.url()).await;
    let done = Arc::new(AtomicBool::new(false));
    let writers = (0..4).map(|writer| {
        let (store, done) = (database.store(), Arc::clone(&done));
        tokio::spawn(async move {
            let (mut unknown, mut committed, mut plain, mut plain_unknown) = (0, 0, 0, 0);
            for i in 0.. {
                if done.load(Ordering::Relaxed) {
                    return (i, unknown, committed, plain, plain_unknown);
                }
                // Without a key only the number and the id of the write recognise a repetition.
                match store.create(opening(None)).await {
                    Ok(created) => plain += u64::from(matches!(created, Created::New(_))),
                    Err(error) => plain_unknown += u64::from(error.kind() == OutageKind::Unknown),
                }
                let key = format!("{i} of {writer}");
                let number = match store.create(opening(Some(&key))).await {
                    Ok(Created::New(record)) => record.number(),
                    Ok(Created::Repeat(record)) => panic!("nobody else reports {key}: {record:?}"),
                    Err(_) => continue,
                };
                for before in 1..=3 {
                    match store.commit(Version::new(before), &draft_of(number, Some(&key))).await {
                        Ok(Committed::At(version)) => assert_eq!(version, Version::new(before + 1)),
                        // Nobody else commits: that would be an earlier try of this commit.
                        Ok(Committed::Stale) => panic!("a commit was taken for that of somebody else"),
                        Err(error) if error.kind() == OutageKind::Unknown => {
                            unknown += 1;
                            break;
                        }
                        // It did not happen, so the next one is a commit of the same version.
                        Err(_) => break,
                    }
                    committed += 1;
                }
                let record = store.load(number).await;
                assert!(!matches!(record, Ok(None)), "{number} was answered, and is lost");
            }
            unreachable!("the writer ends when it is told to")
        })
    });
    let writers: Vec<_> = writers.collect();
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'inresponse'";
        server.sql(sql);
    }
    done.store(true, Ordering::Relaxed);
    let (mut all, mut plain, mut plain_unknown) = ((0, 0, 0), 0, 0);
    for ended in futures_util::future::join_all(writers).await {
        let (created, unknown, committed, without_key, without_answer) = ended.unwrap();
        (plain, plain_unknown) = (plain + without_key, plain_unknown + without_answer);
        all = (all.0 + created, all.1 + unknown, all.2 + committed);
    }
    println!("{} creates, {} commits, {} unknown", all.0, all.2, all.1);
    assert!(all.0 > 40 && all.2 > 40, "too little happened: {all:?}");
    let twice = "SELECT count(*) FROM (SELECT 1 FROM incident GROUP BY coalesce(open_key, number::TEXT) HAVING count(*) > 1 OR max(count) > 1) AS t";
    assert_eq!(server.sql(twice), "0", "a report was stored or counted twice");
    let stored: u64 = server.sql("SELECT count(*) FROM incident WHERE open_key IS NULL").parse().unwrap();
    let answered = plain..=plain + plain_unknown;
    assert!(
        answered.contains(&stored),
        "{stored} incidents without a key, of which {answered:?} were answered"
    );
    let tally = "SELECT sum(open) - (SELECT count(*) FROM incident) FROM tally";
    assert_eq!(server.sql(tally), "0", "the census has lost count");
}

fn limits(lock: Duration) -> TimeLimits {
    let long = Duration::from_secs(100);
    TimeLimits { connect: long, wait: long, lock, statement: long, answer: long, write: long }
}

#[tokio::test(flavor = "multi_thread")]
async fn p13_a_lock_that_somebody_holds_is_waited_for_in_bounded_time() {
    let server = Postgres::start();
    let short =
        PostgresConfig::from_url(&server.url()).unwrap().time_limits(limits(Duration::from_millis(100)));
    let store = Database::open(short).await.unwrap().store();
    let record = new(&store).await;
    let (somebody, connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    somebody.batch_execute("BEGIN; UPDATE incident SET count = count").await.unwrap();
    let locked = store.commit(record.version, &draft_of(record.number(), None)).await.unwrap_err();
    assert_eq!(locked.kind(), OutageKind::Retryable);
    assert_eq!(locked.to_string(), "the database waited too long for a lock");
    somebody.batch_execute("ROLLBACK").await.unwrap();
    let committed = store.commit(record.version, &draft_of(record.number(), None)).await.unwrap();
    assert_eq!(committed, Committed::At(record.version.next()));
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_database_that_does_not_answer_leaves_a_commit_unknown_and_is_used_again() {
    let server = Postgres::start();
    let (long, short) = (Duration::from_secs(100), Duration::from_millis(200));
    let limits = TimeLimits { answer: short, write: short * 3, ..limits(long) };
    let patient = open(&server.url()).await;
    let record = new(&patient.store()).await;
    let config = PostgresConfig::from_url(&server.url()).unwrap().time_limits(limits);
    // Opening takes longer than that on a busy machine.
    let store = loop {
        if let Ok(database) = Database::open(config.clone()).await {
            break database.store();
        }
    };
    let (somebody, connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    somebody.batch_execute("BEGIN; UPDATE incident SET count = count").await.unwrap();
    let late = store.commit(record.version, &draft_of(record.number(), None)).await.unwrap_err();
    assert_eq!(late.kind(), OutageKind::Unknown, "{late}");
    somebody.batch_execute("ROLLBACK").await.unwrap();
    for _ in 0..1200 {
        match store.load(record.number()).await {
            Ok(found) => {
                assert!(found.is_some());
                return;
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    panic!("the database is not used again");
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_a_row_that_cannot_be_read_takes_no_place_in_a_page() {
    let server = Postgres::start();
    let store = open(&server.url()).await.store();
    for _ in 0..5 {
        new(&store).await;
    }
    server.sql("UPDATE incident SET body = 'no incident' WHERE number IN (10000, 10001, 10003)");
    let due = store.due(DateTime::from_timestamp(1_900_000_000, 0).unwrap(), None, 2).await.unwrap();
    assert_eq!(due.iter().map(|record| record.number().value()).collect::<Vec<_>>(), [10_002, 10_004]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_servers_that_start_together_make_the_tables_once() {
    let server = Postgres::start();
    let url = server.url();
    let open = |_| {
        tokio::spawn({
            let config = config(&url);
            async move { Database::open(config).await.unwrap() }
        })
    };
    let opened = futures_util::future::join_all((0..2).map(open)).await;
    let [one, other] = [&opened[0], &opened[1]].map(|database| database.as_ref().unwrap());
    assert_eq!(one.keep_setting("secret", b"a".to_vec()).await.unwrap(), b"a");
    assert_eq!(other.keep_setting("secret", b"b".to_vec()).await.unwrap(), b"a");
    assert_eq!(other.swap_setting("secret", Some(b"a"), b"c").await.unwrap(), Swapped::Done);
    assert_eq!(one.setting("secret").await.unwrap().as_deref(), Some(&b"c"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_a_server_that_is_older_than_its_database_by_now_goes_on_and_none_is_started() {
    let server = Postgres::start();
    let older = open(&server.url()).await;
    server.sql("UPDATE inresponse_schema SET version = 99");
    let refused = Database::open(config(&server.url())).await.unwrap_err();
    assert_eq!(refused.kind(), OutageKind::Permanent);
    assert!(refused.to_string().contains("newer version"), "{refused}");
    new(&older.store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_used_is_refused_with_the_reason() {
    let mut server = Postgres::start();
    server.sql("CREATE DATABASE ascii ENCODING SQL_ASCII TEMPLATE template0");
    let refusal = async |url: &str| Database::open(config(url)).await.unwrap_err();
    let ascii = refusal(&format!("postgres://inresponse@127.0.0.1:{}/ascii", server.port())).await;
    assert_eq!(ascii.to_string(), "the encoding of the database is SQL_ASCII; it must be UTF8");
    let missing = refusal(&format!("postgres://inresponse@127.0.0.1:{}/nowhere", server.port())).await;
    assert_eq!(
        (missing.kind(), missing.to_string().as_str()),
        (OutageKind::Permanent, "the database does not exist")
    );
    server.stop_immediately();
    let gone = refusal(&server.url()).await;
    assert_eq!(
        (gone.kind(), gone.to_string().as_str()),
        (OutageKind::Retryable, "the database cannot be reached")
    );
}

/// PostgreSQL answers a commit as usual if somebody cancels its wait for a standby, though a failover would lose it.
#[tokio::test(flavor = "multi_thread")]
async fn p01_a_commit_that_was_not_replicated_is_not_answered_as_one() {
    let server = Postgres::start();
    let store = open(&server.url()).await.store();
    let record = new(&store).await;
    server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    server.sql("SELECT pg_reload_conf()");
    while server.sql("SHOW synchronous_standby_names") != "nobody" {}
    let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let next_waiting = async |before: &str| {
        for _ in 0..6_000 {
            let now = server.sql(waiting);
            if !now.is_empty() && now != before {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody waits for the standby")
    };
    let commit = tokio::spawn({
        let (store, draft) = (store.clone(), draft_of(record.number(), None));
        async move { store.commit(record.version, &draft).await }
    });
    let first = next_waiting("").await;
    server.sql(&format!("SELECT pg_cancel_backend({first})"));
    // The commit is repeated, and waits again.
    next_waiting(&first).await;
    assert!(!commit.is_finished(), "a commit that no standby has was answered");
    server.sql("ALTER SYSTEM SET synchronous_standby_names = ''");
    server.sql("SELECT pg_reload_conf()");
    assert_eq!(commit.await.unwrap().unwrap(), Committed::At(record.version.next()));
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_an_entry_that_cannot_be_read_can_be_replaced_and_deleted() {
    let server = Postgres::start();
    let roster = open(&server.url()).await.roster();
    let service = |name: &str| ServiceName::new(name).unwrap();
    let entry = |name: &str| Entry::service(&service(name), &TeamName::new("t").unwrap());
    let (by, at) = (Person::new("jo").unwrap(), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    let names = ["a", "b", "c"];
    let puts = names.map(|name| RosterEdit::Put(entry(name)));
    let _ = roster.apply(&by, at, &puts).await.unwrap();
    server.sql("UPDATE roster_entry SET body = '{' WHERE name <> 'c'; UPDATE roster_version SET version = version + 1");
    roster.refresh().await.unwrap();
    let owners = async || {
        [roster.service(&service("a")).await, roster.service(&service("c")).await].map(Result::unwrap)
    };
    assert_eq!(owners().await, [None, TeamName::new("t").ok()]);
    let edits = [RosterEdit::Put(entry("a")), RosterEdit::Delete(entry("b").key())];
    let edited = roster.apply(&by, at, &edits).await.unwrap();
    assert_eq!(edited, Edited::Done(vec![Effect::Replaced, Effect::Deleted]));
    assert!(owners().await.iter().all(Option::is_some));
    assert_eq!(server.sql("SELECT string_agg(name, ',' ORDER BY name) FROM roster_entry"), "a,c");
}
