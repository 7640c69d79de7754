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
//! the types have schemas, from which the server makes its API document. With the feature `core`, servers and notifiers
//! convert incidents of `inresponse-core` into these types.
//!
//! | file | holds |
//! |---|---|
//! | `incident` | one incident, one with its deliveries and timeline, and a page of incidents |
//! | `delivery`, `timeline` | who is alerted, and what happened to an incident |
//! | `request` | requests: report an incident, update an incident |
//! | `roster` | services, teams and calendars, and who changed them |
//! | `people` | people: methods, rules, absences |
//! | `heartbeat` | heartbeats: definitions, pings, misses |
//! | `hours` | hours of the week |
//! | `schedule` | schedules, overrides and shifts |
//! | `silence` | silences |
//! | `routing` | routing rules, and what would happen to a report |
//! | `plan` | the dry run, and findings about the roster |
//! | `problem` | what went wrong |
//! | `health` | the health of the server |
//! | `webhook` | what an `https:` contact is sent |
//! | `words` | every value that is one of a list |
//! | `convert` | conversions from the types of the core, with the feature `core` |

#[cfg(feature = "core")]
pub mod convert;
mod delivery;
mod health;
mod heartbeat;
mod hours;
mod incident;
mod people;
mod plan;
mod problem;
mod request;
mod roster;
mod routing;
mod schedule;
mod silence;
mod timeline;
mod webhook;
mod words;

pub use delivery::{AttemptOutcome, Delivery, Level, Upcoming, UpcomingAlert};
pub use health::Health;
pub use heartbeat::{Heartbeat, HeartbeatEntry, HeartbeatMiss, Heartbeats, Ping};
pub use hours::Hours;
pub use incident::{Details, Incident, Link, Listed, Page, Responder, Warning};
pub use people::{Absence, Code, CodeSent, MethodTest, People, Person, PersonEntry, RuleStep, Tests};
pub use plan::{Coverage, Finding, Plan, Step};
pub use problem::{FieldProblem, Problem};
pub use request::{NewLink, Report, Time, Update};
pub use roster::{
    Calendar, Change, Changes, Contacts, Day, DayEntry, KnownTeam, Levels, OnCall, Owner, Service, Services,
    ShiftNotices, Team, TeamLevel, TeamSettings, Teams,
};
pub use routing::{Pinged, Route, Routes, RoutesEntry, Rule};
pub use schedule::{
    CalendarToken, DatedMember, Feed, Layer, Member, Override, OverrideEntry, Overrides, Schedule,
    ScheduleEntry, Schedules, Shift, Shifts, Turn,
};
pub use silence::{Matcher, Silence, SilenceEntry, Silences, Weekly};
pub use timeline::Entry;
pub use webhook::{Alert, BriefAlert, Bundle, BundleMessage, Message};
pub use words::{
    DeliveryStatus, EventKind, HealthStatus, HeartbeatState, LevelWord, MessageKind, OutcomeKind, Reached,
    Severity, State, StatusUpdates, TeamReason,
};
