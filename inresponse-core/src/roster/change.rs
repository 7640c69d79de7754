//! Audit records: who changed the roster, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Entry, EntryKey, EntryKind, RosterEdit};
use crate::error::InvalidInput;
use crate::model::Person;

/// The entry under a key before an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Was {
    /// Nothing.
    Absent,
    /// The team has no settings, but other entries belong to it.
    OnlyParts,
    /// This entry.
    Entry(Entry),
    /// An entry that cannot be read. It can still be replaced and deleted.
    Unreadable,
}

/// The audit record of one edit of the roster. It contains no addresses.
#[derive(Debug, Clone, PartialEq)]
pub struct RosterChange {
    at: DateTime<Utc>,
    by: Person,
    what: What,
}

/// The subject of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A change to an entry.
    Entry(EntryChange),
    /// A line of text, from a version that stored nothing else.
    Text(String),
}

/// How an entry was changed.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryChange {
    /// The entry.
    pub key: EntryKey,
    /// The kind of the change.
    pub change: ChangeKind,
    /// The fields that changed, by their names on the wire, each with its value before and after.
    pub fields: BTreeMap<String, FieldChange>,
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// The entry was created.
    Created,
    /// The entry replaced another one.
    Replaced,
    /// The entry replaced one that could not be read.
    ReplacedUnreadable,
    /// The entry was deleted.
    Deleted,
}

/// The value of a field before and after a change; `None` if there was none. Contacts are masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The value before the change.
    pub before: Option<Value>,
    /// The value after the change.
    pub after: Option<Value>,
}

/// An [`EntryChange`] in its stored form.
#[derive(Serialize, Deserialize)]
struct Stored {
    entry: EntryKind,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    team: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    change: ChangeKind,
    fields: BTreeMap<String, FieldChange>,
}

impl RosterChange {
    /// The audit record of one edit: its time to the microsecond, the person who made it, and the entry before it.
    pub(super) fn of_edit(at: DateTime<Utc>, by: &Person, edit: &RosterEdit, was: &Was) -> Self {
        let (before, now) = match (was, edit) {
            (Was::Entry(was), RosterEdit::Put(now)) => (Some(was), Some(now)),
            (Was::Entry(was), RosterEdit::Delete(_)) => (Some(was), None),
            (Was::Absent | Was::OnlyParts | Was::Unreadable, RosterEdit::Put(now)) => (None, Some(now)),
            (Was::Absent | Was::OnlyParts | Was::Unreadable, RosterEdit::Delete(_)) => (None, None),
        };
        let change = match (edit, was) {
            (RosterEdit::Delete(_), _) => ChangeKind::Deleted,
            (RosterEdit::Put(_), Was::Entry(_)) => ChangeKind::Replaced,
            (RosterEdit::Put(_), Was::Unreadable) => ChangeKind::ReplacedUnreadable,
            (RosterEdit::Put(_), Was::Absent | Was::OnlyParts) => ChangeKind::Created,
        };
        let what = EntryChange { key: edit.key(), change, fields: changed_fields(before, now) };
        Self { at: at.trunc_subsecs(6), by: by.clone(), what: What::Entry(what) }
    }

    /// Reads a record from its stored parts: its time, its author, and the text of [`stored`](Self::stored).
    pub fn decode(at: DateTime<Utc>, by: Person, stored: &str) -> Self {
        let entry = serde_json::from_str(stored).ok().and_then(|stored: Stored| {
            let key = EntryKey::from_parts(stored.entry, &stored.team, &stored.name).ok()?;
            Some(EntryChange { key, change: stored.change, fields: stored.fields })
        });
        // It is a line of an older version, or a record of a newer one. Its text is kept.
        let what = entry.map_or_else(|| What::Text(stored.to_owned()), What::Entry);
        Self { at: at.trunc_subsecs(6), by, what }
    }

    /// The change in its stored form.
    pub fn stored(&self) -> String {
        match &self.what {
            What::Text(text) => text.clone(),
            What::Entry(EntryChange { key, change, fields }) => {
                let team = key.team().map(ToString::to_string).unwrap_or_default();
                let stored = Stored {
                    entry: key.kind(),
                    team,
                    name: key.name(),
                    change: *change,
                    fields: fields.clone(),
                };
                serde_json::to_string(&stored).unwrap_or_else(|_| key.to_string())
            }
        }
    }

    /// When the change was made.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The name of the API key that made the change, or `config`.
    pub fn by(&self) -> &Person {
        &self.by
    }

    /// The subject of the change.
    pub fn what(&self) -> &What {
        &self.what
    }
}

type Fields = Map<String, Value>;

/// The fields that differ, without the addresses in their values.
fn changed_fields(before: Option<&Entry>, now: Option<&Entry>) -> BTreeMap<String, FieldChange> {
    let plain = |entry: Option<&Entry>| -> Fields {
        entry.and_then(|entry| serde_json::from_str(&entry.body().ok()?).ok()).unwrap_or_default()
    };
    let shown = |entry: Option<&Entry>| entry.map(Entry::shown).unwrap_or_default();
    // Two addresses may look alike once they are masked, so the entries themselves are compared.
    let (was, is) = (plain(before), plain(now));
    let (before, after) = (shown(before), shown(now));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| was.get(*name) != is.get(*name));
    let field =
        |name: &String| FieldChange { before: before.get(name).cloned(), after: after.get(name).cloned() };
    changed.map(|name| (name.clone(), field(name))).collect()
}

/// The place of a change in the list of changes. Only the roster that gave the mark knows its meaning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeMark(String);

impl ChangeMark {
    /// The maximum length of a mark, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Reads a mark that a roster gave.
    ///
    /// # Errors
    /// The text is empty, longer than [`Self::MAX_BYTES`], or not printable ASCII.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidInput> {
        let text = text.into();
        let holds = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if holds {
            Ok(Self(text))
        } else {
            Err(InvalidInput::field("cursor", "is not a cursor of the changes"))
        }
    }

    /// The mark of the change with that number. Higher numbers are later.
    pub fn numbered(number: u64) -> Self {
        Self(format!("{number:020}"))
    }

    /// The number of the mark, if it is [`numbered`](Self::numbered).
    pub fn number(&self) -> Option<u64> {
        let digits = self.0.len() == 20 && self.0.bytes().all(|b| b.is_ascii_digit());
        self.0.parse().ok().filter(|_| digits)
    }

    /// The mark as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChangeMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Contact, TeamName};
    use crate::roster::Team;

    fn team(fallback: &str, repeat: u32) -> Entry {
        let settings = Team::builder(vec![Contact::new(fallback).unwrap()]).repeat(repeat).build().unwrap();
        Entry::team(&TeamName::new("devops").unwrap(), settings)
    }

    fn change(edit: RosterEdit, was: &Was) -> RosterChange {
        let at = "2026-11-28T07:00:00.123456789Z".parse().unwrap();
        RosterChange::of_edit(at, &Person::new("ann").unwrap(), &edit, was)
    }

    fn fields(change: &RosterChange) -> Vec<&str> {
        match change.what() {
            What::Entry(entry) => entry.fields.keys().map(String::as_str).collect(),
            What::Text(text) => panic!("{text}"),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_stored() {
        let put = RosterEdit::Put(team("ops@example.org", 1));
        let gone = RosterEdit::Delete(put.key());
        for (edit, was) in [
            (put.clone(), Was::Absent),
            (put.clone(), Was::Unreadable),
            (put, Was::Entry(team("ops@example.org", 2))),
            (gone.clone(), Was::OnlyParts),
            (gone, Was::Entry(team("ops@example.org", 2))),
        ] {
            let change = change(edit, &was);
            assert_eq!(change.at().timestamp_subsec_nanos(), 123_456_000, "every storage can keep its time");
            let read = RosterChange::decode(change.at(), change.by().clone(), &change.stored());
            assert_eq!(read, change);
        }
        let old = "service athens: team devops, before nobody";
        let read = RosterChange::decode(DateTime::UNIX_EPOCH, Person::new("ann").unwrap(), old);
        assert_eq!((read.what(), read.stored()), (&What::Text(old.into()), old.into()));
    }

    #[test]
    fn a_record_has_the_fields_that_changed_and_no_address() {
        let was = Was::Entry(team("jo@example.org", 1));
        let repeated = change(RosterEdit::Put(team("jo@example.org", 2)), &was);
        assert_eq!(fields(&repeated), ["repeat"]);
        // They look alike once they are masked.
        let other = change(RosterEdit::Put(team("jim@example.org", 1)), &was);
        assert_eq!(fields(&other), ["fallback"]);
        for address in ["jo@example.org", "jim@example.org"] {
            assert!(!other.stored().contains(address), "{}", other.stored());
        }
        let new = change(RosterEdit::Put(team("jo@example.org", 1)), &Was::Absent);
        assert_eq!(fields(&new), ["alertLevels", "escalateAfterSeconds", "fallback", "repeat", "timezone"]);
    }

    #[test]
    fn marks_are_ordered_as_their_numbers_are() {
        let numbers = [0, 1, 9, 10, 255, u64::MAX];
        for pair in numbers.windows(2) {
            assert!(ChangeMark::numbered(pair[0]) < ChangeMark::numbered(pair[1]));
        }
        for number in numbers {
            assert_eq!(ChangeMark::numbered(number).number(), Some(number));
        }
        for other in ["1", "+0000000000000000001", "2026-11-28T07:00:00Z#ab"] {
            assert_eq!(ChangeMark::new(other).unwrap().number(), None, "{other}");
        }
        for refused in ["", "a b", "é", "x\n", &"x".repeat(65)] {
            assert!(ChangeMark::new(refused).is_err(), "{refused:?}");
        }
    }
}
