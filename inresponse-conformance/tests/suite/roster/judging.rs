//! How the model judges and makes the edits of a call.

use std::slice;

use chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, MethodName, Person};
use inresponse_core::roster::{
    Answers, Edited, Effect, Entry, EntryKey, EntryKind, Judged, MAX_EDITS, Profile, Question, Refusal,
    RosterChange, RosterEdit, Team, Was,
};

use super::Defect::*;
use super::model::{Model, Tables};
use super::sight::{Sight, judge_with};

impl Model {
    /// Makes a call that saw `seen` before it began.
    pub(super) fn call(&self, seen: &Tables, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Edited {
        let known = self.known();
        let mut disk = self.disk();
        if self.defect == reads_the_calendar_before_it_writes {
            for edit in edits {
                if let RosterEdit::Put(Entry::Day { team, .. }) = edit {
                    let days = seen.days.get(team.as_str()).cloned().unwrap_or_default();
                    disk.days.insert(team.as_str().to_owned(), days);
                }
            }
        }
        let found = disk.clone();
        // Users are always looked up on the disk.
        let stale = if self.defect == looks_for_circles_before_it_writes { seen } else { &known };
        let sight = |tables| Sight { model: self, edits, tables, stale, users: Some(&found) };
        let (now, before) = (sight(&found), sight(seen));
        let judged = match self.defect {
            looks_before_it_writes | locks_its_own_handle_only => self.judged(by, at, edits, before),
            judges_by_what_it_has_read => self.judged(by, at, edits, sight(&known)),
            judges_deletions_by_what_it_has_read
                if edits.iter().all(|edit| matches!(edit, RosterEdit::Delete(_))) =>
            {
                self.judged(by, at, edits, sight(&known))
            }
            _ => self.judged(by, at, edits, now),
        };
        for edit in edits {
            if let RosterEdit::Delete(EntryKey::Team(team)) = edit
                && self.defect == deletes_the_calendar_before_it_looks
            {
                disk.days.remove(team.as_str());
            }
        }
        match judged {
            Judged::Ask(questions) => panic!("these were answered: {questions:?}"),
            Judged::Refused(refusal) => {
                self.fail(&mut disk, by, at, edits, now, &refusal);
                Edited::Refused(refusal)
            }
            Judged::Write { effects, mut changes } => {
                for (edit, effect) in edits.iter().zip(&effects) {
                    if effect.changes() {
                        self.write(&mut disk, edit);
                    }
                }
                if self.defect == records_what_it_saw_before
                    && let Judged::Write { changes: seen, .. } = self.judged(by, at, edits, before)
                {
                    changes = seen;
                }
                changes.extend(self.needless_records(by, at, edits, &effects));
                self.record(&mut disk, edits, now, changes);
                Edited::Done(self.told(by, at, edits, effects, before))
            }
        }
    }

    fn judged(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit], sight: Sight<'_>) -> Judged {
        let judged = sight.judge(by, at, edits);
        let edits_of = |key: &EntryKey| edits.iter().filter(|edit| edit.key() == *key).count();
        let puts = |kind: EntryKind| {
            edits.iter().any(|edit| matches!(edit, RosterEdit::Put(entry) if entry.key().kind() == kind))
        };
        let deleted = |kind: EntryKind| {
            let keys = edits.iter().filter(|edit| matches!(edit, RosterEdit::Delete(_)));
            keys.map(RosterEdit::key).find(|key| key.kind() == kind)
        };
        let overruled = match (self.defect, &judged) {
            (takes_a_fallback_that_reaches_nobody, Judged::Refused(Refusal::NoFallback(_)))
            | (takes_the_last_method_away, Judged::Refused(Refusal::LastMethod { .. })) => {
                let edits: Vec<_> = edits.iter().map(reachable).collect();
                return sight.judge(by, at, &edits);
            }
            (is_kept_by_its_own_overrides | is_kept_by_its_own_layers, Judged::Write { .. }) => {
                let key = deleted(EntryKind::Team);
                let inside = key.iter().flat_map(|key| sight.tables.book.inside(key));
                let leads_on = |inner: &EntryKey| {
                    let named = sight.tables.book.entry(inner).map(|entry| entry.named()).unwrap_or_default();
                    named.iter().any(|key| key.kind() == EntryKind::Schedule)
                };
                let mut own = inside.filter(|inner| match self.defect {
                    is_kept_by_its_own_overrides => inner.kind() == EntryKind::Override,
                    _ => inner.kind() == EntryKind::Schedule && leads_on(inner),
                });
                match (&key, own.next()) {
                    (Some(key), Some(by)) => return Judged::Refused(Refusal::InUse { key: key.clone(), by }),
                    (_, _) => false,
                }
            }
            (judges_unknown_names_before_the_call, Judged::Write { .. }) => {
                puts(EntryKind::Person) && puts(EntryKind::Schedule)
            }
            (counts_users_as_they_were, Judged::Write { .. }) => {
                deleted(EntryKind::Person).is_some() && puts(EntryKind::Schedule)
            }
            (
                takes_a_user_of_a_person_that_it_deletes,
                Judged::Refused(Refusal::InUse { key: EntryKey::Person(_), by }),
            ) => edits_of(by) == 1,
            (takes_circles_of_one_call, Judged::Refused(Refusal::Circle(_))) => edits.len() > 1,
            (refuses_the_most_edits, Judged::Write { .. }) if edits.len() == MAX_EDITS => {
                return Judged::Refused(Refusal::TooMany(edits.len()));
            }
            (judges_names_before_the_call, Judged::Write { .. })
            | (takes_any_number_of_edits, Judged::Refused(Refusal::TooMany(_))) => true,
            (takes_two_edits_of_one_entry, Judged::Refused(Refusal::Twice(key))) => edits_of(key) > 1,
            (takes_a_day_with_the_deletion_of_its_team, Judged::Refused(Refusal::Twice(key))) => {
                edits_of(key) == 1
            }
            (takes_a_service_of_a_team_that_it_deletes, Judged::Refused(Refusal::InUse { by, .. })) => {
                edits_of(by) == 1
            }
            _ => false,
        };
        if overruled { one_by_one(by, at, edits, sight) } else { judged }
    }

    /// What a call leaves behind that was refused.
    fn fail(
        &self,
        disk: &mut Tables,
        by: &Person,
        at: DateTime<Utc>,
        edits: &[RosterEdit],
        sight: Sight<'_>,
        refusal: &Refusal,
    ) {
        let puts = edits.iter().filter(|edit| matches!(edit, RosterEdit::Put(_))).count();
        let made = match (self.defect, refusal) {
            (
                makes_the_edits_of_a_refused_call | makes_the_teams_of_a_refused_call,
                Refusal::InUse { .. },
            ) => edits.len(),
            (makes_the_edits_before_the_refused_one, Refusal::InUse { key, .. }) => {
                edits.iter().position(|edit| edit.key() == *key).unwrap_or(0)
            }
            (makes_the_edits_beside_an_unknown_name, Refusal::Unknown { .. }) => edits.len(),
            (makes_the_first_of_too_many_edits, Refusal::TooMany(_)) => puts.min(MAX_EDITS),
            (makes_the_first_of_two_edits, Refusal::Twice(_)) => 1,
            _ => 0,
        };
        for edit in &edits[..made] {
            let is_team = matches!(edit, RosterEdit::Put(Entry::Team { .. }));
            if self.defect == makes_the_teams_of_a_refused_call && !is_team {
                continue;
            }
            if matches!(refusal, Refusal::Unknown { by, .. } if *by == edit.key()) {
                continue;
            }
            if *edit != RosterEdit::Delete(edit.key()) || self.defect == makes_the_first_of_two_edits {
                self.write(disk, edit);
            }
        }
        if let (records_a_refused_call, Refusal::InUse { .. }) = (self.defect, refusal)
            && let Judged::Write { changes, .. } = (Sight { users: None, ..sight }).judge(by, at, edits)
        {
            self.record(disk, edits, sight, changes);
        }
    }

    /// What is answered of the effects.
    fn told(
        &self,
        by: &Person,
        at: DateTime<Utc>,
        edits: &[RosterEdit],
        mut effects: Vec<Effect>,
        before: Sight<'_>,
    ) -> Vec<Effect> {
        match self.defect {
            tells_effects_in_another_order => effects.reverse(),
            tells_what_it_saw_before => {
                if let Judged::Write { effects: seen, .. } = self.judged(by, at, edits, before) {
                    effects = seen;
                }
            }
            _ => {}
        }
        let told = |(effect, edit): (Effect, &RosterEdit)| match (self.defect, effect) {
            (finds_everything_it_deletes, Effect::Absent) => Effect::Deleted,
            (finds_nothing_it_deletes, Effect::Deleted) => Effect::Absent,
            (tells_replaced_of_what_is_new, Effect::Created) => Effect::Replaced,
            (tells_created_of_what_it_replaces, Effect::Replaced) => Effect::Created,
            (tells_created_of_an_override_it_replaces, Effect::Replaced)
                if edit.key().kind() == EntryKind::Override =>
            {
                Effect::Created
            }
            (tells_replaced_of_the_same, Effect::Unchanged) => Effect::Replaced,
            (tells_replaced_of_a_team_with_days, Effect::Created)
                if before.was(&edit.key()) == Was::OnlyParts =>
            {
                Effect::Replaced
            }
            (_, effect) => effect,
        };
        effects.into_iter().zip(edits).map(told).collect()
    }

    /// Records of edits that changed nothing.
    fn needless_records(
        &self,
        by: &Person,
        at: DateTime<Utc>,
        edits: &[RosterEdit],
        effects: &[Effect],
    ) -> Vec<RosterChange> {
        let needless = match self.defect {
            records_the_same_again => Effect::Unchanged,
            records_a_call_that_changes_nothing if !effects.iter().any(|effect| effect.changes()) => {
                Effect::Absent
            }
            _ => return Vec::new(),
        };
        let of = edits.iter().zip(effects).filter(|(_, effect)| **effect == needless);
        // As if there had been nothing.
        let answer = |question: &Question, answers: &mut Answers| match question {
            Question::Entry(key) => answers.entry(key.clone(), Was::OnlyParts),
            Question::Users(_) | Question::Parts(_) | Question::OnCallOfDays { .. } => {
                answers.keys(question.clone(), Vec::new());
            }
        };
        let records = of.filter_map(|(edit, _)| match judge_with(by, at, slice::from_ref(edit), answer) {
            Judged::Write { changes, .. } => Some(changes),
            Judged::Ask(_) | Judged::Refused(_) => None,
        });
        records.flatten().collect()
    }
}

/// The edit, of an entry that reaches somebody.
fn reachable(edit: &RosterEdit) -> RosterEdit {
    let contact = Contact::new("somebody@conformance.example").unwrap();
    match edit {
        RosterEdit::Put(Entry::Team { team, .. }) => {
            Entry::team(team, Team::builder(vec![contact]).build().unwrap()).into()
        }
        RosterEdit::Put(Entry::Person { person, .. }) => {
            let methods = [(MethodName::new("mail").unwrap(), contact)].into();
            Entry::person(person, Profile::builder(methods).build().unwrap()).into()
        }
        other => other.clone(),
    }
}

/// Judges each edit as if it were a call of its own.
fn one_by_one(by: &Person, at: DateTime<Utc>, edits: &[RosterEdit], sight: Sight<'_>) -> Judged {
    let (mut effects, mut changes) = (Vec::new(), Vec::new());
    for edit in edits {
        match sight.judge(by, at, slice::from_ref(edit)) {
            Judged::Write { effects: effect, changes: change } => {
                effects.extend(effect);
                changes.extend(change);
            }
            refused @ (Judged::Refused(_) | Judged::Ask(_)) => return refused,
        }
    }
    Judged::Write { effects, changes }
}
