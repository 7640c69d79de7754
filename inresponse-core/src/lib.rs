//! lib
pub mod claim;
pub mod clock;
pub mod error;
pub mod model;
pub mod notify;
pub mod plan;
pub mod roster;
pub mod store;

pub use error::{FieldError, InvalidInput, Outage, OutageKind};
