//! Who is on call: services, teams and their calendars, people and schedules.
//!
//! The roster consists of [entries](Entry). Every change goes through [`Roster::apply`]. Only [`resolve`] says who is on
//! call.
//!
//! | file | holds |
//! |---|---|
//! | `target` | whom an entry names: a contact, a person, a schedule or a team |
//! | `person` | a person: methods, rules, absences |
//! | `schedule` | layers, turns, overrides and the copies of feeds |
//! | `moment` | times as people write them |
//! | `entry` | the kinds of entries, their keys, and edits |
//! | `edit`, `names` | what edits do and when they are refused: [`judge`], pure |
//! | `change`, `describe` | audit records, and their text for people |
//! | `book` | all people and schedules |
//! | `directory` | what says who is on call for one team |
//! | `shifts` | who is on call in a schedule: [`on_call`], [`shifts`], pure |
//! | `resolve` | who is on call for a team: [`resolve`], pure |
//! | `coverage` | what is missing or odd in a team's roster, pure |
//! | `snapshot` | a whole roster in memory |
//! | `team` | a team's settings and a calendar entry |

mod book;
mod change;
mod coverage;
mod describe;
mod directory;
mod edit;
mod entry;
mod moment;
mod names;
mod person;
mod resolve;
mod schedule;
mod shifts;
mod snapshot;
mod target;
mod team;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use book::{Book, Timetable};
pub use change::{ChangeKind, ChangeMark, EntryChange, FieldChange, RosterChange, What};
pub use coverage::{Finding, FindingKind, coverage};
pub use directory::{Directory, Standing, TeamPart, days_of};
pub use edit::{
    Answers, Edited, Effect, Judged, MAX_EDITS, MAX_USERS, Question, Refusal, Was, check, judge, judge_by,
};
pub use entry::{Entry, EntryKey, EntryKind, RosterEdit};
pub use moment::{Moment, WallTime};
pub use person::{Absence, Profile, ProfileBuilder, RuleFor, RuleStep};
pub use resolve::{Defaults, OnDuty, Resolved, SettingsOf, Why, day_of, resolve, resolve_by_calendar};
pub use schedule::{
    ClockTime, Counting, Feed, FeedCopy, FeedEvent, FeedId, FeedRole, Hours, Layer, Member, Override,
    Schedule, Turn, TurnUnit, WeekDays,
};
pub use shifts::{Now, Shift, Source, Who, on_call, shifts};
pub use snapshot::Snapshot;
pub use target::Target;
pub use team::{Rota, Team, TeamBuilder, TeamLevel};

use crate::error::Outage;
pub use crate::model::Zone;
use crate::model::{Person, ServiceName, TeamName};

/// The name of the team, and of its service, by which a deployment watches itself: it needs no calendar.
pub const CANARY: &str = "inresponse-canary";

/// Where the roster is kept.
///
/// It is read on every report, so an implementation keeps what it read at hand and hands out shared pointers. It never
/// answers from a copy that another process's change replaced more than a second ago: if it cannot read again, that is
/// an outage. The laws are tests in `inresponse-conformance`. Errors are outages only; every method ends in bounded
/// time.
///
/// A new kind of entry is a variant of [`Entry`], never a method.
#[async_trait]
pub trait Roster: Debug + Send + Sync + 'static {
    /// Makes edits and writes their audit records, in one atomic, durable step.
    ///
    /// Looks up what each edit finds, asks [`judge`], and writes what it says; all three see the same roster. An edit
    /// that changes nothing writes nothing. `by` and `at` are for the records. Of those, at least the newest 10,000 are
    /// kept, or those of the last 400 days.
    ///
    /// If the future is dropped, or after an outage of kind unknown, all of it may have happened or nothing.
    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage>;

    /// The team that owns a service.
    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage>;

    /// Everything that says who is on call for `team` between `from` and `to`.
    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage>;

    /// The entries of a kind in the order of their keys: at most `limit`, those after a key if one is given.
    ///
    /// A team that is known without settings of its own, by a calendar entry or a service, is listed too.
    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage>;

    /// The entry with that key. The default looks for it among all [`entries`](Self::entries) of its kind.
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

    /// The audit records, newest first: at most `limit`, from the newest on or those before a mark.
    ///
    /// What is recorded while one reads page after page moves no record to another page. A mark that this roster has
    /// not given leads anywhere or nowhere, and is no error.
    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage>;

    /// Makes sure that later reads are no older than this call.
    ///
    /// The engine calls it before it says that something is absent, since then a report is refused or others are
    /// alerted: a copy at hand may lag behind what another process has written. The default is for a roster that keeps
    /// no copy.
    async fn refresh(&self) -> Result<(), Outage> {
        Ok(())
    }
}

/// One of a page of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What names it.
    pub key: EntryKey,
    /// The entry; `None` for a team without settings of its own.
    pub entry: Option<Entry>,
}

impl From<Entry> for Listed {
    fn from(entry: Entry) -> Self {
        Self { key: entry.key(), entry: Some(entry) }
    }
}
