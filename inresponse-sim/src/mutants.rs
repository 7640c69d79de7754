//! Planted bugs: each must be found, or what finds nothing proves nothing.

mod core;
mod page;
mod store;

use crate::many::{self, Failure, Seeds};
use crate::model;
use crate::play::{self, MakeStore, Ways};
use crate::world::World;

pub use self::core::{BUILT_IN, CoreBug};
pub use page::{page, without_any};
use store::{BuggyStore, StoreBug};

/// A bug that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// In the core.
    Core(&'static CoreBug),
    /// In the store.
    Store(StoreBug),
}

impl Mutant {
    /// All of them.
    pub fn all() -> Vec<Mutant> {
        let core = BUILT_IN.iter().map(Mutant::Core);
        core.chain(StoreBug::ALL.map(Mutant::Store)).collect()
    }

    /// The one of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn parse(name: &str) -> Result<Self, String> {
        let found = Self::all().into_iter().find(|mutant| mutant.name() == name);
        found.ok_or_else(|| format!("`{name}` is not a bug that can be planted"))
    }

    /// Its name.
    pub fn name(self) -> String {
        match self {
            Mutant::Core(bug) => bug.name.to_owned(),
            Mutant::Store(bug) => format!("{bug:?}"),
        }
    }

    /// What it does.
    pub fn what(self) -> &'static str {
        match self {
            Mutant::Core(bug) => bug.what,
            Mutant::Store(bug) => bug.what(),
        }
    }

    /// The promise that it breaks.
    pub fn promise(self) -> u8 {
        match self {
            Mutant::Core(bug) => bug.promise,
            Mutant::Store(bug) => bug.promise(),
        }
    }

    /// Plants it, for as long as the process runs or until another is planted, and answers what makes the store.
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

/// What became of a planted bug.
#[derive(Debug)]
pub struct Caught {
    /// Which one.
    pub mutant: Mutant,
    /// What simulation found: the first seed that broke a promise.
    pub simulation: Option<Failure>,
    /// What the model check found: the promise that it broke.
    pub model: Option<String>,
}

impl Caught {
    /// Whether anything found it.
    pub fn is_found(&self) -> bool {
        self.simulation.is_some() || self.model.is_some()
    }
}

/// Plants a bug and looks for it, in at most `most` seeds; one of the planner or the engine by the model check, too.
pub fn look_for(mutant: Mutant, most: u64, cores: usize) -> Caught {
    let make_store = mutant.plant();
    let simulation = simulate(most, cores, &make_store);
    let model = match mutant {
        Mutant::Core(_) => model::counterexample(),
        Mutant::Store(_) => None,
    };
    self::core::plant(None);
    Caught { mutant, simulation, model }
}

fn simulate(most: u64, cores: usize, make_store: MakeStore<'_>) -> Option<Failure> {
    many::many(Seeds { from: 1, count: most }, cores, make_store, &|_| {}).1
}
