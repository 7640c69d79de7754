//! The machines, and the processes that run on them.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::engine::{Advanced, Engine};
use inresponse_core::memory::{MemorySettings, MemoryStore};
use inresponse_core::model::{IncidentNumber, Report, Scheme, Severity};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::Defaults;
use inresponse_core::store::Store;
use tokio::sync::oneshot;

use crate::carrier::{Bundling, HostCarrier};
use crate::fault::Fault;
use crate::history::{Disturbance, Forecast};
use crate::limited::HostLimits;
use crate::roster::HostRoster;
use crate::scenario::{Drive, Scenario};
use crate::store::SharedStore;
use crate::world::{HostClock, HostId, MILLI, Micros, Process, SECOND, World, micros};

/// The interval at which the sweeper looks for overdue incidents.
pub const SWEEP_EVERY: Micros = 5 * SECOND;

/// All machines, with what they share.
pub struct Stage {
    /// The simulated world.
    pub world: Arc<World>,
    /// The decisions of the seed before the run.
    pub scenario: Scenario,
    /// The store that all machines share.
    pub store: Arc<SharedStore>,
    /// The counts of messages that all machines share.
    counts: MemorySettings,
    running: Mutex<Vec<Option<Running>>>,
}

struct Running {
    process: Process,
    engine: Engine,
    stop: Option<oneshot::Sender<()>>,
}

impl Stage {
    /// Sets up the machines. The machines do not run yet.
    pub fn new(world: Arc<World>, scenario: Scenario, store: Arc<SharedStore>) -> Arc<Self> {
        let running = Mutex::new((0..scenario.hosts).map(|_| None).collect());
        Arc::new(Self { world, scenario, store, counts: MemorySettings::new(), running })
    }

    /// Keeps a machine running: whenever its process ends, starts it again a little later.
    pub async fn supervise(self: Arc<Self>, host: HostId) {
        loop {
            let process = self.start(host);
            self.world.within(process, std::future::pending::<()>()).await;
            let most = if self.world.lock().faults.is_healed() { SECOND } else { 8 * SECOND };
            let pause = self.world.lock().chance.below(most);
            self.world.sleep(pause).await;
        }
    }

    fn start(self: &Arc<Self>, host: HostId) -> Process {
        let world = &self.world;
        let process = world.boot(host);
        world.note(|| format!("server {host} starts"));
        let store = self.store.way(world, process);
        let engine = self.engine(process, store, HostRoster::new(Arc::clone(world), process));
        let (stop, stopped) = oneshot::channel();
        if self.scenario.drive == Drive::Runner {
            let (world, engine) = (Arc::clone(world), engine.clone());
            tokio::spawn(async move {
                let asked = async move {
                    if stopped.await.is_err() {
                        std::future::pending::<()>().await;
                    }
                };
                if world.within(process, async move { engine.run(asked).await }).await.is_some() {
                    world.shut_down(process);
                }
            });
        }
        self.running()[host] = Some(Running { process, engine, stop: Some(stop) });
        process
    }

    fn engine(&self, process: Process, store: impl Store, roster: HostRoster) -> Engine {
        let world = &self.world;
        let moods = Arc::new(self.scenario.moods.clone());
        let bundling = if self.scenario.singles > 0 { Bundling::On } else { Bundling::Off };
        let carrier = HostCarrier { world: Arc::clone(world), process, moods, bundling };
        let scheme = Scheme::new("sim").expect("a plain word is a valid scheme");
        let clock = HostClock { world: Arc::clone(world), process };
        let notifiers = match self.scenario.limit {
            Some(limit) => {
                let clock = HostClock { world: Arc::clone(world), process };
                let limits = HostLimits::new(&scheme, carrier, limit, self.counts.clone(), clock);
                Notifiers::new().with(scheme, limits)
            }
            None => Notifiers::new().with(scheme, carrier),
        };
        let engine = Engine::builder(store, roster, notifiers, clock);
        let mark = Duration::from_micros(process.host as u64);
        let mut engine =
            engine.lease(self.scenario.lease).lease_mark(mark).status_updates(self.scenario.status_updates);
        engine = engine.singles_per_minute(self.scenario.singles);
        if let Some(plan) = &self.scenario.fallback {
            let defaults = Defaults::with_fallback(plan.fallback.clone());
            engine = engine.defaults(defaults.expect("the fallback of a scenario is valid"));
        }
        if let Some(team) = self.scenario.catch_all {
            engine = engine.catch_all(crate::scenario::team(team));
        }
        engine.build()
    }

    /// The dry run of a report to a process at this moment: what it would lead to if nobody claimed the incident. The
    /// process itself does not notice it. `None` if the report would be refused.
    pub async fn forecast(
        &self,
        process: Process,
        service: &str,
        severity: Severity,
        labels: &BTreeMap<String, String>,
    ) -> Option<Forecast> {
        let roster = HostRoster::without_faults(Arc::clone(&self.world), process);
        // A dry run reads no incident.
        let engine = self.engine(process, MemoryStore::new(), roster);
        let at = self.world.wall(process.host);
        let report = Report::builder(service, severity, "dry run");
        let report = labels.iter().fold(report, |report, (name, value)| report.label(name, value));
        let run =
            engine.dry_route(report.build().expect("the report of a scenario is valid"), at).await.ok()??;
        Some(Forecast { at, steps: run.steps })
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Vec<Option<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks a process to finish its sends, and to end.
    pub fn stop(&self, host: HostId) {
        if let Some(running) = &mut self.running()[host]
            && let Some(stop) = running.stop.take()
        {
            self.world.note(|| format!("server {host} is asked to stop"));
            // If it has ended already, it need not be stopped.
            let _ = stop.send(());
        }
    }

    /// A random process that runs.
    pub fn any(&self) -> Option<(Process, Engine)> {
        let mut state = self.world.lock();
        let running = self.running();
        let alive: Vec<_> = running.iter().flatten().filter(|r| state.lives(r.process)).collect();
        if alive.is_empty() {
            return None;
        }
        let chosen = alive[usize::try_from(state.chance.below(alive.len() as u64)).unwrap_or(0)];
        Some((chosen.process, chosen.engine.clone()))
    }

    /// A random process that runs, like [`any`](Self::any). Waits until there is one.
    pub async fn some(&self) -> (Process, Engine) {
        loop {
            if let Some(found) = self.any() {
                return found;
            }
            self.world.sleep(100 * MILLI).await;
        }
    }

    /// Starts an execution for an incident, as the code that begins alerting does.
    pub fn begin_execution(self: &Arc<Self>, number: IncidentNumber) {
        if self.scenario.drive == Drive::Runner {
            return;
        }
        let mut state = self.world.lock();
        let now = state.now();
        let mut delays = vec![0];
        if state.faults.strikes(Fault::StartLost) {
            delays.clear();
            state.history.disturbed(disturbance(now, SWEEP_EVERY, Fault::StartLost));
        } else if state.faults.strikes(Fault::StartTwice) {
            let after = state.faults.between(0, 3 * SECOND);
            delays.push(after);
            state.history.disturbed(disturbance(now, 0, Fault::StartTwice));
        } else if state.faults.strikes(Fault::StartLate) {
            delays[0] = state.faults.between(SECOND, 8 * SECOND);
            state.history.disturbed(disturbance(now, SWEEP_EVERY, Fault::StartLate));
        }
        drop(state);
        for delay in delays {
            let stage = Arc::clone(self);
            tokio::spawn(async move {
                stage.world.sleep(delay).await;
                stage.execute(number).await;
            });
        }
    }

    /// Calls a process for an incident whenever the last answer said so, until the incident is done.
    async fn execute(self: Arc<Self>, number: IncidentNumber) {
        let mut failed = 0;
        loop {
            let (process, engine) = self.some().await;
            match self.invoke(process, async move { engine.advance(number).await }).await {
                Some(Ok(Advanced::Done | Advanced::Absent | Advanced::Superseded)) => return,
                Some(Ok(Advanced::WaitUntil(at))) => {
                    failed = 0;
                    self.wait_until(at).await;
                }
                Some(Err(_)) | None => {
                    failed += 1;
                    if failed > 3 {
                        return;
                    }
                    self.world.sleep(failed * SECOND).await;
                }
            }
        }
    }

    /// Waits as a state machine does: until the next full second.
    async fn wait_until(&self, at: DateTime<Utc>) {
        let second = at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0);
        let now = self.world.wall_at(self.world.now(), 0);
        let until = DateTime::from_timestamp(second, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let wait = (until - now).to_std().map_or(0, micros);
        self.world.sleep(wait.max(100 * MILLI)).await;
    }

    /// Looks for overdue incidents, again and again.
    pub async fn sweep(self: Arc<Self>) {
        loop {
            self.world.sleep(SWEEP_EVERY).await;
            let (process, engine) = self.some().await;
            // After a failure, the next look finds it again.
            let _ = self.invoke(process, async move { engine.tick().await }).await;
        }
    }

    /// Makes one invocation with its time limit. At the limit its process ends.
    async fn invoke<T>(
        &self,
        process: Process,
        work: impl Future<Output = Result<T, Outage>>,
    ) -> Option<Result<T, Outage>> {
        let limit = micros(self.scenario.lease) * 9 / 10;
        let cut = {
            let mut state = self.world.lock();
            if state.faults.strikes(Fault::InvocationCut) { state.faults.between(0, SECOND) } else { limit }
        };
        let mut limit = std::pin::pin!(self.world.sleep(cut));
        tokio::select! {
            biased;
            done = self.world.within(process, work) => done,
            () = &mut limit => {
                self.world.crash(process, Fault::InvocationCut);
                None
            }
        }
    }
}

fn disturbance(now: Micros, time: Micros, fault: Fault) -> Disturbance {
    Disturbance { from: now, to: now + time, host: None, fault }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("scenario", &self.scenario).finish_non_exhaustive()
    }
}
