//! Makes a failing run smaller, as long as it breaks the same promise.

use crate::check::{self, Violation};
use crate::fault::{Fault, FaultSet};
use crate::play::{MakeStore, Run, Trace, play};

/// Plays a run, and returns the first promise that it broke.
///
/// A panic of the engine itself breaks promise 13.
pub fn fails(run: Run, make_store: MakeStore<'_>) -> Option<Violation> {
    let played =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(run, make_store, Trace::Spare)));
    match played {
        Ok(played) => check::violations(&played).into_iter().next(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Some(Violation { promise: 13, text: format!("a panic: {}", text.unwrap_or_default()) })
        }
    }
}

/// Finds a smaller run that breaks the same promise: fewer kinds of faults, fewer faults, fewer acts of people.
pub fn shrink(run: Run, promise: u8, make_store: MakeStore<'_>) -> Run {
    let same = |run: Run| fails(run, make_store).is_some_and(|violation| violation.promise == promise);
    let mut least = run;
    let none = Run { faults: FaultSet::NONE, ..least };
    if same(none) {
        least = none;
    }
    for fault in Fault::ALL {
        let smaller = Run { faults: least.faults.without(*fault), ..least };
        if smaller != least && same(smaller) {
            least = smaller;
        }
    }
    // Fewest faults: each bound is tried from below, since a run with fewer faults is another run altogether.
    let bounds = (0..8).chain([12, 16, 24, 32, 48, 64, 96, 128]);
    if let Some(limit) = bounds.into_iter().find(|limit| same(Run { limit: *limit, ..least })) {
        least.limit = limit;
    }
    for fewer_acts in (1..=12).rev() {
        let smaller = Run { fewer_acts, ..least };
        if same(smaller) {
            least = smaller;
            break;
        }
    }
    least
}

/// The command that plays a run again.
pub fn replay_line(run: Run, store: &str) -> String {
    let mut line = format!("cargo xtask sim --replay {} --store {store}", run.seed);
    if run.faults != FaultSet::ALL {
        line += &format!(" --faults {}", run.faults.words());
    }
    if run.limit != u64::MAX {
        line += &format!(" --limit {}", run.limit);
    }
    if run.fewer_acts > 0 {
        line += &format!(" --fewer-acts {}", run.fewer_acts);
    }
    line
}
