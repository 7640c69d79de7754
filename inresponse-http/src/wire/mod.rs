//! The JSON of the API, separate from the stored format.

pub(crate) mod incident;
pub(crate) mod report;
pub(crate) mod roster;
