//! A roster in some lines, sound or with one defect: what it keeps and answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use inresponse_conformance::{Durable, Harness, Interrupted, Line, Shared};
use inresponse_core::Outage;
use inresponse_core::model::{HeartbeatName, Person, ServiceName, TeamName};
use inresponse_core::roster::{
    Book, ChangeMark, Directory, Edited, Entry, EntryKey, EntryKind, Heartbeat, Listed, Roster, RosterChange,
    RosterEdit, Rota, Standing, Target, Team, TeamPart, days_of,
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
            others: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            line: Line::new(),
        }
    }
}

impl Durable for Models {
    async fn reopen(&self, crashed: Model) -> Model {
        let mut disk = crashed.disk().clone();
        match self.0 {
            forgets_everything_in_a_crash => disk = Tables::default(),
            forgets_calendars_in_a_crash => disk.days.clear(),
            forgets_people_in_a_crash => forget(&mut disk, EntryKind::Person),
            forgets_overrides_in_a_crash => forget(&mut disk, EntryKind::Override),
            forgets_changes_in_a_crash => disk.changes.clear(),
            forgets_the_last_change_in_a_crash => _ = disk.changes.pop(),
            numbers_changes_again_after_a_crash => disk.changes.iter_mut().for_each(|(n, _)| *n += 1),
            _ => {}
        }
        Model { disk: Arc::new(Mutex::new(disk)), ..self.fresh().await }
    }
}

fn forget(disk: &mut Tables, kind: EntryKind) {
    let keys: Vec<_> =
        disk.book.entries().map(|entry| entry.key()).filter(|key| key.kind() == kind).collect();
    keys.iter().for_each(|key| disk.book.delete(key));
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

impl Interrupted for Models {
    async fn over(&self, first: &Model, line: &Line) -> Model {
        Model { line: line.clone(), ..self.another(first).await }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub(super) services: BTreeMap<String, TeamName>,
    pub(super) teams: BTreeMap<String, Arc<Team>>,
    pub(super) days: BTreeMap<String, BTreeMap<NaiveDate, Arc<Rota>>>,
    /// People and schedules.
    pub(super) book: Book,
    pub(super) heartbeats: BTreeMap<HeartbeatName, Arc<Heartbeat>>,
    pub(super) changes: Vec<(u64, RosterChange)>,
}

impl Tables {
    /// All entries, of each kind in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        let service = |(name, team): (&String, &TeamName)| {
            Entry::service(&ServiceName::new(name.clone()).unwrap(), team)
        };
        let settings = |(name, settings): (&String, &Arc<Team>)| Entry::Team {
            team: TeamName::new(name.clone()).unwrap(),
            settings: settings.clone(),
        };
        let days = |(name, days): (&String, &BTreeMap<NaiveDate, Arc<Rota>>)| {
            let team = TeamName::new(name.clone()).unwrap();
            let entry = |(day, rota): (&NaiveDate, &Arc<Rota>)| Entry::Day {
                team: team.clone(),
                day: *day,
                rota: rota.clone(),
            };
            days.iter().map(entry).collect::<Vec<_>>()
        };
        let services = self.services.iter().map(service);
        let others = self.teams.iter().map(settings).chain(self.days.iter().flat_map(days));
        let heartbeat = |(name, heartbeat): (&HeartbeatName, &Arc<Heartbeat>)| Entry::Heartbeat {
            name: name.clone(),
            heartbeat: heartbeat.clone(),
        };
        let heartbeats = self.heartbeats.iter().map(heartbeat).collect::<Vec<_>>();
        services.chain(others).chain(self.book.entries()).chain(heartbeats)
    }

    /// The schedules and teams that a calendar names, among the targets that `named` picks from each day.
    pub(super) fn named_by_days(
        &self,
        team: &TeamName,
        apart_from: &[NaiveDate],
        named: impl Fn(&Rota) -> Vec<Target>,
    ) -> Vec<EntryKey> {
        let days = self.days.get(team.as_str()).into_iter().flatten();
        let named = days.filter(|(day, _)| !apart_from.contains(day)).flat_map(|(_, rota)| named(rota));
        let leads_on = |target: &Target| matches!(target, Target::Schedule { .. } | Target::Team(_));
        named.filter(leads_on).filter_map(|target| EntryKey::named_by(&target, team)).collect()
    }
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(super) defect: Defect,
    disk: Arc<Mutex<Tables>>,
    /// What this handle has read, which services it put, which changes it recorded: for defects only.
    pub(super) remembered: Mutex<Tables>,
    pub(super) own: Mutex<BTreeSet<String>>,
    pub(super) recorded: Mutex<BTreeSet<u64>>,
    /// What this handle has read of teams to which other teams lead: for a defect only.
    others: Mutex<BTreeMap<TeamName, TeamPart>>,
    /// What this handle holds of the disk, and since when.
    copy: Mutex<Option<(tokio::time::Instant, Tables)>>,
    /// Whose turn it is among the calls of this handle.
    turn: tokio::sync::Mutex<()>,
    line: Line,
}

impl Model {
    pub(super) fn disk(&self) -> MutexGuard<'_, Tables> {
        self.disk.lock().unwrap()
    }

    /// What is read: the disk, or a copy that lags behind what other handles write.
    #[expect(clippy::disallowed_methods, reason = "a broken roster may read the clock")]
    fn read(&self) -> Tables {
        let mut disk = self.disk().clone();
        let mut copy = self.copy.lock().unwrap();
        let now = tokio::time::Instant::now();
        match (self.defect, &*copy) {
            (looks_every_half_second_for_people, Some((since, old)))
                if now - *since < Duration::from_millis(500) =>
            {
                disk.book = old.book.clone();
                return disk;
            }
            (notices_no_deleted_people, Some((_, old))) => {
                let gone = old.book.entries().filter(|entry| disk.book.entry(&entry.key()).is_none());
                let gone: Vec<_> = gone.filter(|entry| entry.key().kind() == EntryKind::Person).collect();
                gone.into_iter().for_each(|entry| disk.book.put(entry));
            }
            _ => {}
        }
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

    /// What is answered of one team.
    fn part(&self, disk: &Tables, team: &TeamName, from: DateTime<Utc>, to: DateTime<Utc>) -> TeamPart {
        let name = self.name(team.as_str());
        let no_days = BTreeMap::new();
        let all_days = disk.days.get(&name);
        let days = self.days_in(all_days.unwrap_or(&no_days), from, to);
        let (settled, listed) =
            (disk.teams.contains_key(&name), all_days.is_some_and(|days| !days.is_empty()));
        let owns = disk.services.values().any(|owner| owner == team);
        let scheduled = disk.book.timetables(team).next().is_some();
        let is_known = match self.defect {
            knows_every_team => true,
            knows_by_settings_only => settled || owns,
            knows_by_the_calendar_only => listed || owns,
            knows_by_an_empty_calendar => settled || owns || all_days.is_some(),
            knows_nobody_by_a_service => settled || listed,
            knows_by_the_days_of_the_span_only => settled || !days.is_empty() || owns,
            knows_nobody_by_a_schedule => settled || listed || owns,
            _ => settled || listed || owns || scheduled,
        };
        let mut settings = disk.teams.get(&name).cloned();
        if self.defect == answers_the_settings_of_another_team && settings.is_none() && owns {
            settings = disk.teams.values().next().cloned();
        }
        let settings = self.noticed(settings, &mut self.remembered.lock().unwrap().teams, &name);
        TeamPart { settings, days, standing: if is_known { Standing::Known } else { Standing::Unknown } }
    }

    /// What is answered of a team to which another one leads.
    fn other_part(&self, disk: &Tables, team: &TeamName, from: DateTime<Utc>, to: DateTime<Utc>) -> TeamPart {
        let mut part = self.part(disk, team, from, to);
        match self.defect {
            reads_other_teams_without_their_days => part.days.clear(),
            reads_other_teams_without_their_settings => part.settings = None,
            keeps_other_teams_as_it_read_them => {
                part = self.others.lock().unwrap().entry(team.clone()).or_insert(part).clone();
            }
            _ => {}
        }
        part
    }

    fn listed_teams(&self, disk: &Tables) -> Vec<Listed> {
        let settled = disk.teams.keys().filter(|_| self.defect != lists_those_with_a_calendar);
        let with_days =
            disk.days.iter().filter(|(_, days)| !days.is_empty() || self.defect == lists_empty_calendars);
        let listed = with_days.map(|(name, _)| name).filter(|_| self.defect != lists_those_with_settings);
        let owners = disk.services.values().map(|owner| owner.as_str().to_owned());
        let owners = owners.filter(|_| self.defect != lists_nobody_by_a_service);
        let scheduled = disk.book.schedules().map(|(team, _, _)| team.as_str().to_owned());
        let scheduled = scheduled.filter(|_| self.defect != lists_nobody_by_a_schedule);
        let mut names: Vec<_> = settled.chain(listed).cloned().chain(owners).chain(scheduled).collect();
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
        let keeps_a_copy = [looks_every_half_second_for_people, notices_no_deleted_people];
        if keeps_a_copy.contains(&self.defect) && matches!(edited, Edited::Done(_)) {
            // Its own edits it sees.
            *self.copy.lock().unwrap() = None;
        }
        self.read();
        match self.defect {
            _ if !self.line.loses_answer() => Ok(edited),
            tells_a_lost_edit_as_undone => Err(Outage::retryable("no answer")),
            makes_a_lost_edit_again => {
                let seen = self.disk().clone();
                Ok(self.call(&seen, by, at, edits))
            }
            records_a_lost_edit_again => {
                let mut disk = self.disk();
                let (last, record) = disk.changes.last().cloned().expect("the scene edits");
                disk.changes.push((last + 1, record));
                Err(Outage::unknown("no answer"))
            }
            _ => Err(Outage::unknown("no answer")),
        }
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
        let disk = self.read();
        let mut directory =
            Directory::new(team.clone(), self.part(&disk, team, from, to), Arc::new(disk.book.clone()));
        loop {
            let missing = directory.teams_to_read();
            if missing.is_empty() || self.defect == reads_no_other_teams {
                return Ok(Arc::new(directory));
            }
            for team in missing {
                let part = self.other_part(&disk, &team, from, to);
                directory.add(team, part);
            }
            if self.defect == reads_the_next_teams_only {
                return Ok(Arc::new(directory));
            }
        }
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
            _ => {
                let of_kind = disk.entries().filter(|entry| entry.key().kind() == kind);
                of_kind.map(Listed::from).collect()
            }
        };
        let schedule_of = |key: &EntryKey| match key {
            EntryKey::Override(team, schedule, _) => Some((team.clone(), schedule.clone())),
            _ => None,
        };
        let joined = |key: &EntryKey| format!("{}#{}", key.team().map_or("", TeamName::as_str), key.name());
        let is_joined = match self.defect {
            orders_days_by_their_joined_names => kind == EntryKind::Day,
            orders_schedules_by_their_joined_names => kind == EntryKind::Schedule,
            _ => false,
        };
        if is_joined {
            listed.sort_by_key(|listed| joined(&listed.key));
        }
        if let Some(after) = after {
            let is_there = listed.iter().any(|listed| listed.key == *after);
            let defect = self.defect;
            listed.retain(|Listed { key, .. }| match (defect, kind) {
                (lists_the_last_entry_again, _) => key >= after,
                (_, _) if is_joined => joined(key) > joined(after),
                (lists_the_overrides_of_a_schedule_on_one_page_only, EntryKind::Override) => {
                    schedule_of(key) > schedule_of(after)
                }
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
