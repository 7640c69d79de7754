//! The HTTP contract, from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic, helpers too")]

mod bad_input;
mod claim_page;
mod contract;
mod keys;
mod outages;
mod world;
