//! How the model judges and makes the edits of a call.

use std::slice;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{
    Edited, Effect, Entry, EntryKey, Judged, Looked, MAX_EDITS, MAX_USERS, Refusal, RosterChange, RosterEdit,
    Was, judge,
};

use super::Defect::*;
use super::model::{Model, Tables};

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
        let looked = self.looked(&disk, &disk, edits);
        let before = self.looked(seen, &disk, edits);
        let judged = match self.defect {
            looks_before_it_writes | locks_its_own_handle_only => self.judged(by, at, edits, &before),
            judges_by_what_it_has_read => self.judged(by, at, edits, &self.looked(&known, &disk, edits)),
            judges_deletions_by_what_it_has_read
                if edits.iter().all(|edit| matches!(edit, RosterEdit::Delete(_))) =>
            {
                self.judged(by, at, edits, &self.looked(&known, &disk, edits))
            }
            _ => self.judged(by, at, edits, &looked),
        };
        for edit in edits {
            if let RosterEdit::Delete(EntryKey::Team(team)) = edit
                && self.defect == deletes_the_calendar_before_it_looks
            {
                disk.days.remove(team.as_str());
            }
        }
        match judged {
            Judged::Refused(refusal) => {
                self.fail(&mut disk, by, at, edits, &looked, &refusal);
                Edited::Refused(refusal)
            }
            Judged::Write { effects, mut changes } => {
                for (edit, effect) in edits.iter().zip(&effects) {
                    if effect.changes() {
                        self.write(&mut disk, edit);
                    }
                }
                if self.defect == records_what_it_saw_before
                    && let Judged::Write { changes: seen, .. } = self.judged(by, at, edits, &before)
                {
                    changes = seen;
                }
                changes.extend(self.needless_records(by, at, edits, &effects));
                self.record(&mut disk, edits, &looked, changes);
                Edited::Done(self.told(by, at, edits, effects, &before))
            }
        }
    }

    /// What `judge` must know of each edit. Users are always looked up on the disk.
    fn looked(&self, tables: &Tables, disk: &Tables, edits: &[RosterEdit]) -> Vec<Looked> {
        let look = |edit: &RosterEdit| {
            let users = match edit {
                RosterEdit::Delete(EntryKey::Team(team)) => self.users(disk, team),
                RosterEdit::Put(_) | RosterEdit::Delete(_) => Vec::new(),
            };
            Looked { was: self.was(tables, &edit.key()), users }
        };
        edits.iter().map(look).collect()
    }

    fn was(&self, tables: &Tables, key: &EntryKey) -> Was {
        let days = |team: &TeamName| tables.days.get(&self.name(team.as_str()));
        let entry = match key {
            EntryKey::Service(service) => {
                let team = tables.services.get(&self.name(service.as_str()));
                team.map(|team| Entry::service(service, team))
            }
            EntryKey::Team(team) => {
                let settings = tables.teams.get(&self.name(team.as_str())).cloned();
                settings.map(|settings| Entry::Team { team: team.clone(), settings })
            }
            EntryKey::Day(team, day) => {
                let rota: Option<&Arc<_>> = days(team).and_then(|days| days.get(&self.date(*day)));
                rota.map(|rota| Entry::Day { team: team.clone(), day: *day, rota: rota.clone() })
            }
        };
        let has_parts = match (self.defect, key) {
            (deletes_no_team_without_settings, _) | (_, EntryKey::Service(_) | EntryKey::Day(..)) => false,
            (deletes_an_empty_calendar, EntryKey::Team(team)) => days(team).is_some(),
            (_, EntryKey::Team(team)) => days(team).is_some_and(|days| !days.is_empty()),
        };
        entry.map_or(if has_parts { Was::OnlyParts } else { Was::Absent }, Was::Entry)
    }

    fn users(&self, disk: &Tables, team: &TeamName) -> Vec<EntryKey> {
        let owned = |tables: &Tables| -> Vec<String> {
            tables.services.iter().filter(|(_, owner)| *owner == team).map(|(name, _)| name.clone()).collect()
        };
        let mut names = owned(disk);
        let mut most = MAX_USERS;
        match self.defect {
            deletes_a_team_that_owns_a_service => names.clear(),
            looks_for_its_own_services_only => {
                let own = self.own.lock().unwrap();
                names.retain(|name| own.contains(name));
            }
            names_somebody_elses_service if !names.is_empty() => {
                let other = disk.services.iter().find(|(_, owner)| *owner != team);
                names = other.map(|(name, _)| name.clone()).into_iter().collect();
            }
            remembers_who_owned_a_service => {
                let mut before = self.remembered.lock().unwrap();
                before.services.extend(names.iter().map(|name| (name.clone(), team.clone())));
                names = owned(&before);
            }
            looks_up_too_few_services => most = MAX_EDITS - 1,
            _ => {}
        }
        names.into_iter().take(most).map(|name| EntryKey::Service(ServiceName::new(name).unwrap())).collect()
    }

    fn judged(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit], looked: &[Looked]) -> Judged {
        let judged = judge(by, at, edits, looked);
        let edits_of = |key: &EntryKey| edits.iter().filter(|edit| edit.key() == *key).count();
        let overruled = match (self.defect, &judged) {
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
        if overruled { one_by_one(by, at, edits, looked) } else { judged }
    }

    /// What a call leaves behind that was refused.
    fn fail(
        &self,
        disk: &mut Tables,
        by: &Person,
        at: DateTime<Utc>,
        edits: &[RosterEdit],
        looked: &[Looked],
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
            (makes_the_first_of_too_many_edits, Refusal::TooMany(_)) => puts.min(MAX_EDITS),
            (makes_the_first_of_two_edits, Refusal::Twice(_)) => 1,
            _ => 0,
        };
        for edit in &edits[..made] {
            let is_team = matches!(edit, RosterEdit::Put(Entry::Team { .. }));
            if self.defect == makes_the_teams_of_a_refused_call && !is_team {
                continue;
            }
            if *edit != RosterEdit::Delete(edit.key()) || self.defect == makes_the_first_of_two_edits {
                self.write(disk, edit);
            }
        }
        if let (records_a_refused_call, Refusal::InUse { .. }) = (self.defect, refusal) {
            let unused = looked.iter().map(|looked| Looked { users: Vec::new(), ..looked.clone() });
            if let Judged::Write { changes, .. } = judge(by, at, edits, &unused.collect::<Vec<_>>()) {
                self.record(disk, edits, looked, changes);
            }
        }
    }

    /// What is answered of the effects.
    fn told(
        &self,
        by: &Person,
        at: DateTime<Utc>,
        edits: &[RosterEdit],
        mut effects: Vec<Effect>,
        before: &[Looked],
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
        let told = |(effect, before): (Effect, &Looked)| match (self.defect, effect) {
            (finds_everything_it_deletes, Effect::Absent) => Effect::Deleted,
            (finds_nothing_it_deletes, Effect::Deleted) => Effect::Absent,
            (tells_replaced_of_what_is_new, Effect::Created) => Effect::Replaced,
            (tells_created_of_what_it_replaces, Effect::Replaced) => Effect::Created,
            (tells_replaced_of_the_same, Effect::Unchanged) => Effect::Replaced,
            (tells_replaced_of_a_team_with_days, Effect::Created) if before.was == Was::OnlyParts => {
                Effect::Replaced
            }
            (_, effect) => effect,
        };
        effects.into_iter().zip(before).map(told).collect()
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
        let looked = [Looked { was: Was::OnlyParts, users: Vec::new() }];
        let records = of.filter_map(|(edit, _)| match judge(by, at, slice::from_ref(edit), &looked) {
            Judged::Write { changes, .. } => Some(changes),
            Judged::Refused(_) => None,
        });
        records.flatten().collect()
    }
}

/// Judges each edit as if it were a call of its own.
fn one_by_one(by: &Person, at: DateTime<Utc>, edits: &[RosterEdit], looked: &[Looked]) -> Judged {
    let (mut effects, mut changes) = (Vec::new(), Vec::new());
    for (edit, looked) in edits.iter().zip(looked) {
        match judge(by, at, slice::from_ref(edit), slice::from_ref(looked)) {
            Judged::Refused(refusal) => return Judged::Refused(refusal),
            Judged::Write { effects: effect, changes: change } => {
                effects.extend(effect);
                changes.extend(change);
            }
        }
    }
    Judged::Write { effects, changes }
}
