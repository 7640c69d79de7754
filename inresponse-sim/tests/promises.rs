//! A short run of everything; `cargo xtask sim`, `model` and `mutants` are the long ones.

use inresponse_sim::beats;
use inresponse_sim::fault::FaultSet;
use inresponse_sim::many::{self, Seeds};
use inresponse_sim::model::{self, Budget, Search};
use inresponse_sim::play::{Run, Trace, in_memory, play};
use inresponse_sim::store_kind::StoreKind;
use inresponse_sim::{check, shrink};

fn kept_on(store: StoreKind, seeds: Seeds) {
    let (stats, failure) = many::many(seeds, 2, &|world| store.make(world), &|_| {});
    let broken = failure.map(|f| format!("{}: {}", f.violation, shrink::replay_line(f.run, store.word())));
    assert_eq!(broken, None);
    assert_eq!(stats.runs, seeds.count);
}

#[test]
fn every_promise_is_kept_on_the_store_in_memory() {
    kept_on(StoreKind::Memory, Seeds { from: 1, count: 300 });
}

#[test]
fn every_promise_is_kept_on_sqlite() {
    kept_on(StoreKind::Sqlite, Seeds { from: 1, count: 100 });
}

#[test]
fn p24_heartbeats_are_never_accused_early_and_no_miss_is_lost() {
    for seed in 1..=200 {
        let history = beats::play(seed);
        assert_eq!(check::heartbeats::violations(&history), [], "seed {seed}");
    }
}

#[test]
fn every_promise_is_kept_in_every_state_of_a_small_model() {
    let checked = model::check(Budget::SMALL, Search::Breadth, 2, Some(60_000));
    assert_eq!(checked.broken, []);
    assert!(checked.unique > 10_000, "{checked:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 7, 104, 1012] {
        let (one, other) = (Run::whole(seed), Run::whole(seed));
        let one = play(one, &in_memory, Trace::Keep);
        let other = play(other, &in_memory, Trace::Keep);
        assert!(one.trace.len() > 20);
        assert_eq!(one.trace, other.trace);
        assert_eq!(one.faults, other.faults);
    }
}

#[test]
fn a_run_without_faults_has_none() {
    let run = Run { faults: FaultSet::NONE, ..Run::whole(7) };
    let played = play(run, &in_memory, Trace::Spare);
    assert_eq!(played.faults.iter().sum::<u64>(), 0);
    assert_eq!(check::violations(&played), []);
}

#[test]
fn sets_of_faults_are_read_as_they_are_written() {
    let all = FaultSet::parse("all").unwrap();
    let some = FaultSet::parse("kill,clock-skew").unwrap();
    assert_eq!(FaultSet::parse(&some.words()).unwrap(), some);
    assert_eq!((all.words().as_str(), FaultSet::NONE.words().as_str()), ("all", "none"));
    assert!(FaultSet::parse("rain").is_err());
}
