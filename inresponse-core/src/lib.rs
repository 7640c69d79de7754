//! lib
pub mod claim;
pub mod clock;
pub mod engine;
pub mod error;
pub mod memory;
pub mod model;
pub mod notify;
pub mod plan;
pub mod roster;
pub mod store;
pub mod testing;

pub use engine::Engine;
pub use error::{FieldError, InvalidInput, Outage, OutageKind};
