//! When somebody goes on call for a team, and whose coming shifts an edit changes, as pure functions.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::instants::instants;
use super::shifts::Who;
use super::{Book, DayAhead, Defaults, Directory, Why, explain};
use crate::model::Person;

/// A time in which somebody is on call at one level of a team without a break.
///
/// Somebody who is on call at several levels counts at the lowest one. The fallback is not a level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stint {
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub to: DateTime<Utc>,
    /// The level, from 1.
    pub level: u16,
    /// Who is on call.
    pub who: Who,
}

/// Why somebody is notified about a coming stint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShiftNotice {
    /// It begins now.
    Begins,
    /// It begins in a day, and the person asked to be told then too.
    DayAhead,
}

/// How the coming shifts of somebody changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftChange {
    /// Whose shifts changed.
    pub who: Who,
    /// The times that were added.
    pub added: Vec<Stint>,
    /// The times that were removed.
    pub removed: Vec<Stint>,
}

/// How long before a shift the people are notified who asked for it.
const DAY: TimeDelta = TimeDelta::hours(24);

/// Who is on call for the directory's team from `from` to `to`, stint by stint, in order. A stint that began earlier
/// begins at `from`, and one that lasts longer ends at `to`.
pub fn stints(
    directory: &Directory,
    defaults: &Defaults,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<Stint> {
    let mut open: BTreeMap<Who, (u16, DateTime<Utc>)> = BTreeMap::new();
    let mut stints = Vec::new();
    for at in instants(directory, defaults, from, to) {
        let now = on_call(directory, defaults, at);
        open.retain(|who, (level, from)| {
            let goes_on = now.get(who) == Some(level);
            if !goes_on {
                stints.push(Stint { from: *from, to: at, level: *level, who: who.clone() });
            }
            goes_on
        });
        for (who, level) in now {
            open.entry(who).or_insert((level, at));
        }
    }
    stints.extend(open.into_iter().map(|(who, (level, from))| Stint { from, to, level, who }));
    stints.sort();
    stints
}

/// Everybody on call at `at`, each with their lowest level.
fn on_call(directory: &Directory, defaults: &Defaults, at: DateTime<Utc>) -> BTreeMap<Who, u16> {
    let mut levels = BTreeMap::new();
    let explained =
        explain(directory, defaults, at).filter(|explained| explained.resolved.why != Why::Fallback);
    for (level, people) in (1..).zip(explained.iter().flat_map(|explained| &explained.levels)) {
        for one in people {
            levels.entry(one.who.clone()).or_insert(level);
        }
    }
    levels
}

/// The notices that become due from `from` on and before `to`, in order.
///
/// `stints` must begin before `from`, so that a stint that began earlier is not taken for a new one. Nobody is told that a
/// shift begins that is over at `to`, nor a day ahead of one that has begun by then.
pub fn notices_due<'a>(
    stints: &'a [Stint],
    book: &Book,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<(ShiftNotice, &'a Stint)> {
    let is_due = |at: DateTime<Utc>| from <= at && at < to;
    let asked = |who: &Who| match who {
        Who::Person(person) => {
            book.person(person).is_some_and(|profile| profile.day_ahead_notice() == DayAhead::Asked)
        }
        Who::Contact(_) => false,
    };
    let mut due = Vec::new();
    for stint in stints {
        if is_due(stint.from) && stint.to > to {
            due.push((ShiftNotice::Begins, stint));
        } else if is_due(stint.from - DAY) && stint.from > to && asked(&stint.who) {
            due.push((ShiftNotice::DayAhead, stint));
        }
    }
    due
}

/// Whose shifts between `from` and `to` differ, for each person of whom somebody else made one of the edits.
///
/// `before` and `after` are the stints of a team before and after edits by `authors`. If no author is known, everybody
/// counts as somebody else.
pub fn changed_shifts(
    before: &[Stint],
    after: &[Stint],
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    authors: &[Person],
    book: &Book,
) -> Vec<ShiftChange> {
    let own = |who: &Who| {
        let is_theirs = |author: &Person| match (who, book.identify(author)) {
            (Who::Person(person), author) => author == Person::from(person),
            (Who::Contact(contact), author) => author.contact().as_ref() == Some(contact),
        };
        !authors.is_empty() && authors.iter().all(is_theirs)
    };
    let people: BTreeSet<&Who> = before.iter().chain(after).map(|stint| &stint.who).collect();
    let clipped = |stints: &[Stint], who: &Who| -> Vec<Stint> {
        let stints = stints.iter().filter(|stint| stint.who == *who);
        let clip =
            |stint: &Stint| Stint { from: stint.from.max(from), to: stint.to.min(to), ..stint.clone() };
        stints.map(clip).filter(|stint| stint.from < stint.to).collect()
    };
    let change = |who: &Who| {
        let (was, is) = (clipped(before, who), clipped(after, who));
        ShiftChange { who: who.clone(), added: without(&is, &was), removed: without(&was, &is) }
    };
    let changes = people.into_iter().filter(|who| !own(who)).map(change);
    changes.filter(|change| !change.added.is_empty() || !change.removed.is_empty()).collect()
}

/// The parts of some stints of a person that are in none of the others at the same level.
fn without(stints: &[Stint], others: &[Stint]) -> Vec<Stint> {
    let mut left = Vec::new();
    for stint in stints {
        let mut at = stint.from;
        let mut same: Vec<&Stint> = others.iter().filter(|other| other.level == stint.level).collect();
        same.sort();
        for other in same {
            if other.from > at && at < stint.to {
                left.push(Stint { from: at, to: other.from.min(stint.to), ..stint.clone() });
            }
            at = at.max(other.to);
        }
        if at < stint.to {
            left.push(Stint { from: at, ..stint.clone() });
        }
    }
    left
}

#[cfg(test)]
mod tests;
