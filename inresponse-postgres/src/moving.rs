//! A database as the source or the target of a [`transfer`](mod@inresponse_core::transfer).

use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use inresponse_core::Outage;
use inresponse_core::model::{IncidentNumber, RulesId, Version};
use inresponse_core::plan;
use inresponse_core::transfer::{Item, Part, Source, StoredIncident, Target};
use tokio::sync::Mutex;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::columns::{get, micros, number, version};
use crate::config::PostgresConfig;
use crate::error::Failure;
use crate::schema::{self, Schema};
use crate::session::{Session, Sessions};
use crate::write_id::WriteId;

/// The advisory lock that a transfer holds, so that no two transfers use the same database.
const LOCK: i64 = 0x1A2E_5903_5E01;

/// Other sessions of the database. Background processes of the server have no user.
const OTHERS: &str = "SELECT count(*), string_agg(DISTINCT coalesce(nullif(application_name, ''), 'without a name'), ', ')
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL";

/// How often other sessions are looked for before the database counts as in use.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// A database that no server uses meanwhile.
///
/// A database in which any other session is open is refused. A source is locked: nobody else can write to it until this
/// is dropped, so that a server that is started meanwhile does not start. All statements use one session.
#[derive(Debug)]
pub struct Moving {
    session: Mutex<Session>,
    /// Keeps the session open.
    _sessions: Sessions,
}

impl Moving {
    /// Locks a database to read everything from it, and migrates it to this version's schema.
    ///
    /// # Errors
    /// The database cannot be reached, is in use, has no tables of this program, or was made by a newer version.
    pub async fn source(config: &PostgresConfig) -> Result<Self, Outage> {
        let (sessions, mut session) = Self::open(config, Empty::Refused).await?;
        let locked = async {
            session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
            // The lock comes before the first query, so that nothing is written after the snapshot.
            session
                .batch(
                    "LOCK TABLE incident, roster_version, roster_entry, roster_change, setting IN SHARE MODE",
                )
                .await
        };
        locked.await.map_err(|failure: Failure| in_use("a table is locked").because(failure.of_read()))?;
        refuse_others(&mut session).await?;
        Ok(Self { session: Mutex::new(session), _sessions: sessions })
    }

    /// Opens a database to write everything into it, and creates the tables.
    ///
    /// # Errors
    /// The database cannot be reached, is in use, or was made by a newer version.
    pub async fn target(config: &PostgresConfig) -> Result<Self, Outage> {
        let (sessions, session) = Self::open(config, Empty::Accepted).await?;
        Ok(Self { session: Mutex::new(session), _sessions: sessions })
    }

    async fn open(config: &PostgresConfig, empty: Empty) -> Result<(Sessions, Session), Outage> {
        let sessions = Sessions::new(config, 1)?;
        let mut session = sessions.take().await?.limited_to(schema::patience());
        let found = schema::look(&mut session).await?;
        refuse_others(&mut session).await?;
        match (found, empty) {
            (Schema::Current, _) => {}
            (Schema::Absent, Empty::Refused) => {
                return Err(Outage::permanent("the database has no tables of this program"));
            }
            (Schema::Absent | Schema::Older, _) => schema::migrate(&mut session).await?,
            (Schema::Newer, _) => return Err(schema::newer()),
        }
        let sql = format!(
            "SET statement_timeout = {}; SET idle_in_transaction_session_timeout = 0",
            schema::patience().as_millis()
        );
        session.batch(&sql).await.map_err(Failure::of_read)?;
        let row =
            session.query_opt("SELECT pg_try_advisory_lock($1)", &[&LOCK]).await.map_err(Failure::of_read)?;
        if row.map(|row| get(&row, 0)).transpose()? != Some(true) {
            return Err(in_use("another transfer uses it"));
        }
        Ok((sessions, session))
    }
}

/// What to do with a database without tables.
#[derive(Debug, Clone, Copy)]
enum Empty {
    Accepted,
    Refused,
}

fn in_use(why: &str) -> Outage {
    Outage::permanent(format!("the database is in use ({why}): stop the servers first"))
}

/// Refuses a database in which other sessions are open. Those of a process that was just stopped end after a moment.
async fn refuse_others(session: &mut Session) -> Result<(), Outage> {
    let mut looks = 0;
    loop {
        let row = session.query_opt(OTHERS, &[]).await.map_err(Failure::of_read)?;
        let Some(row) = row else { return Ok(()) };
        let (count, names): (i64, Option<String>) = (get(&row, 0)?, get(&row, 1)?);
        if count == 0 {
            return Ok(());
        }
        looks += 1;
        if looks == LOOKS {
            let names = names.unwrap_or_default();
            return Err(in_use(&format!("other sessions are open: {count}, by {names}")));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

const INCIDENTS: &str = "SELECT number, version, count, last_reported_at, expires_at, body FROM incident
    WHERE number > $1 ORDER BY number LIMIT $2";
const LAST_INCIDENT: &str = "SELECT number, version, count, last_reported_at, expires_at, body FROM incident
    ORDER BY number DESC LIMIT 1";
const ENTRIES: &str = "SELECT team, kind, name, body FROM roster_entry
    WHERE (team, kind, name) > ($1, $2, $3) ORDER BY team, kind, name LIMIT $4";
const CHANGES: &str =
    "SELECT number, at, who, what FROM roster_change WHERE number > $1 ORDER BY number LIMIT $2";
const SETTINGS: &str = "SELECT name, value FROM setting WHERE name > $1 ORDER BY name LIMIT $2";

fn unreadable() -> Outage {
    Outage::permanent("a stored value is out of range")
}

fn unsigned(row: &Row, place: usize) -> Result<u64, Outage> {
    u64::try_from(get::<i64>(row, place)?).map_err(|e| unreadable().because(e))
}

fn time(micros: i64) -> Result<DateTime<chrono::Utc>, Outage> {
    DateTime::from_timestamp_micros(micros).ok_or_else(unreadable)
}

fn incident(row: &Row) -> Result<Item, Outage> {
    Ok(Item::Incident(StoredIncident {
        number: IncidentNumber::new(unsigned(row, 0)?),
        version: Version::new(unsigned(row, 1)?),
        count: unsigned(row, 2)?,
        last_reported_at: time(get(row, 3)?)?,
        expires_at: get::<Option<i64>>(row, 4)?.map(time).transpose()?,
        body: get(row, 5)?,
    }))
}

async fn page(
    session: &mut Session,
    part: Part,
    after: Option<&Item>,
    limit: i64,
) -> Result<Vec<Item>, Outage> {
    match part {
        Part::Incidents => {
            let after = match after {
                Some(Item::Incident(last)) => number(last.number).unwrap_or(i64::MAX),
                _ => i64::MIN,
            };
            let rows = session.query(INCIDENTS, &[&after, &limit]).await.map_err(Failure::of_read)?;
            rows.iter().map(incident).collect()
        }
        Part::Entries => {
            let (team, kind, name) = match after {
                Some(Item::Entry { team, kind, name, .. }) => (team.as_str(), kind.as_str(), name.as_str()),
                _ => Default::default(),
            };
            let rows = session.query(ENTRIES, &[&team, &kind, &name, &limit]).await;
            let entry = |row: &Row| {
                let (team, kind, name, body) = (get(row, 0)?, get(row, 1)?, get(row, 2)?, get(row, 3)?);
                Ok(Item::Entry { team, kind, name, body })
            };
            rows.map_err(Failure::of_read)?.iter().map(entry).collect()
        }
        Part::Changes => {
            let after = match after {
                Some(Item::Change { number, .. }) => i64::try_from(*number).unwrap_or(i64::MAX),
                _ => i64::MIN,
            };
            let rows = session.query(CHANGES, &[&after, &limit]).await.map_err(Failure::of_read)?;
            let change = |row: &Row| {
                let (number, at) = (unsigned(row, 0)?, time(get(row, 1)?)?);
                Ok(Item::Change { number, at, who: get(row, 2)?, what: get(row, 3)? })
            };
            rows.iter().map(change).collect()
        }
        Part::Settings => {
            let after = match after {
                Some(Item::Setting { name, .. }) => name.as_str(),
                _ => "",
            };
            let rows = session.query(SETTINGS, &[&after, &limit]).await.map_err(Failure::of_read)?;
            rows.iter().map(|row| Ok(Item::Setting { name: get(row, 0)?, value: get(row, 1)? })).collect()
        }
    }
}

/// The columns of several incidents, to insert them by one statement.
#[derive(Default)]
struct Columns {
    number: Vec<i64>,
    version: Vec<i64>,
    count: Vec<i64>,
    last_reported_at: Vec<i64>,
    service: Vec<String>,
    due_at: Vec<Option<i64>>,
    waiting_since: Vec<Option<i64>>,
    latest_at: Vec<i64>,
    expires_at: Vec<Option<i64>>,
    open_key: Vec<Option<String>>,
    team: Vec<String>,
    state: Vec<&'static str>,
    severity: Vec<&'static str>,
    unclaimed: Vec<bool>,
    undelivered: Vec<bool>,
    quiet_by: Vec<Option<i64>>,
    body: Vec<Vec<u8>>,
}

const ADD_INCIDENTS: &str = "
    INSERT INTO incident (number, version, count, last_reported_at, service, due_at, waiting_since, latest_at, expires_at,
        open_key, team, state, severity, unclaimed, undelivered, quiet_by, body, create_id, commit_id, repeat_id)
    SELECT *, $18::BIGINT, $18, $18 FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[],
        $6::BIGINT[], $7::BIGINT[], $8::BIGINT[], $9::BIGINT[], $10::TEXT[], $11::TEXT[], $12::TEXT[], $13::TEXT[],
        $14::BOOLEAN[], $15::BOOLEAN[], $16::BIGINT[], $17::BYTEA[])
    ON CONFLICT DO NOTHING";

impl Columns {
    fn push(&mut self, stored: &StoredIncident) -> Result<(), Outage> {
        let draft = stored.draft()?;
        let incident = draft.incident();
        self.number.push(number(stored.number).ok_or_else(unreadable)?);
        self.version.push(version(stored.version).ok_or_else(unreadable)?);
        self.count.push(i64::try_from(stored.count).map_err(|e| unreadable().because(e))?);
        self.last_reported_at.push(micros(stored.last_reported_at));
        self.service.push(incident.service().as_str().to_owned());
        self.due_at.push(draft.due_at().map(micros));
        self.waiting_since.push(plan::waiting_since(incident).map(micros));
        self.latest_at.push(micros(draft.latest_at()));
        self.expires_at.push(draft.expires_at().map(micros));
        self.open_key.push(draft.open_key().map(|(_, key)| key.as_str().to_owned()));
        self.team.push(incident.team().as_str().to_owned());
        self.state.push(incident.state().as_str());
        self.severity.push(incident.severity().as_str());
        self.unclaimed.push(incident.is_unclaimed());
        self.undelivered.push(incident.is_undelivered());
        self.quiet_by.push(draft.quiet_by().map(RulesId::value));
        self.body.push(stored.body.clone());
        Ok(())
    }

    async fn insert(&self, session: &mut Session, write_id: WriteId) -> Result<(), Failure> {
        if self.number.is_empty() {
            return Ok(());
        }
        let write_id = write_id.value();
        let values: [&(dyn ToSql + Sync); 18] = [
            &self.number,
            &self.version,
            &self.count,
            &self.last_reported_at,
            &self.service,
            &self.due_at,
            &self.waiting_since,
            &self.latest_at,
            &self.expires_at,
            &self.open_key,
            &self.team,
            &self.state,
            &self.severity,
            &self.unclaimed,
            &self.undelivered,
            &self.quiet_by,
            &self.body,
            &write_id,
        ];
        session.execute(ADD_INCIDENTS, &values).await.map(drop)
    }
}

async fn add(session: &mut Session, items: &[Item], incidents: &Columns) -> Result<(), Failure> {
    let write_id = WriteId::new();
    session.begin("BEGIN").await?;
    incidents.insert(session, write_id).await?;
    for item in items {
        match item {
            Item::Incident(_) => {}
            Item::Entry { team, kind, name, body } => {
                let sql = "INSERT INTO roster_entry (team, kind, name, body) VALUES ($1, $2, $3, $4)
                           ON CONFLICT DO NOTHING";
                session.execute(sql, &[team, kind, name, body]).await?;
            }
            Item::Change { number, at, who, what } => {
                let sql =
                    "INSERT INTO roster_change (number, at, who, what, write_id) VALUES ($1, $2, $3, $4, $5)
                           ON CONFLICT DO NOTHING";
                let number = i64::try_from(*number).unwrap_or(i64::MAX);
                session.execute(sql, &[&number, &micros(*at), who, what, &write_id.value()]).await?;
                let sql = "UPDATE roster_version SET last_change = greatest(last_change, $1) WHERE id = 1";
                session.execute(sql, &[&number]).await?;
            }
            Item::Setting { name, value } => {
                let sql = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
                session.execute(sql, &[name, value]).await?;
            }
        }
    }
    session.execute("UPDATE roster_version SET version = version + 1 WHERE id = 1", &[]).await?;
    session.end("COMMIT").await
}

#[async_trait]
impl Source for Moving {
    async fn page(&self, part: Part, after: Option<&Item>, limit: usize) -> Result<Vec<Item>, Outage> {
        page(&mut *self.session.lock().await, part, after, i64::try_from(limit).unwrap_or(i64::MAX)).await
    }

    async fn last_number(&self) -> Result<IncidentNumber, Outage> {
        let sql = "SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM incident_number";
        let row = self.session.lock().await.query_opt(sql, &[]).await.map_err(Failure::of_read)?;
        let row = row.ok_or_else(|| Outage::permanent("the database returned no number"))?;
        Ok(IncidentNumber::new(unsigned(&row, 0)?))
    }
}

#[async_trait]
impl Target for Moving {
    async fn last_incident(&self) -> Result<Option<Item>, Outage> {
        let row = self.session.lock().await.query_opt(LAST_INCIDENT, &[]).await.map_err(Failure::of_read)?;
        row.as_ref().map(incident).transpose()
    }

    async fn add(&self, items: &[Item]) -> Result<(), Outage> {
        let mut incidents = Columns::default();
        for item in items {
            if let Item::Incident(stored) = item {
                incidents.push(stored)?;
            }
        }
        add(&mut *self.session.lock().await, items, &incidents).await.map_err(Failure::of_write)
    }

    async fn number_above(&self, last: IncidentNumber) -> Result<(), Outage> {
        let number = number(last).ok_or_else(|| Outage::permanent("the numbers of incidents are used up"))?;
        let sql = "SELECT setval('incident_number', $1) FROM incident_number
                   WHERE last_value - CASE WHEN is_called THEN 0 ELSE 1 END < $1";
        self.session.lock().await.query(sql, &[&number]).await.map(drop).map_err(Failure::of_write)
    }

    async fn remove_setting(&self, name: &str) -> Result<(), Outage> {
        let sql = "DELETE FROM setting WHERE name = $1";
        self.session.lock().await.execute(sql, &[&name]).await.map(drop).map_err(Failure::of_write)
    }
}
