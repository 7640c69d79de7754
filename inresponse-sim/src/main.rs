//! Runs simulations; `cargo xtask sim` builds and calls it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use inresponse_sim::beats::{self, Seen};
use inresponse_sim::fault::{Fault, FaultSet};
use inresponse_sim::many::{self, Failure, Seeds};
use inresponse_sim::model::{self, Budget, Search};
use inresponse_sim::mutants::{self, Mutant};
use inresponse_sim::play::{MakeStore, Run, Trace, play};
use inresponse_sim::store_kind::StoreKind;
use inresponse_sim::{check, shrink};

/// The number of seeds that reach every transition. A run of fewer seeds tests what differs between stores: their faults.
const REACH_ALL: u64 = 2_000;

/// Tries to break the promises by simulation, model check and planted bugs.
#[derive(Parser)]
#[command(name = "inresponse-sim")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Simulate servers, people, carriers and faults.
    Sim(Sim),
    /// Simulate heartbeats: senders, servers that crash, and clocks that jump.
    Heartbeats {
        /// The number of seeds to run.
        #[arg(long, default_value_t = 1000)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        from: u64,
    },
    /// Visit every state that the planner can reach within limits.
    Model {
        /// Stop after this many states.
        #[arg(long)]
        states: Option<usize>,
        /// Use the small limits of the tests instead of the large ones.
        #[arg(long)]
        small: bool,
        /// The number of threads.
        #[arg(long, default_value_t = 2)]
        cores: usize,
    },
    /// Plant bugs, one after the other, and look for each; print a table.
    Mutants {
        /// The number of seeds to try for each bug.
        #[arg(long, default_value_t = 20_000)]
        seeds: u64,
        /// The number of threads.
        #[arg(long, default_value_t = 2)]
        cores: usize,
        /// Plant only bugs whose names begin with this; then no page is written.
        #[arg(long, default_value = "")]
        only: String,
        /// The page to write.
        #[arg(long, default_value = "docs/MUTANTS.md")]
        page: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum StoreArg {
    Memory,
    Sqlite,
    /// A real PostgreSQL server, which is started for this run.
    #[cfg(feature = "postgres")]
    Postgres,
    /// DynamoDB in an emulator, which `cargo xtask sim` starts.
    #[cfg(feature = "dynamo")]
    Dynamo,
}

#[derive(Args)]
struct Sim {
    /// The number of seeds to run.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// The store that the servers share.
    #[arg(long, default_value = "memory")]
    store: StoreArg,
    /// The number of threads.
    #[arg(long)]
    cores: Option<usize>,
    /// Run this one seed and print what happens.
    #[arg(long)]
    replay: Option<u64>,
    /// Allow only these faults, by the names that a run prints.
    #[arg(long, default_value = "all", value_parser = FaultSet::parse)]
    faults: FaultSet,
    /// Allow at most this many faults.
    #[arg(long, default_value_t = u64::MAX)]
    limit: u64,
    /// Leave out this many acts of people.
    #[arg(long, default_value_t = 0)]
    fewer_acts: u64,
    /// Plant this bug. The store is the one in memory.
    #[arg(long, value_parser = Mutant::parse)]
    plant: Option<Mutant>,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Sim(sim) => simulate(&sim),
        Command::Heartbeats { seeds, from } => heartbeats(from, seeds),
        Command::Model { states, small, cores } => check_model(states, small, cores),
        Command::Mutants { seeds, cores, only, page } => mutants(seeds, cores, &only, &page),
    }
}

fn simulate(sim: &Sim) -> ExitCode {
    let store = match sim.store {
        StoreArg::Memory => StoreKind::Memory,
        StoreArg::Sqlite => StoreKind::Sqlite,
        #[cfg(feature = "postgres")]
        StoreArg::Postgres => StoreKind::Postgres,
        #[cfg(feature = "dynamo")]
        StoreArg::Dynamo => StoreKind::Dynamo,
    };
    if let Some(mutant) = sim.plant {
        std::panic::set_hook(Box::new(|_| {}));
        let command = format!("memory --plant {}", mutant.name());
        return run(sim, StoreKind::Memory, &mutant.plant(), &command);
    }
    #[cfg(feature = "postgres")]
    let _stopped_at_the_end = (store == StoreKind::Postgres).then(inresponse_sim::postgres::Server::start);
    run(sim, store, &|world| store.make(world), store.word())
}

/// Runs the seeds. `word` is the name of the store on the command line.
fn run(sim: &Sim, store: StoreKind, make_store: MakeStore<'_>, word: &str) -> ExitCode {
    if let Some(seed) = sim.replay {
        let run = Run { seed, faults: sim.faults, limit: sim.limit, fewer_acts: sim.fewer_acts };
        return replay(run, make_store);
    }
    let cores = sim.cores.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let progress = |done: u64| {
        if done.is_multiple_of(500) {
            eprint!("\r{done} of {} seeds on {}", sim.seeds, store.word());
            // If the terminal cannot be written to, nothing needs to be done.
            let _ = std::io::stderr().flush();
        }
    };
    let seeds = Seeds { from: sim.from, count: sim.seeds };
    let (stats, failure) = many::many(seeds, cores, make_store, &progress);
    eprintln!();
    if let Some(failure) = failure {
        return explain(&failure, make_store, word);
    }
    print!("{stats}");
    for fault in Fault::ALL {
        if let Some(why) = store.rules_out(*fault) {
            println!("cannot occur: {}: {why}", fault.word());
        }
    }
    let (faults, transitions) = (stats.missing_faults(store), stats.missing_transitions());
    for missing in [&faults, &transitions].into_iter().filter(|missing| !missing.is_empty()) {
        println!("not tested, because these cases never occurred (too few seeds?): {}", missing.join("; "));
    }
    if !faults.is_empty() || (!transitions.is_empty() && sim.seeds >= REACH_ALL) {
        return ExitCode::FAILURE;
    }
    match transitions.len() {
        0 => println!("every fault and every transition occurred, and every promise was kept"),
        n => println!(
            "every fault occurred, and every promise was kept; {n} transitions occur only in {REACH_ALL} seeds or more"
        ),
    }
    ExitCode::SUCCESS
}

fn replay(run: Run, make_store: MakeStore<'_>) -> ExitCode {
    let played = play(run, make_store, Trace::Keep);
    played.trace.iter().for_each(|line| println!("{line}"));
    let violations = check::violations(&played);
    violations.iter().for_each(|violation| println!("broken: {violation}"));
    if violations.is_empty() {
        println!("every promise was kept");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

/// Shrinks a failing run and prints what happened in it.
fn explain(failure: &Failure, make_store: MakeStore<'_>, word: &str) -> ExitCode {
    println!("seed {} broke {}", failure.run.seed, failure.violation);
    let least = shrink::shrink(failure.run, failure.violation.promise, make_store);
    replay(least, make_store);
    println!("{}", shrink::replay_line(least, word));
    ExitCode::FAILURE
}

fn heartbeats(from: u64, seeds: u64) -> ExitCode {
    let (mut opened, mut resolved, mut pings, mut outages) = (0_u64, 0_u64, 0_u64, 0_u64);
    for seed in from..from.saturating_add(seeds) {
        let history = beats::play(seed);
        let broken = check::heartbeats::violations(&history);
        if !broken.is_empty() {
            history.seen.iter().for_each(|(at, seen)| println!("{:>9.3} {seen:?}", at.as_secs_f64()));
            broken.iter().for_each(|violation| println!("seed {seed} broke {violation}"));
            return ExitCode::FAILURE;
        }
        for (_, seen) in &history.seen {
            match seen {
                Seen::Opened(_) => opened += 1,
                Seen::Resolved(_) => resolved += 1,
                Seen::Acknowledged => pings += 1,
                Seen::Troubled | Seen::Maybe => outages += 1,
                Seen::Defined | Seen::Looked | Seen::Jumped(_) => {}
            }
        }
    }
    println!(
        "{pings} pings, {opened} incidents, {resolved} of them resolved, {outages} calls that failed or crashed"
    );
    println!("every promise was kept");
    ExitCode::SUCCESS
}

fn check_model(states: Option<usize>, small: bool, cores: usize) -> ExitCode {
    let (budget, search) =
        if small { (Budget::SMALL, Search::Breadth) } else { (Budget::LARGE, Search::Depth) };
    println!("two engines, two levels and a fallback, with at most {budget:?}");
    let checked = model::check(budget, search, cores, states);
    let (states, unique, depth) = (checked.states, checked.unique, checked.depth);
    println!("{states} states, {unique} of them different, with paths of at most {depth} steps");
    for (name, acts) in &checked.broken {
        println!("broken: {name}: {acts}");
    }
    if checked.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn mutants(seeds: u64, cores: usize, only: &str, page: &Path) -> ExitCode {
    if mutants::BUILT_IN.is_empty() {
        println!("this program was built without the bugs of the core: use `cargo xtask mutants`");
        return ExitCode::FAILURE;
    }
    // Engines panic where bugs are planted; what that breaks is reported.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(failure) = mutants::without_bug(cores) {
        println!("without a planted bug, seed {} broke {}", failure.run.seed, failure.violation);
        return ExitCode::FAILURE;
    }
    let chosen: Vec<_> = Mutant::all().into_iter().filter(|mutant| mutant.name().starts_with(only)).collect();
    let mut caught = Vec::new();
    for (i, mutant) in chosen.iter().enumerate() {
        let one = mutants::look_for(*mutant, seeds, cores);
        let simulation = one.simulation.as_ref();
        let simulation = simulation.map_or("–".into(), |f| format!("seed {}: {}", f.run.seed, f.violation));
        let model = one.model.as_deref().unwrap_or("–");
        println!("{}/{} P{} {}", i + 1, chosen.len(), mutant.promise(), mutant.name());
        println!("      simulation: {simulation}\n      model check: {model}");
        caught.push(one);
    }
    let missed: Vec<_> = caught.iter().filter(|one| !one.is_found()).collect();
    println!("\n{} of {} planted bugs were found", caught.len() - missed.len(), caught.len());
    for one in &missed {
        println!("not found: {}: {}", one.mutant.name(), one.mutant.what());
    }
    if !only.is_empty() {
        return if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let without = mutants::without_any(&caught);
    if !without.is_empty() {
        println!("these promises have no planted bug that was found: {without:?}");
    }
    let written = write_page(page, &mutants::page(&caught));
    if let Err(error) = &written {
        println!("{} cannot be written: {error}", page.display());
    }
    if missed.is_empty() && without.is_empty() && written.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Writes the page, and prints what changed in it.
fn write_page(path: &Path, page: &str) -> std::io::Result<()> {
    let before = std::fs::read_to_string(path).unwrap_or_default();
    let only_in = |one: &str, other: &str, sign: char| {
        let others: Vec<_> = other.lines().collect();
        one.lines().filter(|line| !others.contains(line)).for_each(|line| println!("{sign} {line}"));
    };
    if before == page {
        println!("{} is up to date", path.display());
        return Ok(());
    }
    println!("{} changes:", path.display());
    only_in(&before, page, '-');
    only_in(page, &before, '+');
    std::fs::write(path, page)
}
