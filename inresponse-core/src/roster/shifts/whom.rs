//! What the parts of a schedule ask their reader: whom a target means.

use super::shift::Who;
use crate::model::{Contact, PersonId, TeamName};
use crate::roster::{Book, Target};

/// Says whom targets mean at an instant. Instants are asked about in ascending order.
pub(super) trait Whom<'a> {
    /// All people and schedules.
    fn book(&self) -> &'a Book;

    /// Adds whom a target of `team` means at an instant, and says until when that is certain.
    fn people(
        &mut self,
        team: &'a TeamName,
        target: &'a Target,
        at: i64,
        absent: Absent,
        found: &mut Vec<Known<'a>>,
    ) -> i64;

    /// Adds a person, unless they are absent, and says until when that is certain.
    fn person(&self, person: &'a PersonId, at: i64, absent: Absent, found: &mut Vec<Known<'a>>) -> i64;
}

/// Somebody on call, as the roster has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known<'a> {
    Person(&'a PersonId),
    Contact(&'a Contact),
}

impl From<Known<'_>> for Who {
    fn from(known: Known<'_>) -> Self {
        match known {
            Known::Person(person) => Self::Person(person.clone()),
            Known::Contact(contact) => Self::Contact(contact.clone()),
        }
    }
}

/// What becomes of people who are away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// They are taken out: where a layer, a feed or an override names them.
    Out,
    /// They stay: where a day entry, a level or a fallback names them, and where it is asked who is meant.
    Stay,
}

/// The instants that a reader is asked about: from one to before the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Adds somebody who is not there yet.
pub(super) fn add<'a>(found: &mut Vec<Known<'a>>, one: Known<'a>) {
    if !found.contains(&one) {
        found.push(one);
    }
}
