//! Tables, indexes and migrations.

use std::path::Path;
use std::time::Duration;

use inresponse_core::Outage;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rusqlite_migration::{M, Migrations};

use crate::error::{Moment, outage};

/// The time limit for a write to wait for another process's write.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The oldest version of SQLite that is accepted. Before 3.51.3, SQLite can corrupt a WAL database that several
/// connections write to.
const OLDEST_SQLITE: i32 = 3_051_003;

const V1: &str = "
-- An incident is one row: its body as the core encodes it, and the columns for queries.
-- AUTOINCREMENT, because a number is never used again, whatever is deleted.
CREATE TABLE incident (
    number           INTEGER PRIMARY KEY AUTOINCREMENT,
    version          INTEGER NOT NULL,
    count            INTEGER NOT NULL,
    last_reported_at INTEGER NOT NULL, -- times are Unix microseconds
    service          TEXT    NOT NULL,
    severity         TEXT    NOT NULL,
    state            TEXT    NOT NULL,
    due_at           INTEGER,
    open_key         TEXT,
    waiting_since    INTEGER,
    unclaimed        INTEGER NOT NULL,
    undelivered      INTEGER NOT NULL,
    body             BLOB    NOT NULL
) STRICT;
INSERT INTO sqlite_sequence (name, seq) VALUES ('incident', 9999);

CREATE UNIQUE INDEX incident_by_open_key ON incident (service, open_key) WHERE open_key IS NOT NULL;
CREATE INDEX incident_by_due ON incident (due_at, number) WHERE due_at IS NOT NULL;
CREATE INDEX incident_by_waiting ON incident (waiting_since) WHERE waiting_since IS NOT NULL;
CREATE INDEX incident_by_unclaimed ON incident (undelivered) WHERE unclaimed = 1;
CREATE INDEX incident_by_state ON incident (state, number);
CREATE INDEX incident_by_service ON incident (service, number);
CREATE INDEX incident_by_severity ON incident (severity, number);

CREATE TABLE service (
    name TEXT PRIMARY KEY,
    team TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX service_by_team ON service (team);

CREATE TABLE team (
    name     TEXT PRIMARY KEY,
    settings TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE calendar (
    team TEXT NOT NULL,
    day  TEXT NOT NULL, -- YYYY-MM-DD
    rota TEXT NOT NULL, -- JSON
    PRIMARY KEY (team, day)
) STRICT, WITHOUT ROWID;

-- Counts changes of the roster, so that a process notices changes of other processes.
CREATE TABLE roster_version (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO roster_version (id, version) VALUES (1, 1);

-- Small values that all processes share, such as secrets.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

const V2: &str = "
-- The team that has the incident, which may change. For existing incidents it is taken from the body.
ALTER TABLE incident ADD COLUMN team TEXT NOT NULL DEFAULT '';
UPDATE incident SET team = json_extract(CAST(body AS TEXT), '$.team');
CREATE INDEX incident_by_team ON incident (team, number);
-- The time after which the incident may be deleted; empty: never.
ALTER TABLE incident ADD COLUMN expires_at INTEGER;
CREATE INDEX incident_by_expiry ON incident (expires_at) WHERE expires_at IS NOT NULL;
";

const V3: &str = "
-- The audit records of the newest changes of the roster, numbered in the order of recording.
CREATE TABLE roster_change (
    number INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    what   TEXT    NOT NULL
) STRICT;
";

const V4: &str = "
-- State and severity in one number, for the lists: each of their filters, and each pair of filters, is the prefix of an
-- index that ends with the number of the incident.
ALTER TABLE incident ADD COLUMN kind INTEGER GENERATED ALWAYS AS (
    CASE state WHEN 'OPEN' THEN 0 WHEN 'CLAIMED' THEN 3 WHEN 'RESOLVED' THEN 6 END +
    CASE severity WHEN 'CRIT' THEN 0 WHEN 'ERR' THEN 1 WHEN 'WARN' THEN 2 END
) VIRTUAL;
DROP INDEX incident_by_state;
DROP INDEX incident_by_severity;
DROP INDEX incident_by_service;
DROP INDEX incident_by_team;
CREATE INDEX incident_by_kind ON incident (kind);
CREATE INDEX incident_by_service ON incident (service, kind);
CREATE INDEX incident_by_team ON incident (team, kind);
CREATE INDEX incident_by_service_and_team ON incident (service, team, kind);

-- The latest time in the incident; empty: unknown. It is in the index of due times, so that after the clock went back
-- only incidents with a time after the clock are read.
ALTER TABLE incident ADD COLUMN latest_at INTEGER;
DROP INDEX incident_by_due;
CREATE INDEX incident_by_due ON incident (due_at, number, latest_at) WHERE due_at IS NOT NULL;

-- The number of incidents in each state. Triggers keep it, so that writes of an older server are counted too.
CREATE TABLE tally (
    state       TEXT    NOT NULL,
    unclaimed   INTEGER NOT NULL,
    undelivered INTEGER NOT NULL,
    incidents   INTEGER NOT NULL,
    PRIMARY KEY (state, unclaimed, undelivered)
) STRICT, WITHOUT ROWID;
INSERT INTO tally SELECT state, unclaimed, undelivered, count(*) FROM incident GROUP BY 1, 2, 3;
DROP INDEX incident_by_unclaimed;
CREATE TRIGGER incident_comes AFTER INSERT ON incident BEGIN
    INSERT INTO tally VALUES (NEW.state, NEW.unclaimed, NEW.undelivered, 1)
        ON CONFLICT DO UPDATE SET incidents = incidents + 1;
END;
CREATE TRIGGER incident_changes AFTER UPDATE OF state, unclaimed, undelivered ON incident
WHEN (OLD.state, OLD.unclaimed, OLD.undelivered) IS NOT (NEW.state, NEW.unclaimed, NEW.undelivered) BEGIN
    UPDATE tally SET incidents = incidents - 1
        WHERE state = OLD.state AND unclaimed = OLD.unclaimed AND undelivered = OLD.undelivered;
    INSERT INTO tally VALUES (NEW.state, NEW.unclaimed, NEW.undelivered, 1)
        ON CONFLICT DO UPDATE SET incidents = incidents + 1;
END;
CREATE TRIGGER incident_goes AFTER DELETE ON incident BEGIN
    UPDATE tally SET incidents = incidents - 1
        WHERE state = OLD.state AND unclaimed = OLD.unclaimed AND undelivered = OLD.undelivered;
END;
";

const V5: &str = "
-- The roster: an entry is one row, and a new kind of entry needs no new table.
CREATE TABLE roster_entry (
    team TEXT NOT NULL, -- the team to which the entry belongs, and with which it is deleted; empty: none
    kind TEXT NOT NULL,
    name TEXT NOT NULL, -- unique among the entries of the same team and kind
    body TEXT NOT NULL, -- JSON
    PRIMARY KEY (team, kind, name)
) STRICT, WITHOUT ROWID;
INSERT INTO roster_entry SELECT '', 'service', name, json_object('team', team) FROM service;
INSERT INTO roster_entry SELECT name, 'team', '', settings FROM team;
INSERT INTO roster_entry SELECT team, 'day', day, rota FROM calendar;
-- The services that a team owns.
CREATE INDEX roster_entry_by_owner ON roster_entry (json_extract(body, '$.team')) WHERE kind = 'service';
DROP TABLE service;
DROP TABLE team;
DROP TABLE calendar;
-- Views for an older server that still runs: it reads the roster from them, and refuses changes until it is replaced.
CREATE VIEW service AS
    SELECT name, json_extract(body, '$.team') AS team FROM roster_entry WHERE kind = 'service';
CREATE VIEW team AS SELECT team AS name, body AS settings FROM roster_entry WHERE kind = 'team';
CREATE VIEW calendar AS SELECT team, name AS day, body AS rota FROM roster_entry WHERE kind = 'day';
";

const V6: &str = "
-- The rules by which a quiet incident was judged; empty: it is not quiet.
ALTER TABLE incident ADD COLUMN quiet_by INTEGER;
CREATE INDEX incident_by_quiet ON incident (due_at, number, quiet_by) WHERE quiet_by IS NOT NULL;
";

const VERSIONS: [&str; 6] = [V1, V2, V3, V4, V5, V6];

fn migrations() -> Migrations<'static> {
    Migrations::new(VERSIONS.map(M::up).to_vec())
}

/// The version of this program's schema.
pub(crate) fn schema_version() -> i64 {
    i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX)
}

/// The schema version of a database.
pub(crate) fn stored_version(connection: &Connection) -> Result<i64, Outage> {
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0));
    version.map_err(|e| outage(e, Moment::BeforeCommit))
}

/// Makes an empty database in memory with the schema of that version.
pub(crate) fn at_version(version: i64) -> Result<Connection, Outage> {
    let mut connection = Connection::open_in_memory().map_err(|e| outage(e, Moment::BeforeCommit))?;
    let version = usize::try_from(version).unwrap_or_default();
    migrations()
        .to_version(&mut connection, version)
        .map_err(|e| Outage::permanent("the schema of that version cannot be made").because(e))?;
    Ok(connection)
}

/// Opens the file for writing, and migrates the database to this version's schema.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, Outage> {
    create_private(path)?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    prepare(connection)
}

/// Opens the file for writing again. A newer version of the program may have migrated the schema in between. The
/// writes of this version are also correct in a newer schema, so the process continues until it is replaced.
pub(crate) fn open_writer_again(path: &Path) -> Result<Connection, Outage> {
    create_private(path)?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if stored_version(&connection)? <= schema_version() {
        return prepare(connection);
    }
    make_durable(&connection)?;
    checkpoint(&connection)?;
    Ok(connection)
}

/// Opens the file for writing, creates it if it does not exist, and locks it: nobody else can open it until the
/// connection is closed. All content is moved into one file.
pub(crate) fn open_alone(path: &Path) -> Result<Connection, Outage> {
    create_private(path)?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    lock(&connection, path)?;
    connection.execute_batch("COMMIT").map_err(|e| outage(e, Moment::BeforeCommit))?;
    Ok(connection)
}

/// Migrates a database that nobody else can open to this version's schema.
pub(crate) fn migrate_alone(connection: &mut Connection) -> Result<(), Outage> {
    connection.pragma_update(None, "synchronous", "FULL").map_err(|e| outage(e, Moment::BeforeCommit))?;
    to_latest(connection)
}

/// Makes sure that nobody else uses the database, moves all its content into one file, and begins a transaction. The
/// lock is held until the connection is closed.
pub(crate) fn lock(connection: &Connection, path: &Path) -> Result<(), Outage> {
    let locked = || {
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        one_file(connection)?;
        connection.execute_batch("BEGIN EXCLUSIVE")
    };
    locked().map_err(|e| match e.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Outage::permanent(format!("{} is in use: stop the servers first", path.display())).because(e)
        }
        _ => outage(e, Moment::BeforeCommit),
    })
}

/// Leaves WAL mode. Only the last process that has the database open can leave this mode.
pub(crate) fn one_file(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0)).map(drop)
}

/// Opens the file for reading.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, Outage> {
    // Read-write at the level of the file, since a reader of a WAL database maintains its shared memory.
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true).map_err(|e| outage(e, Moment::BeforeCommit))?;
    Ok(connection)
}

fn open(path: &Path, access: OpenFlags) -> Result<Connection, Outage> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Outage::permanent(format!("SQLite {} is too old", rusqlite::version())));
    }
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| outage(e, Moment::BeforeCommit))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|e| outage(e, Moment::BeforeCommit))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Makes a connection and its existing data durable, and migrates the database to this version's schema.
///
/// The function is public for callers of [`write_batch`](crate::write_batch) that have no writer thread.
///
/// # Errors
/// The file cannot be written, is not a database, or was made by a newer version.
pub fn prepare(mut connection: Connection) -> Result<Connection, Outage> {
    make_durable(&connection)?;
    // Before anything is sorted in memory: what an old database holds may be more than fits there.
    to_latest(&mut connection)?;
    checkpoint(&connection)?;
    Ok(connection)
}

fn to_latest(connection: &mut Connection) -> Result<(), Outage> {
    migrations().to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => outage(err, Moment::BeforeCommit),
        rusqlite_migration::Error::MigrationDefinition(
            rusqlite_migration::MigrationDefinitionError::DatabaseTooFarAhead,
        ) => Outage::permanent("the database was made by a newer version of this program"),
        other => Outage::permanent("the database's schema cannot be brought up to date").because(other),
    })
}

fn make_durable(connection: &Connection) -> Result<(), Outage> {
    let failed = |e| outage(e, Moment::BeforeCommit);
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update(None, "cache_size", -8_192).map_err(failed)
}

/// A killed process may have committed data that is not synced. A checkpoint begins with a sync, so the data is durable
/// before anybody reads it.
fn checkpoint(connection: &Connection) -> Result<(), Outage> {
    let failed = |e| outage(e, Moment::BeforeCommit);
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).map_err(failed)
}

/// Creates the file if it does not exist, readable by its owner only, because it contains secrets. SQLite gives its WAL
/// files the same permissions.
pub(crate) fn create_private(path: &Path) -> Result<(), Outage> {
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let message = format!("the database {} cannot be created: {error}", path.display());
            Err(Outage::permanent(message).because(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_are_sound() {
        migrations().validate().unwrap();
    }

    #[test]
    fn p09_a_server_that_is_older_than_its_database_by_now_goes_on_and_none_is_started() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let newer = open_writer(&path).unwrap();
        newer.pragma_update(None, "user_version", schema_version() + 1).unwrap();
        assert!(open_writer(&path).unwrap_err().to_string().contains("newer version"));
        let older = open_writer_again(&path).unwrap();
        let pragma = |name: &str| older.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
        assert_eq!(pragma("synchronous"), Ok(2), "FULL");
    }
}
