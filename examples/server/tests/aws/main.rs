//! Servers that share tables of DynamoDB and send by SES: the real binary against emulators, which `cargo xtask test`
//! starts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic, helpers of tests too"
)]

mod alike;
mod cluster;
#[path = "../../../contract/mod.rs"]
mod contract;
#[allow(dead_code, reason = "the tests of the default build use more of it")]
#[path = "../e2e/server.rs"]
mod server;
mod settings;
mod sharing;
