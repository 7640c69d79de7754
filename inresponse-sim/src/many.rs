//! Runs many seeds on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::check::{self, Violation};
use crate::play::{MakeStore, Run, Trace, play};
use crate::shrink;
use crate::stats::Stats;

/// A run that broke a promise.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The run that failed.
    pub run: Run,
    /// The promise that was broken, and how.
    pub violation: Violation,
}

/// A range of seeds.
#[derive(Debug, Clone, Copy)]
pub struct Seeds {
    /// The first seed.
    pub from: u64,
    /// The number of seeds.
    pub count: u64,
}

/// Plays all seeds on `cores` threads, until one fails. `progress` is called with the number of finished seeds.
pub fn many(
    seeds: Seeds,
    cores: usize,
    make_store: MakeStore<'_>,
    progress: &(dyn Fn(u64) + Sync),
) -> (Stats, Option<Failure>) {
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let found = Mutex::new((Stats::default(), None::<Failure>));
    std::thread::scope(|scope| {
        for _ in 0..cores.max(1) {
            scope.spawn(|| {
                let mut stats = Stats::default();
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= seeds.count {
                        break;
                    }
                    let run = Run::whole(seeds.from + i);
                    if let Some(violation) = one(run, make_store, &mut stats) {
                        // No further runs begin. The lowest failed seed is kept.
                        next.fetch_add(seeds.count, Ordering::Relaxed);
                        let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        if found.1.as_ref().is_none_or(|f| f.run.seed > run.seed) {
                            found.1 = Some(Failure { run, violation });
                        }
                    }
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                }
                found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0.merge(&stats);
            });
        }
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn one(run: Run, make_store: MakeStore<'_>, stats: &mut Stats) -> Option<Violation> {
    let played =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(run, make_store, Trace::Spare)));
    match played {
        Ok(played) => {
            let checked = check::checked(&played);
            stats.add(&played, &checked);
            checked.violations.into_iter().next()
        }
        Err(_) => shrink::fails(run, make_store),
    }
}
