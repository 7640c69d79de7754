//! Turns the model into the types of `inresponse-api`, and requests into the model.

pub(crate) mod incident;
pub(crate) mod people;
pub(crate) mod report;
pub(crate) mod roster;
pub(crate) mod schedule;
