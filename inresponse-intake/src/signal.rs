//! Signals: the meaning of one alert.

use chrono::{DateTime, Utc};
use inresponse_core::model::{DedupKey, IncidentNumber, Note, Person, ServiceName};

use crate::Trouble;

/// The meaning of one alert in a message.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Signal {
    /// There is a problem.
    Report(Box<Trouble>),
    /// A problem is over.
    Recovery(Recovery),
    /// Somebody acknowledges the alert.
    Acknowledgement(Remark),
    /// Somebody takes an acknowledgement back.
    Release(Remark),
    /// Somebody adds a note.
    Note(Remark),
    /// There is nothing to do, for this reason.
    Nothing(&'static str),
}

/// The incident that a signal is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The open incident with the sender's dedup key.
    Key(DedupKey),
    /// The incident with that number, if it is about the service.
    Number(IncidentNumber),
}

/// A problem that is over, as its sender reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// The service for which the problem was reported.
    pub service: ServiceName,
    /// The incident that the recovery is about.
    pub subject: Subject,
    /// When the problem ended, by the sender's clock.
    pub ended_at: Option<DateTime<Utc>>,
    /// Which reports count as late if they come after this recovery.
    pub covers: Covers,
    /// The person who ended the problem, if the sender names one.
    pub by: Option<Person>,
    /// A note by the person who ended the problem, or about corrections of the alert's text.
    pub note: Option<Note>,
    /// The report to use instead of this recovery if the alert's end time moves with every message. A moving end time
    /// means that the problem still exists, and looks ended only because the sender's clock is behind.
    pub or_else: Option<Box<Trouble>>,
}

impl Recovery {
    /// A recovery without times, because the sender gives none.
    pub(crate) fn untimed(service: ServiceName, subject: Subject) -> Self {
        Self { service, subject, ended_at: None, covers: Covers::None, by: None, note: None, or_else: None }
    }
}

/// Which reports count as late if they come after a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    /// Reports of a problem that began at exactly that time. Several senders may report it, each in its own order.
    Episode(DateTime<Utc>),
    /// Reports of a problem that began before that time. There is one sender, and it gives the times of all changes.
    Until(DateTime<Utc>),
    /// No reports, because the sender gives no times.
    None,
}

/// An action of a person, or a note.
#[derive(Debug, Clone, PartialEq)]
pub struct Remark {
    /// The service for which the problem was reported.
    pub service: ServiceName,
    /// The incident that the action is about.
    pub subject: Subject,
    /// The person who acted, if the sender names one.
    pub by: Option<Person>,
    /// The text of the note.
    pub note: Option<Note>,
}
