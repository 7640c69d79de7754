//! The roster in SQLite, held in memory and read anew when another process changes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate};
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{ChangeMark, Deleted, Roster, RosterChange, Rota, Team, TeamDeleted};
use inresponse_core::{Chain, Outage};
use rusqlite::Connection;
use serde_json::from_str;

use crate::batch::{Edited, RosterEdit, Write, Written};
use crate::readers::Readers;
use crate::writer::Writer;

/// How soon what another process wrote is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Services, teams and calendars in SQLite. Cheap to clone.
///
/// The whole roster is held in memory, and a change made here is followed there; a thread notices within half a
/// second what another process wrote, and reads all of it anew. Of the changes that were noted, the newest 10,000
/// are kept.
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
    snapshot: RwLock<Snapshot>,
}

#[derive(Debug, Default, PartialEq)]
struct Snapshot {
    version: u64,
    services: HashMap<ServiceName, TeamName>,
    teams: HashMap<TeamName, Arc<Team>>,
    calendars: HashMap<TeamName, BTreeMap<NaiveDate, Arc<Rota>>>,
}

impl Cache {
    fn current(&self) -> RwLockReadGuard<'_, Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> RwLockWriteGuard<'_, Snapshot> {
        self.snapshot.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a newer snapshot; an older one lost a race and is dropped.
    fn offer(&self, snapshot: Snapshot) {
        let mut current = self.changing();
        if snapshot.version > current.version {
            let old = std::mem::replace(&mut *current, snapshot);
            drop(current);
            drop(old);
        }
    }

    /// Follows a change that led to a version. Answers whether the cache holds it now: not where others changed
    /// something before it that was not read yet.
    #[must_use]
    fn follow(&self, edit: RosterEdit, edited: &Edited, version: u64) -> bool {
        let mut current = self.changing();
        if current.version + 1 == version {
            current.apply(edit, edited);
            current.version = version;
        }
        current.version >= version
    }
}

impl Snapshot {
    fn apply(&mut self, edit: RosterEdit, edited: &Edited) {
        match edit {
            RosterEdit::PutService { service, team } => _ = self.services.insert(service, team),
            RosterEdit::PutTeam { team, settings } => _ = self.teams.insert(team, Arc::from(settings)),
            RosterEdit::PutDay { team, day, rota } => {
                self.calendars.entry(team).or_default().insert(day, Arc::new(rota));
            }
            RosterEdit::DeleteService { service } => _ = self.services.remove(&service),
            RosterEdit::DeleteTeam { team } => {
                if matches!(edited, Edited::TeamDeleted(TeamDeleted::Gone)) {
                    self.teams.remove(&team);
                    self.calendars.remove(&team);
                }
            }
            RosterEdit::DeleteDay { team, day } => {
                if let Some(days) = self.calendars.get_mut(&team) {
                    days.remove(&day);
                    if days.is_empty() {
                        self.calendars.remove(&team);
                    }
                }
            }
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

    async fn edit(&self, edit: RosterEdit) -> Result<Edited, Outage> {
        let (edited, version) = match self.writer.write(Write::Roster(edit.clone())).await? {
            Written::Edited { edited, version } => (edited, version),
            other => return Err(other_question(&other)),
        };
        if !self.cache.follow(edit, &edited, version) {
            match self.readers.read(read_all).await {
                Ok(snapshot) => self.cache.offer(snapshot),
                // The change is durable; the watching thread brings it in soon.
                Err(error) => {
                    tracing::warn!(error = %Chain::of(&error), "the roster could not be read after a change")
                }
            }
        }
        Ok(edited)
    }
}

fn watch(connection: &Connection, cache: &Cache, gone: &mpsc::Receiver<()>) {
    while let Err(mpsc::RecvTimeoutError::Timeout) = gone.recv_timeout(LOOK_EVERY) {
        let look = || {
            let known = cache.current().version;
            if read_version(connection)? > known {
                cache.offer(read_all(connection)?);
            }
            Ok::<_, rusqlite::Error>(())
        };
        if let Err(error) = look() {
            tracing::warn!(error = %Chain::of(&error), "the roster could not be read; the last one known is used");
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
    entry.map_err(|error| tracing::error!(name, error = %Chain::of(&*error), "an entry of the roster cannot be read")).ok()
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
            Edited::TeamDeleted(deleted) => Ok(deleted),
            other => Err(other_question(&other)),
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

fn deleted(edited: Edited) -> Result<Deleted, Outage> {
    match edited {
        Edited::Deleted(deleted) => Ok(deleted),
        other => Err(other_question(&other)),
    }
}

fn other_question(answer: &dyn std::fmt::Debug) -> Outage {
    Outage::permanent(format!("the writer answered another question: {answer:?}"))
}

#[cfg(test)]
mod tests {
    use inresponse_core::model::Contact;

    use super::*;
    use crate::{Database, SqliteConfig};

    /// What is held in memory is what one who reads it all finds, whoever changed it.
    #[tokio::test]
    async fn p09_the_roster_in_memory_follows_every_change() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Database::open(SqliteConfig::new(dir.path().join("r.db")));
        let (here, elsewhere) = (open().await.unwrap().roster(), open().await.unwrap().roster());
        let team = |name: &str| TeamName::new(name).unwrap();
        let service = |name: &str| ServiceName::new(name).unwrap();
        let jo = || vec![Contact::new("jo@example.org").unwrap()];
        let settings = |repeat| Team::builder(jo()).repeat(repeat).build().unwrap();
        let rota = Rota::new(jo(), Vec::new()).unwrap();
        let day = |n| NaiveDate::from_ymd_opt(2027, 1, n).unwrap();
        for step in 0..12 {
            match step {
                0 => here.put_team(&team("a"), &settings(1)).await.unwrap(),
                1 => here.put_service(&service("athens"), &team("a")).await.unwrap(),
                2 => elsewhere.put_team(&team("b"), &settings(1)).await.unwrap(),
                3 => here.put_day(&team("b"), day(1), &rota).await.unwrap(),
                4 => here.put_team(&team("a"), &settings(2)).await.unwrap(),
                5 => assert!(matches!(
                    here.delete_team(&team("a")).await.unwrap(),
                    TeamDeleted::OwnsService(_)
                )),
                6 => elsewhere.put_service(&service("athens"), &team("b")).await.unwrap(),
                7 => assert_eq!(here.delete_team(&team("a")).await.unwrap(), TeamDeleted::Gone),
                8 => assert_eq!(here.delete_day(&team("b"), day(2)).await.unwrap(), Deleted::Absent),
                9 => assert_eq!(here.delete_service(&service("athens")).await.unwrap(), Deleted::Gone),
                10 => assert_eq!(here.delete_day(&team("b"), day(1)).await.unwrap(), Deleted::Gone),
                _ => assert_eq!(elsewhere.delete_team(&team("b")).await.unwrap(), TeamDeleted::Gone),
            }
            let changed = if [2, 6, 11].contains(&step) { &elsewhere } else { &here };
            let stored = here.readers.read(read_all).await.unwrap();
            assert_eq!(*changed.cache.current(), stored, "after step {step}");
        }
        let (services, teams) =
            (here.service(&service("athens")).await.unwrap(), elsewhere.teams().await.unwrap());
        assert!(services.is_none() && teams.is_empty());
    }
}
