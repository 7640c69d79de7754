//! The roster in SQLite, held in memory and read anew when it changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate};
use inresponse_core::Outage;
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{ChangeMark, Deleted, Roster, RosterChange, Rota, Team, TeamDeleted};
use rusqlite::Connection;
use serde_json::from_str;

use crate::batch::{RosterEdit, Write, Written};
use crate::readers::Readers;
use crate::writer::Writer;

/// How soon what another process wrote is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Services, teams and calendars in SQLite. Cheap to clone.
///
/// The whole roster is held in memory; a thread notices within half a second what another process wrote. Of the
/// changes that were noted, the newest 10,000 are kept.
#[derive(Debug, Clone)]
pub struct SqliteRoster {
    writer: Writer,
    readers: Readers,
    cache: Arc<Cache>,
    /// The thread that looks for changes ends when the last roster drops this.
    _watched: Arc<mpsc::Sender<()>>,
}

#[derive(Debug, Default)]
struct Cache {
    snapshot: Mutex<Arc<Snapshot>>,
}

#[derive(Debug, Default)]
struct Snapshot {
    version: u64,
    services: HashMap<ServiceName, TeamName>,
    teams: HashMap<TeamName, Arc<Team>>,
    calendars: HashMap<TeamName, BTreeMap<NaiveDate, Arc<Rota>>>,
}

impl Cache {
    fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a newer snapshot; an older one lost a race and is dropped.
    fn offer(&self, snapshot: Snapshot) {
        let mut current = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if snapshot.version > current.version {
            *current = Arc::new(snapshot);
        }
    }
}

impl SqliteRoster {
    /// Reads the roster and starts to watch it, on a connection of its own.
    pub(crate) fn start(writer: Writer, readers: Readers, watcher: Connection) -> Result<Self, Outage> {
        let cache = Arc::new(Cache::default());
        let failed = |e| crate::error::outage(e, crate::error::Moment::BeforeCommit);
        cache.offer(read_all(&watcher).map_err(failed)?);
        let (watched, gone) = mpsc::channel();
        let watching = Arc::clone(&cache);
        std::thread::Builder::new()
            .name("inresponse-roster".into())
            .spawn(move || watch(&watcher, &watching, &gone))
            .map_err(|e| Outage::retryable("the roster's thread could not be started").because(e))?;
        Ok(Self { writer, readers, cache, _watched: Arc::new(watched) })
    }

    async fn edit(&self, edit: RosterEdit) -> Result<Written, Outage> {
        let written = self.writer.write(Write::Roster(edit)).await?;
        let snapshot = self.readers.read(read_all).await;
        match snapshot {
            Ok(snapshot) => self.cache.offer(snapshot),
            // The change is durable; the watching thread brings it in soon.
            Err(error) => tracing::warn!(error = %error, "the roster could not be read after a change"),
        }
        Ok(written)
    }
}

fn watch(connection: &Connection, cache: &Cache, gone: &mpsc::Receiver<()>) {
    while let Err(mpsc::RecvTimeoutError::Timeout) = gone.recv_timeout(LOOK_EVERY) {
        let look = || {
            if read_version(connection)? > cache.current().version {
                cache.offer(read_all(connection)?);
            }
            Ok::<_, rusqlite::Error>(())
        };
        if let Err(error) = look() {
            tracing::warn!(error = %error, "the roster could not be read; the last one known is used");
        }
    }
}

fn read_version(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT version FROM roster_version WHERE id = 1")?
        .query_row([], |row| row.get(0))
}

/// Reads everything in one transaction. What cannot be read is left out, with a line in the log.
fn read_all(connection: &Connection) -> rusqlite::Result<Snapshot> {
    let transaction = connection.unchecked_transaction()?;
    let mut snapshot = Snapshot { version: read_version(&transaction)?, ..Snapshot::default() };

    let mut statement = transaction.prepare_cached("SELECT name, team FROM service")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, team): (String, String) = (row.get(0)?, row.get(1)?);
        let entry = || Ok::<_, Unreadable>((ServiceName::new(&name)?, TeamName::new(team)?));
        snapshot.services.extend(readable(entry(), &name));
    }
    let mut statement = transaction.prepare_cached("SELECT name, settings FROM team")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, settings): (String, String) = (row.get(0)?, row.get(1)?);
        let entry = || Ok::<_, Unreadable>((TeamName::new(&name)?, Arc::new(from_str(&settings)?)));
        snapshot.teams.extend(readable(entry(), &name));
    }
    let mut statement = transaction.prepare_cached("SELECT team, day, rota FROM calendar")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (team, day, rota): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let entry = || Ok::<_, Unreadable>((TeamName::new(&team)?, day.parse()?, Arc::new(from_str(&rota)?)));
        if let Some((team, day, rota)) = readable(entry(), &team) {
            snapshot.calendars.entry(team).or_default().insert(day, rota);
        }
    }
    Ok(snapshot)
}

fn read_changes(
    connection: &Connection,
    below: i64,
    limit: i64,
) -> rusqlite::Result<Vec<(ChangeMark, RosterChange)>> {
    let sql =
        "SELECT number, at, who, what FROM roster_change WHERE number < ?1 ORDER BY number DESC LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([below, limit])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, at, who, what): (u64, i64, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let entry = || {
            let at = DateTime::from_timestamp_micros(at).ok_or("its time is out of range")?;
            Ok::<_, Unreadable>((
                ChangeMark::numbered(number),
                RosterChange::new(at, Person::new(who)?, &what),
            ))
        };
        changes.extend(readable(entry(), "roster_change"));
    }
    Ok(changes)
}

type Unreadable = Box<dyn std::error::Error + Send + Sync>;

fn readable<T>(entry: Result<T, Unreadable>, name: &str) -> Option<T> {
    entry.map_err(|error| tracing::error!(name, error = %error, "an entry of the roster cannot be read")).ok()
}

#[async_trait]
impl Roster for SqliteRoster {
    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        Ok(self.cache.current().services.get(service).cloned())
    }

    async fn team(&self, team: &TeamName) -> Result<Option<Arc<Team>>, Outage> {
        Ok(self.cache.current().teams.get(team).cloned())
    }

    async fn day(&self, team: &TeamName, day: NaiveDate) -> Result<Option<Arc<Rota>>, Outage> {
        Ok(self.cache.current().calendars.get(team).and_then(|days| days.get(&day)).cloned())
    }

    async fn knows_team(&self, team: &TeamName) -> Result<bool, Outage> {
        let snapshot = self.cache.current();
        Ok(snapshot.teams.contains_key(team) || snapshot.calendars.contains_key(team))
    }

    async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        let snapshot = self.cache.current();
        let names: BTreeSet<&TeamName> = snapshot.teams.keys().chain(snapshot.calendars.keys()).collect();
        Ok(names.into_iter().cloned().collect())
    }

    async fn put_service(&self, service: &ServiceName, team: &TeamName) -> Result<(), Outage> {
        let edit = RosterEdit::PutService { service: service.clone(), team: team.clone() };
        self.edit(edit).await.map(|_| ())
    }

    async fn put_team(&self, team: &TeamName, settings: &Team) -> Result<(), Outage> {
        let settings = Box::new(settings.clone());
        self.edit(RosterEdit::PutTeam { team: team.clone(), settings }).await.map(|_| ())
    }

    async fn put_day(&self, team: &TeamName, day: NaiveDate, rota: &Rota) -> Result<(), Outage> {
        let edit = RosterEdit::PutDay { team: team.clone(), day, rota: rota.clone() };
        self.edit(edit).await.map(|_| ())
    }

    async fn delete_service(&self, service: &ServiceName) -> Result<Deleted, Outage> {
        deleted(self.edit(RosterEdit::DeleteService { service: service.clone() }).await?)
    }

    async fn delete_team(&self, team: &TeamName) -> Result<TeamDeleted, Outage> {
        match self.edit(RosterEdit::DeleteTeam { team: team.clone() }).await? {
            Written::TeamDeleted(deleted) => Ok(deleted),
            other => Err(Outage::permanent(format!("the writer answered another question: {other:?}"))),
        }
    }

    async fn delete_day(&self, team: &TeamName, day: NaiveDate) -> Result<Deleted, Outage> {
        deleted(self.edit(RosterEdit::DeleteDay { team: team.clone(), day }).await?)
    }

    async fn note_change(&self, change: &RosterChange) -> Result<(), Outage> {
        self.writer.write(Write::NoteChange(change.clone())).await.map(|_| ())
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        let below =
            before.map_or(i64::MAX, |mark| mark.number().and_then(|n| n.try_into().ok()).unwrap_or(0));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.read(move |connection| read_changes(connection, below, limit)).await
    }
}

fn deleted(written: Written) -> Result<Deleted, Outage> {
    match written {
        Written::Deleted(deleted) => Ok(deleted),
        other => Err(Outage::permanent(format!("the writer answered another question: {other:?}"))),
    }
}
