//! InResponse's store and roster on PostgreSQL, for several servers that share one database.
//!
//! The fence is the version of an incident: a commit is one `UPDATE` on it. Every session forces `synchronous_commit=on`
//! and the isolation level, whatever the server's defaults are. Statements, locks and calls have time limits. If the
//! reply to a write is lost, the write is sent again with the same id, so that it takes effect once.
//!
//! What was answered survives a crash of the database's server. It survives a failover only if the standby is
//! synchronous (`synchronous_standby_names`).
//!
//! ```no_run
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! use inresponse_postgres::{Database, PostgresConfig};
//!
//! let config = PostgresConfig::from_url("postgres://inresponse:secret@db.example.org/inresponse")?;
//! let database = Database::open(config).await?;
//! let (store, roster) = (database.store(), database.roster());
//! # Ok(()) }
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `config` | where the database is, and the time limits |
//! | `connect` | opens a session: TLS, and the settings that every session needs |
//! | `session` | runs statements within their time limits |
//! | `tries` | sends a write again while its result is unknown |
//! | `error` | the meaning of PostgreSQL's errors |
//! | `write_id` | the id of a write |
//! | `schema` | tables, indexes, triggers, migrations |
//! | `columns` | the columns of an incident, and the statements that contain their names |
//! | `query` | the reads of incidents |
//! | `store` | the incidents |
//! | `entries` | reads and writes of the roster's entries and audit records |
//! | `copy` | the copy of the roster in memory |
//! | `roster` | the roster |
//! | `settings` | the settings that all servers share |
//! | `moving` | a database as the source or the target of a transfer |
//! | `database` | opens the database, and holds the parts that share it |

mod columns;
mod config;
mod connect;
mod copy;
mod database;
mod entries;
mod error;
mod moving;
mod query;
mod roster;
mod schema;
mod session;
mod settings;
mod store;
mod tries;
mod write_id;

pub use config::{PostgresConfig, TimeLimits};
pub use database::Database;
pub use moving::Moving;
pub use roster::PostgresRoster;
pub use schema::Schema;
pub use store::PostgresStore;
