//! The notifier and web servers on real sockets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod calendars;
mod failures;
mod laws;
mod posts;
mod server;
