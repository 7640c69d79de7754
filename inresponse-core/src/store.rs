//! The contract of every store of incidents.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::Outage;
use crate::model::{
    DedupKey, Incident, IncidentNumber, RulesId, ServiceName, Severity, State, TeamName, Version,
};
use crate::plan::{Draft, Opening};

/// A stored incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The incident as last committed.
    pub incident: Incident,
    /// The version: the number of commits. The next commit must name this version.
    pub version: Version,
    /// The number of reports of the incident.
    pub count: u64,
    /// The time of the last report.
    pub last_reported_at: DateTime<Utc>,
}

impl Record {
    /// The record of an incident that was just created.
    pub fn created(incident: Incident) -> Self {
        Self { version: Version::FIRST, count: 1, last_reported_at: incident.created_at(), incident }
    }

    /// Makes a record from the stored body ([`Draft::body`]) and the store's counters.
    ///
    /// Fields and events that a newer version wrote are kept. If the body has a newer [`FORMAT`](crate::model::FORMAT)
    /// and cannot be read completely, the record contains what people need to know.
    ///
    /// # Errors
    /// The body is not an incident. The outage is permanent.
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

    /// The number of the incident.
    pub fn number(&self) -> IncidentNumber {
        self.incident.number()
    }
}

/// The result of a create.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Created {
    /// The incident is durable under a new number.
    New(Record),
    /// An incident with its open key already existed. The incident's count was increased by one, durably, and its
    /// version is unchanged.
    Repeat(Record),
}

/// The result of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// The draft is durable, with this version.
    At(Version),
    /// The record had another version; nothing was changed.
    Stale,
}

/// A place in the order of [`Store::due`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueMark {
    /// The due time.
    pub due_at: DateTime<Utc>,
    /// The incident number, which orders incidents that are due at the same time.
    pub number: IncidentNumber,
}

/// The filter and the page of a list of incidents, newest first.
///
/// New filters may be added: begin with [`ListQuery::page`], or end a literal with `..ListQuery::default()`.
///
/// ```
/// use inresponse_core::model::State;
/// use inresponse_core::store::ListQuery;
///
/// let open = ListQuery { state: Some(State::Open), ..ListQuery::page(50) };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Lists only incidents in this state.
    pub state: Option<State>,
    /// Lists only incidents of this service.
    pub service: Option<ServiceName>,
    /// Lists only incidents of this team.
    pub team: Option<TeamName>,
    /// Lists only incidents of this severity.
    pub severity: Option<Severity>,
    /// Lists only lower numbers, because the previous page ended at this number.
    pub below: Option<IncidentNumber>,
    /// The maximum number of incidents on the page.
    pub limit: usize,
}

impl ListQuery {
    /// The newest `limit` incidents, without a filter.
    pub fn page(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }
}

/// The counts of incidents that health and metrics show.
///
/// New counts may be added: end a literal with `..Census::default()`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// The number of OPEN incidents.
    pub open: u64,
    /// The number of CLAIMED incidents.
    pub claimed: u64,
    /// The number of RESOLVED incidents; `None` if the store does not count them, because it would have to read them
    /// all.
    pub resolved: Option<u64>,
    /// The number of OPEN incidents for which every level had its turn and nobody claimed.
    pub unclaimed: u64,
    /// The number of OPEN incidents for which no alert was accepted and none is pending.
    pub undelivered: u64,
    /// The number of OPEN incidents with an alert that has waited for acceptance since before the requested time. A
    /// store may stop counting at [`Self::ENOUGH`].
    pub waiting: u64,
    /// The earliest due time of all incidents. This time is in the past if alerts are overdue.
    pub next_due_at: Option<DateTime<Utc>>,
}

impl Census {
    /// The number at which a store may stop counting, because it is alarming enough.
    pub const ENOUGH: u64 = 10_000;
}

/// In which order a store makes changes that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queueing {
    /// In the order in which they came. A caller with many changes must hold most of them back itself.
    InOrder,
    /// From each [`Share`](crate::share::Share) in turn.
    ByShare,
}

/// Stores incidents.
///
/// The laws that every store must keep are tests in `inresponse-conformance`. In short: everything that was answered is
/// durable; the versions of a record are consecutive; only [`commit`](Self::commit) decides a race.
///
/// A caller may cancel every method by dropping its future. Then the change may have happened or not, as after an
/// outage of kind unknown. Every method must end in bounded time. Expected results are values; errors are only outages.
///
/// `Arc<S>` and `Box<S>` are stores if `S` is one, so `Arc<dyn Store>` is too.
///
/// # What must be exact, and what may lag
///
/// | method | answers |
/// |---|---|
/// | [`create`](Self::create), [`commit`](Self::commit) | decide by the last commit, whichever process made it |
/// | [`load`](Self::load), [`find_open`](Self::find_open) | the last commit of any process whose answer came before the call |
/// | [`due`](Self::due), [`ahead`](Self::ahead), [`quiet`](Self::quiet) | may lag. Each second of lag delays the alerts of other processes by a second: keep it below two seconds |
/// | [`list`](Self::list), [`census`](Self::census) | are for people, and may lag by ten seconds |
///
/// A list that lags may lack a record, or contain it as it was before. It must never contain half of a commit.
///
/// # Numbers
///
/// A number is higher than every number that any process was answered before the call began. Two calls that overlap may
/// get their numbers in either order, and the higher number may become visible first. So a reader that remembers the
/// highest number that it saw may miss a lower one: read by state, by due time or by [`ListQuery::below`], never above a
/// number. Gaps are allowed, and a number is not used again, not even if its incident was deleted.
///
/// # Deletion
///
/// Only the storage deletes incidents, and only those whose [`Draft::expires_at`] has passed, never sooner. Store this
/// time with every commit: `None` means that the incident is kept. No method of this trait deletes. A database may
/// delete by itself (a time to live), or the program calls a method of the adapter from time to time, as the server does.
/// The time of deletion is not exact: until then, the incident is an incident like any other.
///
/// # Which errors are which kind
///
/// | kind | if |
/// |---|---|
/// | [`Retryable`](crate::OutageKind::Retryable) | certainly nothing was changed, and the same call may succeed later: no connection, the database is busy, a time limit before anything was sent |
/// | [`Permanent`](crate::OutageKind::Permanent) | certainly nothing was changed, and somebody must act: the disk is full, a table is missing, a row cannot be read |
/// | [`Unknown`](crate::OutageKind::Unknown) | the change may have happened: the connection broke or the time limit passed after the write was sent |
///
/// If you are not certain, the kind is unknown: the engine then tells the reporter so, and begins no alert of a lease that
/// may not be durable. A read changes nothing, so it is never unknown. A stale version, a repeat and a number that does
/// not exist are values, not errors. A store that repeats a write after a lost answer must recognise its own first write;
/// otherwise it answers unknown.
///
/// # Crashes
///
/// What was answered is durable: synced to disk, or on a majority of a database's replicas. A crash of the process, of
/// the machine or of the database loses nothing of it, and leaves no change half done. For a client of a database, a
/// crash is three things: the process ends between a write and its answer, the database ends, or the connection breaks.
/// After each of them the next process opens the same database and finds every answered change. A change whose answer
/// was lost is there as a whole or not at all. The laws `durable` and `outages` of `inresponse-conformance` try this: the
/// harness says how to crash and reopen the store, and loses answers on the way.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// Creates an incident under a new number, unless another incident has its open key.
    ///
    /// The number is higher than every number that was answered before the call began. The guard on the open
    /// key, the record and the number are one atomic, durable change. A repeat adds one to the count, sets
    /// `last_reported_at` to the opening's creation time if that is later, and leaves the version alone.
    async fn create(&self, opening: Opening) -> Result<Created, Outage>;

    /// Loads the record with that number, as last committed.
    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage>;

    /// Finds the record with that open key, as last committed: the one to which [`create`](Self::create) would add a
    /// report.
    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage>;

    /// Lists records with a due time of at most `now`, ordered by [`DueMark`], after the mark if there is one.
    ///
    /// The list is a hint and may lag a few seconds behind commits. Only [`commit`](Self::commit) decides.
    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage>;

    /// Lists records with a due time that may contain a time after `now` ([`Draft::latest_at`]), ordered by
    /// [`DueMark`], after the mark if there is one.
    ///
    /// The list contains every such record, except those committed a few seconds ago. The list may contain other
    /// records. The default implementation lists every record with a due time. A server calls this when it starts, so a store with many
    /// incidents should index [`Draft::latest_at`].
    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let _ = now;
        self.due(DateTime::<Utc>::MAX_UTC, after, limit).await
    }

    /// Lists quiet records that were judged by other rules ([`Draft::quiet_by`]), ordered by [`DueMark`], after the mark if
    /// there is one.
    ///
    /// The list contains every such record, except those committed a few seconds ago. The list may contain other
    /// records. The default implementation lists every record with a due time. A server calls this after every change of
    /// silences, so a store with many incidents should index [`Draft::quiet_by`].
    async fn quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let _ = judged_by;
        self.due(DateTime::<Utc>::MAX_UTC, after, limit).await
    }

    /// Replaces the record if it still has `version`. The new record has the next version; its count does not change.
    ///
    /// The record, its due time and its open key change in one atomic, durable step.
    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage>;

    /// Lists a page of incidents, by descending number.
    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage>;

    /// Counts the incidents in each state. `waiting` counts open ones with an alert that has waited since before
    /// `waiting_before`.
    ///
    /// The cost must not grow with the number of resolved incidents, and must be limited whatever is open, because
    /// anybody may query the health (promise 13).
    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage>;

    /// In which order waiting changes are made. The default implementation answers [`Queueing::InOrder`].
    fn queueing(&self) -> Queueing {
        Queueing::InOrder
    }
}
