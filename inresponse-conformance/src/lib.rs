//! The laws that every InResponse store, roster and notifier must keep, as ready-made tests.
//!
//! The author of an adapter tells a *harness* how to make one, and calls the macro of its suite in a test
//! module of its own. The macro expands to one test per law, named after what must hold:
//!
//! ```
//! mod store {
//!     inresponse_conformance::store_laws!(
//!         || async { inresponse_core::memory::MemoryStore::new() },
//!         except: durable, shared
//!     );
//! }
//!
//! mod roster {
//!     inresponse_conformance::roster_laws!(
//!         || async { inresponse_core::memory::MemoryRoster::new() },
//!         except: durable, shared
//!     );
//! }
//! ```
//!
//! | macro | for | harness | may be excepted |
//! |---|---|---|---|
//! | [`store_laws!`] | [`Store`](inresponse_core::store::Store) | [`Harness`], [`Durable`], [`Shared`] | `durable`, `shared` |
//! | [`roster_laws!`] | [`Roster`](inresponse_core::roster::Roster) | [`Harness`], [`Durable`], [`Shared`] | `durable`, `shared` |
//! | [`settings_laws!`] | [`Settings`](inresponse_core::settings::Settings) | [`Harness`], [`Durable`], [`Shared`] | `durable`, `shared` |
//! | [`notifier_laws!`] | [`Notifier`](inresponse_core::notify::Notifier) | [`NotifierHarness`] | what its recipients cannot be made to do, see [`Behaviour`] |
//!
//! Everything applies unless it is excepted in so many words. What is excepted stays in the list of tests, as
//! ignored, with the reason that it is not applicable; it never passes in silence.
//!
//! No dependency but this crate is needed: each test brings its own multi-threaded tokio runtime. The harness is
//! an expression that is evaluated again, within that runtime, for each law; it lives until the law has ended,
//! so it may own a temporary folder or a local server.
//!
//! The laws are plain functions too, in [`store`], [`roster`], [`settings`] and [`notifier`], for a test runner of one's own.
//! They panic when the law is broken, and end in bounded time where the adapter does.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a broken law panics; that is what this crate is for"
)]

mod harness;
mod macros;
pub mod notifier;
pub mod roster;
mod scene;
pub mod settings;
pub mod store;
mod waiting;

pub use harness::{Durable, Harness, Shared};
pub use notifier::{Arrival, Behaviour, NotifierHarness};

/// What the macros expand to. Not for other use.
#[doc(hidden)]
pub mod __private {
    pub use crate::waiting::run;
}
