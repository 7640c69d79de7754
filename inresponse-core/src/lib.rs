//! Incident alerting and escalation as a library.
//!
//! A report becomes an incident with a number. The on-call engineer of the team that owns the service is alerted at
//! once. Unless somebody claims the incident, it escalates along the team's levels.
//!
//! This program embeds the whole system, with everything in memory: the runner, a calendar, a report, an alert and a
//! claim.
//!
//! ```
//! use std::time::Duration;
//!
//! use inresponse_core::clock::SystemClock;
//! use inresponse_core::engine::{Reported, RosterEdited, Updated};
//! use inresponse_core::memory::{MemoryRoster, MemoryStore};
//! use inresponse_core::model::{Contact, Person, Report, Scheme, ServiceName, Severity, TeamName};
//! use inresponse_core::notify::{Alert, Notifier, Notifiers, Outcome};
//! use inresponse_core::roster::{Entry, Rota, Team};
//! use inresponse_core::{Engine, async_trait};
//! use tokio::sync::{mpsc, oneshot};
//!
//! /// Reaches people through a channel of this program.
//! #[derive(Debug)]
//! struct Shout(mpsc::UnboundedSender<Alert>);
//!
//! #[async_trait]
//! impl Notifier for Shout {
//!     async fn notify(&self, alert: &Alert, _deadline: Duration) -> Outcome {
//!         match self.0.send(alert.clone()) {
//!             Ok(()) => Outcome::Accepted,
//!             Err(_) => Outcome::unavailable("nobody listens"),
//!         }
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let (shout, mut heard) = mpsc::unbounded_channel();
//!     let notifiers = Notifiers::new().with(Scheme::new("shout")?, Shout(shout));
//!     let (store, roster) = (MemoryStore::new(), MemoryRoster::new());
//!     let engine = Engine::builder(store, roster, notifiers, SystemClock::new()).build();
//!
//!     // The runner sends what is due. Nothing else does.
//!     let (stop, stopped) = oneshot::channel::<()>();
//!     let running = engine.clone();
//!     let runner = tokio::spawn(async move { running.run(async { _ = stopped.await }).await });
//!
//!     // A team, its service, and its calendar: jo is on call today, and kim is the next level.
//!     let (team, service) = (TeamName::new("devops")?, ServiceName::new("athens")?);
//!     let settings = Team::builder(vec![Contact::new("shout:everybody")?])
//!         .escalate_after(Duration::from_secs(600))
//!         .build()?;
//!     let (jo, kim) = (Contact::new("shout:jo")?, Contact::new("shout:kim")?);
//!     let today = Rota::new(vec![jo], vec![vec![kim]])?;
//!     let edits = [
//!         Entry::team(&team, settings).into(),
//!         Entry::service(&service, &team).into(),
//!         Entry::day(&team, engine.now().date_naive(), today).into(),
//!     ];
//!     match engine.edit_roster(&Person::new("setup")?, &edits).await? {
//!         RosterEdited::Done(_) => {}
//!         refused => return Err(format!("the roster was refused: {refused:?}").into()),
//!     }
//!
//!     // A report. It is durable when it has a number.
//!     let report = Report::builder("athens", Severity::Crit, "5xx error spike").build()?;
//!     let Reported::New(record) = engine.report(report).await? else { return Err("not new".into()) };
//!     println!("incident {}", record.number());
//!
//!     // The alert, and the claim that stops the next one.
//!     let alert = heard.recv().await.ok_or("the notifier is gone")?;
//!     println!("{}: {}", alert.contact(), alert.incident().title()); // shout:jo: 5xx error spike
//!     match engine.claim(record.number(), &Person::new("jo")?).await? {
//!         Updated::Changed(record) => println!("{}", record.incident.state()), // CLAIMED
//!         other => return Err(format!("not claimed: {other:?}").into()),
//!     }
//!
//!     drop(stop);
//!     Ok(runner.await?)
//! }
//! ```
//!
//! For stores that survive the process use `inresponse-sqlite` or `inresponse-postgres`; for mail `inresponse-smtp`; for
//! the HTTP API and the board in your own axum app `inresponse-http`. The folder `examples` of the repository has a
//! small program for each of these, and for your own notifier, store and clock.
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
//!
//! # What embedders name
//!
//! [`engine`] has everything that its methods take and return, also [`Update`](engine::Update),
//! [`StateChange`](engine::StateChange), [`TakeOver`](engine::TakeOver) and [`Refusal`](engine::Refusal). [`plan`] is for
//! authors of stores, and for those who want the decisions without the engine. [`chrono`] and
//! [`async_trait`](macro@async_trait) are exported, so that you get the versions of this crate. `docs/stability.md` in
//! the repository says what may change between versions.

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
mod pointers;
pub mod roster;
pub mod settings;
pub mod share;
pub mod store;
pub mod testing;
pub mod text;
pub mod transfer;

/// Makes a trait's methods async, as in the traits of this crate: implementations of them carry this attribute.
pub use async_trait::async_trait;
/// The crate of the times in this crate's interface.
pub use chrono;
pub use engine::Engine;
pub use error::{Chain, ErrorOf, FieldError, InvalidInput, Outage, OutageKind};
