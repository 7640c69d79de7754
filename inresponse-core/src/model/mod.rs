//! What an incident is: names, severity, state, contacts, deliveries, timeline.
//!
//! Everything here is data with its own rules. What happens *next* to an incident is decided in [`plan`](crate::plan).

mod attempt;
mod contact;
mod delivery;
mod event;
mod incident;
mod matrix;
mod names;
mod report;
mod severity;
mod state;
mod timeline;
mod unknown;
mod zone;

pub use attempt::Outcome;
pub use contact::{Contact, Scheme};
pub use delivery::{Delivery, DeliveryId, DeliveryKey, DeliveryStatus, LastOutcome, OutcomeKind};
pub use event::{Entry, Event, StandIn, TeamChange, UnknownEvent};
pub use incident::{BegunLevel, Ended, FORMAT, Handover, Incident, Signature};
pub use matrix::{Level, Matrix, News, Origin, Recipient};
pub use names::{
    DedupKey, IncidentNumber, KeyName, LayerName, MethodName, Note, OverrideId, OwnerName, Person, PersonId,
    ScheduleName, ServiceName, Source, TeamName, Version,
};
pub use report::{Link, Report, ReportBuilder, Reporter};
pub use severity::Severity;
pub use state::{Edge, State};
pub use timeline::{Standing, Timeline};
pub use zone::{LocalTime, Zone};

pub(crate) use delivery::short_detail;
pub(crate) use incident::{FIRST_FORMAT, OWN_WAITS};
pub(crate) use names::title;
pub(crate) use unknown::Unknown;
