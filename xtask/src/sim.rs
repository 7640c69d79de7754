//! Runs simulation, model check and power cuts, with optimised builds.

use std::process::{Child, Command};

use crate::copy;
use crate::emulators::Emulator;
use crate::tools::{Failure, cargo, installed, postgres, run, shown, target_dir, wait};

/// The number of seeds that CI runs, for each store.
const FIGURES: [(&str, u32); 2] = [("memory", 10_000), ("sqlite", 2_000)];
const ON_POSTGRES: (&str, u32) = ("postgres", 300);
const ON_EMULATOR: (&str, u32) = ("dynamo", 200);
/// The environment variable in which the simulation finds the emulator's address.
const ADDRESS: &str = "INRESPONSE_SIM_DYNAMODB";

/// The environment variable in which the simulation finds the folder of PostgreSQL's programs.
const POSTGRES: &str = "INRESPONSE_TEST_POSTGRES";

/// Runs the simulations of CI, with the program that was built for the tests. A run fails if some fault never occurred in
/// it, and a run of many seeds also if some transition never did.
pub(crate) fn short() -> Result<(), Failure> {
    let [memory, sqlite] = FIGURES.map(|figures| run(&mut seeds(figures)));
    match (memory, sqlite) {
        (Err(memory), Err(sqlite)) => Err(format!("{memory}\n{sqlite}").into()),
        (memory, sqlite) => memory.and(sqlite),
    }
}

/// Runs the simulation of CI on a real PostgreSQL server.
pub(crate) fn on_postgres() -> Result<(), Failure> {
    run(seeds(ON_POSTGRES).env(POSTGRES, postgres()?))
}

/// Starts the simulation that CI runs on an emulated DynamoDB.
pub(crate) fn on_dynamo() -> Result<OnEmulator, Failure> {
    let dynamodb = Emulator::dynoxide()?;
    let mut sim = seeds(ON_EMULATOR);
    println!("\n$ {}, while other commands run", shown(&sim));
    let child = sim.env(ADDRESS, dynamodb.url()).spawn()?;
    Ok(OnEmulator { child: Some(child), _dynamodb: dynamodb })
}

fn seeds((store, seeds): (&str, u32)) -> Command {
    let mut sim = Command::new(target_dir().join("debug/inresponse-sim"));
    sim.args(["sim", "--store", store, "--seeds", &seeds.to_string()]);
    sim
}

/// A running simulation on an emulated DynamoDB. Dropping it ends the simulation.
pub(crate) struct OnEmulator {
    /// The process; `None` after its end.
    child: Option<Child>,
    _dynamodb: Emulator,
}

impl OnEmulator {
    /// Waits for the end of the simulation, and fails if it failed.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let Some(child) = self.child.take() else { return Ok(()) };
        let status = wait(child, "the simulation on DynamoDB")?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the simulation on DynamoDB failed: {status}").into())
        }
    }
}

impl Drop for OnEmulator {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ended = child.kill();
            let _reaped = child.wait();
        }
    }
}

/// Builds the simulation and runs one of its commands, with what it needs. For planted bugs, the copy of the sources is
/// used.
pub(crate) fn run_sim(command: &str, arguments: &[String]) -> Result<(), Failure> {
    let plants = command == "mutants" || arguments.iter().any(|argument| argument.starts_with("--plant"));
    let mut sim = if plants { copy::planted("run", "release")? } else { cargo() };
    if !plants {
        sim.args(["run", "--locked"]);
    }
    sim.args(["--release", "--quiet", "-p", "inresponse-sim"]);
    let mut emulator = None;
    if arguments.iter().any(|argument| argument.ends_with("dynamo")) {
        sim.args(["--features", "dynamo"]);
        emulator = Some(Emulator::dynoxide()?);
    }
    if arguments.iter().any(|argument| argument.ends_with("postgres")) {
        sim.args(["--features", "postgres"]).env(POSTGRES, postgres()?);
    }
    sim.envs(emulator.iter().map(|emulator| (ADDRESS, emulator.url())));
    run(sim.args(["--", command]).args(arguments))
}

/// Builds the simulated disk and cuts its power.
pub(crate) fn powercuts(arguments: &[String]) -> Result<(), Failure> {
    let mut cuts = cargo();
    cuts.args(["run", "--release", "--quiet", "--locked", "-p", "inresponse-powercut", "--"]);
    run(cuts.args(arguments))
}

/// Plants bugs one by one, or changes the source at every place that decides something.
pub(crate) fn mutants(arguments: &[String]) -> Result<(), Failure> {
    match arguments {
        [first, others @ ..] if first == "--source" => source_mutants(others),
        _ => run_sim("mutants", arguments),
    }
}

/// Changes the planner's source one place at a time. Fails if no test notices a change that is not listed with a
/// reason.
fn source_mutants(arguments: &[String]) -> Result<(), Failure> {
    let program = installed("cargo-mutants", "27.1.0", "cargo-mutants", &[])?;
    let folder = target_dir().join("mutants");
    std::fs::create_dir_all(&folder)?;
    let mut mutants = Command::new(program);
    mutants.args(["mutants", "-p", "inresponse-core", "--jobs", "1", "-o"]).arg(&folder).args(arguments);
    // Each change is built in a copy, by itself. A few hundred random lives are enough to notice.
    mutants.env_remove("CARGO_TARGET_DIR").env("PROPTEST_CASES", "200");
    run(&mut mutants)
}
