//! The reads of incidents.

use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{DedupKey, IncidentNumber, ServiceName, Severity, State};
use inresponse_core::store::{Census, DueMark, ListQuery, Record};
use tokio_postgres::types::ToSql;

use crate::columns::{Value, borrowed, get, micros, number, readable, record, record_columns};
use crate::error::Failure;
use crate::session::Session;

const LOAD: &str = concat!("SELECT ", record_columns!(), " FROM incident WHERE number = $1");

const OPEN: &str =
    concat!("SELECT ", record_columns!(), " FROM incident WHERE service = $1 AND open_key = $2");

pub(crate) const DUE: &str = concat!(
    "SELECT ",
    record_columns!(),
    ", due_at FROM incident
    WHERE due_at <= $1 AND (due_at, number) > ($2, $3)
    ORDER BY due_at, number LIMIT $4"
);

/// The query for incidents with a time after the clock.
pub(crate) const AHEAD: &str = concat!(
    "SELECT ",
    record_columns!(),
    ", due_at FROM incident
    WHERE due_at IS NOT NULL AND latest_at > $1 AND (due_at, number) > ($2, $3)
    ORDER BY due_at, number LIMIT $4"
);

/// The query for quiet incidents that were judged by other rules.
pub(crate) const QUIET: &str = concat!(
    "SELECT ",
    record_columns!(),
    ", due_at FROM incident
    WHERE quiet_by IS NOT NULL AND quiet_by <> $1 AND due_at IS NOT NULL AND (due_at, number) > ($2, $3)
    ORDER BY due_at, number LIMIT $4"
);

const CENSUS: &str = "
    SELECT t.open, t.claimed, t.resolved, t.unclaimed, t.undelivered,
        (SELECT count(*) FROM (SELECT 1 FROM incident WHERE waiting_since < $1 LIMIT $2) AS waits),
        (SELECT min(due_at) FROM incident WHERE due_at IS NOT NULL)
    FROM (
        SELECT sum(open)::BIGINT AS open, sum(claimed)::BIGINT AS claimed, sum(resolved)::BIGINT AS resolved,
            sum(unclaimed)::BIGINT AS unclaimed, sum(undelivered)::BIGINT AS undelivered
        FROM tally
    ) AS t";

/// Loads an incident.
pub(crate) async fn load(session: &mut Session, wanted: IncidentNumber) -> Result<Option<Record>, Outage> {
    let Some(number) = number(wanted) else { return Ok(None) };
    one(session, LOAD, &[&number]).await
}

/// Finds an open incident by its key.
pub(crate) async fn find_open(
    session: &mut Session,
    service: &ServiceName,
    key: &DedupKey,
) -> Result<Option<Record>, Outage> {
    one(session, OPEN, &[&service.as_str(), &key.as_str()]).await
}

async fn one(
    session: &mut Session,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Option<Record>, Outage> {
    let row = session.query_opt(sql, values).await.map_err(Failure::of_read)?;
    row.as_ref().map(record).transpose()
}

/// Reads a page of incidents in the order of their due times.
pub(crate) async fn page(
    session: &mut Session,
    sql: &str,
    first: i64,
    after: Option<DueMark>,
    limit: usize,
) -> Result<Vec<Record>, Outage> {
    let mut after = match after {
        Some(mark) => (micros(mark.due_at), number(mark.number).unwrap_or(i64::MAX)),
        None => (i64::MIN, 0),
    };
    let mut records = Vec::new();
    // Rows that cannot be read take no place in the page, so that it is as full as if they were not there.
    while records.len() < limit {
        let missing = bounded(limit - records.len());
        let rows = session.query(sql, &[&first, &after.0, &after.1, &missing]).await;
        let rows = rows.map_err(Failure::of_read)?;
        records.extend(rows.iter().filter_map(readable));
        match rows.last() {
            Some(last) if bounded(rows.len()) == missing => after = (get(last, 5)?, get(last, 0)?),
            Some(_) | None => break,
        }
    }
    Ok(records)
}

/// Lists incidents.
pub(crate) async fn list(session: &mut Session, query: &ListQuery) -> Result<Vec<Record>, Outage> {
    let (sql, values) = list_sql(query);
    let rows = session.query(&sql, &borrowed(&values)).await.map_err(Failure::of_read)?;
    Ok(rows.iter().filter_map(readable).collect())
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

/// The query for a page of the list. The kinds that the filter allows are looked up one by one, each as the front of an
/// index and up to the limit, and merged.
fn list_sql(query: &ListQuery) -> (String, Vec<Value>) {
    let (mut conditions, mut values): (String, Vec<Value>) = (String::new(), Vec::new());
    let mut condition = |text: &str, value: Value| {
        values.push(value);
        conditions.push_str(&format!(" AND {text} ${}", values.len()));
    };
    if let Some(service) = &query.service {
        condition("service =", Box::new(service.as_str().to_owned()));
    }
    if let Some(team) = &query.team {
        condition("team =", Box::new(team.as_str().to_owned()));
    }
    let below = query.below.map_or(i64::MAX, |below| number(below).unwrap_or(i64::MAX));
    condition("number <", Box::new(below));
    values.push(Box::new(bounded(query.limit)));
    let page = format!("ORDER BY number DESC LIMIT ${}", values.len());
    let numbers = |of: &str| format!("(SELECT number FROM incident WHERE {of}{conditions} {page})");
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
    let record = record_columns!();
    let sql = format!(
        "SELECT {record} FROM incident WHERE number IN (SELECT number FROM ({numbers}) AS page {page})
         ORDER BY number DESC"
    );
    (sql, values)
}

/// Counts incidents.
pub(crate) async fn census(session: &mut Session, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
    let (before, enough) = (micros(waiting_before), i64::try_from(Census::ENOUGH).unwrap_or(i64::MAX));
    let row = session.query_opt(CENSUS, &[&before, &enough]).await.map_err(Failure::of_read)?;
    let row = row.ok_or_else(|| Outage::permanent("the database does not count"))?;
    let count = |place| get::<i64>(&row, place).map(|count| u64::try_from(count).unwrap_or_default());
    Ok(Census {
        open: count(0)?,
        claimed: count(1)?,
        resolved: Some(count(2)?),
        unclaimed: count(3)?,
        undelivered: count(4)?,
        waiting: count(5)?,
        next_due_at: get::<Option<i64>>(&row, 6)?.and_then(DateTime::from_timestamp_micros),
    })
}

#[cfg(test)]
mod tests {
    use inresponse_core::model::TeamName;
    use inresponse_testkit::postgres::Postgres;

    use super::*;
    use crate::{Database, PostgresConfig};

    /// 20,000 incidents, of which one in a hundred is open and due.
    const MANY: &str = "
        INSERT INTO incident (number, version, count, last_reported_at, service, create_id, commit_id, repeat_id, due_at,
            waiting_since, latest_at, open_key, team, state, severity, unclaimed, undelivered, body)
        SELECT 100000 + n, 1, 1, n, 's' || n % 20, n, n, n, CASE WHEN n % 100 = 0 THEN n END,
            CASE WHEN n % 100 = 0 THEN n END, n, CASE WHEN n % 100 = 0 THEN 'k' || n END, 't' || n % 10,
            CASE WHEN n % 100 = 0 THEN 'OPEN' ELSE 'RESOLVED' END, 'ERR', FALSE, FALSE, ''
        FROM generate_series(1, 20000) AS n";

    async fn plan_of(session: &mut Session, sql: &str, values: &[Value]) -> String {
        let explain = format!("EXPLAIN (COSTS OFF) {sql}");
        let rows = session.query(&explain, &borrowed(values)).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
    }

    fn times<const N: usize>(values: [i64; N]) -> Vec<Value> {
        values.into_iter().map(|value| Box::new(value) as Value).collect()
    }

    #[tokio::test]
    async fn p13_every_query_goes_through_an_index_and_reads_nothing_in_vain() {
        let server = Postgres::start();
        let config = PostgresConfig::from_url(&server.url()).unwrap().patient(30);
        let database = Database::open(config).await.unwrap();
        server.sql(MANY);
        server.sql("ANALYZE incident");
        let mut session = database.store().alerts.take().await.unwrap();
        let text = |text: &str| Box::new(text.to_owned()) as Value;
        let cases = [
            (LOAD, times([100_100]), "incident_by_number"),
            (OPEN, vec![text("s0"), text("k100")], "incident_by_open_key"),
            (DUE, times([i64::MAX, 500, 0, 50]), "incident_by_due"),
            (AHEAD, times([19_000, 500, 0, 50]), "incident_by_due"),
            (QUIET, times([1, 500, 0, 50]), "incident_by_quiet"),
            (CENSUS, times([10_000, 10_000]), "incident_by_waiting"),
            (CENSUS, times([10_000, 10_000]), "incident_by_due"),
        ];
        for (sql, values, index) in cases {
            let plan = plan_of(&mut session, sql, &values).await;
            assert!(plan.contains(index), "{sql}\n{plan}");
            assert!(!plan.contains("Seq Scan on incident"), "{sql}\n{plan}");
            assert!(!plan.contains("Sort"), "{sql}\n{plan}");
        }
        for filters in 0..16 {
            let has = |bit: i32| filters & bit != 0;
            let query = ListQuery {
                state: has(1).then_some(State::Resolved),
                severity: has(2).then_some(Severity::Err),
                service: has(4).then(|| ServiceName::new("s3").unwrap()),
                team: has(8).then(|| TeamName::new("t3").unwrap()),
                below: Some(IncidentNumber::new(110_000)),
                limit: 50,
            };
            let (sql, values) = list_sql(&query);
            let plan = plan_of(&mut session, &sql, &values).await;
            assert!(!plan.contains("Seq Scan on incident"), "{query:?}\n{plan}");
        }
    }
}
