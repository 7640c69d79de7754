//! What edits do: pure. Every roster decides by [`judge`] and only reads and writes.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::{Entry, EntryKey, RosterChange, RosterEdit, Was};
use crate::model::Person;

/// The most edits that one call makes.
pub const MAX_EDITS: usize = 40;

/// How many users of a name a roster looks up: one more than one call can edit.
pub const MAX_USERS: usize = MAX_EDITS + 1;

/// What a roster looks up before an edit, in the atomic step that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What is there now.
    pub was: Was,
    /// For a deletion: entries that use the name, at most [`MAX_USERS`].
    pub users: Vec<EntryKey>,
}

/// What one edit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Effect {
    /// The entry is new.
    Created,
    /// The entry replaced another one.
    Replaced,
    /// The same entry was there already. Nothing was written.
    Unchanged,
    /// The entry is gone.
    Deleted,
    /// There was nothing to delete.
    Absent,
}

impl Effect {
    /// What it did, in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Absent => "absent",
        }
    }

    /// Whether something was written.
    pub const fn changes(self) -> bool {
        match self {
            Self::Created | Self::Replaced | Self::Deleted => true,
            Self::Unchanged | Self::Absent => false,
        }
    }
}

/// Why nothing was edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// An entry that is to be deleted is used by this one, and perhaps by others.
    InUse {
        /// What was to be deleted.
        key: EntryKey,
        /// What uses it.
        by: EntryKey,
    },
    /// Two edits of the call concern the same entry, or an entry and the team that is deleted with it.
    Twice(EntryKey),
    /// More than [`MAX_EDITS`] edits.
    TooMany(usize),
}

/// What a call to [`Roster::apply`](super::Roster::apply) did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Edited {
    /// All edits are durable with their audit records: what each of them did, in their order.
    Done(Vec<Effect>),
    /// Nothing was changed.
    Refused(Refusal),
}

/// How a call of [`Roster::apply`](super::Roster::apply) is judged.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Judged {
    /// To be written in one atomic step: each edit whose effect [changes](Effect::changes) something, and the records.
    Write {
        /// What each edit does.
        effects: Vec<Effect>,
        /// The audit records.
        changes: Vec<RosterChange>,
    },
    /// Nothing may be written.
    Refused(Refusal),
}

/// Refuses what can be refused without a look at the roster.
///
/// # Errors
/// Too many edits, or two of the same entry.
pub fn check(edits: &[RosterEdit]) -> Result<(), Refusal> {
    if edits.len() > MAX_EDITS {
        return Err(Refusal::TooMany(edits.len()));
    }
    let mut seen = HashSet::new();
    for edit in edits {
        let key = edit.key();
        let goes_with_its_team = matches!(&key, EntryKey::Day(team, _)
            if edits.iter().any(|edit| *edit == RosterEdit::Delete(EntryKey::Team(team.clone()))));
        if goes_with_its_team || !seen.insert(key.clone()) {
            return Err(Refusal::Twice(key));
        }
    }
    Ok(())
}

/// What `edits` by `by` at `at` do, if `looked` is what each of them finds. Names are judged after all edits.
pub fn judge(by: &Person, at: DateTime<Utc>, edits: &[RosterEdit], looked: &[Looked]) -> Judged {
    if let Err(refusal) = check(edits) {
        return Judged::Refused(refusal);
    }
    let (mut effects, mut changes) = (Vec::new(), Vec::new());
    for (edit, Looked { was, users }) in edits.iter().zip(looked) {
        let effect = match edit {
            RosterEdit::Put(entry) => match was {
                Was::Entry(was) if was == entry => Effect::Unchanged,
                Was::Entry(_) | Was::Unreadable => Effect::Replaced,
                Was::Absent | Was::OnlyParts => Effect::Created,
            },
            RosterEdit::Delete(key) => {
                if let Some(by) = user_after(edits, key, users) {
                    return Judged::Refused(Refusal::InUse { key: key.clone(), by });
                }
                if *was == Was::Absent { Effect::Absent } else { Effect::Deleted }
            }
        };
        if effect.changes() {
            changes.push(RosterChange::of_edit(at, by, edit, was));
        }
        effects.push(effect);
    }
    Judged::Write { effects, changes }
}

/// An entry that uses `key` once all edits are made.
fn user_after(edits: &[RosterEdit], key: &EntryKey, users: &[EntryKey]) -> Option<EntryKey> {
    let is_edited = |user: &&EntryKey| edits.iter().any(|edit| edit.key() == **user);
    let put = edits.iter().filter_map(|edit| match edit {
        RosterEdit::Put(entry) => Some(entry),
        RosterEdit::Delete(_) => None,
    });
    let put = put.filter(|entry| entry.uses().contains(key)).map(Entry::key).next();
    users.iter().find(|user| !is_edited(user)).cloned().or(put)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Contact, ServiceName, TeamName};
    use crate::roster::{Rota, Team};

    fn team(name: &str) -> TeamName {
        TeamName::new(name).unwrap()
    }

    fn settings(repeat: u32) -> Entry {
        let fallback = vec![Contact::new("ops@example.org").unwrap()];
        Entry::team(&team("devops"), Team::builder(fallback).repeat(repeat).build().unwrap())
    }

    fn athens(of: &str) -> Entry {
        Entry::service(&ServiceName::new("athens").unwrap(), &team(of))
    }

    fn delete(entry: &Entry) -> RosterEdit {
        RosterEdit::Delete(entry.key())
    }

    fn judged(edits: &[RosterEdit], looked: &[(Was, &[EntryKey])]) -> Judged {
        let looked: Vec<_> =
            looked.iter().map(|(was, users)| Looked { was: was.clone(), users: users.to_vec() }).collect();
        judge(&Person::new("ann").unwrap(), DateTime::UNIX_EPOCH, edits, &looked)
    }

    #[test]
    fn each_edit_is_judged_by_what_was_there() {
        use Effect::{Absent, Created, Deleted, Replaced, Unchanged};
        let (put, gone) = (RosterEdit::Put(settings(1)), delete(&settings(1)));
        let cases = [
            (&put, Was::Absent, Created),
            (&put, Was::OnlyParts, Created),
            (&put, Was::Entry(settings(2)), Replaced),
            (&put, Was::Entry(settings(1)), Unchanged),
            (&put, Was::Unreadable, Replaced),
            (&gone, Was::Absent, Absent),
            (&gone, Was::OnlyParts, Deleted),
            (&gone, Was::Entry(settings(2)), Deleted),
            (&gone, Was::Unreadable, Deleted),
        ];
        for (edit, was, expected) in cases {
            match judged(std::slice::from_ref(edit), &[(was.clone(), &[])]) {
                Judged::Write { effects, changes } => {
                    assert_eq!(effects, [expected], "{edit:?} of {was:?}");
                    assert_eq!(changes.len(), usize::from(expected.changes()), "{edit:?} of {was:?}");
                }
                Judged::Refused(refusal) => panic!("{edit:?} of {was:?}: {refusal:?}"),
            }
        }
    }

    #[test]
    fn a_name_in_use_is_judged_after_all_edits() {
        let (devops, user) = (settings(1), athens("devops").key());
        let there = Was::Entry(devops.clone());
        let in_use = Judged::Refused(Refusal::InUse { key: devops.key(), by: user.clone() });
        assert_eq!(judged(&[delete(&devops)], &[(there.clone(), std::slice::from_ref(&user))]), in_use);
        // The user is given away or deleted in the same call.
        for other in [RosterEdit::Put(athens("ops")), delete(&athens("devops"))] {
            let edits = [delete(&devops), other];
            let was = Was::Entry(athens("devops"));
            let judged = judged(&edits, &[(there.clone(), std::slice::from_ref(&user)), (was, &[])]);
            assert!(matches!(judged, Judged::Write { .. }), "{judged:?}");
        }
        // The same call makes a user.
        let edits = [delete(&devops), RosterEdit::Put(athens("devops"))];
        assert_eq!(judged(&edits, &[(there, &[]), (Was::Absent, &[])]), in_use);
    }

    #[test]
    fn p16_too_many_edits_and_two_of_one_entry_are_refused() {
        let day = |n| {
            let day = chrono::NaiveDate::from_ymd_opt(2026, 12, n).unwrap();
            Entry::day(&team("devops"), day, Rota::new(Vec::new(), Vec::new()).unwrap())
        };
        let twice = [RosterEdit::Put(day(1)), RosterEdit::Put(day(2)), delete(&day(1))];
        assert_eq!(check(&twice), Err(Refusal::Twice(day(1).key())));
        let with_its_team = [RosterEdit::Put(day(1)), delete(&settings(1))];
        assert_eq!(check(&with_its_team), Err(Refusal::Twice(day(1).key())));
        let many: Vec<_> = (0..=MAX_EDITS)
            .map(|n| RosterEdit::Put(Entry::service(&ServiceName::new(n.to_string()).unwrap(), &team("x"))))
            .collect();
        assert_eq!(check(&many), Err(Refusal::TooMany(MAX_EDITS + 1)));
        assert_eq!(check(&many[1..]), Ok(()));
    }
}
