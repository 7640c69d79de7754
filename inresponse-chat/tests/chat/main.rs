//! The notifiers for chats, seen from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod answers;
mod failures;
mod laws;
mod libraries;
mod linking;
mod services;
