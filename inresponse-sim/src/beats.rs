//! Heartbeats in simulated time: one seed decides when senders ping, and when servers crash, restart, lose answers or get
//! another time.
//!
//! A crash drops what a server is doing at one of its awaits. What was seen from outside is checked by
//! [`check::heartbeats`](crate::check::heartbeats).

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::clock::Clock;
use inresponse_core::heartbeats::{Heartbeats, Pinged};
use inresponse_core::memory::{MemoryRoster, MemorySettings, MemoryStore};
use inresponse_core::model::{
    Contact, DedupKey, HeartbeatName, IncidentNumber, Person, ServiceName, Severity, State, TeamName, Version,
};
use inresponse_core::notify::Notifiers;
use inresponse_core::plan::{Draft, Opening, StateChange, Update};
use inresponse_core::roster::{Entry, Heartbeat, Team};
use inresponse_core::settings::{Settings, Swapped};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};
use inresponse_core::testing::ManualClock;
use inresponse_core::{Engine, Outage};

use crate::rng::Rng;

/// What was seen from outside, and when by a clock that never jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The heartbeat was defined.
    Defined,
    /// A ping was answered as recorded or counted.
    Acknowledged,
    /// A ping may have been recorded: its answer was lost.
    Maybe,
    /// A server looked.
    Looked,
    /// A server crashed while it looked, or a part of its look failed.
    Troubled,
    /// All wall clocks jumped by this many seconds.
    Jumped(i64),
    /// An incident opened.
    Opened(IncidentNumber),
    /// An incident was resolved.
    Resolved(IncidentNumber),
}

/// The course of a run.
#[derive(Debug, Default)]
pub struct History {
    /// The interval and the grace.
    pub span: Duration,
    /// Everything that was seen, in order.
    pub seen: Vec<(Duration, Seen)>,
    /// When the last part of the run began: both servers stay up and nothing fails.
    pub calm_from: Duration,
    /// When the run ended.
    pub ended_at: Duration,
}

/// How often something fails, and whether something did.
#[derive(Debug)]
struct Faults {
    rng: Rng,
    thousandths: u32,
    failed: bool,
}

/// A store or settings in memory. Each call lets its caller be interrupted before and after, and may fail.
#[derive(Debug, Clone)]
struct Faulty<T> {
    inner: Arc<T>,
    faults: Arc<Mutex<Faults>>,
}

enum Fate {
    Fine,
    Fails,
    AnswerLost,
}

impl<T> Faulty<T> {
    async fn call<R>(&self, does: impl AsyncFnOnce(&T) -> Result<R, Outage>) -> Result<R, Outage> {
        let fate = {
            let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
            let thousandths = faults.thousandths;
            let fate = match (faults.rng.chance(thousandths), faults.rng.chance(500)) {
                (false, _) => Fate::Fine,
                (true, false) => Fate::Fails,
                (true, true) => Fate::AnswerLost,
            };
            faults.failed |= !matches!(fate, Fate::Fine);
            fate
        };
        tokio::task::yield_now().await;
        if let Fate::Fails = fate {
            return Err(Outage::retryable("it is unavailable"));
        }
        let done = does(&self.inner).await;
        tokio::task::yield_now().await;
        match fate {
            Fate::AnswerLost => Err(Outage::unknown("the answer was lost")),
            Fate::Fine | Fate::Fails => done,
        }
    }
}

#[async_trait]
impl Settings for Faulty<MemorySettings> {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Outage> {
        self.call(async |inner| inner.setting(name).await).await
    }

    async fn swap_setting(&self, name: &str, was: Option<&[u8]>, value: &[u8]) -> Result<Swapped, Outage> {
        self.call(async |inner| inner.swap_setting(name, was, value).await).await
    }
}

#[async_trait]
impl Store for Faulty<MemoryStore> {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        self.call(async |inner| inner.create(opening).await).await
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        self.call(async |inner| inner.load(number).await).await
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        self.call(async |inner| inner.find_open(service, key).await).await
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.inner.due(now, after, limit).await
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        self.call(async |inner| inner.commit(version, draft).await).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        self.call(async |inner| inner.list(query).await).await
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        self.inner.census(waiting_before).await
    }
}

/// Polls a future at most that often, as if its process crashed then. A future that waits only for itself needs no
/// runtime.
fn polled<T>(future: impl Future<Output = T>, most: usize) -> Option<T> {
    let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
    for _ in 0..most {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
    }
    None
}

fn whole<T>(future: impl Future<Output = T>) -> T {
    polled(future, 1_000_000).expect("nothing waits for anything but itself")
}

/// A process, or when the next one starts in its place.
enum Seat {
    Up(Heartbeats),
    DownUntil(Duration),
}

/// What the sender does for a while.
#[derive(Clone, Copy)]
enum Mood {
    OnTime,
    Late,
    Burst,
    Silent,
}

struct Stage {
    rng: Rng,
    clock: ManualClock,
    engine: Engine,
    store: Arc<MemoryStore>,
    settings: Faulty<MemorySettings>,
    name: HeartbeatName,
    seats: [Seat; 2],
    processes: u64,
    open: Vec<IncidentNumber>,
    known: Option<IncidentNumber>,
    history: History,
}

/// The longest step.
const STEP_MS: u64 = 900;

/// Plays the run of a seed.
///
/// # Panics
/// The scene cannot be set up.
pub fn play(seed: u64) -> History {
    let mut stage = Stage::new(seed);
    stage.wild();
    stage.calm();
    stage.history
}

impl Stage {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, 24);
        let clock = ManualClock::at(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000));
        let faults = Faults { rng: Rng::new(seed, 25), thousandths: *rng.pick(&[0, 5, 30]), failed: false };
        let faults = Arc::new(Mutex::new(faults));
        let store = Arc::new(MemoryStore::new());
        let shared = Faulty { inner: Arc::clone(&store), faults: Arc::clone(&faults) };
        let settings = Faulty { inner: Arc::new(MemorySettings::new()), faults };
        let engine = Engine::builder(shared, MemoryRoster::new(), Notifiers::new(), clock.clone()).build();
        let (every, grace) = (*rng.pick(&[2, 5, 40]), *rng.pick(&[0, 1, 6]));
        let (every, grace) = (Duration::from_secs(every), Duration::from_secs(grace));
        let name = HeartbeatName::new("backup").expect("the name is valid");
        let service = ServiceName::new("athens").expect("the name is valid");
        let team = TeamName::new("devops").expect("the name is valid");
        let heartbeat = Heartbeat::new(service.clone(), Severity::Crit, every, grace, None);
        let heartbeat = heartbeat.expect("it is valid");
        let fallback = vec![Contact::new("ops@example.org").expect("the address is valid")];
        let settings_of = Team::builder(fallback).build().expect("they are valid");
        let entries = [
            Entry::team(&team, settings_of).into(),
            Entry::service(&service, &team).into(),
            Entry::heartbeat(&name, heartbeat).into(),
        ];
        let edited = whole(engine.edit_roster(&Person::new("setup").expect("it is valid"), &entries));
        assert!(edited.is_ok(), "{edited:?}");
        let history = History { span: every + grace, ..History::default() };
        let seats = [Seat::DownUntil(Duration::ZERO), Seat::DownUntil(Duration::from_secs(rng.below(300)))];
        let (open, known) = (Vec::new(), None);
        let mut stage =
            Self { rng, clock, engine, store, settings, name, seats, processes: 0, open, known, history };
        stage.see(Seen::Defined);
        stage
    }

    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    fn see(&mut self, seen: Seen) {
        self.history.seen.push((self.now(), seen));
    }

    /// Senders, servers and clocks do what they want.
    fn wild(&mut self) {
        let span = self.history.span;
        let end = span * 25 + Duration::from_secs(120);
        let jumps_at = self.rng.chance(300).then(|| Duration::from_millis(self.rng.below(millis(end))));
        let mut jump = jumps_at.map(|at| (at, *self.rng.pick(&[-4000, -20, 7, 45, 4000])));
        let (mut mood, mut until, mut ping_at) = (Mood::OnTime, Duration::ZERO, Duration::ZERO);
        while self.now() < end {
            self.pass();
            if let Some((_, by)) = jump.filter(|(at, _)| *at <= self.now()) {
                jump = None;
                self.clock.jump(self.clock.now() + TimeDelta::seconds(by));
                self.see(Seen::Jumped(by));
            }
            if self.now() >= until {
                mood = *self.rng.pick(&[Mood::OnTime, Mood::OnTime, Mood::Late, Mood::Burst, Mood::Silent]);
                until = self.now() + span * u32::try_from(self.rng.between(1, 4)).unwrap_or(1);
                ping_at = self.now();
            }
            for seat in 0..self.seats.len() {
                self.look(seat);
                self.observe();
            }
            if self.now() >= ping_at && !matches!(mood, Mood::Silent) {
                self.ping();
                let share = match mood {
                    Mood::OnTime => self.rng.between(300, 900),
                    Mood::Late => self.rng.between(900, 1_400),
                    Mood::Burst | Mood::Silent => 0,
                };
                ping_at = self.now() + Duration::from_millis(millis(span) * share / 1_000);
            }
            if self.rng.chance(10) {
                self.resolve();
            }
            self.observe();
        }
    }

    /// Both servers stay up, and nothing fails. The sender is silent for a while, or pings first.
    fn calm(&mut self) {
        self.settings.faults.lock().unwrap_or_else(PoisonError::into_inner).thousandths = 0;
        self.history.calm_from = self.now();
        let length = self.history.span * 3 + Duration::from_secs(60);
        let end = self.now() + length;
        let pings = self.rng.chance(500);
        while self.now() < end {
            self.pass();
            for seat in 0..self.seats.len() {
                self.start(seat);
                if let Seat::Up(server) = &self.seats[seat] {
                    let looked = whole(server.look());
                    assert!(looked.is_ok(), "nothing fails any more: {looked:?}");
                    self.see(Seen::Looked);
                }
            }
            self.observe();
            if pings {
                self.steady_ping();
            }
            self.observe();
        }
        self.history.ended_at = self.now();
    }

    fn pass(&mut self) {
        let step = Duration::from_millis(self.rng.between(50, STEP_MS));
        self.clock.advance(step);
    }

    /// Starts the process of a seat.
    fn start(&mut self, seat: usize) {
        self.processes += 1;
        let settings: Arc<dyn Settings> = Arc::new(self.settings.clone());
        if let Seat::DownUntil(_) = self.seats[seat] {
            self.seats[seat] = Seat::Up(Heartbeats::new(self.engine.clone(), settings, self.processes));
        }
    }

    fn crash(&mut self, seat: usize) {
        let down = match self.rng.chance(250) {
            true => self.rng.between(40, 200),
            false => self.rng.between(0, 20),
        };
        self.seats[seat] = Seat::DownUntil(self.now() + Duration::from_secs(down));
        // Sometimes both servers go, as if somebody pulled a plug.
        if self.rng.chance(500) {
            let until = self.now() + Duration::from_secs(down + self.rng.below(30));
            self.seats[1 - seat] = Seat::DownUntil(until);
        }
    }

    fn look(&mut self, seat: usize) {
        if matches!(self.seats[seat], Seat::DownUntil(until) if until <= self.now()) {
            self.start(seat);
        }
        let Seat::Up(server) = &self.seats[seat] else { return };
        if self.rng.chance(60) {
            return self.look_beside_a_ping(&server.clone());
        }
        let polls = if self.rng.chance(20) { self.rng.below(40) } else { 1_000_000 };
        self.settings.faults.lock().unwrap_or_else(PoisonError::into_inner).failed = false;
        let looked = polled(server.look(), usize::try_from(polls).unwrap_or(0));
        let failed = self.settings.faults.lock().unwrap_or_else(PoisonError::into_inner).failed;
        match looked {
            Some(Ok(_)) if !failed => self.see(Seen::Looked),
            Some(Ok(_) | Err(_)) => self.see(Seen::Troubled),
            None => {
                self.see(Seen::Troubled);
                self.crash(seat);
            }
        }
    }

    /// A server looks, and in the middle of that a ping comes to the same or another one.
    fn look_beside_a_ping(&mut self, server: &Heartbeats) {
        self.see(Seen::Troubled);
        let mut look = pin!(server.look());
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..self.rng.below(30) {
            if look.as_mut().poll(&mut context).is_ready() {
                return;
            }
        }
        self.ping();
        if let Some(Ok(_)) = polled(look, 1_000_000) {
            self.see(Seen::Looked);
        }
    }

    fn ping(&mut self) {
        let seat = usize::from(self.rng.chance(500));
        let Seat::Up(server) = &self.seats[seat] else { return };
        let polls = if self.rng.chance(20) { self.rng.below(12) } else { 1_000_000 };
        match polled(server.ping(&self.name), usize::try_from(polls).unwrap_or(0)) {
            Some(Ok(Pinged::Recorded(_) | Pinged::Counted)) => self.see(Seen::Acknowledged),
            Some(Ok(Pinged::Unknown)) => {}
            Some(Err(_)) => self.see(Seen::Maybe),
            None => {
                self.see(Seen::Maybe);
                self.crash(seat);
            }
        }
    }

    fn steady_ping(&mut self) {
        let Seat::Up(server) = &self.seats[0] else { return };
        if let Ok(Pinged::Recorded(_) | Pinged::Counted) = whole(server.ping(&self.name)) {
            self.see(Seen::Acknowledged);
        }
    }

    /// A person resolves an open incident.
    fn resolve(&mut self) {
        if let Some(number) = self.open.first() {
            let update = Update::state(Person::new("jo").expect("it is valid"), StateChange::Resolve);
            // If it fails, the incident stays open.
            let _ = whole(self.engine.update(*number, &update));
        }
    }

    /// Looks at the incidents, past all faults.
    fn observe(&mut self) {
        let query = ListQuery { limit: 1_000, ..ListQuery::default() };
        let mut all = whole(self.store.list(&query)).expect("memory does not fail");
        all.reverse();
        for record in all {
            let number = record.number();
            if self.known.is_none_or(|known| known < number) {
                self.known = Some(number);
                self.open.push(number);
                self.see(Seen::Opened(number));
            }
            let is_resolved = record.incident.state() == State::Resolved;
            if is_resolved && self.open.contains(&number) {
                self.open.retain(|open| *open != number);
                self.see(Seen::Resolved(number));
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
