//! A roster in some lines, sound or with one defect: what it keeps and answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use inresponse_conformance::{Durable, Harness, Shared};
use inresponse_core::Outage;
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{
    ChangeMark, Directory, Edited, Entry, EntryKey, EntryKind, Listed, Roster, RosterChange, RosterEdit,
    Rota, Standing, Team, days_of,
};
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
            recorded: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
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
            forgets_the_last_change_in_a_crash => _ = disk.changes.pop(),
            numbers_changes_again_after_a_crash => disk.changes.iter_mut().for_each(|(n, _)| *n += 1),
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
pub(super) struct Tables {
    pub(super) services: BTreeMap<String, TeamName>,
    pub(super) teams: BTreeMap<String, Arc<Team>>,
    pub(super) days: BTreeMap<String, BTreeMap<NaiveDate, Arc<Rota>>>,
    pub(super) changes: Vec<(u64, RosterChange)>,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(super) defect: Defect,
    disk: Arc<Mutex<Tables>>,
    /// What this handle has read, which services it put, which changes it recorded: for defects only.
    pub(super) remembered: Mutex<Tables>,
    pub(super) own: Mutex<BTreeSet<String>>,
    pub(super) recorded: Mutex<BTreeSet<u64>>,
    /// What this handle holds of the disk, and since when.
    copy: Mutex<Option<(tokio::time::Instant, Tables)>>,
    /// Whose turn it is among the calls of this handle.
    turn: tokio::sync::Mutex<()>,
}

impl Model {
    pub(super) fn disk(&self) -> MutexGuard<'_, Tables> {
        self.disk.lock().unwrap()
    }

    /// What is read: the disk, or a copy that lags behind what other handles write.
    #[expect(clippy::disallowed_methods, reason = "a broken roster may read the clock")]
    fn read(&self) -> Tables {
        let disk = self.disk().clone();
        let mut copy = self.copy.lock().unwrap();
        let now = tokio::time::Instant::now();
        let keeps_its_copy = self.defect == looks_every_half_second_only;
        match &*copy {
            Some((since, tables)) if keeps_its_copy && now - *since < Duration::from_millis(500) => {
                tables.clone()
            }
            Some(_) | None => copy.insert((now, disk)).1.clone(),
        }
    }

    /// What this handle has read or written last; the disk, if nothing yet.
    pub(super) fn known(&self) -> Tables {
        let known = self.copy.lock().unwrap().as_ref().map(|(_, tables)| tables.clone());
        known.unwrap_or_else(|| self.disk().clone())
    }

    pub(super) fn name(&self, name: &str) -> String {
        match self.defect {
            compares_names_without_case => name.to_lowercase(),
            cuts_names_at_a_slash => name.split('/').next().unwrap().to_owned(),
            cuts_long_names => name.chars().take(127).collect(),
            _ => name.to_owned(),
        }
    }

    pub(super) fn date(&self, day: NaiveDate) -> NaiveDate {
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

    /// The days that are answered of those between two instants.
    fn days_in(
        &self,
        of: &BTreeMap<NaiveDate, Arc<Rota>>,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> BTreeMap<NaiveDate, Arc<Rota>> {
        let (first, last) = match self.defect {
            answers_the_days_of_utc_only => (from.date_naive(), to.date_naive()),
            answers_the_days_of_the_beginning_only => days_of(from, from),
            _ => days_of(from, to),
        };
        let most = if self.defect == answers_a_month_at_most { 31 } else { usize::MAX };
        let days = first.iter_days().take_while(|day| *day <= last).filter_map(|day| {
            let rota = match self.defect {
                answers_the_last_entry_before => of.range(..=day).next_back().map(|(_, rota)| rota),
                _ => of.get(&self.date(day)),
            };
            Some((day, rota?.clone()))
        });
        days.take(most).collect()
    }

    fn listed_teams(&self, disk: &Tables) -> Vec<Listed> {
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
        let entry = |name: String| {
            let team = TeamName::new(name.clone()).unwrap();
            let settings = disk.teams.get(&name).cloned();
            let entry = settings.map(|settings| Entry::Team { team: team.clone(), settings });
            Listed { key: EntryKey::Team(team), entry }
        };
        names.into_iter().map(entry).collect()
    }
}

#[async_trait]
impl Roster for Model {
    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage> {
        let turn = self.turn.lock().await;
        if self.defect != locks_its_own_handle_only {
            drop(turn);
        }
        yield_now().await;
        let seen = self.disk().clone();
        yield_now().await;
        let mut answer = None;
        if self.defect == makes_one_edit_after_the_other
            && edits.iter().all(|edit| matches!(edit, RosterEdit::Put(_)))
            && inresponse_core::roster::check(edits).is_ok()
        {
            let mut effects = Vec::new();
            for edit in edits {
                match self.call(&seen, by, at, std::slice::from_ref(edit)) {
                    Edited::Done(effect) => effects.extend(effect),
                    Edited::Refused(refusal) => panic!("the scene does not play: {refusal:?}"),
                }
                yield_now().await;
            }
            answer = Some(Edited::Done(effects));
        }
        let edited = answer.unwrap_or_else(|| self.call(&seen, by, at, edits));
        self.read();
        Ok(edited)
    }

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

    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage> {
        yield_now().await;
        let name = self.name(team.as_str());
        let disk = self.read();
        let no_days = BTreeMap::new();
        let all_days = disk.days.get(&name);
        let days = self.days_in(all_days.unwrap_or(&no_days), from, to);
        let (settled, listed) =
            (disk.teams.contains_key(&name), all_days.is_some_and(|days| !days.is_empty()));
        let owns = disk.services.values().any(|owner| owner == team);
        let is_known = match self.defect {
            knows_every_team => true,
            knows_by_settings_only => settled || owns,
            knows_by_the_calendar_only => listed || owns,
            knows_by_an_empty_calendar => settled || owns || all_days.is_some(),
            knows_nobody_by_a_service => settled || listed,
            knows_by_the_days_of_the_span_only => settled || !days.is_empty() || owns,
            _ => settled || listed || owns,
        };
        let mut settings = disk.teams.get(&name).cloned();
        if self.defect == answers_the_settings_of_another_team && settings.is_none() && owns {
            settings = disk.teams.values().next().cloned();
        }
        let settings = self.noticed(settings, &mut self.remembered.lock().unwrap().teams, &name);
        let standing = if is_known { Standing::Known } else { Standing::Unknown };
        Ok(Arc::new(Directory::new(team.clone(), settings, days, standing)))
    }

    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage> {
        yield_now().await;
        let disk = self.read();
        let mut listed = match kind {
            EntryKind::Team => self.listed_teams(&disk),
            EntryKind::Service => {
                let entry = |(name, team): (&String, &TeamName)| {
                    Entry::service(&ServiceName::new(name.clone()).unwrap(), team).into()
                };
                disk.services.iter().map(entry).collect()
            }
            EntryKind::Day => {
                let of_team = |(name, days): (&String, &BTreeMap<NaiveDate, Arc<Rota>>)| {
                    let team = TeamName::new(name.clone()).unwrap();
                    let entry = |(day, rota): (&NaiveDate, &Arc<Rota>)| Entry::Day {
                        team: team.clone(),
                        day: *day,
                        rota: rota.clone(),
                    };
                    days.iter().map(entry).map(Listed::from).collect::<Vec<_>>()
                };
                disk.days.iter().flat_map(of_team).collect::<Vec<_>>()
            }
        };
        let joined = |key: &EntryKey| format!("{}#{}", key.team().map_or("", TeamName::as_str), key.name());
        if self.defect == orders_days_by_their_joined_names {
            listed.sort_by_key(|listed| joined(&listed.key));
        }
        if let Some(after) = after {
            let is_there = listed.iter().any(|listed| listed.key == *after);
            let defect = self.defect;
            listed.retain(|Listed { key, .. }| match (defect, kind) {
                (lists_the_last_entry_again, _) => key >= after,
                (orders_days_by_their_joined_names, _) => joined(key) > joined(after),
                (lists_the_days_of_a_team_on_one_page_only, EntryKind::Day) => key.team() > after.team(),
                (begins_again_after_a_key_that_is_gone, _) => !is_there || key > after,
                (ends_after_a_key_that_is_gone, _) => is_there && key > after,
                _ => key > after,
            });
            if self.defect == skips_an_entry_between_pages && !listed.is_empty() {
                listed.remove(0);
            }
        }
        if self.defect != lists_all_entries_at_once {
            listed.truncate(limit);
        }
        Ok(listed)
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        yield_now().await;
        Ok(self.listed_changes(before, limit))
    }
}
