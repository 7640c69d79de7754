//! Looks at the heartbeats that are due.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt};

use super::backlog::Backlog;
use super::listening::{Alive, WallClock, alive};
use super::plan::{Event, LEASE, SLACK, Then, decide};
use super::row::{HeartbeatState, Row, Stored};
use crate::Engine;
use crate::clock::{later, to_micros};
use crate::error::{Chain, Outage};
use crate::model::HeartbeatName;
use crate::roster::{Entry, EntryKind, Heartbeat};
use crate::settings::{Settings, Swapped};

/// The longest pause between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The shortest pause between two looks, so that heartbeats that are due at almost the same time share a look.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How often the definitions are read again.
const READ_EVERY: Duration = Duration::from_secs(10);
/// How often the alive time is written.
const ALIVE_EVERY: TimeDelta = TimeDelta::seconds(5);
/// The name of the setting with the alive time.
const ALIVE: &str = "heartbeats.alive";
/// A difference between the two clocks that is not a jump.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);
/// When to look again at a heartbeat that could not be looked at.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest time after which a heartbeat is looked at that another server may have armed again.
const LOOK_AT_MISSED: Duration = Duration::from_secs(600);
/// The number of heartbeats that a process looks at concurrently.
const AT_ONCE: usize = 32;
/// How often a change of a row is tried again because another process changed it in between.
const TRIES: usize = 20;
/// The number of definitions that one query lists.
const PAGE: usize = 1_000;

/// Takes pings, and opens an incident for each heartbeat that misses one. Cheap to clone.
#[derive(Clone)]
pub struct Heartbeats {
    pub(super) engine: Engine,
    pub(super) settings: Arc<dyn Settings>,
    process: u64,
    gap: TimeDelta,
    memory: Arc<Mutex<Memory>>,
}

/// What this process remembers.
#[derive(Debug, Default)]
struct Memory {
    backlog: Backlog,
    alive: Option<Alive>,
    /// Both clocks at the last look.
    looked_at: Option<(DateTime<Utc>, Duration)>,
    /// When the definitions were read, by the monotonic clock.
    read_at: Option<Duration>,
}

impl fmt::Debug for Heartbeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeats")
            .field("process", &self.process)
            .field("gap", &self.gap)
            .finish_non_exhaustive()
    }
}

impl Heartbeats {
    /// For how long no server may have been listening before senders get another interval, if servers run all the time.
    pub const GAP: Duration = Duration::from_secs(30);

    /// The heartbeats of the engine's roster. Their rows are kept in `settings`. `process` is a number that no other
    /// process has.
    pub fn new(engine: Engine, settings: Arc<dyn Settings>, process: u64) -> Self {
        let gap = TimeDelta::from_std(Self::GAP).unwrap_or(TimeDelta::MAX);
        Self { engine, settings, process, gap, memory: Arc::default() }
    }

    /// The same heartbeats, for a deployment that looks at them by a schedule: senders get another interval if nobody has
    /// looked for `gap` (default: [`GAP`](Self::GAP)). Choose several times the schedule's interval.
    #[must_use]
    pub fn looked_at_within(self, gap: Duration) -> Self {
        Self { gap: TimeDelta::from_std(gap).unwrap_or(TimeDelta::MAX), ..self }
    }

    /// Looks at what is due until `stop` resolves. Then it finishes the look.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let look = std::pin::pin!(async {
                if let Err(error) = self.look().await {
                    tracing::error!(error = %Chain::of(&error), "the heartbeats could not be looked at");
                }
            });
            match select(stop.as_mut(), look).await {
                Either::Left(((), look)) => return look.await,
                Either::Right(_) => {}
            }
            match select(stop.as_mut(), self.engine.clock().sleep(self.pause())).await {
                Either::Left(_) => return,
                Either::Right(_) => {}
            }
        }
    }

    fn pause(&self) -> Duration {
        let next = self.with_backlog(|backlog| backlog.next_at());
        let until = next.map(|at| (at - self.engine.now()).to_std().unwrap_or_default());
        until.unwrap_or(LOOK_EVERY).clamp(SHORTEST_PAUSE, LOOK_EVERY)
    }

    /// Looks at every heartbeat that is due. Returns the number of misses whose incidents are open now.
    ///
    /// # Errors
    /// The settings or the roster are unavailable. If only the row of a heartbeat is unavailable, this is logged, and it is
    /// looked at again a second later.
    pub async fn look(&self) -> Result<usize, Outage> {
        let alive = self.listen().await?;
        self.read_definitions().await?;
        let now = to_micros(self.engine.now());
        let due = self.with_backlog(|backlog| backlog.due(now));
        let looks = stream::iter(due).map(|name| async move {
            match self.look_at(&name, alive).await {
                Ok(opened) => opened,
                Err(error) => {
                    tracing::error!(heartbeat = %name, error = %Chain::of(&error), "a heartbeat could not be looked at");
                    let again = later(self.engine.now(), AGAIN);
                    self.with_backlog(|backlog| backlog.postpone(&name, again));
                    0
                }
            }
        });
        let opened = looks.buffer_unordered(AT_ONCE).fold(0, |sum, n| async move { sum + n }).await;
        for (state, count) in self.counts() {
            // The count of a deployment fits exactly.
            #[allow(clippy::cast_precision_loss, reason = "no roster has so many heartbeats")]
            metrics::gauge!("inresponse_heartbeats", "state" => state.as_str()).set(count as f64);
        }
        Ok(opened)
    }

    /// How many heartbeats are in which state, as far as this process knows.
    pub fn counts(&self) -> BTreeMap<HeartbeatState, usize> {
        self.with_backlog(|backlog| backlog.counts())
    }

    /// The row of a heartbeat; `None` if no process has looked at it yet.
    ///
    /// # Errors
    /// The settings are unavailable.
    pub async fn row(&self, name: &HeartbeatName) -> Result<Option<Row>, Outage> {
        Ok(Row::read(self.settings.setting(&Row::setting(name)).await?.as_deref()))
    }

    /// Begins a heartbeat whose definition is about to be added to the roster. What is known of an earlier heartbeat of that
    /// name does not count any more, except for an incident that is still open.
    ///
    /// # Errors
    /// The settings are unavailable.
    pub async fn begin(&self, name: &HeartbeatName, heartbeat: &Heartbeat) -> Result<(), Outage> {
        self.store(name, heartbeat.span(), Event::Defined).await?;
        Ok(())
    }

    /// Reads the definitions at the next look, since they were changed.
    pub fn changed(&self) {
        self.with_memory(|memory| memory.read_at = None);
    }

    async fn look_at(&self, name: &HeartbeatName, alive: Alive) -> Result<usize, Outage> {
        let Some(heartbeat) = self.definition(name).await? else {
            self.with_backlog(|backlog| backlog.forget(name));
            return Ok(0);
        };
        let until = alive.at.checked_add_signed(self.gap).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let event = Event::Look { since: alive.since, until, process: self.process };
        let (row, then) = self.store(name, heartbeat.span(), event).await?;
        self.note(name, heartbeat.span(), &row);
        let opens = matches!(then, Then::Create(..));
        self.carry_out(name, &heartbeat, then).await;
        Ok(usize::from(opens))
    }

    /// Decides and stores by swaps, until a swap succeeds. Returns the row as it is then, and what is to be done.
    pub(super) async fn store(
        &self,
        name: &HeartbeatName,
        span: Duration,
        event: Event,
    ) -> Result<(Row, Then), Outage> {
        let (stored, then) = self.store_over(None, name, span, event).await?;
        Ok((stored.row, then))
    }

    /// The same. If the row is known, it is read only if another process has changed it in between.
    pub(super) async fn store_over(
        &self,
        mut known: Option<Stored>,
        name: &HeartbeatName,
        span: Duration,
        event: Event,
    ) -> Result<(Stored, Then), Outage> {
        let key = Row::setting(name);
        for _ in 0..TRIES {
            let was_known = known.is_some();
            let (row, bytes) = match known.take() {
                Some(Stored { row, bytes }) => (Some(row), bytes),
                None => {
                    let bytes = self.settings.setting(&key).await?;
                    (Row::read(bytes.as_deref()), bytes)
                }
            };
            let now = to_micros(self.engine.now());
            let decided = decide(row.as_ref(), span, event, now);
            let Some(next) = decided.row else {
                // Only a row that was just read can say that nothing changes.
                if was_known {
                    continue;
                }
                let row = row.unwrap_or_else(|| Row::begin(span, now));
                return Ok((Stored { row, bytes }, decided.then));
            };
            let written = next.written()?;
            match self.settings.swap_setting(&key, bytes.as_deref(), &written).await? {
                Swapped::Done => return Ok((Stored { row: next, bytes: Some(written) }, decided.then)),
                Swapped::Changed => {}
            }
        }
        Err(Outage::retryable("others changed the row of a heartbeat too often in between"))
    }

    /// Remembers when to look at a heartbeat again.
    pub(super) fn note(&self, name: &HeartbeatName, span: Duration, row: &Row) {
        let missed = later(self.engine.now(), span.min(LOOK_AT_MISSED));
        let look_at = row.look_at(LEASE, SLACK).unwrap_or(missed);
        self.with_backlog(|backlog| backlog.note(name, span, Some(row.state()), look_at));
    }

    /// Says that this process is there, and returns since when some server has been listening.
    async fn listen(&self) -> Result<Alive, Outage> {
        let (now, monotonic) = (to_micros(self.engine.now()), self.engine.clock().monotonic());
        let (known, clock) = self.with_memory(|memory| {
            let clock = memory.looked_at.map_or(WallClock::Steady, |(wall, then)| {
                WallClock::compared((wall, now), (then, monotonic), TOLERANCE)
            });
            memory.looked_at = Some((now, monotonic));
            if clock == WallClock::Jumped {
                memory.backlog.look_at_all();
                memory.alive = None;
            }
            (memory.alive, clock)
        });
        if let Some(known) = known
            && (now - known.at).abs() < ALIVE_EVERY
        {
            return Ok(known);
        }
        for _ in 0..TRIES {
            let stored = self.settings.setting(ALIVE).await?;
            let read: Option<Alive> =
                stored.as_deref().and_then(|stored| serde_json::from_slice(stored).ok());
            let now = to_micros(self.engine.now());
            let next = alive(read, clock, self.gap, now);
            let written = serde_json::to_vec(&next)
                .map_err(|e| Outage::permanent("the alive time cannot be written").because(e))?;
            match self.settings.swap_setting(ALIVE, stored.as_deref(), &written).await? {
                Swapped::Changed => {}
                Swapped::Done => {
                    if let Some(read) = read
                        && next.since > read.since
                    {
                        tracing::warn!(
                            last = %read.at,
                            "no server was listening for pings, or the clock jumped: heartbeats get one more interval"
                        );
                        self.with_backlog(Backlog::look_at_all);
                    }
                    self.with_memory(|memory| memory.alive = Some(next));
                    return Ok(next);
                }
            }
        }
        Err(Outage::retryable("others changed the alive time too often in between"))
    }

    async fn read_definitions(&self) -> Result<(), Outage> {
        let monotonic = self.engine.clock().monotonic();
        let is_fresh = |read_at: Duration| monotonic.saturating_sub(read_at) < READ_EVERY;
        if self.with_memory(|memory| memory.read_at).is_some_and(is_fresh) {
            return Ok(());
        }
        let defined = self.definitions().await?;
        self.with_memory(|memory| {
            memory.backlog.define(&defined);
            memory.read_at = Some(monotonic);
        });
        Ok(())
    }

    /// All heartbeats of the roster.
    async fn definitions(&self) -> Result<BTreeMap<HeartbeatName, Arc<Heartbeat>>, Outage> {
        let (mut defined, mut after) = (BTreeMap::new(), None);
        loop {
            let page = self.engine.roster().entries(EntryKind::Heartbeat, after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|listed| listed.key.clone());
            for entry in page.into_iter().filter_map(|listed| listed.entry) {
                if let Entry::Heartbeat { name, heartbeat } = entry {
                    defined.insert(name, heartbeat);
                }
            }
            if is_last {
                return Ok(defined);
            }
        }
    }

    pub(super) fn with_backlog<T>(&self, act: impl FnOnce(&mut Backlog) -> T) -> T {
        self.with_memory(|memory| act(&mut memory.backlog))
    }

    fn with_memory<T>(&self, act: impl FnOnce(&mut Memory) -> T) -> T {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        act(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
