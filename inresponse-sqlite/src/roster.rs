//! The roster in SQLite, held in memory and read again when another process changes it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::clock::{Clock, SystemClock};
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{
    ChangeMark, Directory, Edited, Entry, EntryKey, EntryKind, Listed, QuietRules, Roster, RosterChange,
    RosterEdit, Snapshot, days_of,
};
use inresponse_core::{Chain, Outage};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::batch::{Write, Written};
use crate::entries::{self, RosterWrite, read_all, read_changes};
use crate::error::{Moment, outage, spoils_connection};
use crate::readers::Readers;
use crate::schema::open_reader;
use crate::writer::Writer;

/// The interval at which changes of other processes are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The maximum age of the copy that answers: it contains every change that another process completed longer ago than
/// this. The limit is under a second, because recipients are decided after the answer.
const OLDEST: Duration = Duration::from_millis(900);

/// The roster in SQLite. Cloning is cheap.
///
/// The whole roster is held in memory, and changes by this process update the copy. A thread notices within half a
/// second that another process wrote something, and reads all of it again; it does so at once on request
/// ([`refresh`](Roster::refresh)). If the thread is late or cannot read, no answer comes from a copy older than 0.9
/// seconds. The audit records of the newest 10,000 changes are kept.
#[derive(Debug, Clone)]
pub struct SqliteRoster {
    writer: Writer,
    readers: Readers,
    cache: Arc<Cache>,
    clock: Arc<dyn Clock>,
    /// The channel to the thread that looks for changes. The thread ends when the last roster drops it.
    watcher: mpsc::Sender<Look>,
}

/// How the thread looks for changes.
#[derive(Debug)]
pub(crate) struct Watch {
    every: Duration,
    clock: Arc<dyn Clock>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { every: LOOK_EVERY, clock: Arc::new(SystemClock::new()) }
    }
}

/// A caller that waits until the roster was read.
type Look = oneshot::Sender<Result<(), Outage>>;

#[derive(Debug, Default)]
struct Cache {
    held: RwLock<Held>,
    /// The start of the last look that found the copy current, in microseconds of the monotonic clock.
    current_at: AtomicU64,
}

/// The copy of the roster in memory.
#[derive(Debug, Default, PartialEq)]
struct Held {
    version: u64,
    entries: Snapshot,
}

impl Cache {
    fn current(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_micros(self.current_at.load(Ordering::Acquire)))
    }

    /// Reads the writes since the last reading. This reading began at `began`.
    fn look(&self, connection: &Connection, began: Duration) -> rusqlite::Result<()> {
        let known = self.current().version;
        if entries::version(connection)? > known {
            let (version, entries) = read_all(connection)?;
            self.offer(Held { version, entries });
        }
        let began = u64::try_from(began.as_micros()).unwrap_or(u64::MAX);
        self.current_at.fetch_max(began, Ordering::AcqRel);
        Ok(())
    }

    /// Replaces the copy with a newer one. An older copy lost a race and is dropped.
    fn offer(&self, newer: Held) {
        let mut held = self.changing();
        if newer.version > held.version {
            let old = std::mem::replace(&mut *held, newer);
            drop(held);
            drop(old);
        }
    }

    /// Applies edits to the copy. `version` is the roster's version after the edits. Returns whether the copy now
    /// contains them: it does not if earlier edits of others were not read yet.
    #[must_use]
    fn follow(&self, edits: &[RosterEdit], edited: &Edited, version: u64) -> bool {
        let mut held = self.changing();
        if let Edited::Done(effects) = edited
            && held.version + 1 == version
            && effects.iter().any(|effect| effect.changes())
        {
            held.entries.apply(edits, effects);
            held.version = version;
        }
        held.version >= version
    }
}

impl SqliteRoster {
    /// Reads the roster and starts the thread that looks for changes, on its own connection.
    pub(crate) fn start(
        writer: Writer,
        readers: Readers,
        path: PathBuf,
        Watch { every, clock }: Watch,
    ) -> Result<Self, Outage> {
        let cache = Arc::new(Cache::default());
        let mut connection = None;
        look(&path, &mut connection, &cache, clock.monotonic())?;
        let (watcher, looks) = mpsc::channel();
        let watched = (Arc::clone(&cache), Arc::clone(&clock));
        std::thread::Builder::new()
            .name("inresponse-roster".into())
            .spawn(move || {
                let (cache, clock) = watched;
                watch(every, &looks, || look(&path, &mut connection, &cache, clock.monotonic()));
            })
            .map_err(|e| Outage::retryable("the roster's thread could not be started").because(e))?;
        Ok(Self { writer, readers, cache, clock, watcher })
    }

    /// The copy. If the copy is too old, the roster is read again first.
    async fn held(&self) -> Result<RwLockReadGuard<'_, Held>, Outage> {
        if self.cache.age(self.clock.monotonic()) > OLDEST {
            self.look().await?;
        }
        Ok(self.cache.current())
    }

    async fn look(&self) -> Result<(), Outage> {
        let (done, looked) = oneshot::channel();
        let ended = || Outage::permanent("the thread that looks at the roster has ended");
        self.watcher.send(done).map_err(|_| ended())?;
        looked.await.unwrap_or_else(|_| Err(ended()))
    }
}

/// Looks for changes at intervals, and whenever a caller asks, until all rosters are dropped.
fn watch(every: Duration, looks: &mpsc::Receiver<Look>, mut look: impl FnMut() -> Result<(), Outage>) {
    let mut is_failing = false;
    loop {
        let first = match looks.recv_timeout(every) {
            Ok(waiting) => Some(waiting),
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        };
        // One look serves all who asked before it began.
        let waiting: Vec<Look> = first.into_iter().chain(looks.try_iter()).collect();
        let looked = look();
        match (&looked, is_failing) {
            (Err(error), false) => tracing::error!(error = %Chain::of(error), "the roster cannot be read"),
            (Ok(()), true) => tracing::info!("the roster can be read again"),
            (Err(_), true) | (Ok(()), false) => {}
        }
        is_failing = looked.is_err();
        for one in waiting {
            let answer = match &looked {
                Ok(()) => Ok(()),
                Err(error) => Err(Outage::new(error.kind(), error.to_string())),
            };
            // Who no longer waits does not miss it.
            let _ = one.send(answer);
        }
    }
}

/// Reads the writes since the last reading, on a new connection if the last one failed.
fn look(
    path: &Path,
    connection: &mut Option<Connection>,
    cache: &Cache,
    began: Duration,
) -> Result<(), Outage> {
    let reader = match connection {
        Some(reader) => reader,
        None => connection.insert(open_reader(path)?),
    };
    cache.look(reader, began).map_err(|error| {
        let error = outage(error, Moment::BeforeCommit);
        if spoils_connection(&error) {
            *connection = None;
        }
        error
    })
}

#[async_trait]
impl Roster for SqliteRoster {
    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage> {
        let write = RosterWrite { by: by.clone(), at, edits: edits.to_vec() };
        let (edited, version) = match self.writer.write(Write::Roster(write)).await? {
            Written::Edited { edited, version } => (edited, version),
            other => return Err(other_question(&other)),
        };
        if !self.cache.follow(edits, &edited, version) {
            match self.readers.read(read_all).await {
                Ok((version, entries)) => self.cache.offer(Held { version, entries }),
                // The change is durable; the watching thread brings it in soon.
                Err(error) => {
                    tracing::warn!(error = %Chain::of(&error), "the roster could not be read after a change")
                }
            }
        }
        Ok(edited)
    }

    async fn refresh(&self) -> Result<(), Outage> {
        self.look().await
    }

    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        Ok(self.held().await?.entries.service(service).cloned())
    }

    async fn quiet(&self) -> Result<Arc<QuietRules>, Outage> {
        Ok(Arc::clone(self.held().await?.entries.quiet()))
    }

    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage> {
        let (first, last) = days_of(from, to);
        Ok(Arc::new(self.held().await?.entries.directory(team, first, last)))
    }

    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage> {
        Ok(self.held().await?.entries.entries(kind, after, limit))
    }

    async fn entry(&self, key: &EntryKey) -> Result<Option<Entry>, Outage> {
        Ok(self.held().await?.entries.entry(key))
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

fn other_question(answer: &dyn std::fmt::Debug) -> Outage {
    Outage::permanent(format!("the writer returned the result of another write: {answer:?}"))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use inresponse_core::model::Contact;
    use inresponse_core::roster::{Effect, Rota, Team};
    use inresponse_core::testing::{ManualClock, RosterTestExt};

    use super::*;
    use crate::{Database, SqliteConfig};

    /// The copy in memory equals the result of a full read, whichever process made the change.
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
                5 => assert!(here.delete_team(&team("a")).await.is_err(), "it owns a service"),
                6 => elsewhere.put_service(&service("athens"), &team("b")).await.unwrap(),
                7 => assert_eq!(here.delete_team(&team("a")).await.unwrap(), Effect::Deleted),
                8 => assert_eq!(here.delete_day(&team("b"), day(2)).await.unwrap(), Effect::Absent),
                9 => assert_eq!(here.delete_service(&service("athens")).await.unwrap(), Effect::Deleted),
                10 => assert_eq!(here.delete_day(&team("b"), day(1)).await.unwrap(), Effect::Deleted),
                _ => assert_eq!(elsewhere.delete_team(&team("b")).await.unwrap(), Effect::Deleted),
            }
            let changed = if [2, 6, 11].contains(&step) { &elsewhere } else { &here };
            let (version, entries) = here.readers.read(read_all).await.unwrap();
            assert_eq!(*changed.cache.current(), Held { version, entries }, "after step {step}");
        }
        let (services, teams) =
            (here.service(&service("athens")).await.unwrap(), elsewhere.teams().await.unwrap());
        assert!(services.is_none() && teams.is_empty());
    }

    /// A database whose thread reads the roster only on request, and the clock that it uses.
    async fn seldom_watched(path: &Path) -> (SqliteRoster, ManualClock) {
        let clock = ManualClock::at(DateTime::UNIX_EPOCH);
        let watch = Watch { every: Duration::from_secs(3600), clock: Arc::new(clock.clone()) };
        let database = Database::open_watched(SqliteConfig::new(path), watch).await.unwrap();
        (database.roster(), clock)
    }

    #[tokio::test]
    async fn p12_nothing_is_answered_from_a_copy_older_than_a_second_though_the_thread_is_late() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.db");
        let (here, clock) = seldom_watched(&path).await;
        let elsewhere = Database::open(SqliteConfig::new(&path)).await.unwrap().roster();
        let (athens, jos) = (ServiceName::new("athens").unwrap(), TeamName::new("jos").unwrap());
        elsewhere.put_service(&athens, &jos).await.unwrap();
        let age = OLDEST;
        clock.advance(age);
        assert_eq!(here.service(&athens).await.unwrap(), None, "the copy is not too old yet");
        clock.advance(Duration::from_millis(1));
        assert_eq!(here.service(&athens).await.unwrap(), Some(jos.clone()));
        let eve = NaiveDate::from_ymd_opt(2026, 12, 24).unwrap();
        let jo = vec![Contact::new("jo@example.org").unwrap()];
        let rota = Rota::new(jo.clone(), Vec::new()).unwrap();
        elsewhere.put_day(&jos, eve, &rota).await.unwrap();
        clock.advance(age + Duration::from_millis(1));
        assert_eq!(here.day(&jos, eve).await.unwrap().as_deref(), Some(&rota));
        elsewhere.put_team(&jos, &Team::builder(jo).build().unwrap()).await.unwrap();
        clock.advance(age + Duration::from_millis(1));
        assert!(here.team(&jos).await.unwrap().is_some());
        assert_eq!(elsewhere.delete_service(&athens).await.unwrap(), Effect::Deleted);
        assert_eq!(elsewhere.delete_team(&jos).await.unwrap(), Effect::Deleted);
        clock.advance(age + Duration::from_millis(1));
        assert!(!here.knows_team(&jos).await.unwrap());
        elsewhere.put_service(&athens, &jos).await.unwrap();
        clock.advance(age + Duration::from_millis(1));
        assert_eq!(here.teams().await.unwrap(), [jos]);
    }

    #[tokio::test]
    async fn p12_a_roster_that_cannot_be_read_is_an_outage_once_its_copy_is_too_old() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.db");
        let (here, clock) = seldom_watched(&path).await;
        let (athens, jos) = (ServiceName::new("athens").unwrap(), TeamName::new("jos").unwrap());
        here.put_service(&athens, &jos).await.unwrap();
        let breaks = crate::schema::open_writer(&path).unwrap();
        breaks.execute_batch("ALTER TABLE roster_version RENAME TO gone").unwrap();
        assert_eq!(here.service(&athens).await.unwrap(), Some(jos.clone()), "what is held is young enough");
        assert!(here.refresh().await.is_err());
        clock.advance(OLDEST + Duration::from_millis(1));
        for _ in 0..2 {
            assert!(here.service(&athens).await.is_err());
        }
        breaks.execute_batch("ALTER TABLE gone RENAME TO roster_version").unwrap();
        assert_eq!(here.service(&athens).await.unwrap(), Some(jos));
        here.refresh().await.unwrap();
    }
}
