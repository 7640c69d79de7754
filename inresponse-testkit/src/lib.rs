//! What the tests of several crates share. Nothing of AWS is in here.
//!
//! | module | holds |
//! |---|---|
//! | [`access`] | who may do what, at every door |
//! | [`contract`] | what every deployment does alike, seen from outside |
//! | [`server`] | the real server as a process |
//! | [`mail`] | a mail server that nobody here wrote |
//! | [`over_http`] | a deployment that is reached over HTTP |
//! | [`process`] | other people's programs |

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
pub mod contract;
pub mod mail;
pub mod over_http;
pub mod process;
pub mod server;
