//! An engine on a table: clock, store with faults, carrier with moods.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::claim::TokenSecret;
use inresponse_core::clock::Clock;
use inresponse_core::engine::{Advanced, Reported, Updated};
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{
    Contact, DedupKey, IncidentNumber, Person, Report, ReportBuilder, RulesId, ServiceName, Severity,
    TeamName, Version,
};
use inresponse_core::notify::{Alert, Notifier, Notifiers, Outcome};
use inresponse_core::plan::{Draft, Opening, StateChange, TakeOver, Update};
use inresponse_core::roster::{Roster, Rota, Team};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};
use inresponse_core::testing::{ManualClock, RecordingNotifier, RosterTestExt};
use inresponse_core::{Engine, Outage, OutageKind};
use tokio::task::JoinHandle;
use tokio::task::yield_now;

use crate::faulty_roster::FaultyRoster;

pub const T0: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn after(seconds: i64) -> DateTime<Utc> {
    T0 + TimeDelta::seconds(seconds)
}

pub fn contacts(names: &str) -> Vec<Contact> {
    names.split_whitespace().map(|name| Contact::new(format!("{name}@x.org")).unwrap()).collect()
}

pub fn name(contact: &Contact) -> String {
    contact.address().split('@').next().unwrap().to_owned()
}

pub fn person(name: &str) -> Person {
    Person::new(name).unwrap()
}

pub fn service(name: &str) -> ServiceName {
    ServiceName::new(name).unwrap()
}

pub fn team(name: &str) -> TeamName {
    TeamName::new(name).unwrap()
}

pub fn crit(service: &str) -> ReportBuilder {
    Report::builder(service, Severity::Crit, "5xx Error Spike")
}

/// Lets every task go on until none can.
pub async fn settle() {
    for _ in 0..300 {
        yield_now().await;
    }
}

/// One process and its surroundings.
#[derive(Clone)]
pub struct Stage {
    pub engine: Engine,
    pub clock: ManualClock,
    pub store: SharedStore,
    pub carrier: Carrier,
}

impl Stage {
    /// A stage with service `athens` of team `devops`: each string is a level, ten minutes apart, then `z`.
    pub async fn new(levels: &[&str]) -> Self {
        Self::with(levels, Team::builder(contacts("z")).build().unwrap()).await
    }

    pub async fn with(levels: &[&str], team: Team) -> Self {
        let clock = ManualClock::at(T0);
        let stage = Self::over(SharedStore::new(&clock), Carrier::new(&clock), clock.clone(), Duration::ZERO);
        stage.own("athens", "devops", levels, team).await;
        stage
    }

    /// Another process over the same store and carrier.
    pub async fn another(&self, levels: &[&str]) -> Self {
        self.by_clock(levels, self.clock.clone()).await
    }

    /// A process like [`another`](Self::another), on a machine with its own clock.
    pub async fn elsewhere(&self, levels: &[&str]) -> Self {
        self.by_clock(levels, ManualClock::at(T0)).await
    }

    async fn by_clock(&self, levels: &[&str], clock: ManualClock) -> Self {
        let stage = Self::over(self.store.clone(), self.carrier.clone(), clock, Duration::from_micros(1));
        stage.own("athens", "devops", levels, Team::builder(contacts("z")).build().unwrap()).await;
        stage
    }

    /// A stage with another notifier, and with links to claim by.
    pub async fn recording(levels: &[&str], notifier: RecordingNotifier) -> (Self, RecordingNotifier) {
        let mut stage = Self::new(levels).await;
        let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
        let notifiers = Notifiers::new().mail(notifier.clone());
        let builder =
            Engine::builder(stage.store.clone(), MemoryRoster::new(), notifiers, stage.clock.clone());
        stage.engine =
            builder.lease_mark(Duration::ZERO).claim_links("https://x.org/", vec![secret]).unwrap().build();
        stage.own("athens", "devops", levels, Team::builder(contacts("z")).build().unwrap()).await;
        (stage, notifier)
    }

    /// A stage like [`new`](Self::new), with a roster whose reads can be made to fail.
    pub async fn reading(levels: &[&str]) -> (Self, FaultyRoster) {
        let clock = ManualClock::at(T0);
        let roster = FaultyRoster::new(&clock);
        let (store, carrier) = (SharedStore::new(&clock), Carrier::new(&clock));
        let stage = Self::of(store, roster.clone(), carrier, clock, Duration::ZERO);
        stage.own("athens", "devops", levels, Team::builder(contacts("z")).build().unwrap()).await;
        (stage, roster)
    }

    fn over(store: SharedStore, carrier: Carrier, clock: ManualClock, mark: Duration) -> Self {
        Self::of(store, MemoryRoster::new(), carrier, clock, mark)
    }

    fn of(
        store: SharedStore,
        roster: impl Roster,
        carrier: Carrier,
        clock: ManualClock,
        mark: Duration,
    ) -> Self {
        let notifiers = Notifiers::new().mail(carrier.clone());
        let builder = Engine::builder(store.clone(), roster, notifiers, clock.clone());
        let engine = builder.lease_mark(mark).build();
        Self { engine, clock, store, carrier }
    }

    /// Gives a service to a team that has these levels on every day that matters.
    pub async fn own(&self, service_name: &str, team_name: &str, levels: &[&str], settings: Team) {
        let roster = self.engine.roster();
        roster.put_team(&team(team_name), &settings).await.unwrap();
        roster.put_service(&service(service_name), &team(team_name)).await.unwrap();
        let levels: Vec<_> = levels.iter().map(|level| contacts(level)).collect();
        let rota = Rota::new(levels[0].clone(), levels[1..].to_vec()).unwrap();
        for days in -4000..4 {
            // The clock goes back ten years in some tests; every day in between would only take time.
            if (-4..4).contains(&days) || (-3655..-3648).contains(&days) {
                let day = (T0 + TimeDelta::days(days)).date_naive();
                roster.put_day(&team(team_name), day, &rota).await.unwrap();
            }
        }
    }

    pub async fn report(&self, builder: ReportBuilder) -> IncidentNumber {
        match self.engine.report(builder.build().unwrap()).await.unwrap() {
            Reported::New(record) | Reported::Repeat(record) => record.number(),
            Reported::UnknownService => panic!("nobody owns it"),
        }
    }

    pub async fn incident(&self, number: IncidentNumber) -> Record {
        self.engine.get(number).await.unwrap().unwrap()
    }

    pub async fn request(&self, number: IncidentNumber, by: &str, change: StateChange) -> Updated {
        self.engine.update(number, &Update::state(person(by), change)).await.unwrap()
    }

    pub async fn claim(&self, number: IncidentNumber, by: &str) -> Updated {
        self.request(number, by, StateChange::Claim(TakeOver::No)).await
    }

    /// Advances an incident while time stands still.
    pub async fn advance(&self, number: IncidentNumber) -> Advanced {
        self.engine.advance(number).await.unwrap()
    }

    /// Advances an incident in a task of its own.
    pub fn advancing(&self, number: IncidentNumber) -> JoinHandle<Advanced> {
        let engine = self.engine.clone();
        tokio::spawn(async move { engine.advance(number).await.unwrap() })
    }

    /// Runs until it is stopped.
    pub fn run(&self) -> Running {
        let engine = self.engine.clone();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(async move { engine.run(async { _ = stopped.await }).await });
        Running { stop: Some(stop), task }
    }

    /// Lets time pass, a quarter of a second at a time, or a whole one where it is long.
    pub async fn pass(&self, time: Duration) {
        settle().await;
        let step = Duration::from_millis(if time > secs(100) { 1000 } else { 250 });
        let mut passed = Duration::ZERO;
        while passed < time {
            let by = step.min(time - passed);
            self.clock.advance(by);
            passed += by;
            settle().await;
        }
    }

    /// Everything that was sent, as `second level:contact#attempt`, but for first attempts.
    pub fn sent(&self) -> String {
        self.carrier.sent().iter().map(Sent::text).collect::<Vec<_>>().join(", ")
    }
}

pub struct Running {
    pub stop: Option<tokio::sync::oneshot::Sender<()>>,
    pub task: JoinHandle<()>,
}

impl Running {
    pub fn stop(&mut self) {
        _ = self.stop.take().unwrap().send(());
    }
}

/// A memory store whose next calls can be made to fail.
///
/// Every call lets other tasks go on before and after it, so that calls of different tasks interleave; and it
/// has a single connection, so that a caller who stops during a call stops the others.
#[derive(Debug, Clone)]
pub struct SharedStore {
    inner: Arc<MemoryStore>,
    clock: ManualClock,
    connection: Arc<tokio::sync::Mutex<()>>,
    faults: Arc<Mutex<VecDeque<(Call, Fault)>>>,
    calls: Arc<Mutex<HashMap<Call, usize>>>,
    ahead: Arc<AtomicUsize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    Create,
    Load,
    Due,
    Commit,
    List,
}

#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// It fails, and nothing has happened.
    Fails(OutageKind),
    /// It happens, but the caller is told that this is unknown.
    HappensUnknown,
    /// It takes so long after it has happened.
    SlowAnswer(Duration),
    /// It takes so long before it happens.
    SlowCall(Duration),
    /// Of what is due, nothing is to be seen yet.
    Lags,
    /// As usual; counts as one of several calls.
    None,
}

impl SharedStore {
    pub fn new(clock: &ManualClock) -> Self {
        Self {
            inner: Arc::default(),
            clock: clock.clone(),
            connection: Arc::default(),
            faults: Arc::default(),
            calls: Arc::default(),
            ahead: Arc::default(),
        }
    }

    /// The next call of this kind that has no fault yet has this one.
    pub fn next(&self, call: Call, fault: Fault) {
        self.faults.lock().unwrap().push_back((call, fault));
    }

    /// A record as it is stored, whatever goes wrong.
    pub async fn peek(&self, number: IncidentNumber) -> Record {
        self.inner.load(number).await.unwrap().unwrap()
    }

    /// How many records were answered that may lie ahead of the clock.
    pub fn ahead(&self) -> usize {
        self.ahead.load(Ordering::SeqCst)
    }

    pub fn calls(&self, call: Call) -> usize {
        self.calls.lock().unwrap().get(&call).copied().unwrap_or_default()
    }

    async fn call<T>(&self, call: Call, does: impl AsyncFnOnce() -> Result<T, Outage>) -> Result<T, Outage> {
        *self.calls.lock().unwrap().entry(call).or_default() += 1;
        let fault = {
            let mut faults = self.faults.lock().unwrap();
            faults.iter().position(|(c, _)| *c == call).and_then(|i| faults.remove(i)).map(|(_, fault)| fault)
        };
        if let Some(Fault::SlowCall(time)) = fault {
            self.clock.sleep(time).await;
        }
        let connection = self.connection.lock().await;
        yield_now().await;
        if let Some(Fault::Fails(kind)) = fault {
            return Err(Outage::new(kind, "the store is unavailable"));
        }
        let result = does().await;
        yield_now().await;
        match fault {
            Some(Fault::HappensUnknown) => Err(Outage::unknown("the store went away")),
            Some(Fault::SlowAnswer(time)) => {
                drop(connection);
                self.clock.sleep(time).await;
                result
            }
            _ => result,
        }
    }
}

#[async_trait]
impl Store for SharedStore {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        self.call(Call::Create, async || self.inner.create(opening).await).await
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        self.call(Call::Load, async || self.inner.load(number).await).await
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        self.inner.find_open(service, key).await
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let next = self.faults.lock().unwrap().iter().find(|(call, _)| *call == Call::Due).map(|(_, f)| *f);
        let limit = if matches!(next, Some(Fault::Lags)) { 0 } else { limit };
        self.call(Call::Due, async || self.inner.due(now, after, limit).await).await
    }

    async fn quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.inner.quiet(judged_by, after, limit).await
    }

    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        let page = self.inner.ahead(now, after, limit).await?;
        self.ahead.fetch_add(page.len(), Ordering::SeqCst);
        self.call(Call::Due, async || Ok(page)).await
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        self.call(Call::Commit, async || self.inner.commit(version, draft).await).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        self.call(Call::List, async || self.inner.list(query).await).await
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        self.inner.census(waiting_before).await
    }
}

/// A carrier that accepts everything, unless it is in another mood.
#[derive(Debug, Clone)]
pub struct Carrier {
    clock: ManualClock,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    sent: Vec<Sent>,
    moods: HashMap<String, VecDeque<Mood>>,
    always: HashMap<String, Mood>,
    under_way: HashMap<String, usize>,
    most_under_way: HashMap<String, usize>,
    finished: usize,
}

#[derive(Debug, Clone)]
pub enum Mood {
    /// It answers at once.
    Answers(Outcome),
    /// It answers after that time.
    Takes(Duration, Outcome),
    /// It never answers.
    Hangs,
    Panics,
}

/// One attempt as the recipient saw it begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub at: DateTime<Utc>,
    pub incident: IncidentNumber,
    pub delivery: String,
    pub attempt: u32,
    pub level: String,
    pub round: u32,
    pub to: String,
    pub claim_url: Option<String>,
}

impl Sent {
    pub fn text(&self) -> String {
        let attempt = if self.attempt > 1 { format!("#{}", self.attempt) } else { String::new() };
        format!("{} {}:{}{attempt}", (self.at - T0).num_seconds(), self.level, self.to)
    }
}

impl Carrier {
    pub fn new(clock: &ManualClock) -> Self {
        Self { clock: clock.clone(), inner: Arc::default() }
    }

    /// How the next attempt to somebody goes.
    pub fn next(&self, to: &str, mood: Mood) {
        self.inner().moods.entry(to.to_owned()).or_default().push_back(mood);
    }

    /// How every attempt to somebody goes.
    pub fn always(&self, to: &str, mood: Mood) {
        self.inner().always.insert(to.to_owned(), mood);
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.inner().sent.clone()
    }

    pub fn sent_to(&self, to: &str) -> Vec<Sent> {
        self.inner().sent.iter().filter(|sent| sent.to == to).cloned().collect()
    }

    /// How many attempts came to an answer.
    pub fn finished(&self) -> usize {
        self.inner().finished
    }

    /// How many attempts of one delivery were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.inner().most_under_way.values().copied().max().unwrap_or_default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Counts an attempt as under way until it ends, also by being dropped.
struct UnderWay<'a>(&'a Carrier, String);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        *self.0.inner().under_way.get_mut(&self.1).unwrap() -= 1;
    }
}

#[async_trait]
impl Notifier for Carrier {
    async fn notify(&self, alert: &Alert, _deadline: Duration) -> Outcome {
        let to = name(alert.contact());
        let delivery = alert.delivery_id().as_str().to_owned();
        let mood = {
            let mut inner = self.inner();
            inner.sent.push(Sent {
                at: self.clock.now(),
                incident: alert.incident().number(),
                delivery: delivery.clone(),
                attempt: alert.attempt(),
                level: alert.purpose().to_string(),
                round: alert.round(),
                to: to.clone(),
                claim_url: alert.claim_url().map(str::to_owned),
            });
            let under_way = inner.under_way.entry(delivery.clone()).or_default();
            *under_way += 1;
            let now = *under_way;
            let most = inner.most_under_way.entry(delivery.clone()).or_default();
            *most = now.max(*most);
            let next = inner.moods.get_mut(&to).and_then(VecDeque::pop_front);
            next.or_else(|| inner.always.get(&to).cloned()).unwrap_or(Mood::Answers(Outcome::Accepted))
        };
        let _under_way = UnderWay(self, delivery);
        yield_now().await;
        let outcome = match mood {
            Mood::Answers(outcome) => outcome,
            Mood::Takes(time, outcome) => {
                self.clock.sleep(time).await;
                outcome
            }
            Mood::Hangs => std::future::pending().await,
            Mood::Panics => panic!("the notifier was told to panic"),
        };
        self.inner().finished += 1;
        outcome
    }
}
