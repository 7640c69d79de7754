//! InResponse's store and roster on SQLite: one file, durable, with group commit.
//!
//! The database is in WAL mode with `synchronous=FULL`: everything that was answered is synced to disk. All writes go
//! through one thread with a bounded queue. Each time it runs, it commits many of the waiting writes in one transaction,
//! from all clients in turn, and one bad operation does not fail the others. Reads have their own connections. Several processes may share one file.
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
//! | `database` | opens the database, and holds the parts that share it |
//! | `schema` | tables, indexes, migrations |
//! | `batch` | the writes, as a plain function on a connection |
//! | `entries` | reads and writes of the roster's entries and audit records, as plain functions on a connection |
//! | `columns` | the columns of an incident, and the statements that contain their names |
//! | `query` | the reads of incidents, as plain functions on a connection |
//! | `backup` | backup and restore |
//! | `moving` | a database as the source or the target of a transfer |
//! | `foreign` | finds parts of a database that this program did not make |
//! | `writer` | the thread that runs batches |
//! | `queue`, `pace` | which waiting writes are in the next batch, and how many |
//! | `readers` | the connections for reading |
//! | `store`, `roster` | the two adapters |
//! | `error` | the meaning of SQLite's errors |

pub mod backup;
mod batch;
mod batch_size;
mod columns;
mod config;
mod database;
mod entries;
mod error;
mod foreign;
mod moving;
pub mod query;
mod queue;
mod readers;
mod roster;
mod schema;
mod store;
mod writer;

pub use batch::{Write, Written, write_batch};
pub use config::SqliteConfig;
pub use database::Database;
pub use entries::RosterWrite;
pub use moving::Moving;
pub use roster::SqliteRoster;
pub use schema::prepare;
pub use store::SqliteStore;
