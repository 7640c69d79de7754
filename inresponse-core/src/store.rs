//! Where incidents are kept: the contract of every store.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::Outage;
use crate::model::{DedupKey, Incident, IncidentNumber, ServiceName, Severity, State, TeamName, Version};
use crate::plan::{Draft, Opening};

/// A stored incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The incident as it was last committed.
    pub incident: Incident,
    /// How often it was committed; the fence of the next commit.
    pub version: Version,
    /// How often it was reported.
    pub count: u64,
    /// When it was last reported.
    pub last_reported_at: DateTime<Utc>,
}

impl Record {
    /// The record of an incident that was just created.
    pub fn created(incident: Incident) -> Self {
        Self { version: Version::FIRST, count: 1, last_reported_at: incident.created_at(), incident }
    }

    /// A record from what a store kept: [`Draft::body`] and its own counters.
    ///
    /// Fields and events that a newer version wrote are kept. Of a body in a newer [`FORMAT`](crate::model::FORMAT)
    /// that cannot be read, there is what people need to know.
    ///
    /// # Errors
    /// Permanent, if the body is not an incident.
    pub fn decode(
        body: &[u8],
        version: Version,
        count: u64,
        last_reported_at: DateTime<Utc>,
    ) -> Result<Self, Outage> {
        let incident = match serde_json::from_slice(body) {
            Ok(incident) => incident,
            Err(error) => Incident::read_in_part(body)
                .ok_or_else(|| Outage::permanent("a stored incident cannot be read").because(error))?,
        };
        Ok(Self { incident, version, count, last_reported_at })
    }

    /// Its number.
    pub fn number(&self) -> IncidentNumber {
        self.incident.number()
    }
}

/// What a create did.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Created {
    /// The incident is durable under a new number.
    New(Record),
    /// An incident with its open key was there: its count is one more, durably, and its version is the same.
    Repeat(Record),
}

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// The draft is durable, at this version.
    At(Version),
    /// The record had another version; nothing was changed.
    Stale,
}

/// A place in the order of [`Store::due`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueMark {
    /// The due time.
    pub due_at: DateTime<Utc>,
    /// The number, where several are due at the same time.
    pub number: IncidentNumber,
}

/// Which incidents a person wants to see, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this service.
    pub service: Option<ServiceName>,
    /// Only this team.
    pub team: Option<TeamName>,
    /// Only of this severity.
    pub severity: Option<Severity>,
    /// Only with lower numbers: where the page before ended.
    pub below: Option<IncidentNumber>,
    /// How many at most.
    pub limit: usize,
}

/// How many incidents stand where; what health and metrics show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// OPEN ones.
    pub open: u64,
    /// CLAIMED ones.
    pub claimed: u64,
    /// RESOLVED ones; `None` if the store does not count them, because it would have to read them all.
    pub resolved: Option<u64>,
    /// Of the open ones, those that everybody was alerted of and nobody claimed.
    pub unclaimed: u64,
    /// Open ones for which no alert was accepted and none is pending.
    pub undelivered: u64,
    /// Of the open ones, those with an alert that has waited for acceptance since before the asked-for time. A store
    /// may stop counting at [`Self::ENOUGH`].
    pub waiting: u64,
    /// The earliest due time of all; in the past where alerts are overdue.
    pub next_due_at: Option<DateTime<Utc>>,
}

impl Census {
    /// A number at which a store may stop counting what it does not keep the number of: it is alarming enough.
    pub const ENOUGH: u64 = 10_000;
}

/// Stores incidents.
///
/// The laws that every store must keep are tests in `inresponse-conformance`. In short: everything that was answered is
/// durable; every record has consecutive versions; only [`commit`](Self::commit) decides a race.
///
/// A caller may cancel every method by dropping its future. Then the change may have happened or not, as after an
/// outage of kind unknown. Every method must end in bounded time. Expected results are values; errors are only outages.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// Creates an incident under a new number, unless an incident has its open key.
    ///
    /// The number is higher than every number that was answered before the call began. The guard on the open
    /// key, the record and the number are one atomic, durable change. A repeat adds one to the count, sets
    /// `last_reported_at` to the opening's creation time if that is later, and leaves the version alone.
    async fn create(&self, opening: Opening) -> Result<Created, Outage>;

    /// The record with that number, as last committed.
    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage>;

    /// The record that has that open key, as last committed: what [`create`](Self::create) would count in.
    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage>;

    /// Records with a due time of at most `now`, ordered by [`DueMark`], after the mark if one is given.
    ///
    /// A hint that may lag behind commits of a few seconds ago; only [`commit`](Self::commit) decides.
    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage>;

    /// Records with a due time that may know of a time after `now` ([`Draft::latest_at`]), in the order of
    /// [`DueMark`], after the mark if one is given.
    ///
    /// It returns every such record, except those committed a few seconds ago. It may return others. The default
    /// returns every record with a due time. A server calls this when it starts, so a store with many incidents should
    /// index the time.
    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let _ = now;
        self.due(DateTime::<Utc>::MAX_UTC, after, limit).await
    }

    /// Replaces the record if it still has `version`; the new one has the next version. Count stays.
    ///
    /// The record, its due time and its open key change in one atomic, durable step.
    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage>;

    /// A page of incidents for people, by descending number.
    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage>;

    /// Counts the incidents in each state. `waiting` counts open ones with an alert that has waited since before
    /// `waiting_before`.
    ///
    /// What it costs must not grow with the incidents that were ever resolved, and must be bounded whatever is open:
    /// strangers may ask how it goes (promise 13).
    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage>;
}
