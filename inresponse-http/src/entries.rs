//! Converts bodies of requests into entries of the roster, for programs that read such bodies from elsewhere, such as a
//! file.
//!
//! The checks and the error texts are those of a request. An error names the field as on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use inresponse_api::{
    DayEntry, HeartbeatEntry, OverrideEntry, Owner, PersonEntry, RoutesEntry, ScheduleEntry, SilenceEntry,
    TeamSettings,
};
use inresponse_core::InvalidInput;
use inresponse_core::model::{
    HeartbeatName, OverrideId, PersonId, ScheduleName, ServiceName, SilenceId, TeamName, Zone,
};
use inresponse_core::roster::{Entry, Feed, Refusal};

use crate::routes::changes;
use crate::wire;

/// A service and the team that owns it.
///
/// # Errors
/// Every invalid field.
pub fn service(service: &ServiceName, given: Owner) -> Result<Entry, InvalidInput> {
    wire::roster::service(service, given)
}

/// A team's settings.
///
/// # Errors
/// Every invalid field.
pub fn team(team: &TeamName, given: TeamSettings) -> Result<Entry, InvalidInput> {
    wire::roster::settings(given).map(|(settings, _)| Entry::team(team, settings))
}

/// A day of a team's calendar.
///
/// # Errors
/// Every invalid field.
pub fn day(team: &TeamName, day: NaiveDate, given: &DayEntry) -> Result<Entry, InvalidInput> {
    wire::roster::rota(given).map(|(rota, _)| Entry::day(team, day, rota))
}

/// A person.
///
/// # Errors
/// Every invalid field.
pub fn person(person: &PersonId, given: PersonEntry) -> Result<Entry, InvalidInput> {
    wire::people::profile(given).map(|(profile, _)| Entry::person(person, profile))
}

/// A silence. If the request names no beginning, it begins `now`.
///
/// # Errors
/// Every invalid field.
pub fn silence(id: &SilenceId, given: SilenceEntry, now: DateTime<Utc>) -> Result<Entry, InvalidInput> {
    wire::silence::silence(given, now).map(|silence| Entry::silence(id, silence))
}

/// The routing rules.
///
/// # Errors
/// Every invalid field.
pub fn routes(given: RoutesEntry) -> Result<Entry, InvalidInput> {
    wire::rules::routes(given).map(Entry::routes)
}

/// A schedule of a team. If the request names no time zone, `zone` is used. `known` are the feeds that the schedule
/// already has: the URL of such a feed may be masked.
///
/// # Errors
/// Every invalid field.
pub fn schedule(
    team: &TeamName,
    name: &ScheduleName,
    given: ScheduleEntry,
    zone: Zone,
    known: &[Feed],
) -> Result<Entry, InvalidInput> {
    wire::schedule::schedule(given, zone, known).map(|(schedule, _)| Entry::schedule(team, name, schedule))
}

/// An override of a schedule whose local times are of `zone`.
///
/// # Errors
/// Every invalid field.
pub fn stand_in(
    team: &TeamName,
    schedule: &ScheduleName,
    id: &OverrideId,
    given: &OverrideEntry,
    zone: &Zone,
) -> Result<Entry, InvalidInput> {
    let (stand_in, _) = wire::schedule::stand_in(given)?;
    wire::schedule::in_order(&stand_in, zone)?;
    Ok(Entry::stand_in(team, schedule, id, stand_in))
}

/// A heartbeat.
///
/// # Errors
/// Every invalid field.
pub fn heartbeat(name: &HeartbeatName, given: HeartbeatEntry) -> Result<Entry, InvalidInput> {
    wire::heartbeats::heartbeat(given).map(|heartbeat| Entry::heartbeat(name, heartbeat))
}

/// The text that a request gets if the roster refuses an edit.
pub fn refused(refusal: &Refusal) -> String {
    changes::told(refusal)
}
