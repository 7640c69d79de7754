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
mod prometheus;
mod site;
mod storm;

use inresponse_testkit::{mail, process, server};
