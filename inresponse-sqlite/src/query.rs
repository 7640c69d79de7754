//! The reads of incidents, as plain functions on a connection.
//!
//! They are public for callers of [`write_batch`](crate::write_batch) that have no writer thread.

use chrono::{DateTime, Utc};
use inresponse_core::Chain;
use inresponse_core::model::{DedupKey, IncidentNumber, RulesId, ServiceName, Severity, State};
use inresponse_core::store::{Census, DueMark, ListQuery, Record};
use rusqlite::{Connection, OptionalExtension, ToSql};

use crate::columns::{micros, record, record_columns};

const LOAD: &str = concat!("SELECT ", record_columns!(), " FROM incident WHERE number = ?1");

const OPEN: &str =
    concat!("SELECT ", record_columns!(), " FROM incident WHERE service = ?1 AND open_key = ?2");

const DUE: &str = concat!(
    "SELECT ",
    record_columns!(),
    ", number FROM incident
    WHERE due_at <= ?1 AND (due_at, number) > (?2, ?3)
    ORDER BY due_at, number"
);

/// The query for incidents with a time after the clock. The query scans the whole index, but reads only the rows that
/// match.
const AHEAD: &str = concat!(
    "SELECT ",
    record_columns!(),
    ", number FROM incident INDEXED BY incident_by_due
    WHERE due_at IS NOT NULL AND (due_at, number) > (?2, ?3) AND (latest_at > ?1 OR latest_at IS NULL)
    ORDER BY due_at, number"
);

/// The query for quiet incidents that were judged by other rules. The query scans the index of what is quiet, but reads
/// only the rows that match.
const QUIET: &str = concat!(
    "SELECT ",
    record_columns!(),
    ", number FROM incident INDEXED BY incident_by_quiet
    WHERE quiet_by IS NOT NULL AND quiet_by <> ?1 AND due_at IS NOT NULL AND (due_at, number) > (?2, ?3)
    ORDER BY due_at, number"
);

const CENSUS_TALLY: &str = "SELECT state, unclaimed, undelivered, incidents FROM tally";
const CENSUS_WAITING: &str =
    "SELECT count(*) FROM (SELECT 1 FROM incident WHERE waiting_since < ?1 LIMIT ?2)";
const CENSUS_DUE: &str = "SELECT min(due_at) FROM incident WHERE due_at IS NOT NULL";

/// Loads an incident, as [`Store::load`](inresponse_core::store::Store::load) does.
///
/// # Errors
/// The query fails.
pub fn load(connection: &Connection, number: IncidentNumber) -> rusqlite::Result<Option<Record>> {
    // SQLite's integers have half the range of the core's. A number beyond that range was never assigned.
    let Ok(number) = i64::try_from(number.value()) else { return Ok(None) };
    connection.prepare_cached(LOAD)?.query_row([number], record).optional()
}

/// Finds an open incident, as [`Store::find_open`](inresponse_core::store::Store::find_open) does.
///
/// # Errors
/// The query fails.
pub fn find_open(
    connection: &Connection,
    service: &ServiceName,
    key: &DedupKey,
) -> rusqlite::Result<Option<Record>> {
    connection.prepare_cached(OPEN)?.query_row([service.as_str(), key.as_str()], record).optional()
}

/// Reads due incidents, as [`Store::due`](inresponse_core::store::Store::due) does.
///
/// # Errors
/// The query fails.
pub fn due(
    connection: &Connection,
    now: DateTime<Utc>,
    after: Option<DueMark>,
    limit: usize,
) -> rusqlite::Result<Vec<Record>> {
    page(connection, DUE, micros(now), after, limit)
}

/// Finds incidents with a time after the clock, as [`Store::ahead`](inresponse_core::store::Store::ahead) does.
///
/// # Errors
/// The query fails.
pub fn ahead(
    connection: &Connection,
    now: DateTime<Utc>,
    after: Option<DueMark>,
    limit: usize,
) -> rusqlite::Result<Vec<Record>> {
    page(connection, AHEAD, micros(now), after, limit)
}

/// Finds quiet incidents that were judged by other rules, as [`Store::quiet`](inresponse_core::store::Store::quiet) does.
///
/// # Errors
/// The query fails.
pub fn quiet(
    connection: &Connection,
    judged_by: RulesId,
    after: Option<DueMark>,
    limit: usize,
) -> rusqlite::Result<Vec<Record>> {
    page(connection, QUIET, judged_by.value(), after, limit)
}

fn page(
    connection: &Connection,
    sql: &str,
    first: i64,
    after: Option<DueMark>,
    limit: usize,
) -> rusqlite::Result<Vec<Record>> {
    let (after_due, after_number) =
        after.map_or((i64::MIN, 0), |mark| (micros(mark.due_at), mark.number.value()));
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((first, after_due, after_number))?;
    let mut records = Vec::new();
    // Rows that cannot be read take no place in the page, so that it is as full as if they were not there.
    while records.len() < limit
        && let Some(row) = rows.next()?
    {
        records.extend(readable(row.get(4)?, record(row)));
    }
    Ok(records)
}

/// The record, or `None` with a line in the log. One row that cannot be read must not keep others from being alerted or
/// shown.
fn readable(number: i64, record: rusqlite::Result<Record>) -> Option<Record> {
    record
        .inspect_err(|error| {
            tracing::error!(incident = number, error = %Chain::of(error), "a stored incident cannot be read");
        })
        .ok()
}

/// Lists incidents, as [`Store::list`](inresponse_core::store::Store::list) does.
///
/// # Errors
/// The query fails.
pub fn list(connection: &Connection, query: &ListQuery) -> rusqlite::Result<Vec<Record>> {
    // One snapshot is used, so that records are read in the state in which they were found.
    let snapshot = connection.unchecked_transaction()?;
    let (sql, values) = list_sql(query);
    let values: Vec<&dyn ToSql> = values.iter().map(|v| &**v as &dyn ToSql).collect();
    let mut statement = snapshot.prepare_cached(&sql)?;
    let mut numbers = statement.query(values.as_slice())?;
    let mut load = snapshot.prepare_cached(LOAD)?;
    let mut records = Vec::new();
    while let Some(row) = numbers.next()? {
        let number: i64 = row.get(0)?;
        match load.query_row([number], record) {
            Err(error @ rusqlite::Error::SqliteFailure(..)) => return Err(error),
            record => records.extend(readable(number, record)),
        }
    }
    Ok(records)
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The column `kind`, which encodes state and severity.
fn kind(state: State, severity: Severity) -> u8 {
    let state = match state {
        State::Open => 0,
        State::Claimed => 3,
        State::Resolved => 6,
    };
    state
        + match severity {
            Severity::Crit => 0,
            Severity::Err => 1,
            Severity::Warn => 2,
        }
}

/// The query for the numbers of a page. Every filter is a prefix of an index, so the cost depends only on the results.
/// The kinds that the filter allows are looked up one by one and merged.
fn list_sql(query: &ListQuery) -> (String, Vec<Box<dyn ToSql + Send>>) {
    let (mut conditions, mut values): (String, Vec<Box<dyn ToSql + Send>>) = (String::new(), Vec::new());
    let mut condition = |text: &str, value: Box<dyn ToSql + Send>| {
        values.push(value);
        conditions.push_str(&format!(" AND {text} ?{}", values.len()));
    };
    if let Some(service) = &query.service {
        condition("service =", Box::new(service.as_str().to_owned()));
    }
    if let Some(team) = &query.team {
        condition("team =", Box::new(team.as_str().to_owned()));
    }
    let below = query.below.map_or(i64::MAX, |below| i64::try_from(below.value()).unwrap_or(i64::MAX));
    condition("number <", Box::new(below));
    values.push(Box::new(bounded(query.limit)));
    let numbers = |of: &str| format!("SELECT number FROM incident WHERE {of}{conditions}");
    let of_kind = |(state, severity)| numbers(&format!("kind = {}", kind(state, severity)));
    let everything =
        query.service.is_none() && query.team.is_none() && query.state.is_none() && query.severity.is_none();
    let numbers = if everything {
        numbers("TRUE")
    } else {
        let states = State::ALL.into_iter().filter(|state| query.state.is_none_or(|wanted| wanted == *state));
        let wanted = |severity: &Severity| query.severity.is_none_or(|wanted| wanted == *severity);
        let kinds =
            states.flat_map(|state| Severity::ALL.into_iter().filter(wanted).map(move |s| (state, s)));
        kinds.map(of_kind).collect::<Vec<_>>().join(" UNION ALL ")
    };
    (format!("{numbers} ORDER BY number DESC LIMIT ?{}", values.len()), values)
}

/// Counts incidents, as [`Store::census`](inresponse_core::store::Store::census) does.
///
/// # Errors
/// The query fails.
pub fn census(connection: &Connection, waiting_before: DateTime<Utc>) -> rusqlite::Result<Census> {
    let (mut census, mut resolved) = (Census::default(), 0);
    let mut statement = connection.prepare_cached(CENSUS_TALLY)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (state, unclaimed, undelivered): (String, bool, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let incidents: u64 = row.get(3)?;
        match state.parse::<State>() {
            Ok(State::Open) => census.open += incidents,
            Ok(State::Claimed) => census.claimed += incidents,
            Ok(State::Resolved) => resolved += incidents,
            Err(error) => {
                tracing::error!(%state, error = %Chain::of(&error), "a stored state cannot be read");
            }
        }
        census.unclaimed += if unclaimed { incidents } else { 0 };
        census.undelivered += if undelivered { incidents } else { 0 };
    }
    let waiting = (micros(waiting_before), Census::ENOUGH);
    census.waiting = connection.prepare_cached(CENSUS_WAITING)?.query_row(waiting, |row| row.get(0))?;
    let next: Option<i64> = connection.prepare_cached(CENSUS_DUE)?.query_row([], |row| row.get(0))?;
    Ok(Census {
        resolved: Some(resolved),
        next_due_at: next.and_then(DateTime::from_timestamp_micros),
        ..census
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use inresponse_core::model::TeamName;

    fn plan_of(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let columns = statement.parameter_count();
        let nulls = vec![rusqlite::types::Null; columns];
        let rows =
            statement.query_map(rusqlite::params_from_iter(nulls), |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn database() -> Connection {
        crate::prepare(Connection::open_in_memory().unwrap()).unwrap()
    }

    #[test]
    fn every_query_goes_through_an_index_and_sorts_nothing() {
        let c = database();
        let cases = [
            (LOAD, "INTEGER PRIMARY KEY"),
            (OPEN, "incident_by_open_key (service=? AND open_key=?)"),
            (DUE, "incident_by_due (due_at"),
            (AHEAD, "incident_by_due (due_at>?)"),
            (CENSUS_WAITING, "incident_by_waiting (waiting_since<?)"),
            (CENSUS_DUE, "incident_by_due"),
        ];
        for (sql, expected) in cases {
            let plan = plan_of(&c, sql).join("; ");
            assert!(plan.contains(expected), "{sql}\n{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
        }
    }

    #[test]
    fn p13_every_combination_of_filters_is_the_front_of_an_index_and_nothing_is_read_in_vain() {
        let c = database();
        for filters in 0..16 {
            let has = |bit: i32| filters & bit != 0;
            let (state, severity) = (has(1).then_some(State::Resolved), has(2).then_some(Severity::Err));
            let service = has(4).then(|| ServiceName::new("s").unwrap());
            let team = has(8).then(|| TeamName::new("t").unwrap());
            let (arms, front) = match (has(4), has(8)) {
                _ if filters == 0 => (1, "SEARCH incident USING INTEGER PRIMARY KEY (rowid<?)"),
                (false, false) => (0, "INDEX incident_by_kind (kind=? AND rowid<?)"),
                (true, false) => (0, "INDEX incident_by_service (service=? AND kind=? AND rowid<?)"),
                (false, true) => (0, "INDEX incident_by_team (team=? AND kind=? AND rowid<?)"),
                (true, true) => {
                    (0, "INDEX incident_by_service_and_team (service=? AND team=? AND kind=? AND rowid<?)")
                }
            };
            let kinds = (if has(1) { 1 } else { 3 }) * (if has(2) { 1 } else { 3 });
            let arms = if arms == 1 { 1 } else { kinds };
            let below = Some(IncidentNumber::new(9));
            let sql = list_sql(&ListQuery { state, severity, service, team, below, limit: 50 }).0;
            let plan = plan_of(&c, &sql);
            let looked_up = plan.iter().filter(|line| line.contains("SEARCH") || line.contains("SCAN"));
            let looked_up: Vec<_> = looked_up.collect();
            assert_eq!(looked_up.len(), arms, "{sql}\n{plan:#?}");
            assert!(looked_up.iter().all(|line| line.contains(front)), "{sql}\n{plan:#?}");
            assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{sql}\n{plan:#?}");
        }
    }
}
