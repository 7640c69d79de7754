//! The incident and its parts: names, severity, state, contacts, deliveries, timeline.
//!
//! This module contains data with its own rules. [`plan`](crate::plan) decides what happens *next* to an incident.

mod attempt;
mod call_in;
mod contact;
mod delivery;
mod event;
mod incident;
mod level;
mod matrix;
mod names;
mod purpose;
mod quiet;
mod receipt;
mod report;
mod routed;
mod severity;
mod signature;
mod standing;
mod state;
mod timeline;
mod timing;
mod unknown;
mod zone;

pub use attempt::Outcome;
pub use call_in::{CallIns, Called};
pub use contact::{Contact, Scheme};
pub use delivery::{Delivery, DeliveryId, DeliveryKey, DeliveryStatus, LastOutcome, OutcomeKind};
pub use event::{Entry, Event, StandIn, TeamChange, UnknownEvent};
pub use incident::{BegunLevel, ClaimEnd, Ended, FORMAT, Handover, Incident};
pub use level::Level;
pub use matrix::{Matrix, Origin, Recipient, StatusUpdates};
pub use names::{
    DedupKey, HeartbeatName, IncidentNumber, KeyName, LayerName, MethodName, Note, OverrideId, OwnerName,
    Person, PersonId, RuleName, ScheduleName, ServiceName, SilenceId, Source, TeamName, Version,
};
pub use purpose::Purpose;
pub use quiet::{Quiet, QuietWhy, RulesId};
pub use receipt::Receipt;
pub use report::{Link, Report, ReportBuilder, Reporter};
pub use routed::{Ignored, Routed};
pub use severity::Severity;
pub use signature::Signature;
pub use standing::Standing;
pub use state::{Edge, State};
pub use timeline::Timeline;
pub use timing::{TimedStep, Timing};
pub(crate) use zone::Era;
pub use zone::{LocalTime, Zone};

pub(crate) use incident::{CALL_INS, CLAIM_ENDS, FIRST_FORMAT, LIMITED, OWN_WAITS, QUIET, ROUTED, STEPS};
pub(crate) use names::{paragraph, title};
pub(crate) use unknown::Unknown;

fn is_zero(n: &u16) -> bool {
    *n == 0
}
