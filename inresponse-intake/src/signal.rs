//! The meaning of one alert.

use chrono::{DateTime, Utc};
use inresponse_core::model::{DedupKey, IncidentNumber, Note, Person, ServiceName};

use crate::Trouble;

/// What one alert in a message means.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Signal {
    /// There is trouble.
    Report(Box<Trouble>),
    /// It is over.
    Recovery(Recovery),
    /// Somebody looks after it.
    Acknowledgement(Remark),
    /// Somebody does so no longer.
    Release(Remark),
    /// Somebody says something about it.
    Note(Remark),
    /// Nothing to do, with the reason.
    Nothing(&'static str),
}

/// Which incident is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The one that is open under the sender's key.
    Key(DedupKey),
    /// The one with that number, if it is of the service.
    Number(IncidentNumber),
}

/// Trouble that a sender says is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// The service it was reported for.
    pub service: ServiceName,
    /// Which incident.
    pub subject: Subject,
    /// When it was over, by the sender's clock.
    pub ended_at: Option<DateTime<Utc>>,
    /// Which reports came late if they come after this.
    pub covers: Covers,
    /// Who ended it, where the sender says so.
    pub by: Option<Person>,
    /// A note: by the person who ended it, or about repairs.
    pub note: Option<Note>,
    /// The alternative meaning if its end moves with every message: the trouble continues, and the sender's clock is
    /// behind.
    pub or_else: Option<Box<Trouble>>,
}

impl Recovery {
    /// The end of the trouble with this key; the sender gives no times.
    pub(crate) fn untimed(service: ServiceName, subject: Subject) -> Self {
        Self { service, subject, ended_at: None, covers: Covers::None, by: None, note: None, or_else: None }
    }
}

/// Which reports a recovery makes late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    /// Ends of trouble that began at exactly that time: each of several senders has its own order.
    Episode(DateTime<Utc>),
    /// Ends of trouble that began before that: there is one sender, and it gives the times of all changes.
    Until(DateTime<Utc>),
    /// None: the sender gives no times.
    None,
}

/// An action of a person, or a note.
#[derive(Debug, Clone, PartialEq)]
pub struct Remark {
    /// The service it was reported for.
    pub service: ServiceName,
    /// Which incident.
    pub subject: Subject,
    /// Who, where the sender says so.
    pub by: Option<Person>,
    /// The text.
    pub note: Option<Note>,
}
