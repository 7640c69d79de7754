//! How the model keeps what edits make of its entries.

use std::sync::Arc;
use std::time::Duration;

use inresponse_core::roster::{Entry, EntryKey, RosterEdit, Rota, Team, Zone};

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
            }
            EntryKey::Day(team, day) => {
                if let Some(days) = disk.days.get_mut(&self.name(team.as_str())) {
                    days.remove(&self.date(*day));
                    if self.defect == deletes_the_calendar_with_a_day {
                        days.clear();
                    }
                }
            }
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
