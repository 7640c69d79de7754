//! Runs simulations; `cargo xtask sim` builds and calls it.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use inresponse_sim::fault::FaultSet;
use inresponse_sim::many::{self, Failure, Seeds, StoreKind};
use inresponse_sim::model::{self, Budget, Search};
use inresponse_sim::play::{Run, Trace, play};
use inresponse_sim::{check, shrink};

/// Tries to break the promises.
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
    /// Visit every state that the planner can reach within bounds.
    Model {
        /// Stop after so many states.
        #[arg(long)]
        states: Option<usize>,
        /// The bound of the tests instead of the large one.
        #[arg(long)]
        small: bool,
        /// On how many threads.
        #[arg(long, default_value_t = 2)]
        cores: usize,
    },
    /// Plant bugs, one after the other, and look for each; prints a table.
    #[cfg(feature = "planted-bugs")]
    Mutants {
        /// How many seeds to try for each.
        #[arg(long, default_value_t = 20_000)]
        seeds: u64,
        /// On how many threads.
        #[arg(long, default_value_t = 2)]
        cores: usize,
        /// Only bugs whose names begin like this.
        #[arg(long, default_value = "")]
        only: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum StoreArg {
    Memory,
    Sqlite,
}

#[derive(Args)]
struct Sim {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Which store the servers share.
    #[arg(long, default_value = "memory")]
    store: StoreArg,
    /// On how many threads.
    #[arg(long)]
    cores: Option<usize>,
    /// Run this one seed and print what happens.
    #[arg(long)]
    replay: Option<u64>,
    /// Only these faults, by the names that a run prints.
    #[arg(long, default_value = "all", value_parser = FaultSet::parse)]
    faults: FaultSet,
    /// At most so many faults.
    #[arg(long, default_value_t = u64::MAX)]
    limit: u64,
    /// Leave out so many acts of people.
    #[arg(long, default_value_t = 0)]
    fewer_acts: u64,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Sim(sim) => simulate(&sim),
        Command::Model { states, small, cores } => check_model(states, small, cores),
        #[cfg(feature = "planted-bugs")]
        Command::Mutants { seeds, cores, only } => mutants(seeds, cores, &only),
    }
}

fn simulate(sim: &Sim) -> ExitCode {
    let store = match sim.store {
        StoreArg::Memory => StoreKind::Memory,
        StoreArg::Sqlite => StoreKind::Sqlite,
    };
    if let Some(seed) = sim.replay {
        let run = Run { seed, faults: sim.faults, limit: sim.limit, fewer_acts: sim.fewer_acts };
        return replay(run, store);
    }
    let cores = sim.cores.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let progress = |done: u64| {
        if done.is_multiple_of(500) {
            eprint!("\r{done} of {} seeds on {}", sim.seeds, store.word());
            // A terminal that cannot be written to need not be told.
            let _ = std::io::stderr().flush();
        }
    };
    let seeds = Seeds { from: sim.from, count: sim.seeds };
    let (stats, failure) = many::many(seeds, cores, &|| store.make(), &progress);
    eprintln!();
    if let Some(failure) = failure {
        return explain(&failure, store);
    }
    print!("{stats}");
    let missing = stats.missing();
    if missing.is_empty() {
        println!("every fault and every transition occurred, and every promise was kept");
        return ExitCode::SUCCESS;
    }
    println!("never occurred, so that it was not tested (too few seeds?): {}", missing.join("; "));
    ExitCode::FAILURE
}

fn replay(run: Run, store: StoreKind) -> ExitCode {
    let played = play(run, &|| store.make(), Trace::Keep);
    played.trace.iter().for_each(|line| println!("{line}"));
    let violations = check::violations(&played);
    violations.iter().for_each(|violation| println!("broken: {violation}"));
    if violations.is_empty() {
        println!("every promise was kept");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

/// Shrinks a failing run and shows what happened in it.
fn explain(failure: &Failure, store: StoreKind) -> ExitCode {
    println!("seed {} broke {}", failure.run.seed, failure.violation);
    let least = shrink::shrink(failure.run, failure.violation.promise, &|| store.make());
    replay(least, store);
    println!("{}", shrink::replay_line(least, store.word()));
    ExitCode::FAILURE
}

fn check_model(states: Option<usize>, small: bool, cores: usize) -> ExitCode {
    let (budget, search) =
        if small { (Budget::SMALL, Search::Breadth) } else { (Budget::LARGE, Search::Depth) };
    println!("two engines, two levels and a fallback; at most {budget:?}");
    let checked = model::check(budget, search, cores, states);
    let (states, unique, depth) = (checked.states, checked.unique, checked.depth);
    println!("{states} states, {unique} of them different, at most {depth} steps deep");
    for (name, acts) in &checked.broken {
        println!("broken: {name}: {acts}");
    }
    if checked.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(feature = "planted-bugs")]
fn mutants(seeds: u64, cores: usize, only: &str) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    println!("| planted bug | what it does | breaks | simulation: seeds until found | model check |");
    println!("|---|---|---|---|---|");
    let caught = inresponse_sim::mutants::all(seeds, cores, only, &mut |one| {
        let simulation = one.simulation.as_ref();
        let simulation = simulation.map_or("–".into(), |(n, found)| {
            let short: String = found.chars().take(90).collect();
            format!("{n}: {}", short.replace('|', "/"))
        });
        let model = one.model.as_deref().unwrap_or("–");
        println!("| {} | {} | P{} | {simulation} | {model} |", one.name, one.what, one.promise);
    });
    let missed: Vec<_> = caught.iter().filter(|c| c.simulation.is_none() && c.model.is_none()).collect();
    println!("\n{} of {} planted bugs were found", caught.len() - missed.len(), caught.len());
    for one in &missed {
        println!("not found: {}: {}", one.name, one.what);
    }
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
