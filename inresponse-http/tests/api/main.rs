//! The HTTP contract, from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic, helpers too")]

mod bad_input;
#[cfg(feature = "pages")]
mod board;
mod call_in;
mod changes;
#[cfg(feature = "pages")]
mod claim_page;
#[cfg(feature = "pages")]
mod claims_page;
mod contract;
#[cfg(feature = "docs")]
mod docs;
mod hand_over;
mod headers;
mod health;
mod intake;
mod keys;
mod limits;
mod metrics;
#[cfg(feature = "pages")]
mod nested;
mod outages;
mod recorded;
mod roster;
mod routing;
mod schedules;
mod silences;
mod steps;
mod store;
mod world;
