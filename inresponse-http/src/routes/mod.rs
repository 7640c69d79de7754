//! The routes, by what they are about.

pub(crate) mod changes;
pub(crate) mod incidents;
pub(crate) mod intake;
pub(crate) mod roster;
pub(crate) mod system;
