//! Simulation, model check and power cuts, as fast as they can be built.

use std::process::{Child, Command};

use crate::copy;
use crate::emulators::Emulator;
use crate::tools::{Failure, cargo, installed, run, shown, target_dir, wait};

/// How many seeds CI runs, on which store.
const FIGURES: [(&str, u32); 2] = [("memory", 20_000), ("sqlite", 2_000)];
const ON_EMULATOR: (&str, u32) = ("dynamo", 300);
/// Where the simulation looks for an emulator.
const ADDRESS: &str = "INRESPONSE_SIM_DYNAMODB";

/// Runs what CI runs, with the program that was built for the tests. Each run fails if some fault or some transition
/// never occurred in it.
pub(crate) fn short() -> Result<(), Failure> {
    let [memory, sqlite] = FIGURES.map(|figures| run(&mut seeds(figures)));
    match (memory, sqlite) {
        (Err(memory), Err(sqlite)) => Err(format!("{memory}\n{sqlite}").into()),
        (memory, sqlite) => memory.and(sqlite),
    }
}

/// Starts what CI runs on an emulated DynamoDB.
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

/// Simulation on an emulated DynamoDB, under way; it ends with this.
pub(crate) struct OnEmulator {
    /// Until it was waited for.
    child: Option<Child>,
    _dynamodb: Emulator,
}

impl OnEmulator {
    /// Waits for its end, and fails if it failed.
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

/// Builds the simulation and runs one of its commands, with what that needs; where bugs are planted, of the copy that
/// has them.
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
    sim.envs(emulator.iter().map(|emulator| (ADDRESS, emulator.url())));
    run(sim.args(["--", command]).args(arguments))
}

/// Builds the simulated disk and cuts its power.
pub(crate) fn powercuts(arguments: &[String]) -> Result<(), Failure> {
    let mut cuts = cargo();
    cuts.args(["run", "--release", "--quiet", "--locked", "-p", "inresponse-powercut", "--"]);
    run(cuts.args(arguments))
}

/// Bugs that are planted one by one, or changes made at every place of the source that decides anything.
pub(crate) fn mutants(arguments: &[String]) -> Result<(), Failure> {
    match arguments {
        [first, others @ ..] if first == "--source" => source_mutants(others),
        _ => run_sim("mutants", arguments),
    }
}

/// Changes the planner's source one place at a time; fails if no test notices, and it is not listed with its reason.
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
