//! The roster: services, teams and their calendars, people and schedules.
//!
//! The roster consists of [entries](Entry). Every change goes through [`Roster::apply`]. Only [`resolve`] says who is on
//! call.
//!
//! | file | holds |
//! |---|---|
//! | `target` | whom an entry names: a contact, a person, a schedule or a team |
//! | `person` | a person: methods, rules, absences |
//! | `heartbeat` | what must report that it is alive, and how often |
//! | `schedule` | layers, turns, overrides and the copies of feeds |
//! | `moment` | times as people write them |
//! | `entry` | the kinds of entries, their keys, and edits |
//! | `edit`, `names`, `question` | what edits do and when they are refused: [`judge`], pure |
//! | `change`, `describe` | audit records, and their descriptions in words |
//! | `book` | all people and schedules |
//! | `directory` | a snapshot of the roster for one team |
//! | `shifts` | who is on call in a schedule: [`on_call`], [`shifts`], pure |
//! | `derived` | values that are computed from an entry once |
//! | `first` | whom a team alerts first |
//! | `known` | finds people by the names that calendars may use for them |
//! | `resolve` | who is on call for a team: [`resolve`], pure |
//! | `instants` | when the answer to the question who is on call for a team may change |
//! | `coverage` | what is missing or odd in a team's roster, pure |
//! | `stints` | when somebody goes on call, and whose coming shifts an edit changes, pure |
//! | `silence`, `matcher` | silences, and the conditions on incidents |
//! | `quiet_rules` | until when silences and alert hours hold an incident, pure |
//! | `routes` | routing rules: what happens to a report, pure |
//! | `snapshot` | a whole roster in memory |
//! | `team` | a team's settings and a calendar entry |

mod book;
mod call_in;
mod change;
mod coverage;
mod derived;
mod describe;
mod directory;
mod edit;
mod entry;
mod first;
mod freeze;
mod heartbeat;
mod instants;
mod known;
mod matcher;
mod moment;
mod names;
mod on_duty;
mod person;
mod question;
mod quiet_rules;
mod resolve;
mod routes;
mod schedule;
mod shifts;
mod silence;
mod snapshot;
mod stints;
mod subject;
mod target;
mod team;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use book::{Book, Timetable};
pub use call_in::{Whom, called, whom};
pub use change::{ChangeKind, ChangeMark, EntryChange, FieldChange, RosterChange, Was, What};
pub use coverage::{Finding, FindingKind, Ways, coverage};
pub use directory::{Directory, Standing, TeamPart, days_of};
pub use edit::{Edited, Effect, Judged, MAX_EDITS, check, judge, judge_by};
pub use entry::{Entry, EntryKey, EntryKind, RosterEdit};
pub use heartbeat::Heartbeat;
pub use matcher::{MatchOp, Matcher};
pub use moment::{Moment, WallTime, read_instant};
pub use on_duty::OnDuty;
pub use person::{Absence, DayAhead, Profile, ProfileBuilder, RuleFor, RuleStep, WeeklyTest};
pub use question::{Answers, Question, Refusal};
pub use quiet_rules::QuietRules;
pub use resolve::{
    Defaults, Explained, Resolved, SettingsOf, Why, day_of, explain, resolve, resolve_by_calendar,
};
pub use routes::{Pings, Routes, Rule, Ruling, TeamIs};
pub use schedule::{
    ClockTime, Counting, Feed, FeedCopy, FeedEvent, FeedId, FeedRole, Hours, Layer, Member, Override,
    Schedule, Turn, TurnUnit, WeekDays,
};
pub use shifts::{MAX_BOUNDARIES, Now, Shift, Source, Who, on_call, shifts, unmatched};
pub use silence::{Silence, Weekly};
pub use snapshot::Snapshot;
pub use stints::{ShiftChange, ShiftNotice, Stint, changed_shifts, notices_due, stints};
pub use subject::Subject;
pub use target::Target;
pub use team::{Rota, ShiftNotices, Team, TeamBuilder, TeamLevel};

use crate::error::Outage;
pub use crate::model::Zone;
use crate::model::{Person, ServiceName, TeamName};

/// The name of the team, and of its service, with which a deployment tests itself. The team needs no calendar.
pub const CANARY: &str = "inresponse-canary";

/// Stores the roster.
///
/// The roster is read for every report, so an implementation caches what it read and returns shared pointers. It never
/// answers from a copy that another process's change replaced more than a second ago: if it cannot read again, that is
/// an outage. A change through this handle is visible at once, and [`refresh`](Self::refresh) makes everybody's changes
/// visible. The kinds of outages are those of [stores](crate::store::Store#which-errors-are-which-kind). The laws are
/// tests in `inresponse-conformance`. Errors are only outages; every method ends in bounded time.
///
/// `Arc<R>` and `Box<R>` are rosters if `R` is one.
///
/// A new kind of entry is a variant of [`Entry`], never a method.
#[async_trait]
pub trait Roster: Debug + Send + Sync + 'static {
    /// Makes edits and writes their audit records, in one atomic, durable step.
    ///
    /// The method looks up what each edit finds, calls [`judge`], and writes the result; all three steps see the same
    /// roster. An edit that changes nothing writes nothing. `by` and `at` are for the audit records. At least the
    /// newest 10,000 records are kept, or those of the last 400 days.
    ///
    /// If the future is dropped, or after an outage of kind unknown, either all edits have been made or none.
    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage>;

    /// Returns the team that owns a service.
    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage>;

    /// Returns everything that decides who is on call for `team` between `from` and `to`.
    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage>;

    /// Lists the entries of a kind in the order of their keys: at most `limit`, after the given key if there is one.
    ///
    /// A team without settings of its own is also listed if it has a calendar entry or a service.
    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage>;

    /// Reads the entry with that key. The default looks for it among all [`entries`](Self::entries) of its kind.
    async fn entry(&self, key: &EntryKey) -> Result<Option<Entry>, Outage> {
        const PAGE: usize = 500;
        let mut after = None;
        loop {
            let page = self.entries(key.kind(), after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            let last = page.last().map(|listed| listed.key.clone());
            if let Some(found) = page.into_iter().find(|listed| listed.key == *key) {
                return Ok(found.entry);
            }
            if is_last || last.as_ref().is_none_or(|last| last > key) {
                return Ok(None);
            }
            after = last;
        }
    }

    /// Lists at most `limit` audit records, newest first: the newest ones, or those before a mark.
    ///
    /// Records that are written while somebody reads page after page do not move other records to another page. For a
    /// mark that does not come from this roster, any page or an empty page may be returned. Such a mark is not an
    /// error.
    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage>;

    /// The silences and the alert hours of all teams.
    ///
    /// The engine asks before each alert, so a roster should keep the rules with its copy. The default reads all
    /// silences and teams.
    async fn quiet(&self) -> Result<Arc<QuietRules>, Outage> {
        const PAGE: usize = 500;
        let mut entries = Vec::new();
        for kind in [EntryKind::Silence, EntryKind::Team] {
            let mut after = None;
            loop {
                let page = self.entries(kind, after.as_ref(), PAGE).await?;
                after = page.last().filter(|_| page.len() == PAGE).map(|last| last.key.clone());
                entries.extend(page.into_iter().filter_map(|listed| listed.entry));
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(Arc::new(QuietRules::new(entries)))
    }

    /// Makes later reads at least as new as this call.
    ///
    /// The engine calls this before it treats something as missing, because then a report is refused or other people
    /// are alerted, and a local copy may lag behind another process's change. The default implementation is for a
    /// roster without a local copy.
    async fn refresh(&self) -> Result<(), Outage> {
        Ok(())
    }
}

/// An item in a page of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The key of the entry.
    pub key: EntryKey,
    /// The entry; `None` for a team without settings of its own.
    pub entry: Option<Entry>,
}

impl From<Entry> for Listed {
    fn from(entry: Entry) -> Self {
        Self { key: entry.key(), entry: Some(entry) }
    }
}
