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
mod settings;
mod sharing;

use inresponse_testkit::{contract, server};
