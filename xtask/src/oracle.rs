//! Compares schedules with an independent program in Python: a whole year, and many random rosters.

use clap::Args;

use crate::nextest::{self, Tests};
use crate::tools::{Failure, python};

/// What is compared.
#[derive(Args)]
pub(crate) struct Oracle {
    /// The number of random rosters.
    #[arg(long, default_value_t = 2_000)]
    pub(crate) rosters: u32,
    /// The seed of the random rosters.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Compares, and prints how many minutes were compared.
pub(crate) fn compare(Oracle { rosters, seed }: &Oracle) -> Result<(), Failure> {
    nextest::install()?;
    let mut tests = Tests::of("package(inresponse-calendar) and binary(against_oracle)", None);
    tests.command.args(["--profile", "long", "--no-capture"]).env("INRESPONSE_TEST_PYTHON", python()?);
    tests.command.env("INRESPONSE_ORACLE_UNTIL", "2028-01-01T00:00:00Z");
    tests.command.env("INRESPONSE_ORACLE_ROSTERS", rosters.to_string());
    tests.command.env("INRESPONSE_ORACLE_SEED", seed.to_string());
    tests.run("tests")
}
