//! The routes, by what they are about.

#[cfg(feature = "pages")]
pub(crate) mod claim;
pub(crate) mod incidents;
pub(crate) mod intake;
pub(crate) mod roster;
pub(crate) mod system;
