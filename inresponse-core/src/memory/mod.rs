//! A store and a roster in memory: for tests, simulation and trying things out. Nothing survives the process.

mod roster;
mod store;

pub use roster::MemoryRoster;
pub use store::MemoryStore;
