//! A roster in some lines, sound or with one defect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{Datelike, NaiveDate, SubsecRound};
use inresponse_conformance::{Durable, Harness, Shared};
use inresponse_core::Outage;
use inresponse_core::model::{ServiceName, TeamName};
use inresponse_core::roster::{ChangeMark, Deleted, Roster, RosterChange, Rota, Team, TeamDeleted, Zone};
use tokio::task::yield_now;

use super::Defect::{self, *};

/// Makes models with a defect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Models(pub(crate) Defect);

impl Harness for Models {
    type Subject = Model;

    async fn fresh(&self) -> Model {
        Model {
            defect: self.0,
            disk: Arc::default(),
            remembered: Mutex::default(),
            own: Mutex::default(),
            copy: Mutex::default(),
            noted: Mutex::default(),
        }
    }
}

impl Durable for Models {
    async fn reopen(&self, crashed: Model) -> Model {
        let mut disk = crashed.disk().clone();
        match self.0 {
            forgets_everything_in_a_crash => disk = Tables::default(),
            forgets_calendars_in_a_crash => disk.days.clear(),
            forgets_changes_in_a_crash => disk.changes.clear(),
            numbers_changes_anew_after_a_crash => disk.changes.iter_mut().for_each(|(n, _)| *n += 1),
            _ => {}
        }
        Model { disk: Arc::new(Mutex::new(disk)), ..self.fresh().await }
    }
}

impl Shared for Models {
    async fn another(&self, first: &Model) -> Model {
        let disk = match self.0 {
            notices_no_puts => Arc::new(Mutex::new(first.disk().clone())),
            _ => first.disk.clone(),
        };
        Model { disk, ..self.fresh().await }
    }
}

#[derive(Debug, Clone, Default)]
struct Tables {
    services: BTreeMap<String, TeamName>,
    teams: BTreeMap<String, Arc<Team>>,
    days: BTreeMap<String, BTreeMap<NaiveDate, Arc<Rota>>>,
    changes: Vec<(u64, RosterChange)>,
}

#[derive(Debug)]
pub(crate) struct Model {
    defect: Defect,
    disk: Arc<Mutex<Tables>>,
    /// What this handle has read, which services it put, which changes it noted: for defects only.
    remembered: Mutex<Tables>,
    own: Mutex<BTreeSet<String>>,
    /// What this handle holds of the disk, and since when.
    copy: Mutex<Option<(tokio::time::Instant, Tables)>>,
    noted: Mutex<BTreeSet<u64>>,
}

impl Model {
    fn disk(&self) -> MutexGuard<'_, Tables> {
        self.disk.lock().unwrap()
    }

    /// What is read: the disk, or a copy that lags behind what other handles write.
    #[expect(clippy::disallowed_methods, reason = "a broken roster may read the clock")]
    fn read(&self) -> Tables {
        if self.defect != looks_every_half_second_only {
            return self.disk().clone();
        }
        let mut copy = self.copy.lock().unwrap();
        let now = tokio::time::Instant::now();
        match &*copy {
            Some((since, tables)) if now - *since < Duration::from_millis(500) => tables.clone(),
            Some(_) | None => copy.insert((now, self.disk().clone())).1.clone(),
        }
    }

    fn name(&self, name: &str) -> String {
        match self.defect {
            compares_names_without_case => name.to_lowercase(),
            cuts_names_at_a_slash => name.split('/').next().unwrap().to_owned(),
            cuts_long_names => name.chars().take(127).collect(),
            _ => name.to_owned(),
        }
    }

    fn day_of(&self, day: NaiveDate) -> NaiveDate {
        match self.defect {
            keeps_days_without_their_year => day.with_year(2000).unwrap(),
            _ => day,
        }
    }

    /// What is answered for what was found, given what this handle has found before.
    fn noticed<T: Clone>(&self, found: Option<T>, before: &mut BTreeMap<String, T>, name: &str) -> Option<T> {
        match self.defect {
            notices_nothing_new_about_what_it_read => {
                Some(before.entry(name.to_owned()).or_insert(found?).clone())
            }
            notices_no_deletions => {
                before.extend(found.map(|found| (name.to_owned(), found)));
                before.get(name).cloned()
            }
            _ => found,
        }
    }

    fn deleted<T>(&self, found: Option<T>) -> Deleted {
        match self.defect {
            finds_everything_it_deletes => Deleted::Gone,
            finds_nothing_it_deletes => Deleted::Absent,
            _ if found.is_some() => Deleted::Gone,
            _ => Deleted::Absent,
        }
    }

    fn owned_by(&self, team: &TeamName) -> Option<String> {
        let disk = self.disk();
        let mut owned = disk.services.iter().filter(|(_, owner)| *owner == team).map(|(service, _)| service);
        match self.defect {
            deletes_whoever_owns_a_service => None,
            looks_for_its_own_services_only => {
                let own = self.own.lock().unwrap();
                owned.find(|service| own.contains(*service)).cloned()
            }
            names_somebody_elses_service => {
                owned.next()?;
                disk.services.iter().find(|(_, owner)| *owner != team).map(|(service, _)| service.clone())
            }
            remembers_who_owned_a_service => {
                let mut before = self.remembered.lock().unwrap();
                before.services.extend(owned.map(|service| (service.clone(), team.clone())));
                before.services.iter().find(|(_, owner)| *owner == team).map(|(service, _)| service.clone())
            }
            _ => owned.next().cloned(),
        }
    }
}

#[async_trait]
impl Roster for Model {
    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        yield_now().await;
        let name = self.name(service.as_str());
        let found = self.read().services.get(&name).cloned();
        match (self.defect, &found) {
            (fails_on_what_is_absent, None) => return Err(Outage::permanent("no such service")),
            (answers_a_team_for_every_service, None) => return Ok(Some(TeamName::new("catch-all").unwrap())),
            _ => {}
        }
        Ok(self.noticed(found, &mut self.remembered.lock().unwrap().services, &name))
    }

    async fn team(&self, team: &TeamName) -> Result<Option<Arc<Team>>, Outage> {
        yield_now().await;
        let name = self.name(team.as_str());
        let found = self.read().teams.get(&name).cloned();
        Ok(self.noticed(found, &mut self.remembered.lock().unwrap().teams, &name))
    }

    async fn day(&self, team: &TeamName, day: NaiveDate) -> Result<Option<Arc<Rota>>, Outage> {
        yield_now().await;
        let (name, day) = (self.name(team.as_str()), self.day_of(day));
        let disk = self.read();
        let Some(days) = disk.days.get(&name) else { return Ok(None) };
        Ok(match self.defect {
            answers_the_last_entry_before => days.range(..=day).next_back().map(|(_, rota)| rota.clone()),
            _ => days.get(&day).cloned(),
        })
    }

    async fn knows_team(&self, team: &TeamName) -> Result<bool, Outage> {
        yield_now().await;
        let name = self.name(team.as_str());
        let disk = self.read();
        let days = disk.days.get(&name);
        let (settled, listed) = (disk.teams.contains_key(&name), days.is_some_and(|days| !days.is_empty()));
        let owns = disk.services.values().any(|owner| owner == team);
        Ok(match self.defect {
            knows_every_team => true,
            knows_by_settings_only => settled || owns,
            knows_by_the_calendar_only => listed || owns,
            knows_by_an_empty_calendar => settled || owns || days.is_some(),
            knows_nobody_by_a_service => settled || listed,
            _ => settled || listed || owns,
        })
    }

    async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        yield_now().await;
        let disk = self.disk();
        let settled = disk.teams.keys().filter(|_| self.defect != lists_those_with_a_calendar);
        let with_days =
            disk.days.iter().filter(|(_, days)| !days.is_empty() || self.defect == lists_empty_calendars);
        let listed = with_days.map(|(name, _)| name).filter(|_| self.defect != lists_those_with_settings);
        let owners = disk.services.values().map(|owner| owner.as_str().to_owned());
        let owners = owners.filter(|_| self.defect != lists_nobody_by_a_service);
        let mut names: Vec<_> = settled.chain(listed).cloned().chain(owners).collect();
        if self.defect != lists_in_no_order {
            names.sort();
        }
        if self.defect != lists_some_twice {
            names.dedup();
        }
        Ok(names.into_iter().map(|name| TeamName::new(name).unwrap()).collect())
    }

    async fn put_service(&self, service: &ServiceName, team: &TeamName) -> Result<(), Outage> {
        yield_now().await;
        let name = self.name(service.as_str());
        self.own.lock().unwrap().insert(name.clone());
        let mut disk = self.disk();
        if self.defect == keeps_the_first_owner && disk.services.contains_key(&name) {
            return Ok(());
        }
        disk.services.insert(name, team.clone());
        Ok(())
    }

    async fn put_team(&self, team: &TeamName, settings: &Team) -> Result<(), Outage> {
        yield_now().await;
        let name = self.name(team.as_str());
        let mut disk = self.disk();
        if self.defect == keeps_the_first_settings && disk.teams.contains_key(&name) {
            return Ok(());
        }
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
        disk.teams.insert(name, Arc::new(kept.build().unwrap()));
        Ok(())
    }

    async fn put_day(&self, team: &TeamName, day: NaiveDate, rota: &Rota) -> Result<(), Outage> {
        yield_now().await;
        let (name, day) = (self.name(team.as_str()), self.day_of(day));
        let mut escalation = rota.escalation().to_vec();
        let mut oncall = rota.oncall().to_vec();
        match self.defect {
            loses_empty_levels => escalation.retain(|level| !level.is_empty()),
            keeps_everyone_once => oncall.dedup(),
            _ => {}
        }
        let rota = Arc::new(Rota::new(oncall, escalation).unwrap());
        let mut read = self.disk().days.get(&name).cloned().unwrap_or_default();
        if self.defect == reads_the_calendar_before_it_writes {
            yield_now().await;
            read.insert(day, rota.clone());
            self.disk().days.insert(name, read);
            return Ok(());
        }
        let mut disk = self.disk();
        let days = disk.days.entry(name).or_default();
        if self.defect == keeps_the_first_entry {
            days.entry(day).or_insert(rota);
        } else {
            days.insert(day, rota);
        }
        Ok(())
    }

    async fn delete_service(&self, service: &ServiceName) -> Result<Deleted, Outage> {
        yield_now().await;
        let name = self.name(service.as_str());
        let mut disk = self.disk();
        let found = match self.defect {
            deletes_nothing => disk.services.get(&name).cloned(),
            _ => disk.services.remove(&name),
        };
        Ok(self.deleted(found))
    }

    async fn delete_team(&self, team: &TeamName) -> Result<TeamDeleted, Outage> {
        yield_now().await;
        let name = self.name(team.as_str());
        if self.defect == deletes_the_calendar_before_it_looks {
            self.disk().days.remove(&name);
        }
        if let Some(service) = self.owned_by(team) {
            return Ok(TeamDeleted::OwnsService(ServiceName::new(service).unwrap()));
        }
        let mut disk = self.disk();
        if self.defect == deletes_names_that_begin_alike {
            disk.teams.retain(|other, _| !other.starts_with(&name) || *other == name);
        }
        let settled = disk.teams.remove(&name).is_some();
        if self.defect == deletes_no_team_without_settings && !settled {
            return Ok(TeamDeleted::Absent);
        }
        let days = match self.defect {
            leaves_the_calendar => None,
            _ => disk.days.remove(&name),
        };
        let listed = days.is_some_and(|days| !days.is_empty() || self.defect == deletes_an_empty_calendar);
        Ok(if settled || listed { TeamDeleted::Gone } else { TeamDeleted::Absent })
    }

    async fn delete_day(&self, team: &TeamName, day: NaiveDate) -> Result<Deleted, Outage> {
        yield_now().await;
        let (name, day) = (self.name(team.as_str()), self.day_of(day));
        let mut disk = self.disk();
        let Some(days) = disk.days.get_mut(&name) else { return Ok(self.deleted(None::<()>)) };
        let found = days.remove(&day);
        if self.defect == deletes_the_calendar_with_a_day {
            days.clear();
        }
        Ok(self.deleted(found))
    }

    async fn note_change(&self, change: &RosterChange) -> Result<(), Outage> {
        yield_now().await;
        let mut disk = self.disk();
        if self.defect == notes_every_change_once && disk.changes.iter().any(|(_, known)| known == change) {
            return Ok(());
        }
        let (mut at, mut what) = (change.at(), change.what().to_owned());
        match self.defect {
            notes_times_in_seconds => at = at.trunc_subsecs(0),
            cuts_what_was_changed => what = what.chars().take(250).collect(),
            _ => {}
        }
        let number = disk.changes.last().map_or(1, |(last, _)| last + 1);
        self.noted.lock().unwrap().insert(number);
        disk.changes.push((number, RosterChange::new(at, change.by().clone(), &what)));
        Ok(())
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        yield_now().await;
        let mut changes = self.disk().changes.clone();
        if self.defect != lists_changes_oldest_first {
            changes.reverse();
        }
        if self.defect == lists_its_own_changes_only {
            changes.retain(|(number, _)| self.noted.lock().unwrap().contains(number));
        }
        for (place, (number, change)) in (1..).zip(&mut changes) {
            match self.defect {
                // What is read later has a higher place, so places count down.
                marks_changes_by_their_place_in_the_list => *number = 1_000 - place,
                marks_changes_by_their_time => {
                    *number = u64::try_from(change.at().timestamp_micros()).unwrap()
                }
                _ => {}
            }
        }
        let before = before.map_or(u64::MAX, |mark| mark.number().unwrap());
        let mark = match self.defect {
            lists_the_marked_change_again => before.saturating_add(1),
            skips_a_change_between_pages if before < u64::MAX => before - 1,
            _ => before,
        };
        changes.retain(|(number, _)| *number < mark || self.defect == lists_changes_oldest_first);
        if self.defect != lists_all_changes_at_once {
            changes.truncate(limit);
        }
        Ok(changes.into_iter().map(|(number, change)| (ChangeMark::numbered(number), change)).collect())
    }
}
