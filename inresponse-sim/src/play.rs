//! Plays a scenario from beginning to end.

use std::sync::Arc;

use inresponse_core::memory::MemoryStore;
use inresponse_core::store::ListQuery;

use crate::executor;
use crate::fault::{Fault, FaultSet, Faults};
use crate::history::{Disturbance, History};
use crate::people;
use crate::rng::Rng;
use crate::scenario::{Drive, Scenario};
use crate::silences::Quiet;
use crate::stage::Stage;
use crate::store::SharedStore;
use crate::world::{Micros, SECOND, World};

pub use crate::store::{Ways, shared};

/// A run: a seed, and the faults and acts that are left out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The seed that decides everything.
    pub seed: u64,
    /// The faults that may occur.
    pub faults: FaultSet,
    /// The maximum number of faults.
    pub limit: u64,
    /// How many of the people's acts are left out, beginning with the last.
    pub fewer_acts: u64,
}

impl Run {
    /// The complete run of a seed.
    pub fn whole(seed: u64) -> Self {
        Self { seed, faults: FaultSet::ALL, limit: u64::MAX, fewer_acts: 0 }
    }
}

/// The result of a run.
#[derive(Debug)]
pub struct Played {
    /// The decisions of the seed before the run.
    pub scenario: Scenario,
    /// The history: everything that was seen from outside.
    pub history: History,
    /// The number of times that each fault occurred.
    pub faults: Vec<u64>,
    /// The trace of the run, line by line; empty unless it was requested.
    pub trace: Vec<String>,
    /// The simulated world, with its clocks.
    pub world: Arc<World>,
}

/// Whether to keep a readable trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// Keep a trace.
    Keep,
    /// Keep no trace, which saves time.
    Spare,
}

/// A function that makes the store of one run.
pub type MakeStore<'a> = &'a (dyn Fn(&Arc<World>) -> Ways + Sync);

/// Makes a store in memory.
pub fn in_memory(_: &Arc<World>) -> Ways {
    shared(MemoryStore::new())
}

/// Plays a run on a fresh store.
///
/// # Panics
/// The engine panicked, or every task waits for something that can never happen.
pub fn play(run: Run, make_store: MakeStore<'_>, trace: Trace) -> Played {
    let scenario = Scenario::of(run.seed);
    let faults = Faults::new(Rng::new(run.seed, 3), scenario.rates.clone(), run.faults, run.limit);
    let world = World::new(run.seed, scenario.base, scenario.hosts, faults, trace == Trace::Keep);
    let stage = Stage::new(Arc::clone(&world), scenario.clone(), SharedStore::new(make_store(&world)));
    let directing = direct(Arc::clone(&stage), run);
    executor::run(&world, directing).expect("a run can always continue until it ends");
    let mut state = world.lock();
    let history = std::mem::take(&mut state.history);
    let faults = state.faults.counts.clone();
    drop(state);
    let trace = world.take_trace();
    Played { scenario, history, faults, trace, world }
}

async fn direct(stage: Arc<Stage>, run: Run) {
    let (world, scenario) = (Arc::clone(&stage.world), stage.scenario.clone());
    let mut rng = Rng::new(run.seed, 4);
    people::put_roster(&stage);
    set_clocks(&stage);
    for host in 0..scenario.hosts {
        tokio::spawn(Arc::clone(&stage).supervise(host));
    }
    if scenario.drive == Drive::Steps {
        tokio::spawn(Arc::clone(&stage).sweep());
    }
    let watching = tokio::spawn(watch(Arc::clone(&stage), Rng::new(run.seed, 5)));
    let mut clients = tokio::task::JoinSet::new();
    let mut number = 100;
    let mut at_random = |rng: &mut Rng, until: Micros| {
        number += 1;
        (rng.below(until), Rng::new(run.seed, number))
    };
    for _ in 0..scenario.reports {
        let (at, own) = at_random(&mut rng, scenario.chaos * 2 / 3);
        later(&mut clients, &stage, at, |stage| people::report(stage, own));
    }
    if let Some((at, reports)) = scenario.storm
        && world.lock().faults.take(Fault::Storm)
    {
        for _ in 0..reports {
            let (_, own) = at_random(&mut rng, 1);
            later(&mut clients, &stage, at, |stage| people::report(stage, own));
        }
    }
    for _ in 0..scenario.acts.saturating_sub(run.fewer_acts) {
        let (at, own) = at_random(&mut rng, scenario.chaos + 5 * SECOND);
        if rng.chance(150) {
            later(&mut clients, &stage, at, |stage| people::race(stage, own));
        } else {
            later(&mut clients, &stage, at, |stage| people::act(stage, own));
        }
    }
    if scenario.notes > 0 {
        let (at, own) = at_random(&mut rng, scenario.chaos);
        later(&mut clients, &stage, at, |stage| people::write(stage, own, scenario.notes));
    }
    for _ in 0..scenario.edits {
        let (at, mut own) = at_random(&mut rng, scenario.chaos);
        later(&mut clients, &stage, at, |stage| async move { people::edit(&stage, &mut own) });
    }
    let mut habits = Rng::new(run.seed, 12);
    for number in 0..scenario.habits.edits {
        let (at, own) = (habits.below(scenario.chaos), Rng::new(run.seed, 10_000 + number));
        later(&mut clients, &stage, at, |stage| people::edit_schedules(stage, own));
    }
    if let Quiet::Used { edits } = scenario.quiet {
        let mut quiet = Rng::new(run.seed, 19);
        for number in 0..edits {
            let (at, own) = (quiet.below(scenario.chaos), Rng::new(run.seed, 40_000 + number));
            later(&mut clients, &stage, at, |stage| people::edit_silences(stage, own));
        }
    }
    let mut channels = Rng::new(run.seed, 13);
    for number in 0..scenario.answers {
        let (at, own) = (channels.below(scenario.chaos + 5 * SECOND), Rng::new(run.seed, 20_000 + number));
        later(&mut clients, &stage, at, |stage| people::answer(stage, own));
    }
    for number in 0..scenario.call_ins {
        let (at, own) = (channels.below(scenario.chaos + 5 * SECOND), Rng::new(run.seed, 30_000 + number));
        later(&mut clients, &stage, at, |stage| people::call_in(stage, own));
    }
    if scenario.singles > 0 {
        let mut bundles = Rng::new(run.seed, 31);
        for number in 0..bundles.below(4) {
            let (at, own) = (bundles.below(scenario.chaos + 5 * SECOND), Rng::new(run.seed, 50_000 + number));
            later(&mut clients, &stage, at, |stage| people::claim_all(stage, own));
        }
    }
    for _ in 0..scenario.jumps {
        let (at, mut own) = at_random(&mut rng, scenario.chaos);
        later(&mut clients, &stage, at, |stage| async move { people::jump(&stage, &mut own) });
    }
    for (times, fault) in [(scenario.kills, Fault::Kill), (scenario.restarts, Fault::Restart)] {
        for _ in 0..times {
            let (at, mut own) = at_random(&mut rng, scenario.chaos);
            later(&mut clients, &stage, at, |stage| async move { end_one(&stage, &mut own, fault) });
        }
    }

    world.sleep(scenario.chaos).await;
    heal(&stage);
    while clients.join_next().await.is_some() {}
    rest(&stage).await;
    watching.abort();
    finish(&stage).await;
}

/// Does something at a given time.
fn later<F: Future<Output = ()> + Send + 'static>(
    clients: &mut tokio::task::JoinSet<()>,
    stage: &Arc<Stage>,
    at: Micros,
    work: impl FnOnce(Arc<Stage>) -> F,
) {
    let (world, work) = (Arc::clone(&stage.world), work(Arc::clone(stage)));
    clients.spawn(async move {
        world.sleep(at).await;
        work.await;
    });
}

fn set_clocks(stage: &Stage) {
    let mut state = stage.world.lock();
    let skewed = state.faults.take(Fault::Skew) && stage.scenario.hosts > 1;
    for (host, skew) in stage.scenario.skews.iter().enumerate() {
        state.set_offset(host, if skewed { *skew } else { 0 });
    }
}

/// Ends a random process: kills it, or asks it to stop.
fn end_one(stage: &Stage, rng: &mut Rng, how: Fault) {
    let host = usize::try_from(rng.below(stage.scenario.hosts as u64)).unwrap_or(0);
    let mut state = stage.world.lock();
    let Some(process) = state.process(host) else { return };
    if !state.faults.take(how) {
        return;
    }
    let now = state.now();
    let to = now + 9 * SECOND;
    state.history.disturbed(Disturbance { from: now, to, host: Some(host), fault: how });
    drop(state);
    if how == Fault::Restart {
        stage.stop(host);
    } else {
        stage.world.crash(process, how);
    }
}

/// Ends all faults of stores, carriers and clocks.
fn heal(stage: &Stage) {
    stage.world.note(|| "from now on no fault occurs".into());
    let mut state = stage.world.lock();
    state.faults.heal();
    state.history.healed_at = state.now();
    for host in 0..stage.scenario.hosts {
        if state.offset(host).unsigned_abs() > 60 * SECOND {
            state.set_offset(host, 0);
            let (from, fault) = (state.now(), Fault::ClockFarBack);
            state.history.disturbed(Disturbance {
                from,
                to: from + people::CLOCK_SETTLES,
                host: Some(host),
                fault,
            });
        }
    }
}

/// Reads incidents and the census from time to time.
async fn watch(stage: Arc<Stage>, mut rng: Rng) {
    loop {
        stage.world.sleep(rng.between(SECOND, 4 * SECOND)).await;
        people::read(&stage, &mut rng).await;
        if rng.chance(100) {
            people::census(&stage).await;
        }
    }
}

/// The time limit until nothing is due, once all faults have ended.
pub fn patience(scenario: &Scenario, history: &History) -> Micros {
    let teams = history.rosters.iter().flat_map(|(_, roster)| roster.teams.values());
    let teams = teams.chain(&scenario.fallback);
    let longest = teams.map(|team| {
        let height = team.highest() as u64;
        let wait = crate::world::micros(team.longest_wait());
        // The person it was handed to may take a wait to answer.
        wait * (height + 1) * (u64::from(team.repeat) + 1) + wait * 3
    });
    // If nobody is to be alerted, no team's wait applies.
    let default = crate::world::micros(inresponse_core::roster::Team::DEFAULT_WAIT);
    let claims = history.rosters.iter().flat_map(|(_, roster)| roster.teams.values());
    let claims = claims.filter_map(|team| team.claim_timeout).map(crate::world::micros);
    let longest_claim = claims.max().unwrap_or(0) + scenario.claims.snoozes().1 * SECOND;
    // An edit at the end of the faults may hold incidents, and a new round begins after that.
    let quiet = match scenario.quiet {
        Quiet::Used { .. } => 2 * crate::silences::LONGEST + longest.clone().max().unwrap_or(0),
        Quiet::Unused => 0,
    };
    longest_claim
        + quiet
        + longest.max().unwrap_or(0).max(default) * 2
        + crate::world::micros(scenario.lease) * 3
        + 60 * SECOND
}

/// Waits until nothing is due.
async fn rest(stage: &Arc<Stage>) {
    let until = stage.world.now() + patience(&stage.scenario, &stage.world.lock().history);
    loop {
        let (process, engine) = stage.some().await;
        let census = stage.world.within(process, async move { engine.census().await }).await;
        let now = stage.world.now();
        if let Some(Ok(census)) = census
            && census.next_due_at.is_none()
        {
            stage.world.lock().history.rested_at = Some(now);
            return;
        }
        if now > until {
            return;
        }
        stage.world.sleep(3 * SECOND).await;
    }
}

/// Reads everything at the end of the run.
async fn finish(stage: &Arc<Stage>) {
    loop {
        let (process, engine) = stage.some().await;
        let everything = ListQuery { limit: 100_000, ..ListQuery::default() };
        let work = async move {
            Ok::<_, inresponse_core::Outage>((engine.list(&everything).await?, engine.census().await?))
        };
        if let Some(Ok((last, census))) = stage.world.within(process, work).await {
            let mut state = stage.world.lock();
            let now = state.now();
            (state.history.last, state.history.census, state.history.ended_at) = (last, census, now);
            return;
        }
        stage.world.sleep(SECOND).await;
    }
}
