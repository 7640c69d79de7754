//! Real monitoring systems report to the real server, configured as `docs/intake` says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic, helpers of tests too"
)]

mod alertmanager;
mod by_hand;
mod clients;
mod icinga;
mod nagios;
mod pages;
mod process;
mod prometheus;
mod site;
mod storm;

#[path = "../e2e/mail.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod mail;
#[path = "../e2e/server.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod server;
