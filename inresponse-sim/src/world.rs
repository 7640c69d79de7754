//! Simulated time, machines and processes, on one thread.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::clock::Clock;

use crate::fault::{Fault, Faults};
use crate::history::{Disturbance, History};
use crate::rng::Rng;

pub use crate::units::{HostId, MILLI, Micros, Process, SECOND, micros, seconds};

/// The maximum number of events in a run. A run with more goes round in circles and is given up.
const MOST_TURNS: u64 = 2_000_000;

/// The simulated world, shared by all parts of a simulation. The world is never locked across an await.
pub struct World {
    state: Mutex<State>,
    /// The time at which the simulation begins, by a correct clock.
    pub base: DateTime<Utc>,
    tracing: bool,
}

/// The part of the world that changes.
pub struct State {
    now: Micros,
    /// Decides the order of events at the same time, and how long calls take.
    pub chance: Rng,
    /// Decides which faults occur.
    pub faults: Faults,
    /// The history of calls, answers and messages.
    pub history: History,
    hosts: Vec<Host>,
    timers: BinaryHeap<Reverse<(Micros, u64, u64)>>,
    sleepers: HashMap<u64, Waker>,
    last_sleeper: u64,
    turns: u64,
    trace: Vec<String>,
}

struct Host {
    /// The error of the machine's wall clock, in microseconds.
    offset: i64,
    booted_at: Micros,
    start: u32,
    up: bool,
    watchers: Vec<Waker>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("now", &self.now).finish_non_exhaustive()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

impl World {
    /// A world with `hosts` machines that do not run yet.
    pub fn new(seed: u64, base: DateTime<Utc>, hosts: usize, faults: Faults, tracing: bool) -> Arc<Self> {
        let host = |_| Host { offset: 0, booted_at: 0, start: 0, up: false, watchers: Vec::new() };
        let state = State {
            now: 0,
            chance: Rng::new(seed, 1),
            faults,
            history: History::default(),
            hosts: (0..hosts).map(host).collect(),
            timers: BinaryHeap::new(),
            sleepers: HashMap::new(),
            last_sleeper: 0,
            turns: 0,
            trace: Vec::new(),
        };
        Arc::new(Self { state: Mutex::new(state), base, tracing })
    }

    /// Locks the state for a moment.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The simulated time.
    pub fn now(&self) -> Micros {
        self.lock().now
    }

    /// Writes a line of the trace, if one is kept.
    pub fn note(&self, line: impl FnOnce() -> String) {
        if self.tracing {
            let mut state = self.lock();
            let at = state.now;
            state.trace.push(format!("{:>9.3}s  {}", seconds(at), line()));
        }
    }

    /// Takes the trace so far.
    pub fn take_trace(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().trace)
    }

    /// Resolves at that time.
    pub fn sleep(self: &Arc<Self>, time: Micros) -> Sleep {
        let at = self.now().saturating_add(time);
        Sleep { world: Arc::clone(self), at, id: None }
    }

    /// Resolves after a random time of a few milliseconds or less.
    pub fn moment(self: &Arc<Self>) -> Sleep {
        let mut state = self.lock();
        let most = if state.chance.chance(900) { 200 } else { 4 * MILLI };
        let time = state.chance.below(most);
        let at = state.now + time;
        drop(state);
        Sleep { world: Arc::clone(self), at, id: None }
    }

    /// Starts a machine that does not run.
    pub fn boot(&self, host: HostId) -> Process {
        let mut state = self.lock();
        let now = state.now;
        let machine = &mut state.hosts[host];
        machine.start += 1;
        machine.booted_at = now;
        machine.up = true;
        Process { host, start: machine.start }
    }

    /// Ends a process, whatever it is doing.
    pub fn crash(&self, process: Process, why: Fault) {
        let watchers = {
            let mut state = self.lock();
            let now = state.now;
            let machine = &mut state.hosts[process.host];
            if !machine.up || machine.start != process.start {
                return;
            }
            machine.up = false;
            let watchers = std::mem::take(&mut machine.watchers);
            state.history.disturbed(Disturbance { from: now, to: now, host: Some(process.host), fault: why });
            state.history.crashes.push((process, now));
            watchers
        };
        self.note(|| format!("server {} crashes ({})", process.host, why.word()));
        watchers.into_iter().for_each(Waker::wake);
    }

    /// Ends a process that has finished its work.
    pub fn shut_down(&self, process: Process) {
        let watchers = {
            let mut state = self.lock();
            let machine = &mut state.hosts[process.host];
            if machine.start == process.start {
                machine.up = false;
            }
            std::mem::take(&mut machine.watchers)
        };
        watchers.into_iter().for_each(Waker::wake);
    }

    /// Whether a process still runs.
    pub fn lives(&self, process: Process) -> bool {
        self.lock().lives(process)
    }

    /// Runs `work` as part of a process. The result is `None` if the process ends first.
    pub fn within<F: Future>(self: &Arc<Self>, process: Process, work: F) -> Within<F> {
        Within { world: Arc::clone(self), process, work: Some(Box::pin(work)), watched: None }
    }

    /// Advances to the next event. Returns `false` if no event is left, or after [`MOST_TURNS`] turns.
    pub(crate) fn turn(&self) -> bool {
        let mut state = self.lock();
        state.turns += 1;
        if state.turns > MOST_TURNS {
            return false;
        }
        while let Some(Reverse((at, _, id))) = state.timers.pop() {
            if let Some(waker) = state.sleepers.remove(&id) {
                state.now = state.now.max(at);
                drop(state);
                waker.wake();
                return true;
            }
        }
        false
    }
}

impl State {
    /// The simulated time.
    pub fn now(&self) -> Micros {
        self.now
    }

    /// Whether a process still runs.
    pub fn lives(&self, process: Process) -> bool {
        let host = &self.hosts[process.host];
        host.up && host.start == process.start
    }

    /// The process that runs on a machine.
    pub fn process(&self, host: HostId) -> Option<Process> {
        let machine = &self.hosts[host];
        machine.up.then_some(Process { host, start: machine.start })
    }

    /// The error of a machine's wall clock, in microseconds.
    pub fn offset(&self, host: HostId) -> i64 {
        self.hosts[host].offset
    }

    /// Sets a machine's wall clock.
    pub fn set_offset(&mut self, host: HostId, offset: i64) {
        self.hosts[host].offset = offset;
        let now = self.now;
        self.history.offsets.push((now, host, offset));
    }
}

/// A future that resolves at a time.
#[derive(Debug)]
pub struct Sleep {
    world: Arc<World>,
    at: Micros,
    id: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let world = Arc::clone(&self.world);
        let mut state = world.lock();
        if state.now >= self.at {
            if let Some(id) = self.id.take() {
                state.sleepers.remove(&id);
            }
            return Poll::Ready(());
        }
        let id = match self.id {
            Some(id) => id,
            None => {
                state.last_sleeper += 1;
                let (id, tie) = (state.last_sleeper, state.chance.any());
                state.timers.push(Reverse((self.at, tie, id)));
                self.id = Some(id);
                id
            }
        };
        state.sleepers.insert(id, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let waker = self.world.lock().sleepers.remove(&id);
            drop(waker);
        }
    }
}

/// Work that ends with its process.
pub struct Within<F> {
    world: Arc<World>,
    process: Process,
    work: Option<Pin<Box<F>>>,
    watched: Option<Waker>,
}

impl<F> fmt::Debug for Within<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Within").field("process", &self.process).finish_non_exhaustive()
    }
}

impl<F: Future> Future for Within<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.world.lives(this.process) {
            this.work = None;
            return Poll::Ready(None);
        }
        if !this.watched.as_ref().is_some_and(|w| w.will_wake(context.waker())) {
            this.watched = Some(context.waker().clone());
            this.world.lock().hosts[this.process.host].watchers.push(context.waker().clone());
        }
        let Some(work) = &mut this.work else { return Poll::Ready(None) };
        work.as_mut().poll(context).map(Some)
    }
}

/// A process's clocks: its machine's wall clock, and the time since it started.
#[derive(Debug, Clone)]
pub struct HostClock {
    /// The simulated world.
    pub world: Arc<World>,
    /// The process whose clock this is.
    pub process: Process,
}

impl World {
    /// The time that a machine's wall clock shows.
    pub fn wall(&self, host: HostId) -> DateTime<Utc> {
        let state = self.lock();
        self.wall_at(state.now, state.hosts[host].offset)
    }

    /// The time that a wall clock with the error `offset` shows at a simulated time.
    pub fn wall_at(&self, time: Micros, offset: i64) -> DateTime<Utc> {
        self.base + TimeDelta::microseconds(i64::try_from(time).unwrap_or(i64::MAX).saturating_add(offset))
    }
}

#[async_trait]
impl Clock for HostClock {
    fn now(&self) -> DateTime<Utc> {
        self.world.wall(self.process.host)
    }

    fn monotonic(&self) -> Duration {
        let state = self.world.lock();
        Duration::from_micros(state.now - state.hosts[self.process.host].booted_at)
    }

    async fn sleep(&self, duration: Duration) {
        self.world.sleep(micros(duration)).await;
    }
}
