//! Tables, indexes, triggers and migrations.

use std::time::Duration;

use inresponse_core::Outage;
use tokio_postgres::Row;

use crate::error::Failure;
use crate::session::Session;

/// The oldest version of PostgreSQL that is accepted, as `server_version_num`.
const OLDEST_SERVER: i32 = 150_000;

/// The advisory lock that a migration holds, so that servers that start together migrate one after the other.
const LOCK: i64 = 0x1A2E_5903_5E00;

/// The time limit for each statement of a migration, and for its wait for another server's migration.
const PATIENCE: Duration = Duration::from_secs(600);

const V1: &str = r#"
-- A number is never used again. One session must not take several in advance, because a later report gets a higher number.
CREATE SEQUENCE incident_number AS BIGINT START WITH 10000 CACHE 1 NO CYCLE;

-- An incident is one row: its body as the core encodes it, and the columns for queries. Times are Unix microseconds.
-- Pages are filled by three quarters, so that most new versions of a row fit beside the old one.
CREATE TABLE incident (
    number           BIGINT   NOT NULL CONSTRAINT incident_by_number PRIMARY KEY,
    version          BIGINT   NOT NULL,
    count            BIGINT   NOT NULL,
    last_reported_at BIGINT   NOT NULL,
    service          TEXT     COLLATE "C" NOT NULL,
    create_id        BIGINT   NOT NULL, -- the id of the write that created the incident
    commit_id        BIGINT   NOT NULL, -- the id of the last commit
    repeat_id        BIGINT   NOT NULL, -- the id of the last report that was counted
    due_at           BIGINT,
    waiting_since    BIGINT,
    latest_at        BIGINT   NOT NULL,
    expires_at       BIGINT,
    open_key         TEXT     COLLATE "C",
    team             TEXT     COLLATE "C" NOT NULL,
    state            TEXT     COLLATE "C" NOT NULL,
    severity         TEXT     COLLATE "C" NOT NULL,
    unclaimed        BOOLEAN  NOT NULL,
    undelivered      BOOLEAN  NOT NULL,
    body             BYTEA    NOT NULL,
    -- State and severity in one number, for the lists.
    kind             SMALLINT NOT NULL GENERATED ALWAYS AS (
        CASE state WHEN 'OPEN' THEN 0 WHEN 'CLAIMED' THEN 3 WHEN 'RESOLVED' THEN 6 ELSE 9 END +
        CASE severity WHEN 'CRIT' THEN 0 WHEN 'ERR' THEN 1 WHEN 'WARN' THEN 2 ELSE 3 END
    ) STORED
) WITH (fillfactor = 75);
CREATE UNIQUE INDEX incident_by_open_key ON incident (service, open_key) WHERE open_key IS NOT NULL;
CREATE INDEX incident_by_due ON incident (due_at, number) WHERE due_at IS NOT NULL;
CREATE INDEX incident_by_waiting ON incident (waiting_since) WHERE waiting_since IS NOT NULL;
CREATE INDEX incident_by_expiry ON incident (expires_at) WHERE expires_at IS NOT NULL;
-- Each filter of the lists is the front of an index that ends with the number of the incident.
CREATE INDEX incident_by_kind ON incident (kind, number);
CREATE INDEX incident_by_service ON incident (service, kind, number);
CREATE INDEX incident_by_team ON incident (team, kind, number);

-- The number of incidents in each state, as sums over the shards. Each session counts in one shard, so that sessions
-- seldom wait for each other.
CREATE TABLE tally (
    shard       INT    NOT NULL PRIMARY KEY,
    open        BIGINT NOT NULL DEFAULT 0,
    claimed     BIGINT NOT NULL DEFAULT 0,
    resolved    BIGINT NOT NULL DEFAULT 0,
    unclaimed   BIGINT NOT NULL DEFAULT 0,
    undelivered BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO tally (shard) SELECT generate_series(0, 63);
CREATE FUNCTION incident_counted() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    -- A row that does not exist has no state.
    UPDATE tally SET
        open = open + coalesce((NEW.state = 'OPEN')::INT, 0) - coalesce((OLD.state = 'OPEN')::INT, 0),
        claimed = claimed + coalesce((NEW.state = 'CLAIMED')::INT, 0) - coalesce((OLD.state = 'CLAIMED')::INT, 0),
        resolved = resolved + coalesce((NEW.state = 'RESOLVED')::INT, 0) - coalesce((OLD.state = 'RESOLVED')::INT, 0),
        unclaimed = unclaimed + coalesce(NEW.unclaimed::INT, 0) - coalesce(OLD.unclaimed::INT, 0),
        undelivered = undelivered + coalesce(NEW.undelivered::INT, 0) - coalesce(OLD.undelivered::INT, 0)
    WHERE shard = pg_backend_pid() % 64;
    RETURN NULL;
END
$$;
CREATE TRIGGER incident_comes_or_goes AFTER INSERT OR DELETE ON incident
    FOR EACH ROW EXECUTE FUNCTION incident_counted();
CREATE TRIGGER incident_changes AFTER UPDATE OF state, unclaimed, undelivered ON incident FOR EACH ROW
    WHEN ((OLD.state, OLD.unclaimed, OLD.undelivered) IS DISTINCT FROM (NEW.state, NEW.unclaimed, NEW.undelivered))
    EXECUTE FUNCTION incident_counted();

-- The roster: an entry is one row, and a new kind of entry needs no new table.
CREATE TABLE roster_entry (
    team TEXT COLLATE "C" NOT NULL, -- the team to which the entry belongs, and with which it is deleted; empty: none
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL, -- unique among the entries of the same team and kind
    body TEXT NOT NULL, -- JSON
    PRIMARY KEY (team, kind, name)
);
-- The audit records of the newest changes to the roster, numbered in the order of recording.
CREATE TABLE roster_change (
    number   BIGINT NOT NULL PRIMARY KEY,
    at       BIGINT NOT NULL,
    who      TEXT   NOT NULL,
    what     TEXT   NOT NULL,
    write_id BIGINT NOT NULL
);
-- Counts the changes to the roster, so that a server notices changes by other servers. An edit of the roster locks this row.
CREATE TABLE roster_version (
    id          INT    NOT NULL PRIMARY KEY CHECK (id = 1),
    version     BIGINT NOT NULL,
    last_change BIGINT NOT NULL
);
INSERT INTO roster_version VALUES (1, 1, 0);

-- Small values that all servers share, such as secrets.
CREATE TABLE setting (
    name  TEXT  COLLATE "C" NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
"#;

const V2: &str = "
-- The rules by which a quiet incident was judged; empty: it is not quiet.
ALTER TABLE incident ADD COLUMN quiet_by BIGINT;
CREATE INDEX incident_by_quiet ON incident (due_at, number, quiet_by) WHERE quiet_by IS NOT NULL;
";

const VERSIONS: [&str; 2] = [V1, V2];

const STORED_VERSION: &str = "SELECT version FROM inresponse_schema";

/// The schema of a database, compared with the one of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Schema {
    /// The database has no tables of this program.
    Absent,
    /// The schema was made by an older version of this program.
    Older,
    /// The schema is that of this program.
    Current,
    /// The schema was made by a newer version of this program.
    Newer,
}

fn current() -> i32 {
    i32::try_from(VERSIONS.len()).unwrap_or(i32::MAX)
}

/// Looks at the schema of the database, and refuses a database that cannot be used.
pub(crate) async fn look(session: &mut Session) -> Result<Schema, Outage> {
    let sql = "SELECT current_setting('server_version_num')::INT, current_setting('server_encoding'),
               current_setting('fsync'), current_setting('full_page_writes'), to_regclass('inresponse_schema') IS NOT NULL";
    let row = session.query_opt(sql, &[]).await.map_err(Failure::of_read)?;
    let row = row.ok_or_else(|| Outage::permanent("the database does not tell its version"))?;
    let (version, encoding): (i32, String) = (get(&row, 0)?, get(&row, 1)?);
    if version < OLDEST_SERVER {
        let (version, oldest) = (version / 10_000, OLDEST_SERVER / 10_000);
        return Err(Outage::permanent(format!(
            "PostgreSQL {version} is too old; {oldest} is the oldest supported"
        )));
    }
    if encoding != "UTF8" {
        return Err(Outage::permanent(format!(
            "the encoding of the database is {encoding}; it must be UTF8"
        )));
    }
    for (place, setting) in [(2, "fsync"), (3, "full_page_writes")] {
        if get::<String>(&row, place)? == "off" {
            tracing::warn!(
                "{setting} is off in the database's server, so a crash of its machine may lose incidents"
            );
        }
    }
    if !get::<bool>(&row, 4)? {
        return Ok(Schema::Absent);
    }
    let row = session.query_opt(STORED_VERSION, &[]).await.map_err(Failure::of_read)?;
    let stored = row.map_or(Ok(0), |row| get::<i32>(&row, 0))?;
    Ok(match stored.cmp(&current()) {
        std::cmp::Ordering::Less => Schema::Older,
        std::cmp::Ordering::Equal => Schema::Current,
        std::cmp::Ordering::Greater => Schema::Newer,
    })
}

/// Migrates the database to this version's schema, in one transaction. Servers that start together migrate one after
/// the other.
pub(crate) async fn migrate(session: &mut Session) -> Result<(), Outage> {
    migrate_or_fail(session).await.map_err(|failure| {
        let outage = failure.of_write();
        // A migration that may have happened is not repeated if it did.
        Outage::new(outage.kind(), "the database's schema cannot be brought up to date").because(outage)
    })
}

async fn migrate_or_fail(session: &mut Session) -> Result<(), Failure> {
    session.begin("BEGIN").await?;
    let patience = PATIENCE.as_millis();
    session
        .batch(&format!("SET LOCAL lock_timeout = {patience}; SET LOCAL statement_timeout = {patience}"))
        .await?;
    session.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    session.batch("CREATE TABLE IF NOT EXISTS inresponse_schema (version INT NOT NULL)").await?;
    let row = session.query_opt(STORED_VERSION, &[]).await?;
    let stored = row.map_or(0, |row| row.get::<_, i32>(0));
    for version in VERSIONS.iter().skip(usize::try_from(stored).unwrap_or_default()) {
        session.batch(version).await?;
    }
    if stored < current() {
        session.batch("DELETE FROM inresponse_schema").await?;
        session.execute("INSERT INTO inresponse_schema VALUES ($1)", &[&current()]).await?;
    }
    session.end("COMMIT").await
}

/// The refusal of a database of a newer version.
pub(crate) fn newer() -> Outage {
    Outage::permanent("the database was made by a newer version of this program")
}

/// The patience of a migration on the side of the client.
pub(crate) fn patience() -> Duration {
    PATIENCE + Duration::from_secs(10)
}

fn get<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, place: usize) -> Result<T, Outage> {
    row.try_get(place).map_err(|e| Outage::permanent("the database does not tell its settings").because(e))
}
