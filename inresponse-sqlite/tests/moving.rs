//! Transfers between files of SQLite: what is refused, and what is locked.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::path::Path;

use inresponse_core::Outage;
use inresponse_core::model::IncidentNumber;
use inresponse_core::transfer::{Item, Part, Source, Target, Transferred, UNFINISHED, transfer};
use inresponse_sqlite::{Database, Moving, SqliteConfig};

async fn source(path: &Path) -> Moving {
    Moving::source(SqliteConfig::new(path)).await.unwrap()
}

async fn target(path: &Path) -> Moving {
    Moving::target(SqliteConfig::new(path)).await.unwrap()
}

async fn moved(from: &Moving, to: &Moving, named: &str) -> Result<Transferred, Outage> {
    transfer(from, to, named, &mut |_| {}).await
}

/// A database with a setting.
async fn filled(path: &Path) {
    target(path).await.add(&[setting("secret", b"canary")]).await.unwrap();
}

fn setting(name: &str, value: &[u8]) -> Item {
    Item::Setting { name: name.to_owned(), value: value.to_vec() }
}

#[tokio::test]
async fn p02_numbering_goes_on_above_the_source_and_never_below_the_target() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (target(&dir.path().join("a.db")).await, target(&dir.path().join("b.db")).await);
    from.number_above(IncidentNumber::new(20_000)).await.unwrap();
    assert_eq!(moved(&from, &to, "a").await.unwrap().last_number, IncidentNumber::new(20_000));
    let ahead = target(&dir.path().join("c.db")).await;
    ahead.number_above(IncidentNumber::new(30_000)).await.unwrap();
    assert_eq!(moved(&from, &ahead, "a").await.unwrap().last_number, IncidentNumber::new(30_000));
}

#[tokio::test]
async fn a_transfer_is_continued_with_the_same_source_only() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a.db", "b.db"].map(|name| dir.path().join(name));
    filled(&a).await;
    let (from, to) = (source(&a).await, target(&b).await);
    to.add(&[setting(UNFINISHED, b"a")]).await.unwrap();
    let other = moved(&from, &to, "x").await.unwrap_err();
    assert_eq!(other.to_string(), "the target contains a part of another database: a; use an empty target");
    let backwards = moved(&to, &from, "b").await.unwrap_err();
    assert!(backwards.to_string().contains("the source is itself the target"), "{backwards}");
    let done = moved(&from, &to, "a").await.unwrap();
    assert_eq!(done.sums.last().map(|sum| (sum.part, sum.count)), Some((Part::Settings, 1)));
    let settings = to.page(Part::Settings, None, 10).await.unwrap();
    assert_eq!(settings, [setting("secret", b"canary")], "the mark is gone");
    let again = moved(&from, &to, "a").await.unwrap_err();
    assert!(again.to_string().contains("other data: the setting `secret`"), "{again}");
    assert!(!again.to_string().contains("canary"), "{again}");
}

#[tokio::test]
async fn a_difference_is_found_and_the_target_stays_marked() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a.db", "b.db"].map(|name| dir.path().join(name));
    filled(&a).await;
    let (from, to) = (source(&a).await, target(&b).await);
    for wrong in [setting("secret", b"older"), setting("more", b"x")] {
        to.add(&[setting(UNFINISHED, b"a"), wrong]).await.unwrap();
        let differs = moved(&from, &to, "a").await.unwrap_err();
        assert!(differs.to_string().starts_with("the databases differ: the setting `"), "{differs}");
        let settings = to.page(Part::Settings, None, 10).await.unwrap();
        assert!(settings.contains(&setting(UNFINISHED, b"a")), "{settings:?}");
        for name in ["secret", "more"] {
            to.remove_setting(name).await.unwrap();
        }
    }
}

#[tokio::test]
async fn p01_nobody_else_opens_a_database_that_is_moved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let database = Database::open(SqliteConfig::new(&path)).await.unwrap();
    let in_use = Moving::source(SqliteConfig::new(&path)).await.unwrap_err();
    assert!(in_use.to_string().contains("is in use: stop the servers first"), "{in_use}");
    drop(database);
    let missing = Moving::source(SqliteConfig::new(dir.path().join("x.db"))).await.unwrap_err();
    assert!(missing.to_string().contains("there is no database"), "{missing}");
    // The threads of the database end after its last handle.
    let moving = loop {
        match Moving::source(SqliteConfig::new(&path)).await {
            Ok(moving) => break moving,
            Err(error) => assert!(error.to_string().contains("in use"), "{error}"),
        }
    };
    let locked = Database::open(SqliteConfig::new(&path)).await.unwrap_err();
    assert_eq!(locked.to_string(), "the database is locked by another process");
    drop(moving);
    Database::open(SqliteConfig::new(&path)).await.unwrap();
}
