//! The stores that a run can use.

use std::sync::Arc;

use crate::fault::Fault;
use crate::play;
use crate::sqlite::SqliteStore;
use crate::store::{Ways, shared};
use crate::world::World;

/// The store that the runs use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// The store in memory.
    Memory,
    /// The store on SQLite, without its threads.
    Sqlite,
    /// The store on PostgreSQL, on a real server.
    #[cfg(feature = "postgres")]
    Postgres,
    /// The store on DynamoDB, emulated.
    #[cfg(feature = "dynamo")]
    Dynamo,
}

impl StoreKind {
    /// The store's name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            StoreKind::Memory => "memory",
            StoreKind::Sqlite => "sqlite",
            #[cfg(feature = "postgres")]
            StoreKind::Postgres => "postgres",
            #[cfg(feature = "dynamo")]
            StoreKind::Dynamo => "dynamo",
        }
    }

    /// Why a fault cannot occur with this store; `None` if it can.
    pub fn rules_out(self, fault: Fault) -> Option<&'static str> {
        let of_calls = [Fault::CallLost, Fault::AnswerLost, Fault::CallThrottled, Fault::CallConflict];
        let no_calls = of_calls.contains(&fault).then_some("this store makes no calls to DynamoDB");
        match self {
            StoreKind::Memory | StoreKind::Sqlite => no_calls,
            #[cfg(feature = "postgres")]
            StoreKind::Postgres => no_calls,
            #[cfg(feature = "dynamo")]
            StoreKind::Dynamo => None,
        }
    }

    /// A new store of this kind. Any `Store` can be simulated like this.
    ///
    /// # Panics
    /// SQLite cannot make a database in memory, or PostgreSQL or the emulator does not answer.
    pub fn make(self, world: &Arc<World>) -> Ways {
        match self {
            StoreKind::Memory => play::in_memory(world),
            StoreKind::Sqlite => shared(SqliteStore::new().expect("a database in memory can always be made")),
            #[cfg(feature = "postgres")]
            StoreKind::Postgres => crate::postgres::ways(),
            #[cfg(feature = "dynamo")]
            StoreKind::Dynamo => crate::dynamo::ways(world),
        }
    }
}
