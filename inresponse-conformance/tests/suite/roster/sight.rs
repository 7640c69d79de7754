//! What the model looks at to judge a call.

use std::convert::Infallible;

use chrono::{DateTime, Utc};
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{
    Answers, Entry, EntryKey, Judged, MAX_EDITS, Question, RosterEdit, Was, judge_by,
};

use super::Defect::*;
use super::model::{Model, Tables};

/// What the model looks at to judge a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) model: &'a Model,
    pub(super) edits: &'a [RosterEdit],
    /// What is there.
    pub(super) tables: &'a Tables,
    /// What was there earlier.
    pub(super) stale: &'a Tables,
    /// Whom names are used by.
    pub(super) users: Option<&'a Tables>,
}

impl Sight<'_> {
    pub(super) fn was(&self, key: &EntryKey) -> Was {
        self.model.was(self.tables, key)
    }

    fn answer(&self, question: &Question, answers: &mut Answers) {
        let tables = self.tables_for(question);
        let keys = match (self.model.defect, question) {
            (defect, Question::Entry(key)) => {
                let was = self.model.was(tables, key);
                let is_part_of = |edit: &RosterEdit| edit.key() != *key && edit.key().is_inside(key);
                let is_named = !self.is_edited(key) && !self.edits.iter().any(is_part_of);
                let passes = defect == takes_unknown_names && is_named && was == Was::Absent;
                return answers.entry(key.clone(), if passes { Was::OnlyParts } else { was });
            }
            (_, Question::Users(key)) => self.users.map_or(Vec::new(), |users| self.model.users(users, key)),
            (deletes_schedules_that_others_use, Question::Parts(EntryKey::Team(_)))
            | (overlooks_circles_over_overrides, Question::Parts(EntryKey::Schedule(..)))
            | (overlooks_circles_over_days, Question::OnCallOfDays { .. }) => Vec::new(),
            (_, Question::Parts(key)) => tables.book.parts(key),
            (leads_on_by_escalations, Question::OnCallOfDays { team, apart_from }) => {
                tables.named_by_days(team, apart_from, |rota| rota.targets().cloned().collect())
            }
            (leads_on_by_days_that_are_edited, Question::OnCallOfDays { team, .. }) => {
                tables.named_by_days(team, &[], |rota| rota.oncall().to_vec())
            }
            (_, Question::OnCallOfDays { team, apart_from }) => {
                tables.named_by_days(team, apart_from, |rota| rota.oncall().to_vec())
            }
        };
        answers.keys(question.clone(), keys);
    }

    fn is_edited(&self, key: &EntryKey) -> bool {
        self.edits.iter().any(|edit| edit.key() == *key)
    }

    fn tables_for(&self, question: &Question) -> &Tables {
        match (self.model.defect, question) {
            (judges_unknown_people_by_what_it_has_read, Question::Entry(key @ EntryKey::Person(_)))
            | (
                looks_for_circles_in_what_it_has_read | looks_for_circles_before_it_writes,
                Question::Entry(key @ EntryKey::Team(_)),
            ) if !self.is_edited(key) => self.stale,
            (
                looks_for_circles_in_what_it_has_read | looks_for_circles_before_it_writes,
                Question::OnCallOfDays { .. },
            ) => self.stale,
            _ => self.tables,
        }
    }

    pub(super) fn judge(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Judged {
        judge_with(by, at, edits, |question, answers| self.answer(question, answers))
    }
}

pub(super) fn judge_with(
    by: &Person,
    at: DateTime<Utc>,
    edits: &[RosterEdit],
    mut answer: impl FnMut(&Question, &mut Answers),
) -> Judged {
    let Ok(judged) = judge_by(by, at, edits, |question, answers| {
        answer(question, answers);
        Ok::<_, Infallible>(())
    });
    judged
}

impl Model {
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
                let rota = days(team).and_then(|days| days.get(&self.date(*day)));
                rota.map(|rota| Entry::Day { team: team.clone(), day: *day, rota: rota.clone() })
            }
            EntryKey::Person(_)
            | EntryKey::Schedule(..)
            | EntryKey::Override(..)
            | EntryKey::Feed(..)
            | EntryKey::Silence(_)
            | EntryKey::Routes => tables.book.entry(&self.crew_key(key)),
            EntryKey::Heartbeat(name) => tables
                .heartbeats
                .get(name)
                .map(|heartbeat| Entry::Heartbeat { name: name.clone(), heartbeat: heartbeat.clone() }),
        };
        let has_parts = match (self.defect, key) {
            (deletes_no_team_without_settings, _) => false,
            (deletes_no_team_with_schedules_alone, EntryKey::Team(team)) => {
                days(team).is_some_and(|days| !days.is_empty())
            }
            (deletes_an_empty_calendar, EntryKey::Team(team)) => days(team).is_some(),
            (_, EntryKey::Team(team)) => {
                days(team).is_some_and(|days| !days.is_empty()) || !tables.book.parts(key).is_empty()
            }
            (_, _) => false,
        };
        entry.map_or(if has_parts { Was::OnlyParts } else { Was::Absent }, Was::Entry)
    }

    fn users(&self, disk: &Tables, key: &EntryKey) -> Vec<EntryKey> {
        let mut users = match key {
            EntryKey::Team(team) => self.owned(disk, team),
            _ => Vec::new(),
        };
        let using = disk.entries().filter(|entry| entry.uses().contains(key));
        let is_seen = |entry: &Entry| match (self.defect, entry) {
            // Those are there already.
            (_, Entry::Service { .. })
            | (overlooks_overrides_among_users, Entry::Override { .. })
            | (overlooks_days_among_users, Entry::Day { .. })
            | (overlooks_heartbeats_among_users, Entry::Heartbeat { .. })
            | (overlooks_rules_among_users, Entry::Routes(_)) => false,
            (overlooks_whom_an_override_replaces, Entry::Override { team, stand_in, .. }) => {
                stand_in.oncall().iter().any(|target| EntryKey::named_by(target, team).as_ref() == Some(key))
            }
            (overlooks_users_of_the_same_team, user) => {
                !matches!(key, EntryKey::Schedule(..)) || user.key().team() != key.team()
            }
            _ => true,
        };
        let using = using.filter(is_seen).map(|entry| entry.key());
        users.extend(using.filter(|user| user != key && !user.is_inside(key)));
        match self.defect {
            looks_up_too_few_services => users.truncate(MAX_EDITS - 1),
            looks_up_one_user_more_than_edits => users.truncate(MAX_EDITS + 1),
            _ => {}
        }
        users
    }

    /// The services that a team owns.
    fn owned(&self, disk: &Tables, team: &TeamName) -> Vec<EntryKey> {
        let owned = |tables: &Tables| -> Vec<String> {
            tables.services.iter().filter(|(_, owner)| *owner == team).map(|(name, _)| name.clone()).collect()
        };
        let mut names = owned(disk);
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
            _ => {}
        }
        names.into_iter().map(|name| EntryKey::Service(ServiceName::new(name).unwrap())).collect()
    }
}
