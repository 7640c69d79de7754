//! Shifts: who is on call, from when to when, and why.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::model::{Contact, LayerName, OverrideId, PersonId};
use crate::roster::{FeedId, Target};

/// Somebody on call, after every target is resolved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A person of the roster.
    Person(PersonId),
    /// An address.
    Contact(Contact),
}

/// What puts people on call in a schedule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A feed below the layers or above them.
    Feed(FeedId),
    /// A layer.
    Layer(LayerName),
    /// An override.
    Override(OverrideId),
}

/// A span of a schedule in which the same people are on call for the same reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// When the shift begins.
    pub from: DateTime<Utc>,
    /// When the shift ends.
    pub to: DateTime<Utc>,
    /// Who is on call. If it is empty, there is a gap.
    pub oncall: Vec<Who>,
    /// The sources that put them on call, or that left a gap. Empty if no source applies.
    pub sources: Vec<Source>,
}

/// Who is on call in a schedule at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    /// Who is on call. If it is empty, there is a gap.
    pub oncall: Vec<Who>,
    /// The sources that put them on call, or that left a gap. Empty if no source applies.
    pub sources: Vec<Source>,
    /// Until when the answer is valid. At that time it may change.
    pub until: DateTime<Utc>,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => write!(f, "person:{person}"),
            Self::Contact(contact) => contact.fmt(f),
        }
    }
}

impl From<Who> for Target {
    fn from(who: Who) -> Self {
        match who {
            Who::Person(person) => Self::Person(person),
            Who::Contact(contact) => Self::Contact(contact),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feed(feed) => write!(f, "feed:{feed}"),
            Self::Layer(layer) => write!(f, "layer:{layer}"),
            Self::Override(id) => write!(f, "override:{id}"),
        }
    }
}
