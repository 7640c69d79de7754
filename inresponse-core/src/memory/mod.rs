//! A store, a roster and settings in memory: for tests, simulation and trying things out. Nothing survives the process.

mod roster;
mod settings;
mod store;

pub use roster::MemoryRoster;
pub use settings::MemorySettings;
pub use store::MemoryStore;
