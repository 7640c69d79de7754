//! Helpers that the tests of several crates share. The crate does not depend on AWS.
//!
//! | module | holds |
//! |---|---|
//! | [`access`] | tests every door with every kind of key |
//! | [`answers`] | tests what answers over any channel may do |
//! | [`carrier`] | a carrier's web API, which fails as it is told to |
//! | [`contract`] | tests the behaviour that all deployments share, seen from outside |
//! | [`failing`] | tests what a notifier over HTTP says if its carrier fails |
//! | [`server`] | runs the real server as a process |
//! | [`disk`] | a small disk, which a test fills |
//! | [`table`] | an engine in memory behind the real router, with two people |
//! | [`mail`] | runs a mail server of another project |
//! | [`over_http`] | a deployment that is called over HTTP |
//! | [`postgres`] | runs a real PostgreSQL server |
//! | [`process`] | runs programs of other projects |

#![allow(
    missing_docs,
    missing_debug_implementations,
    async_fn_in_trait,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may panic, and are named for what they do"
)]

pub mod access;
pub mod answers;
pub mod carrier;
pub mod contract;
pub mod disk;
pub mod failing;
pub mod mail;
pub mod over_http;
pub mod postgres;
pub mod process;
pub mod server;
pub mod table;
