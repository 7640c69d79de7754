//! Planted bugs: the checks must find each of them, otherwise a check without findings proves nothing.

mod core;
mod page;
mod store;

use crate::beats;
use crate::check::heartbeats;
use crate::many::{self, Failure, Seeds};
use crate::model;
use crate::play::{self, MakeStore, Run, Ways};
use crate::world::World;

pub use self::core::{BUILT_IN, CoreBug};
pub use page::{page, without_any};
use store::{BuggyStore, StoreBug};

/// The number of seeds that are run without a planted bug.
const CONTROL: u64 = 1_000;
/// The promise that a simulation of its own checks.
const HEARTBEATS: u8 = 24;

/// A bug that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A bug in the core.
    Core(&'static CoreBug),
    /// A bug in the store.
    Store(StoreBug),
}

impl Mutant {
    /// All bugs that can be planted.
    pub fn all() -> Vec<Mutant> {
        let core = BUILT_IN.iter().map(Mutant::Core);
        core.chain(StoreBug::ALL.map(Mutant::Store)).collect()
    }

    /// The bug with that name.
    ///
    /// # Errors
    /// There is no bug with that name.
    pub fn parse(name: &str) -> Result<Self, String> {
        let found = Self::all().into_iter().find(|mutant| mutant.name() == name);
        found.ok_or_else(|| format!("`{name}` is not a bug that can be planted"))
    }

    /// The bug's name.
    pub fn name(self) -> String {
        match self {
            Mutant::Core(bug) => bug.name.to_owned(),
            Mutant::Store(bug) => format!("{bug:?}"),
        }
    }

    /// The bug's effect.
    pub fn what(self) -> &'static str {
        match self {
            Mutant::Core(bug) => bug.what,
            Mutant::Store(bug) => bug.what(),
        }
    }

    /// The promise that the bug breaks.
    pub fn promise(self) -> u8 {
        match self {
            Mutant::Core(bug) => bug.promise,
            Mutant::Store(bug) => bug.promise(),
        }
    }

    /// Plants the bug, until the process ends or another bug is planted. Returns the function that makes the store.
    pub fn plant(self) -> impl Fn(&std::sync::Arc<World>) -> Ways + Sync {
        self::core::plant(match self {
            Mutant::Core(bug) => Some(bug),
            Mutant::Store(_) => None,
        });
        move |world| match self {
            Mutant::Core(_) => play::in_memory(world),
            Mutant::Store(bug) => play::shared(BuggyStore::new(bug)),
        }
    }
}

/// Which checks found a planted bug.
#[derive(Debug)]
pub struct Caught {
    /// The bug.
    pub mutant: Mutant,
    /// The result of the simulation: the first seed that broke a promise.
    pub simulation: Option<Failure>,
    /// The result of the model check: the promise that it found broken.
    pub model: Option<String>,
}

impl Caught {
    /// Whether a check found the bug.
    pub fn is_found(&self) -> bool {
        self.simulation.is_some() || self.model.is_some()
    }
}

/// Plants a bug and looks for it with at most `most` seeds, and for a bug of the planner or the engine also with the
/// model check.
pub fn look_for(mutant: Mutant, most: u64, cores: usize) -> Caught {
    let make_store = mutant.plant();
    let simulation = match mutant.promise() {
        HEARTBEATS => simulate_heartbeats(most),
        _ => simulate(most, cores, &make_store),
    };
    let model = match mutant {
        Mutant::Core(_) => model::counterexample(),
        Mutant::Store(_) => None,
    };
    self::core::plant(None);
    Caught { mutant, simulation, model }
}

/// Runs seeds without a planted bug. If one fails, an edit changes something even if its bug is not planted.
pub fn without_bug(cores: usize) -> Option<Failure> {
    self::core::plant(None);
    simulate(CONTROL, cores, &play::in_memory).or_else(|| simulate_heartbeats(CONTROL))
}

fn simulate_heartbeats(most: u64) -> Option<Failure> {
    (1..=most).find_map(|seed| {
        let violation = heartbeats::violations(&beats::play(seed)).into_iter().next()?;
        Some(Failure { run: Run::whole(seed), violation })
    })
}

fn simulate(most: u64, cores: usize, make_store: MakeStore<'_>) -> Option<Failure> {
    many::many(Seeds { from: 1, count: most }, cores, make_store, &|_| {}).1
}
