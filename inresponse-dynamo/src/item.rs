//! Converts an incident to attributes, and makes the keys of the indexes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{
    DedupKey, IncidentNumber, RulesId, ServiceName, Severity, State, TeamName, Version,
};
use inresponse_core::plan::{self, Draft};
use inresponse_core::store::{DueMark, Record};

use crate::write_id::WriteId;

/// An item: its attributes by name.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The number of partitions in the index of due incidents. The number must never change, because it decides where an
/// item is.
pub(crate) const DUE_SHARDS: u64 = 8;
/// The number of partitions for the incidents of one state and severity. The number must never change.
pub(crate) const LIST_SHARDS: u64 = 4;

/// The sparse index of due incidents, by shard and [`due_key_of`].
pub(crate) const BY_DUE: &str = "byDue";
/// The index of the lists, by state, severity and shard.
pub(crate) const BY_STATE: &str = "byState";
/// The index of a service's lists, by state, severity and service.
pub(crate) const BY_SERVICE: &str = "byService";

/// The index of a team's lists, by state, severity and team.
pub(crate) const BY_TEAM: &str = "byTeam";
/// The index of the lists with both filters, by state, severity, service and team.
pub(crate) const BY_SERVICE_AND_TEAM: &str = "byServiceAndTeam";

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The key of the guard for a dedup key. No two open incidents may have the same (promise 3).
pub(crate) fn open_key((service, key): (&ServiceName, &DedupKey)) -> String {
    // With the length no two pairs make one text.
    format!("{}:{service}:{key}", service.as_str().len())
}

/// The shard of an incident in the index of due incidents.
fn due_shard(number: IncidentNumber) -> u64 {
    number.value() % DUE_SHARDS
}

/// A time as a text with the same order as the times, within the years 0 to 9999.
pub(crate) fn sortable(at: DateTime<Utc>) -> String {
    let first = DateTime::from_timestamp(-62_167_219_200, 0).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let last = DateTime::from_timestamp_micros(253_402_300_799_999_999).unwrap_or(DateTime::<Utc>::MAX_UTC);
    at.clamp(first, last).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The key of a place in the order of due incidents.
pub(crate) fn due_key(mark: DueMark) -> String {
    format!("{}#{:020}", sortable(mark.due_at), mark.number.value())
}

/// The sort key of [`BY_DUE`]: the place in the order, the latest time in the incident, and the rules by which it was
/// judged if it is quiet.
///
/// The separator is a blank, because it sorts before the `!` that a query appends to the last place of the previous
/// page, in older servers too.
fn due_key_of(mark: DueMark, latest_at: DateTime<Utc>, quiet_by: Option<RulesId>) -> String {
    let quiet = quiet_by.map_or(String::new(), |rules| format!(" {}", rules.value()));
    format!("{} {}{quiet}", due_key(mark), sortable(latest_at))
}

/// The due time in a [`due_key`].
pub(crate) fn due_at(due_key: &str) -> Option<DateTime<Utc>> {
    let (at, _) = due_key.split_once('#')?;
    time(at)
}

/// The latest time in the incident, from the sort key of [`BY_DUE`]. Older servers did not write this part of the key.
pub(crate) fn latest_at(due_key: &str) -> Option<DateTime<Utc>> {
    time(due_key.split(' ').nth(1)?)
}

/// The rules by which the incident was judged if it is quiet, from the sort key of [`BY_DUE`].
pub(crate) fn quiet_by(due_key: &str) -> Option<RulesId> {
    due_key.split(' ').nth(2)?.parse().ok().map(RulesId::new)
}

fn time(sortable: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(sortable).ok().map(|at| at.to_utc())
}

/// The key of a partition of [`BY_STATE`].
pub(crate) fn state_key(state: State, severity: Severity, shard: u64) -> String {
    format!("{state}#{severity}#{shard}")
}

/// The key of a partition of [`BY_SERVICE`].
pub(crate) fn service_key(state: State, severity: Severity, service: &ServiceName) -> String {
    format!("{state}#{severity}#{service}")
}

/// The key of a partition of [`BY_TEAM`].
pub(crate) fn team_key(state: State, severity: Severity, team: &TeamName) -> String {
    format!("{state}#{severity}#{team}")
}

/// The key of a partition of [`BY_SERVICE_AND_TEAM`]. The key contains the length of a name, so that no two pairs have
/// the same key.
pub(crate) fn service_and_team_key(
    state: State,
    severity: Severity,
    service: &ServiceName,
    team: &TeamName,
) -> String {
    format!("{state}#{severity}#{}:{service}:{team}", service.as_str().len())
}

/// The attributes that a commit may change: those with a value in the draft, and those without.
pub(crate) struct Columns {
    pub(crate) present: Vec<(&'static str, AttributeValue)>,
    pub(crate) absent: Vec<&'static str>,
}

/// The attributes for a draft with that version.
pub(crate) fn columns(draft: &Draft, version: Version, write: &WriteId) -> Columns {
    let incident = draft.incident();
    let (state, severity) = (incident.state(), incident.severity());
    let number_of = incident.number();
    let due = draft.due_at().map(|due_at| DueMark { due_at, number: number_of });
    let body = String::from_utf8_lossy(&draft.body()).into_owned();
    let flag = |is: bool| is.then(|| number(1));
    let columns = [
        ("version", Some(number(version.value()))),
        ("writeId", Some(text(write.as_str()))),
        ("body", Some(text(body))),
        ("severity", Some(text(severity.as_str()))),
        ("state", Some(text(state.as_str()))),
        ("stateKey", Some(text(state_key(state, severity, number_of.value() % LIST_SHARDS)))),
        ("serviceKey", Some(text(service_key(state, severity, incident.service())))),
        ("teamKey", Some(text(team_key(state, severity, incident.team())))),
        (
            "serviceTeamKey",
            Some(text(service_and_team_key(state, severity, incident.service(), incident.team()))),
        ),
        ("dueShard", due.map(|_| number(due_shard(number_of)))),
        ("dueKey", due.map(|mark| text(due_key_of(mark, draft.latest_at(), draft.quiet_by())))),
        ("openKey", draft.open_key().map(|key| text(open_key(key)))),
        ("waitingSince", plan::waiting_since(incident).map(|at| number(at.timestamp_micros()))),
        ("unclaimed", flag(incident.is_unclaimed())),
        ("undelivered", flag(incident.is_undelivered())),
        ("expiresAt", draft.expires_at().map(|at| number(at.timestamp()))),
    ];
    let (mut present, mut absent) = (Vec::new(), Vec::new());
    for (name, value) in columns {
        match value {
            Some(value) => present.push((name, value)),
            None => absent.push(name),
        }
    }
    Columns { present, absent }
}

/// The item for a new incident.
pub(crate) fn created(draft: &Draft, write: &WriteId) -> Item {
    let incident = draft.incident();
    let mut item: Item = columns(draft, Version::FIRST, write)
        .present
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    item.insert("incidentId".to_owned(), number(incident.number().value()));
    // Stays when others commit, so that a second try finds that the first one happened.
    item.insert("createId".to_owned(), text(write.as_str()));
    item.insert("count".to_owned(), number(1));
    item.insert("lastReportedAt".to_owned(), number(incident.created_at().timestamp_micros()));
    item.insert("service".to_owned(), text(incident.service().as_str()));
    item.insert("title".to_owned(), text(incident.title()));
    item.insert("description".to_owned(), text(incident.message()));
    if let Some(source) = incident.source() {
        item.insert("source".to_owned(), text(source.as_str()));
    }
    item
}

/// The record in an item.
pub(crate) fn record(item: &Item) -> Result<Record, Outage> {
    let body = text_of(item, "body").ok_or_else(|| unreadable("body"))?;
    let version = number_of(item, "version").ok_or_else(|| unreadable("version"))?;
    let count = number_of(item, "count").ok_or_else(|| unreadable("count"))?;
    let last_reported_at = number_of(item, "lastReportedAt")
        .and_then(DateTime::from_timestamp_micros)
        .ok_or_else(|| unreadable("lastReportedAt"))?;
    Record::decode(body.as_bytes(), Version::new(version), count, last_reported_at)
}

fn unreadable(attribute: &str) -> Outage {
    Outage::permanent(format!("a stored incident cannot be read: its attribute {attribute} is invalid"))
}

/// The value of a text attribute.
pub(crate) fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// The value of a numeric attribute.
pub(crate) fn number_of<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p09_due_keys_sort_as_their_times_do_and_tell_them() {
        let at = |micros| DateTime::from_timestamp_micros(micros).unwrap();
        let times = [
            DateTime::<Utc>::MIN_UTC,
            at(-1),
            at(0),
            at(1),
            at(1_000_000),
            at(1_763_000_000_000_001),
            at(1_763_000_000_999_999),
            DateTime::<Utc>::MAX_UTC,
        ];
        let key = |at, n| due_key(DueMark { due_at: at, number: IncidentNumber::new(n) });
        let keys: Vec<_> =
            times.iter().flat_map(|at| [key(*at, 9), key(*at, 10), key(*at, u64::MAX)]).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        for time in &times[1..7] {
            assert_eq!(due_at(&key(*time, 1)), Some(*time));
            assert_eq!(latest_at(&key(*time, 1)), None);
            let whole = due_key_of(DueMark { due_at: at(5), number: IncidentNumber::new(1) }, *time, None);
            assert_eq!((due_at(&whole), latest_at(&whole)), (Some(at(5)), Some(*time)));
            assert_eq!(quiet_by(&whole), None);
            let quiet = due_key_of(
                DueMark { due_at: at(5), number: IncidentNumber::new(1) },
                *time,
                Some(RulesId::new(77)),
            );
            assert_eq!((due_at(&quiet), latest_at(&quiet)), (Some(at(5)), Some(*time)));
            assert_eq!(quiet_by(&quiet), Some(RulesId::new(77)));
            assert!(key(at(5), 1) < quiet && quiet < format!("{}!", key(at(5), 1)));
            assert!(key(at(5), 1) < whole && whole < format!("{}!", key(at(5), 1)));
        }
    }

    #[test]
    fn p03_no_two_pairs_of_service_and_key_make_one_guard() {
        let pairs = [("a", "b:c"), ("a:b", "c"), ("1:a", "b"), ("a", "1:a:b")];
        let keys: std::collections::HashSet<_> = pairs
            .iter()
            .map(|(s, k)| open_key((&ServiceName::new(s).unwrap(), &DedupKey::new(k).unwrap())))
            .collect();
        assert_eq!(keys.len(), pairs.len());
    }
}
