//! Incident alerting and escalation as a library.
//!
//! A report becomes an incident with a number. The on-call engineer of the team that owns the service is alerted at
//! once. Unless somebody claims the incident, it escalates along the team's matrix. This example embeds the whole
//! system, with everything in memory, and prints the alerts:
//!
//! ```
//! use std::time::Duration;
//! use inresponse_core::clock::SystemClock;
//! use inresponse_core::engine::{Reported, RosterEdited};
//! use inresponse_core::memory::{MemoryRoster, MemoryStore};
//! use inresponse_core::model::{Contact, Person, Report, Scheme, ServiceName, Severity, TeamName};
//! use inresponse_core::notify::{Alert, Notifier, Notifiers, Outcome};
//! use inresponse_core::roster::{Entry, Team};
//! use inresponse_core::Engine;
//!
//! #[derive(Debug)]
//! struct Shout;
//!
//! #[async_trait::async_trait]
//! impl Notifier for Shout {
//!     async fn notify(&self, alert: &Alert, _deadline: Duration) -> Outcome {
//!         println!("{}: {}", alert.contact(), alert.incident().title());
//!         Outcome::Accepted
//!     }
//! }
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let notifiers = Notifiers::new().with(Scheme::new("shout")?, Shout);
//! let engine =
//!     Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, SystemClock::new()).build();
//!
//! let (team, service) = (TeamName::new("devops")?, ServiceName::new("athens")?);
//! let settings = Team::builder(vec![Contact::new("shout:everybody")?]).build()?;
//! let entries = [Entry::team(&team, settings).into(), Entry::service(&service, &team).into()];
//! let edited = engine.edit_roster(&Person::new("setup")?, &entries).await?;
//! assert!(matches!(edited, RosterEdited::Done(_)));
//!
//! let report = Report::builder("athens", Severity::Crit, "5xx error spike").build()?;
//! let Reported::New(record) = engine.report(report).await? else { panic!("it is the first") };
//! println!("incident {}", record.number());
//! engine.tick().await?; // or `engine.run(shutdown)` in a task of its own
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where things are
//!
//! | module | holds |
//! |---|---|
//! | [`model`] | the incident, and the rules of its states and severities |
//! | [`roster`] | who is on call: entries, edits, resolution, and the trait of roster adapters |
//! | [`plan`] | every decision about an incident, as pure functions |
//! | [`store`], [`notify`], [`clock`] | the traits that store incidents, reach people and tell the time |
//! | [`share`] | on whose behalf a change is made, for stores with a queue |
//! | [`settings`] | the trait that stores small values that all processes share |
//! | [`transfer`](mod@transfer) | moves everything from one database to another |
//! | [`engine`] | executes what the planner decides |
//! | [`feeds`] | keeps the copies of calendar feeds up to date |
//! | [`forgotten`] | finds claims that look forgotten |
//! | [`heartbeats`] | opens an incident if a ping does not come in time |
//! | [`notices`] | tells people when their shifts begin or change, and what the coverage check finds |
//! | [`claim`], [`link_code`] | the tokens in claim links and buttons, and the codes that link accounts |
//! | [`text`] | shows untrusted text to people |
//! | [`memory`], [`testing`] | adapters in memory, and test doubles |
//!
//! # Features
//!
//! `runner` (on by default) adds [`Engine::run`] and [`clock::SystemClock`], on tokio. Without it the crate needs no
//! tokio: call [`Engine::tick`] or [`Engine::advance`] from your own executor.

pub mod claim;
pub mod clock;
pub mod engine;
pub mod error;
pub mod feeds;
pub mod forgotten;
pub mod heartbeats;
pub mod link_code;
pub mod memory;
pub mod model;
pub mod notices;
pub mod notify;
pub mod plan;
pub mod roster;
pub mod settings;
pub mod share;
pub mod store;
pub mod testing;
pub mod text;
pub mod transfer;

pub use engine::Engine;
pub use error::{Chain, ErrorOf, FieldError, InvalidInput, Outage, OutageKind};
