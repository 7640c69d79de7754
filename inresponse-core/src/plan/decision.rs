//! What the planner decides: a changed incident and its sends, or why nothing changes.

use chrono::{DateTime, Utc};

use super::draft::Draft;
use super::request::Refusal;
use super::round::RoundOf;
use crate::model::{Contact, DeliveryKey, Incident};

/// The decision about an input.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Decision {
    /// Commit this, then send that.
    Change(Box<Plan>),
    /// Nothing changes.
    Nothing,
    /// A person's request that is refused.
    Refuse(Refusal),
    /// A round is about to begin: ask again with the people whom the roster names now.
    NeedsRound(RoundOf),
}

/// A changed incident, and what may be sent once it is committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The record to commit.
    pub draft: Draft,
    /// The sends whose leases that commit takes.
    pub sends: Vec<Dispatch>,
}

/// One attempt that a committed lease allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// Which delivery.
    pub delivery: DeliveryKey,
    /// Which attempt of it, from 1.
    pub attempt: u32,
    /// To whom.
    pub contact: Contact,
    /// When the lease ends; no send begins after that.
    pub lease_until: DateTime<Utc>,
}

/// The decision to store the incident like this, and then to send that.
pub(super) fn change(mut incident: Incident, sends: Vec<Dispatch>, now: DateTime<Utc>) -> Decision {
    incident.updated_at = now;
    Decision::Change(Box::new(Plan { draft: Draft::new(incident), sends }))
}
