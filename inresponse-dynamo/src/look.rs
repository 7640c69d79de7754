//! Reads due incidents, lists and the census through indexes that may lag a moment behind the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{KeysAndAttributes, Select};
use chrono::{DateTime, Utc};
use futures_util::future::{try_join_all, try_join3};
use inresponse_core::model::{Incident, IncidentNumber, RulesId, Severity, State};
use inresponse_core::store::{Census, DueMark, ListQuery, Record};
use inresponse_core::{Chain, Outage, OutageKind};

use crate::call::{pause, read};
use crate::item::{
    self, BY_DUE, BY_SERVICE, BY_SERVICE_AND_TEAM, BY_STATE, BY_TEAM, DUE_SHARDS, Item, LIST_SHARDS, due_at,
    due_key, latest_at, number, number_of, quiet_by, service_and_team_key, service_key, sortable, state_key,
    team_key, text, text_of,
};
use crate::store::DynamoStore;

/// The maximum number of items that one call reads by their keys, a limit of DynamoDB.
const BATCH: usize = 100;
/// The maximum number of times that unprocessed keys are requested again.
const MAX_TRIES: u32 = 8;
/// The maximum number of items that are requested from an index's partition at once.
const MAX_PAGE: i32 = 1000;
/// The maximum number of incidents that are counted in a partition of [`BY_STATE`].
const COUNTED: usize = 1000;

fn page_size(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE)
}

/// A record, and the key of its item in the index of due incidents.
struct Found {
    record: Record,
    due_key: Option<String>,
}

impl DynamoStore {
    fn query(&self, index: &str) -> QueryFluentBuilder {
        self.client.query().table_name(&self.config.incident).index_name(index)
    }

    /// Reads up to `limit` items of a partition of an index, with as many calls as necessary.
    async fn partition(&self, query: QueryFluentBuilder, limit: usize) -> Result<Vec<Item>, Outage> {
        let (mut items, mut from) = (Vec::new(), None);
        while items.len() < limit {
            let query = query
                .clone()
                .limit(page_size(limit - items.len()))
                .set_exclusive_start_key(std::mem::take(&mut from));
            let page = read(&self.client, || query.clone().send()).await?;
            from = page.last_evaluated_key;
            items.extend(page.items.unwrap_or_default());
            if from.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// The current records with these numbers, each with its key in the index of due incidents. Deleted records
    /// are left out.
    async fn records(&self, numbers: &[IncidentNumber]) -> Result<HashMap<IncidentNumber, Found>, Outage> {
        let batches = try_join_all(numbers.chunks(BATCH).map(|chunk| self.batch(chunk))).await?;
        let mut records = HashMap::new();
        for item in batches.into_iter().flatten() {
            match item::record(&item) {
                Ok(record) => {
                    let due_key = text_of(&item, "dueKey").map(str::to_owned);
                    records.insert(record.number(), Found { record, due_key });
                }
                // One item that cannot be read must not keep the others from being alerted.
                Err(error) => {
                    let number: u64 = number_of(&item, "incidentId").unwrap_or_default();
                    tracing::error!(incident = number, error = %Chain::of(&error), "a stored incident cannot be read");
                }
            }
        }
        Ok(records)
    }

    async fn batch(&self, numbers: &[IncidentNumber]) -> Result<Vec<Item>, Outage> {
        let keys = numbers.iter().map(|n| HashMap::from([("incidentId".to_owned(), number(n.value()))]));
        let mut wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .consistent_read(true)
            .build()
            .map_err(|e| Outage::permanent("a request to DynamoDB is incomplete").because(e))?;
        let mut items = Vec::new();
        for tried in 1..=MAX_TRIES {
            let mut read = read(&self.client, || {
                self.client.batch_get_item().request_items(&self.config.incident, wanted.clone()).send()
            })
            .await?;
            if let Some(found) =
                read.responses.as_mut().and_then(|tables| tables.remove(&self.config.incident))
            {
                items.extend(found);
            }
            match read.unprocessed_keys.and_then(|mut tables| tables.remove(&self.config.incident)) {
                Some(left) if !left.keys().is_empty() => wanted = left,
                Some(_) | None => return Ok(items),
            }
            pause(&self.client, tried.min(3)).await;
        }
        Err(Outage::retryable("DynamoDB left items out too often"))
    }

    pub(crate) async fn look_for_due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.look_by_due(now, after, limit, |_| true).await
    }

    /// Finds incidents with a time after the clock. The index contains that time, so other items are not read.
    pub(crate) async fn look_ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let is_ahead = |key: &str| latest_at(key).is_none_or(|latest| latest > now);
        self.look_by_due(DateTime::<Utc>::MAX_UTC, after, limit, is_ahead).await
    }

    /// Finds quiet incidents that were judged by other rules. The index contains the rules, so other items are not read.
    pub(crate) async fn look_for_quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let by_others = |key: &str| quiet_by(key).is_some_and(|by| by != judged_by);
        self.look_by_due(DateTime::<Utc>::MAX_UTC, after, limit, by_others).await
    }

    /// Finds incidents that are due by a given time and whose key satisfies a condition.
    async fn look_by_due(
        &self,
        by: DateTime<Utc>,
        mut after: Option<DueMark>,
        limit: usize,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Record>, Outage> {
        let mut due = Vec::new();
        while due.len() < limit {
            let wanted = limit - due.len();
            let mut keys = self.due_keys(by, after, wanted).await?;
            let is_last = keys.len() < wanted;
            let last = keys.last().cloned();
            keys.retain(|(key, _)| is_wanted(key));
            let numbers: Vec<_> = keys.iter().map(|(_, number)| *number).collect();
            let mut records = self.records(&numbers).await?;
            // A record that changed since the index was read is due at another time, and is found at that time. The
            // stored due time counts, because another version may compute another one.
            due.extend(keys.iter().filter_map(|(key, number)| {
                let Found { record, due_key } = records.remove(number)?;
                due_key.is_some_and(|due_key| due_key == *key).then_some(record)
            }));
            after = last.and_then(|(key, number)| Some(DueMark { due_at: due_at(&key)?, number }));
            if is_last {
                break;
            }
        }
        Ok(due)
    }

    /// Reads due incidents from the index, in order, up to `limit`.
    async fn due_keys(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<(String, IncidentNumber)>, Outage> {
        // The characters that are added sort between a key and its successor, and after every number.
        let from = after.map_or_else(|| "!".to_owned(), |mark| format!("{}!", due_key(mark)));
        let to = format!("{}#~", sortable(now));
        if from > to {
            return Ok(Vec::new());
        }
        let shards = (0..DUE_SHARDS).map(|shard| {
            let query = self
                .query(BY_DUE)
                .key_condition_expression("dueShard = :shard AND dueKey BETWEEN :from AND :to")
                .expression_attribute_values(":shard", number(shard))
                .expression_attribute_values(":from", text(&from))
                .expression_attribute_values(":to", text(&to));
            self.partition(query, limit)
        });
        let found = try_join_all(shards).await?;
        let key = |item: &Item| {
            let number = number_of(item, "incidentId").map(IncidentNumber::new)?;
            Some((text_of(item, "dueKey")?.to_owned(), number))
        };
        let mut keys: Vec<_> = found.iter().flatten().filter_map(key).collect();
        keys.sort_unstable();
        keys.truncate(limit);
        Ok(keys)
    }

    pub(crate) async fn look_through(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        let highest = match query.below.map(IncidentNumber::value) {
            // Number 0 is never given, so "below it" is nothing.
            Some(0 | 1) => return Ok(Vec::new()),
            Some(below) => below - 1,
            None => u64::MAX,
        };
        if query.team.is_none() {
            return self.page(query, Way::PastTeams, 1, highest, query.limit).await;
        }
        let last_of_before = self.listed_after().await?;
        let mut page = match self.page(query, Way::ByTeam, last_of_before + 1, highest, query.limit).await {
            Ok(page) => page,
            Err(error) if error.kind() == OutageKind::Permanent => {
                tracing::warn!(error = %Chain::of(&error), "a list by team cannot go through its index and takes longer");
                return self.page(query, Way::PastTeams, 1, highest, query.limit).await;
            }
            Err(error) => return Err(error),
        };
        if last_of_before == 0 {
            return Ok(page);
        }
        // Those of before are not in the indexes by team unless they changed since.
        let left = query.limit - page.len();
        page.extend(self.page(query, Way::PastTeams, 1, highest.min(last_of_before), left).await?);
        Ok(page)
    }

    /// A page of incidents with numbers from `lowest` to `highest`, newest first, up to `limit`.
    async fn page(
        &self,
        query: &ListQuery,
        way: Way,
        lowest: u64,
        mut highest: u64,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let mut page = Vec::new();
        while page.len() < limit && lowest <= highest {
            let wanted = limit - page.len();
            let numbers = self.listed(query, way, lowest, highest, wanted).await?;
            let mut records = self.records(&numbers).await?;
            let found = numbers.iter().filter_map(|number| Some(records.remove(number)?.record));
            // An index may lag behind, and an index without teams does not filter by team.
            page.extend(found.filter(|record| is_wanted(query, &record.incident)));
            match numbers.last() {
                Some(last) if numbers.len() == wanted => highest = last.value() - 1,
                Some(_) | None => break,
            }
        }
        Ok(page)
    }

    /// The numbers of a page, from the indexes, newest first, up to `limit`.
    async fn listed(
        &self,
        query: &ListQuery,
        way: Way,
        lowest: u64,
        highest: u64,
        limit: usize,
    ) -> Result<Vec<IncidentNumber>, Outage> {
        let states = State::ALL.into_iter().filter(|state| query.state.is_none_or(|wanted| wanted == *state));
        let wanted = |severity: &Severity| query.severity.is_none_or(|wanted| wanted == *severity);
        let kinds =
            states.flat_map(|state| Severity::ALL.into_iter().filter(wanted).map(move |s| (state, s)));
        let team = query.team.as_ref().filter(|_| way == Way::ByTeam);
        let partitions: Vec<(&str, &str, String)> = kinds
            .flat_map(|(state, severity)| match (&query.service, team) {
                (Some(service), Some(team)) => {
                    let key = service_and_team_key(state, severity, service, team);
                    vec![(BY_SERVICE_AND_TEAM, "serviceTeamKey", key)]
                }
                (Some(service), None) => {
                    vec![(BY_SERVICE, "serviceKey", service_key(state, severity, service))]
                }
                (None, Some(team)) => vec![(BY_TEAM, "teamKey", team_key(state, severity, team))],
                (None, None) => (0..LIST_SHARDS)
                    .map(|shard| (BY_STATE, "stateKey", state_key(state, severity, shard)))
                    .collect(),
            })
            .collect();
        let found = try_join_all(partitions.into_iter().map(|(index, attribute, key)| {
            let query = self
                .query(index)
                .key_condition_expression("#key = :key AND incidentId BETWEEN :lowest AND :highest")
                .expression_attribute_names("#key", attribute)
                .expression_attribute_values(":key", text(key))
                .expression_attribute_values(":lowest", number(lowest))
                .expression_attribute_values(":highest", number(highest))
                .scan_index_forward(false);
            self.partition(query, limit)
        }))
        .await?;
        let number = |item: &Item| number_of(item, "incidentId").map(IncidentNumber::new);
        let mut numbers: Vec<_> = found.iter().flatten().filter_map(number).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.dedup();
        numbers.truncate(limit);
        Ok(numbers)
    }

    /// Counts unresolved incidents through the index, the oldest first, up to a limit, because anybody may query
    /// health. Resolved incidents are not counted, because that would need a read of all of them.
    pub(crate) async fn count(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        let open = self.in_state(State::Open).map(|query| self.partition(query, COUNTED));
        let claimed = self.in_state(State::Claimed).map(async |query| {
            let query = query.select(Select::Count).limit(page_size(COUNTED));
            let page = read(&self.client, || query.clone().send()).await?;
            Ok::<_, Outage>(u64::try_from(page.count).unwrap_or_default())
        });
        let (open, claimed, next_due_at) =
            try_join3(try_join_all(open), try_join_all(claimed), self.next_due_at()).await?;
        let claimed = claimed.into_iter().sum();
        let mut census = Census { claimed, resolved: None, next_due_at, ..Census::default() };
        for item in open.iter().flatten() {
            census.open += 1;
            census.unclaimed += u64::from(item.contains_key("unclaimed"));
            census.undelivered += u64::from(item.contains_key("undelivered"));
            let since: Option<i64> = number_of(item, "waitingSince");
            census.waiting += u64::from(since.is_some_and(|since| since < waiting_before.timestamp_micros()));
        }
        Ok(census)
    }

    /// The queries for all partitions of a state.
    fn in_state(&self, state: State) -> impl Iterator<Item = QueryFluentBuilder> {
        let shards = move |severity| (0..LIST_SHARDS).map(move |shard| state_key(state, severity, shard));
        Severity::ALL.into_iter().flat_map(shards).map(|key| {
            self.query(BY_STATE)
                .key_condition_expression("stateKey = :key")
                .expression_attribute_values(":key", text(key))
        })
    }

    async fn next_due_at(&self) -> Result<Option<DateTime<Utc>>, Outage> {
        let firsts = try_join_all((0..DUE_SHARDS).map(|shard| {
            let query = self
                .query(BY_DUE)
                .key_condition_expression("dueShard = :shard")
                .expression_attribute_values(":shard", number(shard));
            self.partition(query, 1)
        }))
        .await?;
        Ok(firsts.iter().flatten().filter_map(|item| due_at(text_of(item, "dueKey")?)).min())
    }
}

/// The indexes that a list uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The list uses the indexes that contain the team, if the filter has one.
    ByTeam,
    /// The list uses the other indexes, which contain every incident, and skips incidents of other teams.
    PastTeams,
}

fn is_wanted(query: &ListQuery, incident: &Incident) -> bool {
    query.state.is_none_or(|state| incident.state() == state)
        && query.severity.is_none_or(|severity| incident.severity() == severity)
        && query.team.as_ref().is_none_or(|team| incident.team() == team)
        && query.service.as_ref().is_none_or(|service| incident.service() == service)
}
