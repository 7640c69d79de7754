//! Simulation, model check and power cuts, as fast as they can be built.

use crate::tools::{Failure, cargo, run};

/// Builds the simulation and runs one of its commands.
pub(crate) fn run_sim(command: &str, arguments: &[String]) -> Result<(), Failure> {
    let mut sim = cargo();
    sim.args(["run", "--release", "--quiet", "--locked", "-p", "inresponse-sim", "--", command]);
    run(sim.args(arguments))
}

/// Builds the simulated disk and cuts its power.
pub(crate) fn powercuts(arguments: &[String]) -> Result<(), Failure> {
    let mut cuts = cargo();
    cuts.args(["run", "--release", "--quiet", "--locked", "-p", "inresponse-powercut", "--"]);
    run(cuts.args(arguments))
}

/// The simulation with bugs that can be planted, which no other build has.
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
