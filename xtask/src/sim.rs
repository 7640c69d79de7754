//! Simulation and model check, as fast as they can be built.

use std::process::Command;

use crate::tools::{Failure, cargo, run, target_dir};

/// How many seeds CI runs, on which store.
const FIGURES: [(&str, u32); 2] = [("memory", 20_000), ("sqlite", 2_000)];

/// Runs what CI runs, with the program that was built for the tests. Each run fails if some fault or some transition
/// never occurred in it.
pub(crate) fn short() -> Result<(), Failure> {
    for (store, seeds) in FIGURES {
        let mut sim = Command::new(target_dir().join("debug/inresponse-sim"));
        run(sim.args(["sim", "--store", store, "--seeds", &seeds.to_string()]))?;
    }
    Ok(())
}

/// Builds the simulation and runs one of its commands.
pub(crate) fn run_sim(command: &str, arguments: &[String]) -> Result<(), Failure> {
    let mut sim = cargo();
    sim.args(["run", "--release", "--quiet", "--locked", "-p", "inresponse-sim", "--", command]);
    run(sim.args(arguments))
}

/// The same with bugs that can be planted, which no other build has.
pub(crate) fn mutants(arguments: &[String]) -> Result<(), Failure> {
    let mut sim = cargo();
    sim.args([
        "run",
        "--release",
        "--quiet",
        "--locked",
        "-p",
        "inresponse-sim",
        "--features",
        "planted-bugs",
    ]);
    run(sim.args(["--", "mutants"]).args(arguments))
}
