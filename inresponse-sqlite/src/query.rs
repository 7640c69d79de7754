//! Reads, as plain functions on a connection.
//!
//! For whoever runs [`write_batch`](crate::write_batch) without the writer's thread.

use chrono::{DateTime, Utc};
use inresponse_core::Chain;
use inresponse_core::model::{DedupKey, IncidentNumber, ServiceName, State};
use inresponse_core::store::{Census, DueMark, ListQuery, Record};
use rusqlite::{Connection, OptionalExtension, ToSql};

use crate::batch::{micros, record};

const LOAD: &str = "SELECT body, version, count, last_reported_at FROM incident WHERE number = ?1";

const OPEN: &str = "
    SELECT body, version, count, last_reported_at FROM incident WHERE service = ?1 AND open_key = ?2";

const DUE: &str = "
    SELECT body, version, count, last_reported_at, number FROM incident
    WHERE due_at <= ?1 AND (due_at, number) > (?2, ?3)
    ORDER BY due_at, number LIMIT ?4";

const CENSUS_STATES: &str = "SELECT state, count(*) FROM incident GROUP BY state";
const CENSUS_UNCLAIMED: &str =
    "SELECT count(*), coalesce(sum(undelivered), 0) FROM incident WHERE unclaimed = 1";
const CENSUS_WAITING: &str = "SELECT count(*) FROM incident WHERE waiting_since < ?1";
const CENSUS_DUE: &str = "SELECT min(due_at) FROM incident WHERE due_at IS NOT NULL";

/// As [`Store::load`](inresponse_core::store::Store::load).
///
/// # Errors
/// SQLite's own.
pub fn load(connection: &Connection, number: IncidentNumber) -> rusqlite::Result<Option<Record>> {
    // SQLite's integers end at half of the core's; a number beyond them was never given.
    let Ok(number) = i64::try_from(number.value()) else { return Ok(None) };
    connection.prepare_cached(LOAD)?.query_row([number], record).optional()
}

/// As [`Store::open`](inresponse_core::store::Store::open).
///
/// # Errors
/// SQLite's own.
pub fn open(
    connection: &Connection,
    service: &ServiceName,
    key: &DedupKey,
) -> rusqlite::Result<Option<Record>> {
    connection.prepare_cached(OPEN)?.query_row([service.as_str(), key.as_str()], record).optional()
}

/// As [`Store::due`](inresponse_core::store::Store::due).
///
/// # Errors
/// SQLite's own.
pub fn due(
    connection: &Connection,
    now: DateTime<Utc>,
    after: Option<DueMark>,
    limit: usize,
) -> rusqlite::Result<Vec<Record>> {
    let (after_due, after_number) =
        after.map_or((i64::MIN, 0), |mark| (micros(mark.due_at), mark.number.value()));
    let mut statement = connection.prepare_cached(DUE)?;
    let mut rows = statement.query((micros(now), after_due, after_number, bounded(limit)))?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        match record(row) {
            Ok(record) => due.push(record),
            // One row that cannot be read must not keep the others from being alerted.
            Err(error) => {
                let number: i64 = row.get(4)?;
                tracing::error!(incident = number, error = %Chain::of(&error), "a stored incident cannot be read");
            }
        }
    }
    Ok(due)
}

/// As [`Store::list`](inresponse_core::store::Store::list).
///
/// # Errors
/// SQLite's own.
pub fn list(connection: &Connection, query: &ListQuery) -> rusqlite::Result<Vec<Record>> {
    let (sql, values) = list_sql(query);
    let values: Vec<&dyn ToSql> = values.iter().map(|v| &**v as &dyn ToSql).collect();
    connection.prepare_cached(&sql)?.query_map(values.as_slice(), record)?.collect()
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The page's query. One filter leads, through its index; a `+` keeps the others from competing for that.
fn list_sql(query: &ListQuery) -> (String, Vec<Box<dyn ToSql + Send>>) {
    let mut filters: Vec<(&str, Box<dyn ToSql + Send>)> = Vec::new();
    if let Some(service) = &query.service {
        filters.push(("service", Box::new(service.as_str().to_owned())));
    }
    if let Some(team) = &query.team {
        filters.push(("team", Box::new(team.as_str().to_owned())));
    }
    if let Some(state) = query.state {
        filters.push(("state", Box::new(state.as_str())));
    }
    if let Some(severity) = query.severity {
        filters.push(("severity", Box::new(severity.as_str())));
    }
    let (mut conditions, mut values) = (Vec::new(), Vec::new());
    for (i, (column, value)) in filters.into_iter().enumerate() {
        let lead = if i == 0 { "" } else { "+" };
        values.push(value);
        conditions.push(format!("{lead}{column} = ?{}", values.len()));
    }
    if let Some(below) = query.below {
        values.push(Box::new(i64::try_from(below.value()).unwrap_or(i64::MAX)));
        conditions.push(format!("number < ?{}", values.len()));
    }
    values.push(Box::new(bounded(query.limit)));
    let conditions =
        if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let sql = format!(
        "SELECT body, version, count, last_reported_at FROM incident {conditions} ORDER BY number DESC LIMIT ?{}",
        values.len()
    );
    (sql, values)
}

/// As [`Store::census`](inresponse_core::store::Store::census).
///
/// # Errors
/// SQLite's own.
pub fn census(connection: &Connection, waiting_before: DateTime<Utc>) -> rusqlite::Result<Census> {
    let mut census = Census::default();
    let mut statement = connection.prepare_cached(CENSUS_STATES)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (state, count): (String, u64) = (row.get(0)?, row.get(1)?);
        match state.parse::<State>() {
            Ok(State::Open) => census.open = count,
            Ok(State::Claimed) => census.claimed = count,
            Ok(State::Resolved) => census.resolved = count,
            Err(error) => {
                tracing::error!(%state, error = %Chain::of(&error), "a stored state cannot be read")
            }
        }
    }
    (census.unclaimed, census.undelivered) =
        connection.prepare_cached(CENSUS_UNCLAIMED)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    census.waiting =
        connection.prepare_cached(CENSUS_WAITING)?.query_row([micros(waiting_before)], |row| row.get(0))?;
    let next: Option<i64> = connection.prepare_cached(CENSUS_DUE)?.query_row([], |row| row.get(0))?;
    census.next_due_at = next.and_then(DateTime::from_timestamp_micros);
    Ok(census)
}

#[cfg(test)]
mod tests {
    use super::*;
    use inresponse_core::model::{ServiceName, Severity, TeamName};

    fn plan_of(connection: &Connection, sql: &str) -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let columns = statement.parameter_count();
        let nulls = vec![rusqlite::types::Null; columns];
        let rows =
            statement.query_map(rusqlite::params_from_iter(nulls), |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn every_query_goes_through_an_index_and_sorts_nothing() {
        let c = crate::prepare(Connection::open_in_memory().unwrap()).unwrap();
        let state = Some(State::Open);
        let service = Some(ServiceName::new("s").unwrap());
        let severity = Some(Severity::Crit);
        let team = Some(TeamName::new("t").unwrap());
        let below = Some(IncidentNumber::new(9));
        let list = |query: ListQuery| list_sql(&query).0;
        let base = ListQuery { below, limit: 1, ..ListQuery::default() };
        let cases = [
            (LOAD.to_owned(), "INTEGER PRIMARY KEY"),
            (OPEN.to_owned(), "incident_by_open_key (service=? AND open_key=?)"),
            (DUE.to_owned(), "incident_by_due (due_at"),
            (CENSUS_UNCLAIMED.to_owned(), "incident_by_unclaimed"),
            (CENSUS_WAITING.to_owned(), "incident_by_waiting (waiting_since<?)"),
            (CENSUS_DUE.to_owned(), "incident_by_due"),
            (CENSUS_STATES.to_owned(), "incident_by_state"),
            (list(base.clone()), "INTEGER PRIMARY KEY (rowid<?)"),
            (list(ListQuery { state, ..base.clone() }), "incident_by_state (state=? AND number<?)"),
            (list(ListQuery { severity, ..base.clone() }), "incident_by_severity (severity=? AND number<?)"),
            (
                list(ListQuery { team: team.clone(), ..base.clone() }),
                "incident_by_team (team=? AND number<?)",
            ),
            (list(ListQuery { team, state, ..base.clone() }), "incident_by_team (team=? AND number<?)"),
            (
                list(ListQuery { service: service.clone(), ..base.clone() }),
                "incident_by_service (service=? AND number<?)",
            ),
            (
                list(ListQuery { service, state, severity, ..base.clone() }),
                "incident_by_service (service=? AND number<?)",
            ),
            (list(ListQuery { state, severity, ..base }), "incident_by_state (state=? AND number<?)"),
        ];
        for (sql, expected) in cases {
            let plan = plan_of(&c, &sql);
            assert!(plan.contains(expected), "{sql}\n{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
        }
    }
}
