//! The real binaries, deployed by the real template to an emulated cloud, which `cargo xtask cloud` sets up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic, helpers of tests too"
)]

mod alike;
mod channels;
mod cloud;
mod faults;
mod twilio;

use inresponse_testkit::contract;
