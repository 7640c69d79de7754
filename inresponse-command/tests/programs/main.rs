//! The notifier for programs, seen from outside.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod apprise;
mod laws;
mod runs;
