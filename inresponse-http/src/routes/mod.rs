//! The routes, by what they are about.

pub(crate) mod calendars;
pub(crate) mod changes;
pub(crate) mod incidents;
pub(crate) mod outlook;
pub(crate) mod people;
pub(crate) mod roster;
pub(crate) mod schedules;
pub(crate) mod senders;
pub(crate) mod system;
