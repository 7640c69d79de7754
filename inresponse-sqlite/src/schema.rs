//! Tables, indexes and migrations.

use std::path::Path;
use std::time::Duration;

use inresponse_core::Outage;
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use crate::error::{Moment, outage};

/// How long a write waits for another process's write.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// SQLite before 3.51.3 can corrupt a WAL database that several connections write to.
const OLDEST_SQLITE: i32 = 3_051_003;

const V1: &str = "
-- An incident is one row: its body as the core encodes it, and what is looked for.
-- AUTOINCREMENT, since a number is never used again, whatever is deleted.
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

-- Counts changes of the roster, so that a process notices what another one wrote.
CREATE TABLE roster_version (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO roster_version (id, version) VALUES (1, 1);

-- Secrets that are made once.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

const V2: &str = "
-- The team that has it, which may change; the body says it of those that are there.
ALTER TABLE incident ADD COLUMN team TEXT NOT NULL DEFAULT '';
UPDATE incident SET team = json_extract(CAST(body AS TEXT), '$.team');
CREATE INDEX incident_by_team ON incident (team, number);
-- When nobody needs it any more; empty: never.
ALTER TABLE incident ADD COLUMN expires_at INTEGER;
CREATE INDEX incident_by_expiry ON incident (expires_at) WHERE expires_at IS NOT NULL;
";

const V3: &str = "
-- Who changed the roster: the newest ones, numbered as they were noted.
CREATE TABLE roster_change (
    number INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    what   TEXT    NOT NULL
) STRICT;
";

const VERSIONS: [&str; 3] = [V1, V2, V3];

fn migrations() -> Migrations<'static> {
    Migrations::new(VERSIONS.map(M::up).to_vec())
}

/// The number of this version's schema.
pub(crate) fn schema_version() -> i64 {
    i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX)
}

/// Opens the file for writing and brings it to this version's schema.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, Outage> {
    create_private(path)?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    prepare(connection)
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

/// Makes a connection durable, with all that it finds, and brings its database to this version's schema.
///
/// For whoever runs [`write_batch`](crate::write_batch) without the writer's thread.
///
/// # Errors
/// The database cannot be written, is none, or was made by a newer version.
pub fn prepare(mut connection: Connection) -> Result<Connection, Outage> {
    let failed = |e| outage(e, Moment::BeforeCommit);
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    connection.pragma_update(None, "cache_size", -8_192).map_err(failed)?;
    migrations().to_latest(&mut connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => failed(err),
        rusqlite_migration::Error::MigrationDefinition(
            rusqlite_migration::MigrationDefinitionError::DatabaseTooFarAhead,
        ) => Outage::permanent("the database was made by a newer version of this program"),
        other => Outage::permanent("the database's schema cannot be brought up to date").because(other),
    })?;
    // What a process that was killed had committed may be there without being synced. A checkpoint begins with a
    // sync: so it is durable before anybody is told of it.
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).map_err(failed)?;
    Ok(connection)
}

/// Creates the file if it is absent, readable by its owner only: it holds secrets. Its WAL files follow it.
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
}
