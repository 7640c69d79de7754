//! A database that was made before bodies had a format and counts were kept, and an older server beside this one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::Engine;
use inresponse_core::engine::{Reported, Updated};
use inresponse_core::model::{
    Contact, DedupKey, IncidentNumber, Person, Report, ServiceName, Severity, State, TeamName,
};
use inresponse_core::notify::Notifiers;
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::{Roster, Rota, Team};
use inresponse_core::store::{Census, ListQuery, Record, Store};
use inresponse_core::testing::{ManualClock, RecordingNotifier, RosterTestExt};
use inresponse_sqlite::{Database, SqliteConfig};
use rusqlite::Connection;

/// When the last of it was written: 2025-11-29T08:00:04Z.
const THEN: DateTime<Utc> = DateTime::from_timestamp(1_764_403_204, 123_456_000).expect("a valid time");

/// A copy of the database, since it is changed by being opened.
fn old_database(dir: &Path) -> PathBuf {
    let to = dir.join("old.db");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/before-formats.sqlite"), &to).unwrap();
    to
}

async fn open(path: &Path) -> Database {
    Database::open(SqliteConfig::new(path)).await.unwrap()
}

async fn list(store: &impl Store, query: ListQuery) -> Vec<u64> {
    let found = store.list(&ListQuery { limit: 100, ..query }).await.unwrap();
    found.iter().map(|record| record.number().value()).collect()
}

async fn record(store: &impl Store, number: u64) -> Record {
    store.load(IncidentNumber::new(number)).await.unwrap().unwrap()
}

#[tokio::test]
async fn p09_a_database_of_before_is_opened_shown_counted_and_alerted() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(&old_database(dir.path())).await;
    let (store, roster) = (database.store(), database.roster());

    let everything = list(&store, ListQuery::default()).await;
    assert_eq!(everything, (10_000..=10_008).rev().collect::<Vec<_>>());
    let in_state = async |state| list(&store, ListQuery { state: Some(state), ..ListQuery::default() }).await;
    assert_eq!(in_state(State::Claimed).await, [10_001]);
    assert_eq!(in_state(State::Resolved).await, [10_002]);
    let handed_over = ListQuery {
        team: Some(TeamName::new("web").unwrap()),
        service: Some(ServiceName::new("postgres").unwrap()),
        severity: Some(Severity::Err),
        ..ListQuery::default()
    };
    assert_eq!(list(&store, handed_over).await, [10_003]);

    let census = store.census(THEN).await.unwrap();
    let undelivered = everything.len() as u64 - 8;
    let expected = Census {
        open: 7,
        claimed: 1,
        resolved: Some(1),
        unclaimed: undelivered,
        undelivered,
        ..census.clone()
    };
    assert_eq!(census, expected);

    let first = record(&store, 10_000).await;
    assert_eq!((first.count, first.incident.severity()), (3, Severity::Crit));
    assert_eq!(first.incident.message(), "12 % of requests fail\nsee “graph”");
    assert!(!first.incident.is_left_to_newer());
    let held = store.find_open(&ServiceName::new("shop").unwrap(), &DedupKey::new("checkout").unwrap()).await;
    assert_eq!(held.unwrap().unwrap().number().value(), 10_006);
    assert_eq!(roster.service(&ServiceName::new("cart").unwrap()).await.unwrap().unwrap().as_str(), "web");
    assert!(roster.changes(None, 100).await.unwrap().len() >= 5);

    // Nothing is known of what lies ahead there, so all of it is looked at once.
    let due: Vec<_> = store.due(DateTime::<Utc>::MAX_UTC, None, 100).await.unwrap();
    assert_eq!(store.ahead(THEN + TimeDelta::days(1), None, 100).await.unwrap(), due);

    let (clock, carrier) = (ManualClock::at(THEN), RecordingNotifier::new());
    let notifiers = Notifiers::new().mail(carrier.clone());
    let engine = Engine::builder(store.clone(), roster, notifiers, clock.clone()).build();
    clock.advance(Duration::from_secs(600));
    engine.tick().await.unwrap();
    let alerted: BTreeMap<u64, usize> = carrier.attempts().iter().fold(BTreeMap::new(), |mut told, sent| {
        *told.entry(sent.incident.value()).or_default() += 1;
        told
    });
    for number in due.iter().map(|record| record.number().value()) {
        assert!(alerted.contains_key(&number), "{number} of {alerted:?}");
    }
    assert_eq!(store.ahead(THEN + TimeDelta::days(1), None, 100).await.unwrap(), [], "it is known now");
    let jo = Person::new("jo").unwrap();
    let claim = Update::state(jo, StateChange::Claim(TakeOver::No));
    let claimed = engine.update(IncidentNumber::new(10_006), &claim).await.unwrap();
    assert!(matches!(claimed, Updated::Changed(_)), "{claimed:?}");
    let report = Report::builder("cart", Severity::Crit, "new").build().unwrap();
    let Reported::New(new) = engine.report(report).await.unwrap() else { panic!("it has no key") };
    assert_eq!(new.number().value(), 10_009);
    let census = store.census(THEN).await.unwrap();
    assert_eq!((census.open, census.claimed, census.resolved), (7, 2, Some(1)));
}

/// What an older server writes; times are of no importance here.
const OLDER_INSERT: &str = "
    INSERT INTO incident (number, version, count, last_reported_at, service, severity, state, due_at, open_key,
        waiting_since, unclaimed, undelivered, body, team)
    SELECT 10009, version, count, last_reported_at, service, severity, state, due_at, NULL,
        waiting_since, unclaimed, undelivered, CAST(replace(CAST(body AS TEXT), '10007', '10009') AS BLOB), team
    FROM incident WHERE number = 10007";
const OLDER_COMMIT: &str = "
    UPDATE incident SET version = ?3, severity = ?4, state = ?5, due_at = ?6, open_key = ?7, waiting_since = ?8,
        unclaimed = ?9, undelivered = ?10, body = ?11, team = ?12, expires_at = ?13
    WHERE number = ?1 AND version = ?2";

#[tokio::test]
async fn p12_what_an_older_server_writes_beside_is_listed_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = old_database(dir.path());
    let store = open(&path).await.store();
    let older = Connection::open(&path).unwrap();
    assert_eq!(older.execute(OLDER_INSERT, []).unwrap(), 1);
    let census = store.census(THEN).await.unwrap();
    assert_eq!((census.open, census.claimed), (8, 1));
    let body = serde_json::to_vec(&record(&store, 10_009).await.incident).unwrap();
    let version = record(&store, 10_009).await.version.value();
    let nothing = None::<i64>;
    let values = rusqlite::params![
        10_009,
        version,
        version + 1,
        "WARN",
        "RESOLVED",
        nothing,
        nothing,
        nothing,
        false,
        false,
        body,
        "db",
        5
    ];
    assert_eq!(older.execute(OLDER_COMMIT, values).unwrap(), 1);
    let census = store.census(THEN).await.unwrap();
    assert_eq!((census.open, census.claimed, census.resolved), (7, 1, Some(2)));
    let of_db = ListQuery {
        state: Some(State::Resolved),
        severity: Some(Severity::Warn),
        team: Some(TeamName::new("db").unwrap()),
        ..ListQuery::default()
    };
    assert_eq!(list(&store, of_db).await, [10_009]);
    // And what it lets go.
    older.execute("DELETE FROM incident WHERE expires_at <= 5", []).unwrap();
    assert_eq!(store.census(THEN).await.unwrap().resolved, Some(1));
}

#[tokio::test]
async fn p14_of_what_is_due_only_what_lies_ahead_of_the_clock_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(&dir.path().join("new.db")).await;
    let clock = ManualClock::at(THEN);
    let defaults = inresponse_core::roster::Defaults::none();
    let engine = Engine::builder(database.store(), database.roster(), Notifiers::new(), clock.clone())
        .defaults(defaults)
        .build();
    let team = TeamName::new("t").unwrap();
    let contacts = vec![inresponse_core::model::Contact::new("a@example.org").unwrap()];
    let settings = inresponse_core::roster::Team::builder(contacts).build().unwrap();
    database.roster().put_team(&team, &settings).await.unwrap();
    database.roster().put_service(&ServiceName::new("s").unwrap(), &team).await.unwrap();
    let report = async || {
        let report = Report::builder("s", Severity::Crit, "x").build().unwrap();
        assert!(matches!(engine.report(report).await.unwrap(), Reported::New(_)));
    };
    for _ in 0..20 {
        report().await;
    }
    clock.advance(Duration::from_secs(3600));
    report().await;
    let ahead = database.store().ahead(THEN + TimeDelta::seconds(1), None, 100).await.unwrap();
    assert_eq!(ahead.iter().map(|record| record.number().value()).collect::<Vec<_>>(), [10_020]);
    assert_eq!(database.store().due(DateTime::<Utc>::MAX_UTC, None, 100).await.unwrap().len(), 21);
}

/// What an older server reads of the roster, all of it whenever its version moves.
const OLDER_ROSTER: [&str; 3] = [
    "SELECT name || ' ' || team FROM service WHERE name = 'mail'",
    "SELECT name || ' ' || json_extract(settings, '$.repeat') FROM team WHERE name = 'post'",
    "SELECT team || ' ' || day || ' ' || json_extract(rota, '$.oncall[0]') FROM calendar WHERE team = 'post'",
];

#[tokio::test]
async fn p12_an_older_server_beside_reads_the_roster_as_it_is_and_cannot_change_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = old_database(dir.path());
    let roster = open(&path).await.roster();
    let older = Connection::open(&path).unwrap();
    let (post, jo) = (TeamName::new("post").unwrap(), || vec![Contact::new("jo@example.org").unwrap()]);
    roster.put_team(&post, &Team::builder(jo()).repeat(3).build().unwrap()).await.unwrap();
    roster.put_service(&ServiceName::new("mail").unwrap(), &post).await.unwrap();
    let rota = Rota::new(jo(), Vec::new()).unwrap();
    roster.put_day(&post, "2026-12-24".parse().unwrap(), &rota).await.unwrap();
    let read = |sql: &str| older.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let expected = ["mail post", "post 3", "post 2026-12-24 mailto:jo@example.org"];
    assert_eq!(OLDER_ROSTER.map(read), expected);
    let put = "INSERT INTO service (name, team) VALUES ('mail', 'web')
               ON CONFLICT (name) DO UPDATE SET team = excluded.team";
    assert!(older.execute(put, []).is_err());
    assert_eq!(OLDER_ROSTER.map(read), expected);
}
