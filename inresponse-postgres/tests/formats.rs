//! A database that the first version of the schema made, as `pg_dump` writes it: it is opened, shown, counted and
//! alerted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::Engine;
use inresponse_core::engine::{Reported, Updated};
use inresponse_core::model::{
    DedupKey, IncidentNumber, Person, PersonId, Report, ScheduleName, ServiceName, Severity, State, TeamName,
};
use inresponse_core::notify::Notifiers;
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::{EntryKey, Roster};
use inresponse_core::settings::Settings;
use inresponse_core::store::{ListQuery, Record, Store};
use inresponse_core::testing::{ManualClock, RecordingNotifier};
use inresponse_postgres::{Database, PostgresStore, Schema};
use inresponse_testkit::postgres::Postgres;
use support::{config, open};

/// A server with the kept database.
fn kept() -> Postgres {
    let server = Postgres::start();
    server.restore(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/schema-1.sql")));
    server
}

async fn numbers(store: &PostgresStore, query: ListQuery) -> Vec<u64> {
    let found = store.list(&ListQuery { limit: 100, ..query }).await.unwrap();
    found.iter().map(|record| record.number().value()).collect()
}

async fn record(store: &PostgresStore, number: u64) -> Record {
    store.load(IncidentNumber::new(number)).await.unwrap().unwrap()
}

/// A minute after the last change of the kept database.
fn then(everything: &[Record]) -> DateTime<Utc> {
    everything.iter().map(|record| record.incident.updated_at()).max().unwrap() + TimeDelta::minutes(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_a_kept_database_is_opened_shown_counted_and_alerted() {
    let server = kept();
    assert_eq!(Database::check(&config(&server.url())).await.unwrap(), Schema::Older);
    let database = open(&server.url()).await;
    assert_eq!(Database::check(&config(&server.url())).await.unwrap(), Schema::Current);
    let (store, roster) = (database.store(), database.roster());
    let everything = store.list(&ListQuery { limit: 100, ..ListQuery::default() }).await.unwrap();
    let of = |title: &str| everything.iter().find(|record| record.incident.title() == title).unwrap();
    assert_eq!(everything.len(), 9);
    let states = [
        ("open, at its first level", State::Open),
        ("claimed", State::Claimed),
        ("resolved", State::Resolved),
        ("every level had its turn, nobody claimed", State::Open),
        ("handed over", State::Claimed),
        ("reported three times", State::Open),
        ("released", State::Open),
        ("of another team by now", State::Open),
        ("resolved, with a key", State::Resolved),
    ];
    for (title, state) in states {
        assert_eq!(of(title).incident.state(), state, "{title}");
        assert_eq!(record(&store, of(title).number().value()).await, *of(title));
    }
    assert_eq!(of("reported three times").count, 3);
    assert_eq!(of("claimed").incident.message(), "12 % of requests fail\nsee “graph”");
    let moved = ListQuery {
        team: Some(TeamName::new("db").unwrap()),
        service: Some(ServiceName::new("cart").unwrap()),
        severity: Some(Severity::Err),
        ..ListQuery::default()
    };
    assert_eq!(numbers(&store, moved).await, [of("of another team by now").number().value()]);
    let now = then(&everything);
    let census = store.census(now).await.unwrap();
    assert_eq!((census.open, census.claimed, census.resolved), (5, 2, Some(2)));
    // Those of the team with short waits.
    assert_eq!((census.unclaimed, census.undelivered), (2, 0));
    let shop = ServiceName::new("shop").unwrap();
    let held = async |key: &str| store.find_open(&shop, &DedupKey::new(key).unwrap()).await.unwrap();
    assert_eq!(held("checkout").await.as_ref(), Some(of("reported three times")));
    assert_eq!(held("gone").await, None);

    let web = TeamName::new("web").unwrap();
    assert_eq!(roster.service(&shop).await.unwrap(), Some(web.clone()));
    let schedule = EntryKey::Schedule(web, ScheduleName::new("primary").unwrap());
    let ann = EntryKey::Person(PersonId::new("ann").unwrap());
    for key in [schedule, ann] {
        assert!(roster.entry(&key).await.unwrap().is_some(), "{key}");
    }
    assert!(roster.changes(None, 100).await.unwrap().len() >= 15);
    assert!(database.setting("token-secret").await.unwrap().is_some());

    let (clock, carrier) = (ManualClock::at(now), RecordingNotifier::new());
    let notifiers = Notifiers::new().mail(carrier.clone());
    let engine = Engine::builder(store.clone(), roster, notifiers, clock.clone()).build();
    clock.advance(Duration::from_secs(1200));
    let due = store.due(now + TimeDelta::seconds(1200), None, 100).await.unwrap();
    engine.tick().await.unwrap();
    let alerted: BTreeSet<u64> = carrier.attempts().iter().map(|sent| sent.incident.value()).collect();
    assert!(
        !due.is_empty() && due.iter().all(|record| alerted.contains(&record.number().value())),
        "{alerted:?}"
    );
    let claim = Update::state(Person::new("jo").unwrap(), StateChange::Claim(TakeOver::No));
    let claimed = engine.update(of("released").number(), &claim).await.unwrap();
    assert!(matches!(claimed, Updated::Changed(_)), "{claimed:?}");
    let report = Report::builder("cart", Severity::Crit, "new").build().unwrap();
    let Reported::New(new) = engine.report(report).await.unwrap() else { panic!("it has no key") };
    assert!(everything.iter().all(|record| record.number() < new.number()), "{} is used", new.number());
}

/// The statement that docs/databases.md demands after a restore.
const LEAVE_OUT: &str = "SELECT setval('incident_number', last_value + 1000000) FROM incident_number";

#[tokio::test(flavor = "multi_thread")]
async fn p02_numbers_that_were_given_after_a_backup_are_left_out_as_the_docs_say() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/databases.md")).unwrap();
    assert!(docs.contains(LEAVE_OUT), "the docs say something else");
    let server = kept();
    let last: u64 = server.sql("SELECT last_value FROM incident_number").parse().unwrap();
    server.sql(LEAVE_OUT);
    let database = open(&server.url()).await;
    let defaults = inresponse_core::roster::Defaults::none();
    let engine = Engine::builder(
        database.store(),
        database.roster(),
        Notifiers::new(),
        ManualClock::at(DateTime::from_timestamp(1_796_000_000, 0).unwrap()),
    )
    .defaults(defaults)
    .build();
    let report = Report::builder("cart", Severity::Crit, "new").build().unwrap();
    let Reported::New(new) = engine.report(report).await.unwrap() else { panic!("it has no key") };
    assert_eq!(new.number().value(), last + 1_000_001);
}
