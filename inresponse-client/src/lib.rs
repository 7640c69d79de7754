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
//!     Reported::Pinged(_) => return Ok(()),
//! };
//! client.update(incident.incident_id, &Update::claim().by("jo")).await?;
//! # Ok(()) }
//! ```
//!
//! Requests and answers are the types of [`inresponse_api`]. Answers are read leniently: unknown fields are ignored,
//! and unknown words are kept.
//!
//! | file | holds |
//! |---|---|
//! | `config` | the server's URL, the key and the timeout |
//! | `client` | the calls about incidents |
//! | `roster` | the calls about services, teams, calendars |
//! | `routing` | the calls about routing rules |
//! | `heartbeats` | the calls about heartbeats |
//! | `http` | sends one request and reads its answer |
//! | `list` | the filter of a list of incidents |
//! | `error` | errors and their kinds |

mod client;
mod config;
mod error;
mod heartbeats;
mod http;
mod list;
mod roster;
mod routing;
mod schedules;
mod silences;

pub use client::{Client, Pages, Reported};
pub use config::ClientConfig;
pub use error::{ClientError, ClientErrorKind};
pub use inresponse_api::{
    Absence, AttemptOutcome, Calendar, Change, Changes, Contacts, Coverage, DatedMember, Day, DayEntry,
    Delivery, DeliveryStatus, Details, Entry, EventKind, Feed, FieldProblem, Finding, Heartbeat,
    HeartbeatEntry, HeartbeatMiss, HeartbeatState, Heartbeats, Hours, Incident, KnownTeam, Layer, Level,
    LevelWord, Levels, Link, Matcher, Member, NewLink, OnCall, OutcomeKind, Override, OverrideEntry,
    Overrides, Owner, Page, People, Person, PersonEntry, Ping, Pinged, Plan, Reached, Report, Route, Routes,
    RoutesEntry, Rule, RuleStep, Schedule, ScheduleEntry, Schedules, Service, Services, Severity, Shift,
    ShiftNotices, Shifts, Silence, SilenceEntry, Silences, State, StatusUpdates, Step, Team, TeamLevel,
    TeamReason, TeamSettings, Teams, Time, Turn, Upcoming, UpcomingAlert, Update, Warning, Weekly,
};
pub use list::ListQuery;
