//! How the model keeps what edits make of its entries.

use std::sync::Arc;
use std::time::Duration;

use inresponse_core::model::PersonId;
use inresponse_core::roster::{Entry, EntryKey, EntryKind, FeedCopy, Override, RosterEdit, Rota, Team, Zone};

use super::Defect::*;
use super::model::{Model, Tables};

impl Model {
    fn put(&self, disk: &mut Tables, entry: &Entry) {
        match entry {
            Entry::Service { service, team, .. } => {
                let name = self.name(service.as_str());
                self.own.lock().unwrap().insert(name.clone());
                if self.defect == keeps_the_first_owner && disk.services.contains_key(&name) {
                    return;
                }
                disk.services.insert(name, team.clone());
            }
            Entry::Team { team, settings } => {
                let name = self.name(team.as_str());
                if self.defect == keeps_the_first_settings && disk.teams.contains_key(&name) {
                    return;
                }
                disk.teams.insert(name, Arc::new(self.kept_settings(settings)));
            }
            Entry::Day { team, day, rota } => {
                let days = disk.days.entry(self.name(team.as_str())).or_default();
                if self.defect == keeps_the_first_entry && days.contains_key(&self.date(*day)) {
                    return;
                }
                days.insert(self.date(*day), Arc::new(self.kept_rota(rota)));
            }
            Entry::Person { .. }
            | Entry::Schedule { .. }
            | Entry::Override { .. }
            | Entry::Feed { .. }
            | Entry::Silence { .. }
            | Entry::Routes(_) => {
                self.put_crew(disk, entry);
            }
            Entry::Heartbeat { name, heartbeat } => {
                if self.defect == keeps_the_first_heartbeat && disk.heartbeats.contains_key(name) {
                    return;
                }
                disk.heartbeats.insert(name.clone(), heartbeat.clone());
            }
        }
    }

    fn kept_settings(&self, settings: &Team) -> Team {
        let (mut zone, mut wait) = (settings.timezone().clone(), settings.escalate_after());
        match self.defect {
            loses_the_zone => zone = Zone::utc(),
            keeps_whole_seconds => wait = Duration::from_secs(wait.as_secs()),
            _ => {}
        }
        let kept = Team::builder(settings.fallback().to_vec()).timezone(zone).escalate_after(wait);
        let levels = if self.defect == loses_the_levels { Vec::new() } else { settings.levels().to_vec() };
        let kept = kept.levels(levels);
        let levels = settings.alert_levels().iter();
        let levels = levels.filter(|(_, l)| !l.is_empty() || self.defect != loses_empty_lists_of_levels);
        let kept = levels.fold(kept.repeat(settings.repeat()), |kept, (severity, levels)| {
            kept.alert_levels(*severity, levels.clone())
        });
        kept.build().unwrap()
    }

    fn kept_rota(&self, rota: &Rota) -> Rota {
        let (mut oncall, mut escalation) = (rota.oncall().to_vec(), rota.escalation().to_vec());
        match self.defect {
            loses_empty_levels => escalation.retain(|level| !level.is_empty()),
            keeps_everyone_once => oncall.dedup(),
            _ => {}
        }
        Rota::new(oncall, escalation).unwrap()
    }

    fn delete(&self, disk: &mut Tables, key: &EntryKey) {
        match key {
            EntryKey::Service(service) => _ = disk.services.remove(&self.name(service.as_str())),
            EntryKey::Team(team) => {
                let name = self.name(team.as_str());
                if self.defect == deletes_names_that_begin_alike {
                    disk.teams.retain(|other, _| !other.starts_with(&name) || *other == name);
                }
                disk.teams.remove(&name);
                if self.defect != leaves_the_calendar {
                    disk.days.remove(&name);
                }
                self.delete_crew(disk, key);
            }
            EntryKey::Day(team, day) => {
                if let Some(days) = disk.days.get_mut(&self.name(team.as_str())) {
                    days.remove(&self.date(*day));
                    if self.defect == deletes_the_calendar_with_a_day {
                        days.clear();
                    }
                }
            }
            EntryKey::Person(_)
            | EntryKey::Schedule(..)
            | EntryKey::Override(..)
            | EntryKey::Feed(..)
            | EntryKey::Silence(_)
            | EntryKey::Routes => {
                self.delete_crew(disk, key);
            }
            EntryKey::Heartbeat(name) => _ = disk.heartbeats.remove(name),
        }
    }

    /// The key under which a person or a schedule is kept.
    pub(super) fn crew_key(&self, key: &EntryKey) -> EntryKey {
        match key {
            EntryKey::Person(person) if self.defect == compares_foreign_letters_without_case => {
                let name = person.as_str();
                let kept = if name.is_ascii() { name.to_owned() } else { name.to_lowercase() };
                EntryKey::Person(PersonId::new(kept).unwrap())
            }
            other => other.clone(),
        }
    }

    fn put_crew(&self, disk: &mut Tables, entry: &Entry) {
        let kept = match (self.defect, entry) {
            (keeps_the_first_person, Entry::Person { person, .. }) if disk.book.person(person).is_some() => {
                return;
            }
            (compares_foreign_letters_without_case, Entry::Person { profile, .. }) => {
                match self.crew_key(&entry.key()) {
                    EntryKey::Person(person) => Entry::Person { person, profile: profile.clone() },
                    other => panic!("a person has the key {other}"),
                }
            }
            (keeps_the_first_rules, Entry::Routes(_)) if disk.book.routes().is_some() => return,
            (
                loses_empty_lists_of_whom_an_override_replaces,
                Entry::Override { team, schedule, id, stand_in: one },
            ) => {
                let replaced = one.instead_of().filter(|who| !who.is_empty()).map(<[_]>::to_vec);
                let note = one.note().map(str::to_owned);
                let kept = Override::new(one.from(), one.to(), one.oncall().to_vec(), replaced, note);
                Entry::stand_in(team, schedule, id, kept.unwrap())
            }
            (loses_what_was_found_in_a_feed, Entry::Feed { team, schedule, feed, copy }) => {
                let copy = FeedCopy { findings: Vec::new(), ..(**copy).clone() };
                Entry::feed(team, schedule, feed, copy)
            }
            (_, entry) => entry.clone(),
        };
        let key = kept.key();
        disk.book.put(kept);
        if matches!(key, EntryKey::Schedule(..)) {
            // What a defect has kept of one that was deleted.
            let kept = self.remembered.lock().unwrap().book.clone();
            kept.entries().filter(|entry| entry.key().is_inside(&key)).for_each(|entry| disk.book.put(entry));
        }
    }

    fn delete_crew(&self, disk: &mut Tables, key: &EntryKey) {
        let key = self.crew_key(key);
        let inside: Vec<_> = disk.book.entries().filter(|entry| entry.key().is_inside(&key)).collect();
        disk.book.delete(&key);
        let of_kind = |kind| inside.iter().filter(move |entry| entry.key().kind() == kind).cloned();
        match (self.defect, &key) {
            (keeps_overrides_for_a_schedule_of_the_same_name, EntryKey::Schedule(..))
            | (keeps_overrides_for_a_team_of_the_same_name, EntryKey::Team(_)) => {
                let mut remembered = self.remembered.lock().unwrap();
                of_kind(EntryKind::Override).for_each(|entry| remembered.book.put(entry));
            }
            (deletes_ten_overrides_at_most, EntryKey::Schedule(..)) => {
                of_kind(EntryKind::Override).skip(10).for_each(|entry| disk.book.put(entry));
            }
            (keeps_copies_for_a_schedule_of_the_same_name, EntryKey::Schedule(..)) => {
                let mut remembered = self.remembered.lock().unwrap();
                of_kind(EntryKind::Feed).for_each(|entry| remembered.book.put(entry));
            }
            (leaves_the_copies_of_a_schedule, EntryKey::Schedule(..)) => {
                of_kind(EntryKind::Feed).for_each(|entry| disk.book.put(entry));
            }
            (leaves_the_schedules_of_a_team, EntryKey::Team(_)) => {
                inside.iter().cloned().for_each(|entry| disk.book.put(entry));
            }
            (deletes_overrides_that_begin_alike, EntryKey::Override(team, schedule, id)) => {
                let ids = disk.book.timetable(team, schedule).into_iter();
                let ids = ids.flat_map(|timetable| timetable.overrides().keys().cloned());
                let alike: Vec<_> = ids.filter(|other| other.as_str().starts_with(id.as_str())).collect();
                for id in alike {
                    disk.book.delete(&EntryKey::Override(team.clone(), schedule.clone(), id));
                }
            }
            (deletes_a_schedule_with_its_last_override, EntryKey::Override(team, schedule, _)) => {
                let left = disk.book.timetable(team, schedule);
                if left.is_some_and(|left| left.overrides().is_empty()) {
                    disk.book.delete(&EntryKey::Schedule(team.clone(), schedule.clone()));
                }
            }
            _ => {}
        }
    }

    /// Makes an edit.
    pub(super) fn write(&self, disk: &mut Tables, edit: &RosterEdit) {
        match edit {
            RosterEdit::Put(entry) => self.put(disk, entry),
            RosterEdit::Delete(_) if self.defect == deletes_nothing => {}
            RosterEdit::Delete(key) => self.delete(disk, key),
        }
    }
}
