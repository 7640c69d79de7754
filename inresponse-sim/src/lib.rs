//! Simulation.
pub mod carrier;
pub mod executor;
pub mod fault;
pub mod history;
pub mod people;
pub mod play;
pub mod rng;
pub mod roster;
pub mod scenario;
pub mod stage;
pub mod store;
pub mod world;
pub mod check;
