//! The roster in PostgreSQL, held in memory and read again when another server changes it.

use std::sync::{Arc, RwLockReadGuard, Weak};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::clock::{Clock, SystemClock};
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{
    ChangeMark, Directory, Edited, Effect, Entry, EntryKey, EntryKind, Judged, Listed, QuietRules, Roster,
    RosterChange, RosterEdit, days_of,
};
use inresponse_core::{Chain, Outage};
use tokio::sync::Mutex;

use crate::copy::{Copy, Held};
use crate::entries::{self, Statement, read_all, read_changes};
use crate::error::Failure;
use crate::session::{Session, Sessions};
use crate::tries::{Earlier, Tried, Tries};
use crate::write_id::WriteId;

/// The interval at which changes of other servers are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The maximum age of the copy that answers: it contains every change that another server completed longer ago than
/// this. The limit is under a second, because recipients are decided after the answer.
const OLDEST: Duration = Duration::from_millis(900);

/// The roster in PostgreSQL. Cloning is cheap.
///
/// The whole roster is held in memory. A task looks twice a second whether another server has changed it, and reads it
/// again if so; it looks at once on request ([`refresh`](Roster::refresh)). No answer comes from a copy older than 0.9
/// seconds. The audit records of the newest 10,000 changes are kept.
///
/// An edit of the roster locks one row, so that edits by all servers are made one after the other.
#[derive(Debug, Clone)]
pub struct PostgresRoster {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    alerts: Sessions,
    people: Sessions,
    copy: Copy,
    clock: Arc<dyn Clock>,
    /// The turn to look for changes. One look serves all who asked before it began.
    looking: Mutex<()>,
}

/// How changes of other servers are looked for.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) every: Duration,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { every: LOOK_EVERY, clock: Arc::new(SystemClock::new()) }
    }
}

impl PostgresRoster {
    /// Reads the roster, and starts the task that looks for changes. The task ends when the last roster is dropped.
    pub(crate) async fn start(alerts: Sessions, people: Sessions, watched: Watch) -> Result<Self, Outage> {
        let Watch { every, clock } = watched;
        let (copy, looking) = (Copy::default(), Mutex::default());
        let inner = Arc::new(Inner { alerts, people, copy, clock, looking });
        inner.look().await?;
        tokio::spawn(watch(Arc::downgrade(&inner), every));
        Ok(Self { inner })
    }

    /// The copy. If the copy is too old, the roster is read again first.
    async fn held(&self) -> Result<RwLockReadGuard<'_, Held>, Outage> {
        let inner = &*self.inner;
        if inner.clock.monotonic().saturating_sub(inner.copy.current_at()) > OLDEST {
            inner.look().await?;
        }
        Ok(inner.copy.current())
    }
}

/// Looks for changes at intervals, until all rosters are dropped.
async fn watch(of: Weak<Inner>, every: Duration) {
    let mut is_failing = false;
    loop {
        tokio::time::sleep(every).await;
        let Some(inner) = of.upgrade() else { return };
        let looked = inner.look().await;
        match (&looked, is_failing) {
            (Err(error), false) => tracing::error!(error = %Chain::of(error), "the roster cannot be read"),
            (Ok(()), true) => tracing::info!("the roster can be read again"),
            (Err(_), true) | (Ok(()), false) => {}
        }
        is_failing = looked.is_err();
    }
}

/// The arguments of [`Roster::apply`].
type Call<'a> = (&'a Person, DateTime<Utc>, &'a [RosterEdit]);

impl Inner {
    /// Makes the copy at least as new as this call.
    async fn look(&self) -> Result<(), Outage> {
        let asked = self.clock.monotonic();
        let _turn = self.looking.lock().await;
        if self.copy.current_at() > asked {
            return Ok(());
        }
        let began = self.clock.monotonic();
        let mut session = self.alerts.take().await?;
        let version = entries::version(&mut session).await.map_err(Failure::of_read)?;
        let held = self.copy.current().version;
        // After a failover to a standby that was behind, the version has gone back.
        if version != held {
            self.copy.replace(snapshot(&mut session).await.map_err(Failure::of_read)?, held);
        }
        self.copy.is_current(began);
        Ok(())
    }

    async fn apply(&self, call: Call<'_>) -> Result<Edited, Outage> {
        let (write_id, mut tries, mut made) = (WriteId::new(), Tries::new(), Vec::new());
        loop {
            let tried = self.try_apply(call, write_id, tries.earlier(), &mut made).await;
            if let Some(edited) = tries.after(tried).await? {
                return Ok(edited);
            }
        }
    }

    /// Tries to make edits. `made` keeps the effects of an earlier try.
    async fn try_apply(
        &self,
        call: Call<'_>,
        write_id: WriteId,
        earlier: Earlier,
        made: &mut Vec<Effect>,
    ) -> Result<Tried<Edited>, Outage> {
        let mut session = self.alerts.take().await?;
        let tried = self.try_in(&mut session, call, write_id, earlier, made).await;
        match tried {
            Ok(edited) => edited.map(Tried::Done),
            Err(failure) => Ok(Tried::Again(failure)),
        }
    }

    /// The outer error is that of a try that can be repeated.
    async fn try_in(
        &self,
        session: &mut Session,
        (by, at, edits): Call<'_>,
        write_id: WriteId,
        earlier: Earlier,
        made: &mut Vec<Effect>,
    ) -> Result<Result<Edited, Outage>, Failure> {
        session.begin("BEGIN").await.map_err(Failure::undone)?;
        let locked = entries::lock(session).await.map_err(Failure::undone)?;
        let Some(locked) = locked else { return Ok(Err(Outage::permanent("the roster has no version"))) };
        let held = self.copy.current().version;
        if locked.version != held {
            self.copy.replace(read_all(session, locked.version).await.map_err(Failure::undone)?, held);
        }
        // An earlier try held the lock until it ended, so now its result is known.
        if earlier == Earlier::Perhaps
            && entries::is_written(session, write_id).await.map_err(Failure::undone)?
        {
            session.end("COMMIT").await?;
            return Ok(Ok(Edited::Done(std::mem::take(made))));
        }
        let judged = match self.copy.current().judge(by, at, edits) {
            Ok(judged) => judged,
            Err(outage) => return Ok(Err(outage)),
        };
        let (effects, changes) = match judged {
            // A question that has been answered is not asked again.
            Judged::Ask(_) => {
                return Ok(Err(Outage::permanent("a question about the roster was not answered")));
            }
            Judged::Refused(refusal) => {
                session.end("ROLLBACK").await.map_err(Failure::undone)?;
                return Ok(Ok(Edited::Refused(refusal)));
            }
            Judged::Write { effects, changes } => (effects, changes),
        };
        if !effects.iter().any(|effect| effect.changes()) {
            session.end("ROLLBACK").await.map_err(Failure::undone)?;
            return Ok(Ok(Edited::Done(effects)));
        }
        for (edit, _) in edits.iter().zip(&effects).filter(|(_, effect)| effect.changes()) {
            match Statement::of(edit) {
                Ok(statement) => statement.run(session).await.map_err(Failure::undone)?,
                Err(outage) => return Ok(Err(outage)),
            };
        }
        entries::record(session, locked, &changes, write_id).await.map_err(Failure::undone)?;
        made.clone_from(&effects);
        session.end("COMMIT").await?;
        self.copy.follow(edits, &effects, locked.version);
        Ok(Ok(Edited::Done(effects)))
    }
}

/// Reads the whole roster and its version in one snapshot.
async fn snapshot(session: &mut Session) -> Result<Held, Failure> {
    session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
    let version = entries::version(session).await?;
    let held = read_all(session, version).await?;
    session.end("COMMIT").await?;
    Ok(held)
}

#[async_trait]
impl Roster for PostgresRoster {
    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage> {
        self.inner.alerts.in_time(self.inner.apply((by, at, edits))).await
    }

    async fn refresh(&self) -> Result<(), Outage> {
        self.inner.look().await
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
        read_changes(&mut self.inner.people.take().await?, below, limit).await
    }
}
