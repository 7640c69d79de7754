//! A short run of `cargo xtask powercuts`, and the defects that it must find.

#![allow(clippy::unwrap_used, reason = "tests may panic, helpers too")]

use inresponse_powercut::many::many;
use inresponse_powercut::play::{Plant, play};

#[test]
fn p01_p02_a_power_cut_loses_nothing_that_was_answered() {
    let tally = many(1, 300, 2, Plant::None, &|_| {}).unwrap();
    assert!(tally.cuts >= 300 && tally.numbers > 1000, "{tally}");
    assert_eq!(tally.missing(), Vec::<String>::new(), "{tally}");
}

/// What breaks within so many cuts.
fn found(plant: Plant) -> String {
    many(1, 400, 1, plant, &|_| {}).unwrap_err().what
}

#[test]
fn a_database_that_never_syncs_is_found() {
    let what = found(Plant::Synchronous("OFF"));
    assert!(
        what.contains("are missing") || what.contains("is damaged") || what.contains("cannot be"),
        "{what}"
    );
}

#[test]
fn a_database_that_does_not_sync_each_commit_is_found() {
    let what = found(Plant::Synchronous("NORMAL"));
    assert!(what.contains("incidents that are missing"), "{what}");
}

#[test]
fn a_directory_that_is_not_synced_is_found() {
    let what = found(Plant::DirectoryNeverSynced);
    // A log that is gone takes with it what only it held, be that numbers or half of what was copied into the database.
    assert!(what.contains("incidents that are missing") || what.contains("cannot be"), "{what}");
}

#[test]
fn the_same_seed_does_the_same() {
    for seed in [1, 2] {
        assert_eq!(play(seed, Plant::None), play(seed, Plant::None));
    }
}
