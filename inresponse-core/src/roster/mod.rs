//! Who is on call: services, teams and their calendars.

mod change;
mod duty;
mod team;
pub mod told;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;

pub use change::{ChangeMark, RosterChange};
pub(crate) use duty::matrix_of_day;
pub use duty::{Defaults, day_of, matrix};
pub use team::{Rota, Team, TeamBuilder};

use crate::error::Outage;
pub use crate::model::Zone;
use crate::model::{ServiceName, TeamName};

/// The name of the team, and of its service, by which a deployment watches itself: it needs no calendar.
pub const CANARY: &str = "inresponse-canary";

/// Where services, teams and calendars are kept.
///
/// Read on every report, so an implementation keeps what it read at hand and hands out shared pointers. A copy that
/// another process's change replaced more than a second ago is not answered from: if it cannot be read again, that is
/// an outage. The laws are tests in `inresponse-conformance`. Errors are outages only; every method ends in bounded
/// time.
#[async_trait]
pub trait Roster: Debug + Send + Sync + 'static {
    /// Makes sure that what is read from now on is no older than this call.
    ///
    /// Called before something is said to be absent, since then a report is refused or others are alerted: a copy at
    /// hand may lag behind what another process has written. The default is for a roster that keeps no copy.
    async fn refresh(&self) -> Result<(), Outage> {
        Ok(())
    }

    /// The team that owns a service.
    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage>;

    /// A team's settings.
    async fn team(&self, team: &TeamName) -> Result<Option<Arc<Team>>, Outage>;

    /// A team's calendar entry for a day.
    async fn day(&self, team: &TeamName, day: NaiveDate) -> Result<Option<Arc<Rota>>, Outage>;

    /// Whether the team has settings, at least one calendar entry, or a service.
    async fn knows_team(&self, team: &TeamName) -> Result<bool, Outage>;

    /// The names of all teams that are [known](Self::knows_team), in order; for people.
    async fn teams(&self) -> Result<Vec<TeamName>, Outage>;

    /// Creates or replaces a service.
    async fn put_service(&self, service: &ServiceName, team: &TeamName) -> Result<(), Outage>;

    /// Creates or replaces a team's settings.
    async fn put_team(&self, team: &TeamName, settings: &Team) -> Result<(), Outage>;

    /// Creates or replaces a calendar entry.
    async fn put_day(&self, team: &TeamName, day: NaiveDate, rota: &Rota) -> Result<(), Outage>;

    /// Deletes a service.
    async fn delete_service(&self, service: &ServiceName) -> Result<Deleted, Outage>;

    /// Deletes a team's settings and its calendar, unless it still owns services.
    async fn delete_team(&self, team: &TeamName) -> Result<TeamDeleted, Outage>;

    /// Deletes a calendar entry.
    async fn delete_day(&self, team: &TeamName, day: NaiveDate) -> Result<Deleted, Outage>;

    /// Notes who changes what: durable when it returns.
    ///
    /// Whoever changes the roster on somebody's behalf notes it first, so that no change is without a trace; a
    /// note whose change then failed stays. At least the newest 10,000, or those of the last 400 days, are kept.
    async fn note_change(&self, change: &RosterChange) -> Result<(), Outage>;

    /// What was noted, newest first: at most `limit`, from the newest on or from what was noted before a mark.
    ///
    /// What is noted while one reads page after page moves none to another page. A mark that this roster has
    /// not given leads anywhere or nowhere, and is no error.
    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage>;
}

/// What a deletion found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Deleted {
    /// It was there and is gone.
    Gone,
    /// It was not there.
    Absent,
}

/// What the deletion of a team found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum TeamDeleted {
    /// It was there and is gone.
    Gone,
    /// It was not there.
    Absent,
    /// It still owns this service (and perhaps others); nothing was changed.
    OwnsService(ServiceName),
}
