//! The notifiers for pushes, seen from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod failures;
mod laws;
mod scenes;
mod services;
