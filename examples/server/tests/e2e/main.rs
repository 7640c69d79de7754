//! The real binary, a real mail server, a real database file: what a user would see.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic, helpers of tests too"
)]

#[path = "../../../contract/access.rs"]
mod access;
mod alike;
mod attack;
#[path = "../../../contract/mod.rs"]
mod contract;
mod crash;
mod delivery;
mod first_steps;
mod load;
mod mail;
mod operations;
mod outages;
#[path = "../../../contract/over_http.rs"]
mod over_http;
mod people;
mod secrets;
mod server;
mod two_servers;
mod webhooks;
