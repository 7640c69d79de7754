//! A typed client of InResponse's HTTP API.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use inresponse_client::{Client, ClientConfig, Report, Reported, Severity, Update};
//!
//! let client = Client::new(ClientConfig::new("https://alerts.example.org").key("ir_…"))?;
//! let report = Report::new("athens", Severity::Crit, "5xx Error Spike", "12 % of requests fail");
//! let incident = match client.report(&report.dedup_key("athens/5xx")).await? {
//!     Reported::New(incident) | Reported::Repeat(incident) => incident,
//! };
//! client.update(incident.incident_id, &Update::claim().by("jo")).await?;
//! # Ok(()) }
//! ```
//!
//! What the API answers are the types of [`inresponse_api`]. They are read leniently: fields that this version does not know
//! are passed over, and words that it does not know are kept.
//!
//! | file | holds |
//! |---|---|
//! | `config` | which server, with which key |
//! | `client` | the calls about incidents |
//! | `roster` | the calls about services, teams, calendars |
//! | `http` | one request: its answer, or what went wrong |
//! | `incident`, `duty` | what goes over the wire beside that |
//! | `error` | what went wrong, and what that means |

mod client;
mod config;
mod duty;
mod error;
mod http;
mod incident;
mod roster;

pub use client::{Client, Pages, Reported};
pub use config::ClientConfig;
pub use duty::{Change, Changes, Day, OnCall, Rota, Service, Team, TeamSettings};
pub use error::{ClientError, ClientErrorKind, FieldProblem};
pub use incident::{ListQuery, Report, Update};
pub use inresponse_api::{
    AttemptOutcome, Delivery, DeliveryStatus, Details, Entry, EventKind, Incident, Level, LevelWord, Link,
    OutcomeKind, Page, Reached, Severity, State, TeamReason, Upcoming, Warning,
};
