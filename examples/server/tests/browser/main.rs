//! The pages and the mails as people see them: the real server and a real browser, at a phone's width and a desk's, in
//! light and in dark.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic, helpers of tests too"
)]

mod accounts;
mod board;
mod first_run;
mod looks;
mod night;
mod planned_work;
mod rotation;
mod scanners;
mod scene;
mod window;

use inresponse_testkit::{mail, server};
