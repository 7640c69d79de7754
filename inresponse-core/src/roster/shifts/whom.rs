//! The question that the parts of a schedule ask their reader: whom does a target mean?

use super::shift::Who;
use crate::model::{Contact, PersonId, TeamName};
use crate::roster::{Book, Target};

/// Says whom targets mean at an instant. Callers must ask about instants in ascending order.
pub(super) trait Whom<'a> {
    /// All people and schedules.
    fn book(&self) -> &'a Book;

    /// Adds whom a target of `team` means at an instant, and returns until when the answer is valid.
    fn people(
        &mut self,
        team: &'a TeamName,
        target: &'a Target,
        at: i64,
        absent: Absent,
        found: &mut Vec<Known<'a>>,
    ) -> i64;

    /// Adds a person, unless they are absent, and returns until when the answer is valid.
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

/// Whether people who are away are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// They are left out, because a layer, a feed or an override names them.
    Out,
    /// They stay, because a day entry, a level or a fallback names them, or because only the meaning of a target is
    /// asked for.
    Stay,
}

/// The span of instants about which a reader is asked. The end is not part of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Adds somebody who is not in the list yet.
pub(super) fn add<'a>(found: &mut Vec<Known<'a>>, one: Known<'a>) {
    if !found.contains(&one) {
        found.push(one);
    }
}
