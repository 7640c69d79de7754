//! The laws that every InResponse store, roster and notifier must keep, as ready-made tests.
//!
//! The author of an adapter writes a *harness* that makes the adapter, and calls the suite's macro in a test module.
//! The macro expands to one test per law, named after the law:
//!
//! ```
//! mod store {
//!     inresponse_conformance::store_laws!(
//!         || async { inresponse_core::memory::MemoryStore::new() },
//!         except: durable, shared, outages, expiry
//!     );
//! }
//!
//! mod roster {
//!     inresponse_conformance::roster_laws!(
//!         || async { inresponse_core::memory::MemoryRoster::new() },
//!         except: durable, shared, outages
//!     );
//! }
//! ```
//!
//! | macro | for | harness | may be excepted |
//! |---|---|---|---|
//! | [`store_laws!`] | [`Store`](inresponse_core::store::Store) | [`Harness`], [`Durable`], [`Shared`], [`Interrupted`], [`Expiring`] | `durable`, `shared`, `outages`, `expiry` |
//! | [`roster_laws!`] | [`Roster`](inresponse_core::roster::Roster) | [`Harness`], [`Durable`], [`Shared`], [`Interrupted`] | `durable`, `shared`, `outages` |
//! | [`settings_laws!`] | [`Settings`](inresponse_core::settings::Settings) | [`Harness`], [`Durable`], [`Shared`], [`Interrupted`] | `durable`, `shared`, `outages` |
//! | [`notifier_laws!`] | [`Notifier`](inresponse_core::notify::Notifier) | [`NotifierHarness`] | behaviour that the harness cannot produce, see [`Behaviour`] |
//!
//! Every law applies unless it is excepted explicitly. An excepted law stays in the list of tests as an ignored test;
//! it never passes silently.
//!
//! This crate is the only dependency you need: each test has its own multi-threaded tokio runtime. The harness is an
//! expression that is evaluated for each law within that runtime. The harness lives until the law ends, so it may own a
//! temporary folder or a local server.
//!
//! The laws are also plain functions in [`store`], [`roster`], [`settings`] and [`notifier`], for your own test runner.
//! The functions panic if the law is broken, and end in bounded time if the adapter does.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a broken law panics; that is what this crate is for"
)]

mod harness;
mod line;
mod macros;
pub mod notifier;
pub mod roster;
mod scene;
pub mod settings;
pub mod store;
mod waiting;

pub use harness::{Durable, Expiring, Harness, Interrupted, Shared};
pub use line::{Line, Relay};
pub use notifier::{Arrival, Behaviour, NotifierHarness};

/// Parts of the macros' expansion. Do not use them directly.
#[doc(hidden)]
pub mod __private {
    pub use crate::waiting::run;
}
