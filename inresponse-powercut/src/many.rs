//! Plays many seeds on several threads.

use std::sync::{Mutex, PoisonError};

use crate::play::{Plant, Tally, play};

/// A seed whose play failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What was broken.
    pub what: String,
}

/// Plays seeds from `from` on until there were `cuts` power cuts, or one fails. `progress` is called after each seed.
///
/// # Errors
/// The first failure.
pub fn many(
    from: u64,
    cuts: u64,
    threads: usize,
    plant: Plant,
    progress: &(dyn Fn(&Tally) + Sync),
) -> Result<Tally, Failure> {
    let shared = Mutex::new((from, Tally::default(), None::<Failure>));
    let shared = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        loop {
            let seed = {
                let (next, tally, failure) = &mut *shared();
                if failure.is_some() || tally.cuts >= cuts {
                    return;
                }
                *next += 1;
                *next - 1
            };
            let played = play(seed, plant);
            let (_, tally, failure) = &mut *shared();
            match played {
                Ok(one) => tally.merge(&one),
                Err(what) => *failure = Some(Failure { seed, what }),
            }
            progress(tally);
        }
    };
    std::thread::scope(|scope| (0..threads.max(1)).for_each(|_| _ = scope.spawn(work)));
    let (_, tally, failure) = std::mem::take(&mut *shared());
    failure.map_or(Ok(tally), Err)
}
