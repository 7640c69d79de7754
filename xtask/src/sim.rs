//! Simulation, model check and power cuts, as fast as they can be built.

use std::process::Command;

use crate::emulators::Emulator;
use crate::tools::{Failure, cargo, installed, run, target_dir};

/// How many seeds CI runs, on which store.
const FIGURES: [(&str, u32); 3] = [("memory", 20_000), ("sqlite", 2_000), ("dynamo", 200)];
/// The feature with which [`short`] needs the simulation to be built.
pub(crate) const ON_DYNAMO: &str = "inresponse-sim/dynamo";
/// Where the simulation looks for an emulator.
const ADDRESS: &str = "INRESPONSE_SIM_DYNAMODB";

/// Runs what CI runs, with the program that was built for the tests. Each run fails if some fault or some transition
/// never occurred in it.
pub(crate) fn short() -> Result<(), Failure> {
    let dynamodb = Emulator::dynoxide()?;
    for (store, seeds) in FIGURES {
        let mut sim = Command::new(target_dir().join("debug/inresponse-sim"));
        sim.args(["sim", "--store", store, "--seeds", &seeds.to_string()]);
        run(sim.env(ADDRESS, dynamodb.url()))?;
    }
    Ok(())
}

/// Builds the simulation and runs one of its commands, with what that needs.
pub(crate) fn run_sim(command: &str, arguments: &[String]) -> Result<(), Failure> {
    let mut sim = cargo();
    sim.args(["run", "--release", "--quiet", "--locked", "-p", "inresponse-sim"]);
    let mut emulator = None;
    if arguments.iter().any(|argument| argument.ends_with("dynamo")) {
        sim.args(["--features", "dynamo"]);
        emulator = Some(Emulator::dynoxide()?);
    }
    if command == "mutants" || arguments.iter().any(|argument| argument.starts_with("--plant")) {
        sim.args(["--features", "planted-bugs"]);
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
