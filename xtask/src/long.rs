//! Runs every command that takes long, one after the other.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::bench::{self, Bench};
use crate::counts::Counts;
use crate::oracle::{self, Oracle};
use crate::steps::{Account, Step, Usual, chosen, minutes};
use crate::test::Kills;
use crate::tools::Failure;
use crate::{fuzz, schema, sim, test};

/// The sizes of the steps, which decide how long each takes.
#[derive(Args)]
pub(crate) struct Sizes {
    /// Run only these steps. By default all run, except `source-mutants`, which takes hours.
    steps: Vec<Long>,
    /// The number of seeds to simulate in memory.
    #[arg(long, default_value_t = 200_000)]
    memory_seeds: u32,
    /// The number of seeds to simulate on SQLite.
    #[arg(long, default_value_t = 20_000)]
    sqlite_seeds: u32,
    /// The number of seeds to simulate on PostgreSQL.
    #[arg(long, default_value_t = 5_000)]
    postgres_seeds: u32,
    /// The number of seeds to simulate on an emulated DynamoDB.
    #[arg(long, default_value_t = 1_000)]
    dynamo_seeds: u32,
    /// The number of random rosters to compare.
    #[arg(long, default_value_t = 2_000)]
    oracle_rosters: u32,
    /// The first seed of simulations and power cuts, and the seed of kills and rosters.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of seeds to try for each planted bug.
    #[arg(long, default_value_t = 20_000)]
    mutant_seeds: u32,
    /// The number of times to kill a server.
    #[arg(long, default_value_t = 1_000)]
    kills: u32,
    /// The number of failovers of PostgreSQL.
    #[arg(long, default_value_t = 10)]
    failovers: u32,
    /// The older revision of the rolling upgrade (default: the newest tag, or twenty commits ago if there is no tag).
    #[arg(long, value_name = "REVISION")]
    old: Option<String>,
    /// The number of power cuts.
    #[arg(long, default_value_t = 100_000)]
    cuts: u32,
    /// The number of seconds to fuzz each target.
    #[arg(long, default_value_t = 60)]
    fuzz_seconds: u64,
    /// The number of requests to generate for each operation.
    #[arg(long, default_value_t = 300)]
    schema_examples: u32,
    /// The number of seconds of each storm in the load test.
    #[arg(long, default_value_t = 10)]
    load_seconds: u64,
}

/// A step: a command that takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Long {
    /// `cargo xtask model`
    Model,
    /// `cargo xtask sim`
    SimMemory,
    /// `cargo xtask sim --store sqlite`
    SimSqlite,
    /// `cargo xtask sim --store postgres`
    SimPostgres,
    /// `cargo xtask sim --store dynamo`
    SimDynamo,
    /// `cargo xtask oracle`
    Oracle,
    /// `cargo xtask mutants`
    Mutants,
    /// `cargo xtask powercuts`
    Powercuts,
    /// `cargo xtask soak`
    Soak,
    /// `cargo xtask failover`
    Failover,
    /// `cargo xtask rolling`
    Rolling,
    /// `cargo xtask fuzz`
    Fuzz,
    /// `cargo xtask schema`
    Schema,
    /// `cargo xtask load`
    Load,
    /// `cargo xtask bench peers`
    BenchPeers,
    /// `cargo xtask bench scale`
    BenchScale,
    /// `cargo xtask bench heartbeats`
    BenchHeartbeats,
    /// `cargo xtask bench storm`
    BenchStorm,
    /// `cargo xtask bench counts`
    BenchCounts,
    /// `cargo xtask bench stores`
    BenchStores,
    /// `cargo xtask mutants --source`
    SourceMutants,
}

impl Step for Long {
    const COMMAND: &'static str = "long";

    fn limit(self) -> Duration {
        // The sizes are the caller's: this only ends what hangs.
        minutes(24 * 60)
    }

    fn needs(self) -> &'static [Self] {
        &[]
    }
}

impl Sizes {
    fn perform(&self, step: Long) -> Result<(), Failure> {
        let kills = Kills { kills: self.kills, seed: self.seed };
        let peers = |arguments| bench::bench(&Bench::Peers { arguments });
        match step {
            Long::Model => sim::run_sim("model", &[]),
            Long::SimMemory => self.simulate("memory", self.memory_seeds),
            Long::SimSqlite => self.simulate("sqlite", self.sqlite_seeds),
            Long::SimPostgres => self.simulate("postgres", self.postgres_seeds),
            Long::SimDynamo => self.simulate("dynamo", self.dynamo_seeds),
            Long::Oracle => oracle::compare(&Oracle { rosters: self.oracle_rosters, seed: self.seed }),
            Long::Mutants => sim::mutants(&words(["--seeds", &self.mutant_seeds.to_string()])),
            Long::Powercuts => {
                sim::powercuts(&words(["--cuts", &self.cuts.to_string(), "--from", &self.seed.to_string()]))
            }
            Long::Soak => test::soak(kills),
            Long::Failover => test::failover(self.failovers),
            Long::Rolling => test::rolling(self.old.as_deref()),
            Long::Fuzz => fuzz::fuzz(self.fuzz_seconds, &[]),
            Long::Schema => schema::schema(self.schema_examples),
            Long::Load => test::load(self.load_seconds),
            Long::BenchPeers => peers(Vec::new()),
            Long::BenchScale => bench::bench(&Bench::Scale { arguments: Vec::new() }),
            Long::BenchHeartbeats => bench::bench(&Bench::Heartbeats { arguments: Vec::new() }),
            Long::BenchStorm => bench::bench(&Bench::Storm { arguments: Vec::new() }),
            Long::BenchCounts => bench::bench(&Bench::Counts(Counts::default())),
            Long::BenchStores => bench::bench(&Bench::Stores { quick: false }),
            Long::SourceMutants => sim::mutants(&words(["--source"])),
        }
    }

    fn simulate(&self, store: &str, seeds: u32) -> Result<(), Failure> {
        let (seeds, from) = (seeds.to_string(), self.seed.to_string());
        sim::run_sim("sim", &words(["--store", store, "--seeds", &seeds, "--from", &from]))
    }

    /// The sizes as options, to repeat a step with the same ones.
    fn options(&self) -> String {
        let old = self.old.as_ref().map_or_else(String::new, |old| format!(" --old {old}"));
        format!(
            " --memory-seeds {} --sqlite-seeds {} --postgres-seeds {} --dynamo-seeds {} --oracle-rosters {} --seed {} --mutant-seeds {} --kills {} --failovers {}{old} --cuts {} \
             --fuzz-seconds {} --schema-examples {} --load-seconds {}",
            self.memory_seeds,
            self.sqlite_seeds,
            self.postgres_seeds,
            self.dynamo_seeds,
            self.oracle_rosters,
            self.seed,
            self.mutant_seeds,
            self.kills,
            self.failovers,
            self.cuts,
            self.fuzz_seconds,
            self.schema_examples,
            self.load_seconds
        )
    }
}

/// Runs the chosen steps, and prints their results.
pub(crate) fn long(sizes: &Sizes) -> Result<(), Failure> {
    let usual = |step| if step == Long::SourceMutants { Usual::OnlyByName } else { Usual::Run };
    let steps = chosen(&sizes.steps, usual);
    Account::of(&steps, |step| sizes.perform(step)).close(&sizes.options())
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}
