//! The roster in DynamoDB: services, teams, calendars.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use chrono::{DateTime, NaiveDate, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{
    Book, ChangeMark, Directory, Edited, Entry, EntryKey, EntryKind, Listed, QuietRules, Roster,
    RosterChange, RosterEdit, Standing, TeamPart, days_of,
};

use tokio::sync::Mutex;

use crate::call::{bounded, read};
use crate::config::DynamoConfig;
use crate::item::{Item, text, text_of};
use crate::roster_items::{CHANGES, ENTRIES, change_of, entry_of, entry_of_any, item_key, key_of, table};

/// The first and the last day that a calendar can have.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(0, 1, 1).expect("a day");
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a day");

/// Silences and alert hours, with the version of the roster that they are of.
type RulesAt = (u64, Arc<QuietRules>);

/// The roster in DynamoDB. Cloning is cheap.
///
/// Services, settings and days are read from their tables for every answer, so that a change holds for all processes at
/// once. People and schedules are kept in memory as long as the roster's version stays, which every answer reads too. A
/// report reads the service, the settings, three days and the version. Audit records are kept for 400 days; those of several
/// processes are in the order of their clocks.
///
/// Edits, their audit records and the roster's version are written in one transaction, of at most a hundred items. If
/// the parts of a deleted team do not all fit, the transaction deletes as many as fit: first its schedules with their
/// parts, then the days of its calendar, the last day first. The process deletes the rest right afterwards. If the
/// process dies in between, some parts are left, and the team can be deleted again.
#[derive(Debug, Clone)]
pub struct DynamoRoster {
    pub(crate) client: Client,
    pub(crate) config: DynamoConfig,
    /// Only one call of this process makes edits at a time, because all of them change the same version.
    pub(crate) turn: Arc<Mutex<()>>,
    /// People and schedules, with the roster's version at which they were read.
    read: Arc<Mutex<Option<Read>>>,
    /// Silences and alert hours, with the roster's version at which they were read.
    rules: Arc<Mutex<Option<RulesAt>>>,
}

/// People and schedules as they were read at a version of the roster.
type Read = (u64, Arc<Book>);

impl DynamoRoster {
    /// The roster in these tables. The client's own retries and time-outs are replaced by the roster's.
    pub fn new(client: &Client, config: DynamoConfig) -> Self {
        Self {
            client: bounded(client),
            config,
            turn: Arc::default(),
            read: Arc::default(),
            rules: Arc::default(),
        }
    }

    /// People and schedules, at least as new as the roster's version, which is answered too.
    pub(crate) async fn book(&self) -> Result<(u64, Arc<Book>), Outage> {
        let version = self.version().await?;
        // One reads for all who wait.
        let mut read = self.read.lock().await;
        if let Some((at, book)) = &*read
            && *at >= version
        {
            return Ok((version, Arc::clone(book)));
        }
        let mut book = Book::default();
        for item in self.partition(ENTRIES).await? {
            if let Some(entry) = entry_of_any(&item) {
                book.put(entry);
            }
        }
        let book = Arc::new(book);
        *read = Some((version, Arc::clone(&book)));
        Ok((version, book))
    }

    /// All items of a partition of the table of audit records.
    async fn partition(&self, partition: &str) -> Result<Vec<Item>, Outage> {
        let (mut all, mut from) = (Vec::new(), None);
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.config.roster_change)
                .consistent_read(true)
                .key_condition_expression("#log = :log")
                .expression_attribute_names("#log", "log")
                .expression_attribute_values(":log", text(partition))
                .set_exclusive_start_key(std::mem::take(&mut from));
            let page = read(&self.client, || query.clone().send()).await?;
            all.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(all);
            }
        }
    }

    /// The definitions of all heartbeats.
    pub(crate) async fn heartbeats(&self) -> Result<Vec<Entry>, Outage> {
        let is_heartbeat = |entry: &Entry| matches!(entry, Entry::Heartbeat { .. });
        Ok(self.partition(ENTRIES).await?.iter().filter_map(entry_of_any).filter(is_heartbeat).collect())
    }

    /// The part of a directory for one team.
    async fn part(
        &self,
        team: &TeamName,
        (first, last): (NaiveDate, NaiveDate),
        has_schedules: impl FnOnce() -> bool,
    ) -> Result<TeamPart, Outage> {
        let key = EntryKey::Team(team.clone());
        let (item, days) = tokio::try_join!(self.item(&key), self.days(team, first, last))?;
        let is_known = item.is_some()
            || !days.is_empty()
            || has_schedules()
            || !self.last_days(team, Some(1)).await?.is_empty()
            || !self.owned_by(team, 1).await?.is_empty();
        let settings = item.and_then(|item| match entry_of(&key, &item)? {
            Entry::Team { settings, .. } => Some(settings),
            _ => None,
        });
        let day = |day: NaiveDate, item: &Item| match entry_of(&EntryKey::Day(team.clone(), day), item)? {
            Entry::Day { rota, .. } => Some((day, rota)),
            _ => None,
        };
        let days = days.iter().filter_map(|(at, item)| day(*at, item)).collect();
        Ok(TeamPart { settings, days, standing: if is_known { Standing::Known } else { Standing::Unknown } })
    }

    /// The days of a team's calendar, as entries.
    pub(crate) async fn calendar(&self, team: &TeamName) -> Result<Vec<Entry>, Outage> {
        let days = self.days(team, FIRST_DAY, LAST_DAY).await?;
        let entry = |(day, item): (&NaiveDate, &Item)| entry_of(&EntryKey::Day(team.clone(), *day), item);
        Ok(days.iter().filter_map(entry).collect())
    }

    /// All entries of a kind that has a table of its own.
    pub(crate) async fn tabled(&self, kind: EntryKind) -> Result<Vec<Entry>, Outage> {
        let items = self.all(table(&self.config, kind)).await?;
        Ok(items.iter().filter_map(|item| entry_of(&key_of(kind, item)?, item)).collect())
    }

    /// Reads the item of an entry.
    pub(crate) async fn item(&self, key: &EntryKey) -> Result<Option<Item>, Outage> {
        let table = table(&self.config, key.kind());
        let found = read(&self.client, || {
            let get = self.client.get_item().table_name(table).consistent_read(true);
            get.set_key(Some(item_key(key))).send()
        });
        Ok(found.await?.item)
    }

    /// The services that the team owns, up to `limit`. This reads the whole table of services; reports rarely need
    /// this, because they know the owner from the service.
    pub(crate) async fn owned_by(&self, team: &TeamName, limit: usize) -> Result<Vec<EntryKey>, Outage> {
        let (mut owned, mut from) = (Vec::new(), None);
        loop {
            let scan = self
                .client
                .scan()
                .table_name(&self.config.service)
                .consistent_read(true)
                .filter_expression("team = :team")
                .expression_attribute_values(":team", text(team.as_str()))
                .set_exclusive_start_key(std::mem::take(&mut from));
            let page = read(&self.client, || scan.clone().send()).await?;
            owned.extend(page.items().iter().filter_map(|item| key_of(EntryKind::Service, item)));
            from = page.last_evaluated_key;
            if owned.len() >= limit || from.is_none() {
                owned.truncate(limit);
                return Ok(owned);
            }
        }
    }

    /// Reads the items of a team's calendar from `first` to `last`.
    async fn days(
        &self,
        team: &TeamName,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<BTreeMap<NaiveDate, Item>, Outage> {
        // Days are texts, in order only from the year 0 to the year 9999.
        let (first, last) = (first.max(FIRST_DAY), last.min(LAST_DAY));
        let (mut days, mut from) = (BTreeMap::new(), None);
        if first > last {
            return Ok(days);
        }
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.config.calendar)
                .consistent_read(true)
                .key_condition_expression("teamname = :team AND #day BETWEEN :first AND :last")
                .expression_attribute_names("#day", "day")
                .expression_attribute_values(":team", text(team.as_str()))
                .expression_attribute_values(":first", text(first.to_string()))
                .expression_attribute_values(":last", text(last.to_string()))
                .set_exclusive_start_key(std::mem::take(&mut from));
            let page = read(&self.client, || query.clone().send()).await?;
            let items = page.items.unwrap_or_default().into_iter();
            days.extend(items.filter_map(|item| Some((text_of(&item, "day")?.parse().ok()?, item))));
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(days);
            }
        }
    }

    /// Reads the keys of a team's calendar, the last day first, up to `limit` if there is one.
    pub(crate) async fn last_days(&self, team: &TeamName, limit: Option<i32>) -> Result<Vec<Item>, Outage> {
        let (mut days, mut from) = (Vec::new(), None);
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.config.calendar)
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("teamname = :team")
                .expression_attribute_values(":team", text(team.as_str()))
                .projection_expression("teamname, #day")
                .expression_attribute_names("#day", "day")
                .set_exclusive_start_key(std::mem::take(&mut from))
                .set_limit(limit);
            let page = read(&self.client, || query.clone().send()).await?;
            days.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if limit.is_some() || from.is_none() {
                return Ok(days);
            }
        }
    }

    /// Reads all items of a table.
    async fn all(&self, table: &str) -> Result<Vec<Item>, Outage> {
        let (mut all, mut from) = (Vec::new(), None);
        loop {
            let scan = self.client.scan().table_name(table).consistent_read(true);
            let scan = scan.set_exclusive_start_key(std::mem::take(&mut from));
            let page = read(&self.client, || scan.clone().send()).await?;
            all.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(all);
            }
        }
    }
}

#[async_trait]
impl Roster for DynamoRoster {
    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage> {
        let _turn = self.turn.lock().await;
        self.edit(by, at, edits).await
    }

    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        let key = EntryKey::Service(service.clone());
        let entry = self.item(&key).await?.and_then(|item| entry_of(&key, &item));
        Ok(match entry {
            Some(Entry::Service { team, .. }) => Some(team),
            Some(_) | None => None,
        })
    }

    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage> {
        let span = days_of(from, to);
        // The book is read first. It decides whether the team is known only if nothing else does.
        let (_, book) = self.book().await?;
        let part = |team: TeamName| {
            let book = Arc::clone(&book);
            async move {
                let has_schedules = || book.timetables(&team).next().is_some();
                let part = self.part(&team, span, has_schedules).await?;
                Ok::<_, Outage>((team, part))
            }
        };
        let (team, own) = part(team.clone()).await?;
        let mut directory = Directory::new(team, own, Arc::clone(&book));
        loop {
            let missing = directory.teams_to_read();
            if missing.is_empty() {
                return Ok(Arc::new(directory));
            }
            for (team, read) in futures_util::future::try_join_all(missing.into_iter().map(part)).await? {
                directory.add(team, read);
            }
        }
    }

    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage> {
        let mut listed: BTreeMap<EntryKey, Option<Entry>> = BTreeMap::new();
        let (_, book) = self.book().await?;
        let is_in_book = match kind {
            EntryKind::Service | EntryKind::Team | EntryKind::Day | EntryKind::Heartbeat => false,
            EntryKind::Person
            | EntryKind::Schedule
            | EntryKind::Override
            | EntryKind::Feed
            | EntryKind::Silence
            | EntryKind::Routes => true,
        };
        if is_in_book {
            let entries = book.entries().filter(|entry| entry.key().kind() == kind);
            let entries = entries.filter(|entry| after.is_none_or(|after| entry.key() > *after));
            return Ok(entries.take(limit).map(Listed::from).collect());
        }
        if kind == EntryKind::Heartbeat {
            let mut entries = self.heartbeats().await?;
            entries.retain(|entry| after.is_none_or(|after| entry.key() > *after));
            entries.sort_by_key(Entry::key);
            return Ok(entries.into_iter().take(limit).map(Listed::from).collect());
        }
        // A table is in no order, so all of it is read; only people ask for it.
        if kind == EntryKind::Team {
            listed.extend(book.schedules().map(|(team, _, _)| (EntryKey::Team(team.clone()), None)));
            for (table, attribute) in [(&self.config.calendar, "teamname"), (&self.config.service, "team")] {
                let team = |item: &Item| TeamName::new(text_of(item, attribute)?).ok();
                let teams = self.all(table).await?;
                listed.extend(teams.iter().filter_map(team).map(|team| (EntryKey::Team(team), None)));
            }
        }
        for item in self.all(table(&self.config, kind)).await? {
            let Some(key) = key_of(kind, &item) else { continue };
            let entry = entry_of(&key, &item);
            // A team whose settings cannot be read is known anyway.
            if entry.is_some() || kind == EntryKind::Team {
                listed.insert(key, entry);
            }
        }
        let listed = listed.into_iter().filter(|(key, _)| after.is_none_or(|after| key > after));
        Ok(listed.take(limit).map(|(key, entry)| Listed { key, entry }).collect())
    }

    async fn quiet(&self) -> Result<Arc<QuietRules>, Outage> {
        let (version, book) = self.book().await?;
        // One reads for all who wait.
        let mut rules = self.rules.lock().await;
        if let Some((at, rules)) = &*rules
            && *at >= version
        {
            return Ok(Arc::clone(rules));
        }
        let teams = self.tabled(EntryKind::Team).await?;
        let read = Arc::new(QuietRules::new(teams.into_iter().chain(book.entries())));
        *rules = Some((version, Arc::clone(&read)));
        Ok(read)
    }

    async fn entry(&self, key: &EntryKey) -> Result<Option<Entry>, Outage> {
        Ok(self.item(key).await?.and_then(|item| entry_of(key, &item)))
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        let mut changes = Vec::new();
        // Every mark begins with a digit.
        let mut before = before.map_or("~", ChangeMark::as_str).to_owned();
        while changes.len() < limit {
            let query = self
                .client
                .query()
                .table_name(&self.config.roster_change)
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("#log = :log AND #mark < :before")
                .expression_attribute_names("#log", "log")
                .expression_attribute_names("#mark", "mark")
                .expression_attribute_values(":log", text(CHANGES))
                .expression_attribute_values(":before", text(&before))
                .limit(i32::try_from(limit - changes.len()).unwrap_or(i32::MAX));
            let page = read(&self.client, || query.clone().send()).await?;
            for item in page.items() {
                match change_of(item) {
                    Some(change) => changes.push(change),
                    None => tracing::error!("a record of a change to the roster cannot be read"),
                }
            }
            match page.last_evaluated_key().and_then(|key| text_of(key, "mark")) {
                Some(last) => last.clone_into(&mut before),
                None => break,
            }
        }
        Ok(changes)
    }
}
