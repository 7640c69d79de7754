//! The suites themselves: sound adapters pass, and each law catches adapters that are broken on purpose.

#![allow(missing_docs, clippy::panic, clippy::unwrap_used, reason = "this is a test")]

#[macro_use]
mod support;
mod lists;
mod memory;
mod notifier;
mod roster;
mod settings;
mod store;
