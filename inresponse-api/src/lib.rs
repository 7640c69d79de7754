//! The types on the wire, written once. The server answers with these types, the client reads them, and webhooks send
//! them. So server, client and webhooks have the same fields and words.
//!
//! ```
//! # fn example() -> Result<(), serde_json::Error> {
//! use inresponse_api::{EventKind, Level, Upcoming};
//!
//! let answered = r#"{"at": "2026-12-24T07:21:00Z", "level": 2, "contacts": ["kim@example.org"], "newer": true}"#;
//! let next: Upcoming = serde_json::from_str(answered)?;
//! assert!(matches!(next, Upcoming::Level { level: Level::Number(2), .. }));
//!
//! // A word that this version does not know is kept as it is.
//! let event: EventKind = serde_json::from_str(r#""paused""#)?;
//! assert_eq!(event, EventKind::Other("paused".to_owned()));
//! # Ok(()) }
//! # example().unwrap();
//! ```
//!
//! Answers are read leniently: unknown fields are ignored, unknown words are kept. Later versions add fields, so
//! destructure answers with `..`. Requests are read strictly: unknown fields are refused. With the feature `openapi`
//! the types have schemas, from which the server makes its API document.
//!
//! | file | holds |
//! |---|---|
//! | `incident` | one incident, one with its deliveries and timeline, and a page of incidents |
//! | `delivery`, `timeline` | who is alerted, and what happened to an incident |
//! | `request` | requests: report an incident, update an incident |
//! | `roster` | services, teams and calendars, and who changed them |
//! | `problem` | errors |
//! | `health` | the health of a deployment |
//! | `webhook` | the message that an `https:` contact gets |
//! | `words` | the enums, such as severities and states |

mod delivery;
mod health;
mod incident;
mod problem;
mod request;
mod roster;
mod timeline;
mod webhook;
mod words;

pub use delivery::{AttemptOutcome, Delivery, Level, Upcoming};
pub use health::Health;
pub use incident::{Details, Incident, Link, Listed, Page, Warning};
pub use problem::{FieldProblem, Problem};
pub use request::{NewLink, Report, Time, Update};
pub use roster::{
    Change, Changes, Contacts, Day, DayEntry, Levels, OnCall, Owner, Service, Team, TeamSettings,
};
pub use timeline::Entry;
pub use webhook::{Alert, Message};
pub use words::{
    DeliveryStatus, EventKind, HealthStatus, LevelWord, MessageKind, OutcomeKind, Reached, Severity, State,
    TeamReason,
};
