//! A store in some lines, sound or with one defect.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, Utc};
use inresponse_conformance::{Durable, Expiring, Harness, Interrupted, Line, Shared};
use inresponse_core::Outage;
use inresponse_core::model::{DedupKey, IncidentNumber, RulesId, ServiceName, State, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};
use tokio::task::yield_now;

use super::Defect::{self, *};
use super::mangle::mangled;

const FIRST_NUMBER: u64 = 10_000;

/// Makes models with a defect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Models {
    pub(crate) defect: Defect,
    /// Whether due, list and census are two seconds behind.
    pub(crate) lagging: bool,
}

pub(crate) fn harness(defect: Defect) -> Models {
    Models { defect, lagging: false }
}

impl Harness for Models {
    type Subject = Model;

    async fn fresh(&self) -> Model {
        let seen = self.lagging.then(Arc::default);
        Model { defect: Some(self.defect), seen, ..Model::default() }
    }
}

impl Durable for Models {
    async fn reopen(&self, crashed: Model) -> Model {
        let mut disk = crashed.disk().clone();
        for kept in disk.records.values_mut() {
            match self.defect {
                writes_commits_later => kept.record = kept.first.clone(),
                forgets_counts_in_a_crash => kept.record.count = 1,
                forgets_versions_in_a_crash => kept.record.version = Version::FIRST,
                forgets_due_times_in_a_crash => kept.due_at = None,
                _ => {}
            }
        }
        match self.defect {
            forgets_everything_in_a_crash => disk.records.clear(),
            begins_numbers_again_after_a_crash => disk.last = 0,
            forgets_keys_in_a_crash => disk.keys.clear(),
            _ => {}
        }
        let reopened = self.fresh().await;
        *reopened.disk() = disk;
        reopened.changed();
        reopened
    }
}

impl Shared for Models {
    async fn another(&self, first: &Model) -> Model {
        let (disk, seen) = (first.disk.clone(), first.seen.clone());
        Model { defect: first.defect, handle: 1, disk, seen, ..Model::default() }
    }
}

impl Interrupted for Models {
    async fn over(&self, first: &Model, line: &Line) -> Model {
        Model { line: Some(line.clone()), ..self.another(first).await }
    }
}

impl Expiring for Models {
    async fn expire(&self, store: &Model, now: DateTime<Utc>) {
        store.disk().records.retain(|_, kept| {
            let is_resolved = kept.record.incident.state() == State::Resolved;
            let expires_at = match store.defect {
                Some(keeps_no_expiry) => None,
                Some(deletes_what_is_resolved) => kept.expires_at.or(is_resolved.then_some(now)),
                Some(expires_an_hour_early) => kept.expires_at.map(|at| at - Duration::from_secs(3600)),
                _ => kept.expires_at,
            };
            expires_at.is_none_or(|at| at > now)
        });
        store.changed();
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    last: u64,
    pub(super) records: BTreeMap<u64, Kept>,
    keys: HashMap<(String, String), u64>,
    commits: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) record: Record,
    pub(super) due_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    /// As it was created, by which handle, and when it was last committed: for defects only.
    pub(super) first: Record,
    pub(super) handle: u64,
    pub(super) touched: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(super) defect: Option<Defect>,
    pub(super) handle: u64,
    disk: Arc<Mutex<Disk>>,
    seen: Option<Arc<Mutex<Disk>>>,
    line: Option<Line>,
    remembered: Mutex<HashMap<u64, Record>>,
    given: Mutex<u64>,
}

type Key = Option<(String, String)>;

impl Model {
    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    /// What due, list and census see.
    pub(super) fn view(&self) -> Disk {
        self.seen.as_ref().unwrap_or(&self.disk).lock().unwrap().clone()
    }

    /// What everything that decides sees.
    pub(super) fn current(&self) -> Disk {
        self.disk().clone()
    }

    fn changed(&self) {
        if let Some(seen) = self.seen.clone() {
            let now = self.disk().clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(2)).await;
                *seen.lock().unwrap() = now;
            });
        }
    }

    /// Lets others have their turn, where the defect is that it may.
    async fn gap(&self, defects: &[Defect]) -> bool {
        let racy = defects.iter().any(|defect| self.has(*defect));
        if racy {
            for _ in 0..4 {
                yield_now().await;
            }
        }
        racy
    }

    fn key(&self, service: &ServiceName, key: Option<&DedupKey>) -> Key {
        let (service, key) = (service.as_str().to_owned(), key.map(|key| key.as_str().to_owned()));
        let (service, key) = match (self.defect.unwrap_or(none), key) {
            (takes_no_key_for_an_empty_key, None) => (service, String::new()),
            (_, None) => return None,
            (forgets_keys, Some(_)) => return None,
            (ignores_the_service_of_a_key, Some(key)) => (String::new(), key),
            (joins_service_and_key, Some(key)) => (String::new(), format!("{service}#{key}")),
            (compares_keys_without_case, Some(key)) => (service, key.to_lowercase()),
            (cuts_long_keys, Some(key)) => (service, key.chars().take(255).collect()),
            (keeps_keys_by_handle, Some(key)) => (format!("{} {service}", self.handle), key),
            (_, Some(key)) => (service, key),
        };
        Some((service, key))
    }

    fn number(&self, disk: &mut Disk, read: u64) -> u64 {
        let racy = self.has(reads_the_counter_before_it_writes);
        disk.last = if racy { read } else { disk.last } + 1;
        match self.defect.unwrap_or(none) {
            counts_down => 1_000_000 - disk.last,
            numbers_on_from_the_last_open_one => {
                let open = |kept: &&Kept| kept.record.incident.state() != State::Resolved;
                let last = disk.records.values().rfind(open);
                last.map_or(FIRST_NUMBER, |kept| kept.record.number().value() + 1)
            }
            gives_each_handle_its_own_numbers => {
                let mut given = self.given.lock().unwrap();
                *given += 1;
                FIRST_NUMBER * (1 + self.handle) + *given
            }
            _ => FIRST_NUMBER + disk.last,
        }
    }

    fn repeat(&self, kept: &mut Kept, opening: &Opening, count_read: u64) -> Record {
        let reported = opening.incident().created_at();
        let record = &mut kept.record;
        let last = record.last_reported_at;
        record.count = if self.has(reads_the_count_before_it_writes) { count_read } else { record.count } + 1;
        record.last_reported_at = last.max(reported);
        match self.defect.unwrap_or(none) {
            counts_no_repeats => record.count = 1,
            takes_over_what_a_repeat_says => {
                record.incident = opening.clone().numbered(record.number()).into_incident();
            }
            makes_a_version_of_a_repeat => record.version = record.version.next(),
            takes_the_last_report_as_it_comes => record.last_reported_at = reported,
            rounds_the_last_report => record.last_reported_at = last.max(reported.trunc_subsecs(3)),
            answers_repeats_with_the_first_version => {
                return Record { count: record.count, last_reported_at: reported, ..kept.first.clone() };
            }
            _ => {}
        }
        record.clone()
    }

    /// Whether a commit is refused.
    fn is_stale(&self, given: Version, current: Version, read: Option<Version>, number: u64) -> bool {
        match self.defect.unwrap_or(none) {
            has_no_fence => false,
            fences_off_older_versions_only => given < current,
            checks_the_version_before_it_writes => Some(given) != read,
            fences_by_handle => {
                let remembered = self.remembered.lock().unwrap();
                given != remembered.get(&number).map_or(Version::FIRST, |record| record.version)
            }
            _ => given != current,
        }
    }

    /// Takes the version, or answers why not.
    fn fence(
        &self,
        disk: &mut Disk,
        version: Version,
        draft: &Draft,
        read: Option<Version>,
    ) -> Option<Committed> {
        let number = draft.incident().number().value();
        let Some(kept) = disk.records.get_mut(&number) else {
            if self.has(creates_what_is_committed) {
                let record = Record::created(draft.incident().clone());
                let first = record.clone();
                let (due_at, expires_at) = (draft.due_at(), draft.expires_at());
                let kept = Kept { record, due_at, expires_at, first, handle: 0, touched: 0 };
                disk.records.insert(number, kept);
                return Some(Committed::At(version.next()));
            }
            return Some(Committed::Stale);
        };
        if self.is_stale(version, kept.record.version, read, number) {
            return Some(Committed::Stale);
        }
        if self.has(answers_and_keeps_nothing) {
            return Some(Committed::At(version.next()));
        }
        kept.record.version = version.next();
        None
    }

    /// Writes what has passed the fence.
    fn write(&self, disk: &mut Disk, draft: &Draft, count_read: Option<u64>) {
        let incident = draft.incident();
        let number = incident.number().value();
        disk.commits += 1;
        let touched = disk.commits;
        let kept = disk.records.get_mut(&number).unwrap();
        kept.touched = touched;
        kept.record.incident = mangled(incident, self.defect);
        if !self.has(expires_as_first_created) {
            kept.expires_at = draft.expires_at();
        }
        kept.due_at = match (self.defect.unwrap_or(none), draft.due_at()) {
            (keeps_the_first_due_time, _) => kept.due_at,
            (keeps_what_is_claimed_due, None) => kept.due_at,
            (forgets_the_due_time_on_commit, _) => None,
            (_, due_at) => due_at,
        };
        match (self.defect.unwrap_or(none), count_read) {
            (begins_the_count_again_on_commit, _) => kept.record.count = 1,
            (forgets_the_last_report_on_commit, _) => kept.record.last_reported_at = incident.created_at(),
            (commits_the_count_that_it_read, Some(count)) => kept.record.count = count,
            _ => {}
        }
        self.remember(&kept.record);
        if self.has(makes_a_version_of_every_record) {
            for (_, other) in disk.records.iter_mut().filter(|(other, _)| **other != number) {
                other.record.version = other.record.version.next();
            }
        }
    }

    fn free_key(&self, disk: &mut Disk, draft: &Draft) {
        let incident = draft.incident();
        let over = draft.open_key().is_none() || {
            self.has(frees_the_key_on_a_claim) && incident.state() == State::Claimed
        };
        let Some(key) = self.key(incident.service(), incident.dedup_key()).filter(|_| over) else { return };
        let holds = disk.keys.get(&key) == Some(&incident.number().value());
        if (holds || self.has(frees_the_key_of_another_holder)) && !self.has(frees_no_key) {
            disk.keys.remove(&key);
        }
    }

    fn loses_answer(&self) -> bool {
        self.line.as_ref().is_some_and(Line::loses_answer)
    }

    fn remember(&self, record: &Record) {
        self.remembered.lock().unwrap().insert(record.number().value(), record.clone());
    }
}

impl Model {
    async fn create_here(&self, opening: Opening) -> Result<Created, Outage> {
        yield_now().await;
        let key = self.key(opening.incident().service(), opening.incident().dedup_key());
        let holder = |disk: &Disk| key.as_ref().and_then(|key| disk.keys.get(key)).copied();
        let (held, last, count) = {
            let disk = self.disk();
            let held = holder(&disk);
            let kept = held.and_then(|number| disk.records.get(&number));
            (held, disk.last, kept.map_or(1, |kept| kept.record.count))
        };
        self.gap(&[reads_the_counter_before_it_writes, reads_the_count_before_it_writes]).await;
        let racy = [looks_for_the_key_before_it_writes, makes_an_incident_of_each_report_in_a_race];
        let racy = self.gap(&racy).await;
        let mut taken = None;
        if self.has(takes_the_key_before_it_writes) && held.is_none() {
            let mut disk = self.disk();
            let number = self.number(&mut disk, last);
            disk.keys.extend(key.clone().map(|key| (key, number)));
            taken = Some(number);
        }
        self.gap(&[takes_the_key_before_it_writes]).await;

        let mut disk = self.disk();
        let held = if racy { held } else { holder(&disk).filter(|_| taken.is_none()) };
        if let Some(number) = held {
            let repeated = match disk.records.get_mut(&number) {
                Some(kept) => self.repeat(kept, &opening, count),
                None => {
                    let incident = opening.numbered(IncidentNumber::new(number)).into_incident();
                    Record { count: 2, ..Record::created(incident) }
                }
            };
            drop(disk);
            self.changed();
            return Ok(Created::Repeat(repeated));
        }
        let number = taken.unwrap_or_else(|| self.number(&mut disk, last));
        let draft = opening.numbered(IncidentNumber::new(number));
        let answer = Record::created(draft.incident().clone());
        let record = Record { incident: mangled(draft.incident(), self.defect), ..answer.clone() };
        disk.commits += 1;
        let touched = disk.commits;
        let first = record.clone();
        let (due_at, expires_at, handle) = (draft.due_at(), draft.expires_at(), self.handle);
        let kept = Kept { record, due_at, expires_at, first, handle, touched };
        disk.records.insert(number, kept);
        disk.keys.extend(key.map(|key| (key, number)));
        drop(disk);
        self.remember(&answer);
        self.changed();
        Ok(Created::New(answer))
    }

    async fn commit_here(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        yield_now().await;
        let incident = draft.incident();
        let number = incident.number().value();
        let read = {
            let mut disk = self.disk();
            if self.has(frees_the_key_before_the_fence) {
                self.free_key(&mut disk, draft);
            }
            if let Some(kept) = disk.records.get_mut(&number)
                && self.has(changes_the_record_before_the_fence)
            {
                kept.record.incident = incident.clone();
            }
            disk.records.get(&number).map(|kept| (kept.record.version, kept.record.count))
        };
        self.gap(&[checks_the_version_before_it_writes, commits_the_count_that_it_read]).await;
        {
            let mut disk = self.disk();
            if let Some(answer) = self.fence(&mut disk, version, draft, read.map(|(version, _)| version)) {
                return Ok(answer);
            }
            if !self.has(takes_the_version_before_it_writes) {
                self.write(&mut disk, draft, read.map(|(_, count)| count));
            }
            if !self.has(frees_the_key_after_the_commit) {
                self.free_key(&mut disk, draft);
            }
        }
        if self.gap(&[takes_the_version_before_it_writes]).await {
            self.write(&mut self.disk(), draft, None);
        }
        if self.gap(&[frees_the_key_after_the_commit]).await {
            self.free_key(&mut self.disk(), draft);
        }
        self.changed();
        Ok(Committed::At(version.next()))
    }
}

#[async_trait]
impl Store for Model {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        let again = opening.clone();
        let created = self.create_here(opening).await;
        if !self.loses_answer() {
            return created;
        }
        let is_repeat = matches!(created, Ok(Created::Repeat(_)));
        match self.defect {
            Some(tells_a_lost_create_as_undone) if !is_repeat => Err(Outage::retryable("no answer")),
            Some(tells_a_lost_repeat_as_undone) if is_repeat => Err(Outage::retryable("no answer")),
            Some(reports_again_after_a_lost_answer) if !is_repeat => self.create_here(again).await,
            Some(counts_again_after_a_lost_answer) if is_repeat => self.create_here(again).await,
            _ => Err(Outage::unknown("no answer")),
        }
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        yield_now().await;
        let number = number.value();
        if self.has(fails_on_odd_numbers) && i64::try_from(number).is_err() {
            return Err(Outage::permanent("the number is too large"));
        }
        let disk = self.disk();
        let found = match self.defect {
            Some(finds_the_next_one_instead) => disk.records.range(number..).next().map(|(_, kept)| kept),
            _ => disk.records.get(&number),
        };
        let found = found.map(|kept| kept.record.clone());
        if self.has(loads_what_it_remembers) {
            let mut remembered = self.remembered.lock().unwrap();
            return Ok(found.map(|found| remembered.entry(number).or_insert(found).clone()));
        }
        Ok(found)
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        yield_now().await;
        Ok(self.holder(service, key))
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        yield_now().await;
        Ok(self.is_due(now, after, limit))
    }

    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        yield_now().await;
        Ok(self.is_ahead(now, after, limit))
    }

    async fn quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        yield_now().await;
        Ok(self.is_quiet(judged_by, after, limit))
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        let committed = self.commit_here(version, draft).await;
        if !self.loses_answer() {
            return committed;
        }
        match self.defect {
            Some(tells_a_lost_commit_as_undone) => Err(Outage::retryable("no answer")),
            Some(takes_its_own_commit_for_anothers) => self.commit_here(version, draft).await,
            _ => Err(Outage::unknown("no answer")),
        }
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        yield_now().await;
        Ok(self.page(query))
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        yield_now().await;
        self.counted(waiting_before)
    }
}
