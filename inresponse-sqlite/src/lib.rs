//! InResponse's store and roster on SQLite: one file, durable, with group commit.
//!
//! The database is in WAL mode with `synchronous=FULL`: what is answered has been synced to disk. All writes go
//! through one thread over a bounded queue; whatever waits there when it runs is committed together, and one
//! bad operation does not fail its neighbours. Reads go to connections of their own. Several processes may share one
//! file.
//!
//! ```no_run
//! # async fn open() -> Result<(), inresponse_core::Outage> {
//! use inresponse_sqlite::{Database, SqliteConfig};
//!
//! let database = Database::open(SqliteConfig::new("inresponse.db")).await?;
//! let (store, roster) = (database.store(), database.roster());
//! # Ok(()) }
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `config` | where the database is |
//! | `database` | opening it, and the parts that share it |
//! | `schema` | tables, indexes, migrations |
//! | `batch` | writes as a plain function on a connection |
//! | `entries` | the roster's entries and audit records, likewise |
//! | `columns` | what each column of an incident holds, and the statements that name them |
//! | `query` | reads as plain functions on a connection |
//! | `backup` | copies of a database in use, and the way back |
//! | `foreign` | what is in a database and not of this program |
//! | `writer` | the thread that runs batches |
//! | `readers` | connections for reading |
//! | `store`, `roster` | the two adapters |
//! | `error` | what SQLite's errors mean |

pub mod backup;
mod batch;
mod columns;
mod config;
mod database;
mod entries;
mod error;
mod foreign;
pub mod query;
mod readers;
mod roster;
mod schema;
mod store;
mod writer;

pub use batch::{Write, Written, write_batch};
pub use config::SqliteConfig;
pub use database::Database;
pub use entries::RosterWrite;
pub use roster::SqliteRoster;
pub use schema::prepare;
pub use store::SqliteStore;
