//! Converts between the core's model and the types of `inresponse-api`.

mod field;
pub(crate) mod heartbeats;
mod hours;
pub(crate) mod incident;
pub(crate) mod people;
pub(crate) mod report;
pub(crate) mod roster;
pub(crate) mod rules;
pub(crate) mod schedule;
pub(crate) mod silence;
