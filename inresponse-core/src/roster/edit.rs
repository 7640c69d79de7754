//! Judges edits, as a pure function. Every roster decides by [`judge`] and only reads and writes.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::names::{Names, Open};
use super::question::{Answers, Question, Refusal};
use super::{EntryKey, RosterChange, RosterEdit, Was};
use crate::model::Person;

/// The maximum number of edits in one call.
pub const MAX_EDITS: usize = 40;

/// The effect of one edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Effect {
    /// The entry was created.
    Created,
    /// The entry replaced another one.
    Replaced,
    /// The same entry already existed. Nothing was written.
    Unchanged,
    /// The entry was deleted.
    Deleted,
    /// There was no entry to delete.
    Absent,
}

impl Effect {
    /// The name of the effect, in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Absent => "absent",
        }
    }

    /// Whether the effect changed something.
    pub const fn changes(self) -> bool {
        match self {
            Self::Created | Self::Replaced | Self::Deleted => true,
            Self::Unchanged | Self::Absent => false,
        }
    }
}

/// The result of a call to [`Roster::apply`](super::Roster::apply).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Edited {
    /// All edits are durable with their audit records. The list has the effect of each edit, in order.
    Done(Vec<Effect>),
    /// Nothing was changed, for this reason.
    Refused(Refusal),
}

/// The judgement about a call to [`Roster::apply`](super::Roster::apply).
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Judged {
    /// Nothing is decided yet: answer these questions and ask again.
    Ask(Vec<Question>),
    /// The roster must write, in one atomic step, each edit whose effect [changes](Effect::changes) something, and the
    /// audit records.
    Write {
        /// The effect of each edit.
        effects: Vec<Effect>,
        /// The audit records.
        changes: Vec<RosterChange>,
    },
    /// Nothing may be written, for this reason.
    Refused(Refusal),
}

/// Refuses calls that can be refused without reading the roster.
///
/// # Errors
/// There are too many edits, or two of the same entry.
pub fn check(edits: &[RosterEdit]) -> Result<(), Box<Refusal>> {
    if edits.len() > MAX_EDITS {
        return Err(Refusal::TooMany(edits.len()).into());
    }
    let mut seen = HashSet::new();
    for edit in edits {
        let key = edit.key();
        if is_inside_a_deleted(edits, &key) || !seen.insert(key.clone()) {
            return Err(Refusal::Twice(key).into());
        }
    }
    Ok(())
}

fn is_inside_a_deleted(edits: &[RosterEdit], key: &EntryKey) -> bool {
    edits.iter().any(|edit| matches!(edit, RosterEdit::Delete(outer) if key.is_inside(outer)))
}

/// Judges `edits`, which `by` makes at `at`, for the roster that gave these answers. Names are judged after all edits.
///
/// Call it without answers first: the result contains the questions to answer. A roster answers all questions of one
/// call from the same state, and writes only to that state.
pub fn judge(by: &Person, at: DateTime<Utc>, edits: &[RosterEdit], answers: &Answers) -> Judged {
    if let Err(refusal) = check(edits) {
        return Judged::Refused(*refusal);
    }
    let names = Names { edits, answers };
    match names.judge() {
        Err(Open::Refused(refusal)) => return Judged::Refused(*refusal),
        Err(Open::Ask(questions)) => return Judged::Ask(questions),
        Ok(()) => {}
    }
    let (mut effects, mut changes) = (Vec::new(), Vec::new());
    for edit in edits {
        let Some(was) = answers.found(&edit.key()) else {
            return Judged::Ask(vec![Question::Entry(edit.key())]);
        };
        let effect = match edit {
            RosterEdit::Put(entry) => match was {
                Was::Entry(was) if was == entry => Effect::Unchanged,
                Was::Entry(_) | Was::Unreadable => Effect::Replaced,
                Was::Absent | Was::OnlyParts => Effect::Created,
            },
            RosterEdit::Delete(_) if *was == Was::Absent => Effect::Absent,
            RosterEdit::Delete(_) => Effect::Deleted,
        };
        if effect.changes() {
            changes.push(RosterChange::of_edit(at, by, edit, was));
        }
        effects.push(effect);
    }
    Judged::Write { effects, changes }
}

/// Like [`judge`], for a roster that can answer every question immediately.
///
/// # Errors
/// The errors of `answer`.
pub fn judge_by<E>(
    by: &Person,
    at: DateTime<Utc>,
    edits: &[RosterEdit],
    mut answer: impl FnMut(&Question, &mut Answers) -> Result<(), E>,
) -> Result<Judged, E> {
    let mut answers = Answers::default();
    loop {
        match judge(by, at, edits, &answers) {
            Judged::Ask(questions) => {
                for question in questions {
                    answer(&question, &mut answers)?;
                }
            }
            judged @ (Judged::Write { .. } | Judged::Refused(_)) => return Ok(judged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Contact, ServiceName, TeamName};
    use crate::roster::{Entry, Rota, Team};

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

    /// What is decided if each edit finds this, and its name has these users. Every person is there.
    fn judged(edits: &[RosterEdit], looked: &[(Was, &[EntryKey])]) -> Judged {
        let found = |key: &EntryKey| edits.iter().position(|edit| edit.key() == *key);
        let answer = |question: &Question, answers: &mut Answers| {
            match question {
                Question::Entry(key) => {
                    let was = found(key).map_or(Was::Absent, |n| looked[n].0.clone());
                    answers.entry(key.clone(), was);
                }
                Question::Users(key) => {
                    let users = found(key).map_or(Vec::new(), |n| looked[n].1.to_vec());
                    answers.keys(question.clone(), users);
                }
                Question::Parts(_) | Question::OnCallOfDays { .. } => {
                    answers.keys(question.clone(), Vec::new())
                }
            }
            Ok::<_, std::convert::Infallible>(())
        };
        let Ok(judged) = judge_by(&Person::new("ann").unwrap(), DateTime::UNIX_EPOCH, edits, answer);
        judged
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
                other => panic!("{edit:?} of {was:?}: {other:?}"),
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
            Entry::day(&team("devops"), day, Rota::new(Vec::<Contact>::new(), Vec::new()).unwrap())
        };
        let twice = [RosterEdit::Put(day(1)), RosterEdit::Put(day(2)), delete(&day(1))];
        assert_eq!(check(&twice), Err(Box::new(Refusal::Twice(day(1).key()))));
        let with_its_team = [RosterEdit::Put(day(1)), delete(&settings(1))];
        assert_eq!(check(&with_its_team), Err(Box::new(Refusal::Twice(day(1).key()))));
        let many: Vec<_> = (0..=MAX_EDITS)
            .map(|n| RosterEdit::Put(Entry::service(&ServiceName::new(n.to_string()).unwrap(), &team("x"))))
            .collect();
        assert_eq!(check(&many), Err(Box::new(Refusal::TooMany(MAX_EDITS + 1))));
        assert_eq!(check(&many[1..]), Ok(()));
    }
}
