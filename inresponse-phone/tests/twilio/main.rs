//! Twilio: the notifier against a server that answers as Twilio does, and requests that Twilio's own library signed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod answers;
mod failures;
mod fake;
mod laws;
mod library;
mod outcomes;
mod replays;
mod reports;
mod verification;
mod world;
