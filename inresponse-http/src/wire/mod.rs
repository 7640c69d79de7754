//! What goes over the wire, apart from how it is stored.

pub(crate) mod incident;
pub(crate) mod report;
pub(crate) mod roster;
