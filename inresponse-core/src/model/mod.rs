//! What an incident is: names, severity, state, contacts, deliveries, timeline.
//!
//! Everything here is data that holds its own rules. What happens *next* to an incident is decided in
//! [`plan`](crate::plan).

mod contact;
mod delivery;
mod incident;
mod matrix;
mod names;
mod report;
mod severity;
mod state;
mod timeline;
mod unknown;
mod zone;

pub use contact::{Contact, Scheme};
pub use delivery::{Delivery, DeliveryId, DeliveryKey, DeliveryStatus, LastOutcome, OutcomeKind};
pub use incident::{BegunLevel, Ended, FORMAT, Handover, Incident, Signature};
pub use matrix::{Level, Matrix, News, Origin};
pub use names::{DedupKey, IncidentNumber, Note, Person, ServiceName, Source, TeamName, Version};
pub use report::{Link, Report, ReportBuilder};
pub use severity::Severity;
pub use state::{Edge, State};
pub use timeline::{Entry, Event, StandIn, Standing, TeamChange, Timeline, UnknownEvent};
pub use zone::{LocalTime, Zone};

pub(crate) use delivery::short_detail;
pub(crate) use unknown::Unknown;
