//! InResponse's store and roster on Amazon DynamoDB.
//!
//! An incident is one item with a version. A commit is a write on the condition that the version has not changed. If a
//! commit takes or frees a dedup key, the key's guard and the incident are written in one transaction. A sparse index
//! over several shards finds due incidents, and lists use indexes too. Reports and alerts never wait for a table scan.
//!
//! ```no_run
//! # async fn open(client: aws_sdk_dynamodb::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use inresponse_dynamo::{DynamoConfig, DynamoRoster, DynamoStore, ensure_tables};
//!
//! let config = DynamoConfig::with_prefix("inresponse-");
//! ensure_tables(&client, &config).await?; // for local use; real deployments make their tables by a template
//! let store = DynamoStore::new(&client, config.clone());
//! let roster = DynamoRoster::new(&client, config);
//! # Ok(()) }
//! ```
//!
//! After an unknown result (a time-out, a lost answer) the write is tried again with the same write id. If the second
//! try's condition fails because the first try succeeded, the write id shows that. If the result stays unknown, the
//! call fails with an outage of kind unknown. The SDK's own retries are off, because they would hide that.
//!
//! | file | holds |
//! |---|---|
//! | `config` | the names of the tables |
//! | `tables` | creates the tables |
//! | `call` | calls DynamoDB with a limited number of tries |
//! | `write_id` | the id by which a write that was already done is recognised |
//! | `item` | converts an incident to attributes; the keys of the indexes |
//! | `store` | creates, loads and commits incidents |
//! | `look` | reads due incidents, lists and the census |
//! | `roster` | reads the roster |
//! | `roster_edits` | edits the roster, each call in one transaction |
//! | `roster_items` | converts the roster's entries and audit records to attributes |
//! | `settings` | the shared settings |
//! | `error` | the meanings of DynamoDB's errors |

mod call;
mod config;
mod error;
mod item;
mod look;
mod roster;
mod roster_edits;
mod roster_items;
mod settings;
mod store;
mod tables;
mod write_id;

pub use config::DynamoConfig;
pub use roster::DynamoRoster;
pub use store::DynamoStore;
pub use tables::ensure_tables;
