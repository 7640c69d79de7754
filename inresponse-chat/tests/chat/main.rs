//! The notifiers for chats, seen from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod answers;
mod failures;
mod laws;
mod linking;
mod services;
