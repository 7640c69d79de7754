//! The real binary, a real mail server, a real database file: what a user would see.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic, helpers of tests too"
)]

mod accused;
mod alike;
mod attack;
mod beats;
mod bundled_mails;
mod crash;
mod delivery;
mod dry_run;
mod failover;
mod first_steps;
mod load;
mod moving;
mod newcomer;
mod notices;
mod operations;
mod outages;
mod outlets;
mod people;
mod phones;
mod postgres;
mod rekeyed;
mod rolling;
mod routing;
mod secrets;
mod silenced;
mod two_servers;
mod webhooks;

use inresponse_testkit::{contract, mail, server};
