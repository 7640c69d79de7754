//! Finds the people whom calendars name, and says whether they are away.

use super::clock::{DAY, NEVER};
use crate::model::{Contact, PersonId, Zone};
use crate::roster::known::mail;
use crate::roster::{Book, FeedCopy, FeedEvent, Moment, Profile};

/// The person whom a calendar means by a name: a person's id, display name, or address of a mail method. Only ids are
/// case-sensitive. A display name or an address that more than one person has identifies nobody.
pub(super) fn named<'a>(book: &'a Book, name: &str) -> Option<&'a PersonId> {
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    if let Some((person, _)) = PersonId::new(name).ok().and_then(|id| book.people().get_key_value(&id)) {
        return Some(person);
    }
    if let Some(titled) = book.known().titles.get(&name.to_lowercase()) {
        return titled.as_ref();
    }
    if !name.contains('@') {
        return None;
    }
    book.known().mails.get(&mail(&Contact::new(name).ok()?)?)?.as_ref()
}

/// Everybody whom an event of a feed names.
pub(super) fn named_in<'a>(book: &'a Book, event: &FeedEvent) -> Vec<&'a PersonId> {
    let mut people = Vec::new();
    for person in event.names.iter().filter_map(|name| named(book, name)) {
        if !people.contains(&person) {
            people.push(person);
        }
    }
    people
}

/// The events of a feed's copy that name nobody in the roster. They put nobody on call, and hide nothing below the
/// feed.
///
/// An event names people by any of its names: by their id, their display name, or the address of a mail method.
pub fn unmatched<'a>(book: &Book, copy: &'a FeedCopy) -> Vec<&'a FeedEvent> {
    copy.events.iter().filter(|event| named_in(book, event).is_empty()).collect()
}

/// Whether somebody is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Away,
    Here,
}

/// Whether somebody is away at an instant, and until when the answer is valid.
pub(super) fn presence(profile: &Profile, at: i64) -> (Presence, i64) {
    let (mut presence, mut until) = (Presence::Here, NEVER);
    for absence in profile.absences() {
        let Some((from, to)) = span(absence.from, absence.to, profile.timezone(), at) else { continue };
        if from > at && from < to {
            until = until.min(from);
        } else if from <= at && at < to {
            (presence, until) = (Presence::Away, until.min(to));
        }
    }
    (presence, until)
}

/// The instants of a span; `None` if it ends before `at`.
pub(super) fn span(from: Moment, to: Moment, zone: &Zone, at: i64) -> Option<(i64, i64)> {
    // Every zone is at most a day from UTC, so the clocks are not needed for a span that ended long ago.
    let past = match to {
        Moment::At(to) => to.timestamp() <= at,
        Moment::Local(to) => to.clock().and_utc().timestamp() < at - 2 * DAY,
    };
    (!past).then(|| (from.begins(zone).timestamp(), to.ends(zone).timestamp())).filter(|(_, to)| *to > at)
}
