//! Developer commands: `cargo xtask test` is what CI runs.

mod bench;
mod bugs;
mod circles;
mod cloud;
mod copy;
mod counts;
mod emulators;
mod fuzz;
mod lambda;
mod links;
mod log_lines;
mod long;
mod nextest;
mod older;
mod oracle;
mod pictures;
mod prose;
mod purity;
mod reference;
mod sbom;
mod schema;
mod sentences;
mod sim;
mod site;
mod steps;
mod test;
mod tools;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer commands.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the tests need, and run everything that CI runs. Continue after a failure, and list all failures at
    /// the end.
    Test {
        /// Run only these parts, with what the last run has built.
        parts: Vec<test::Part>,
        /// Run only those tests of the parts that this filter of nextest selects.
        #[arg(long, requires = "parts")]
        only: Option<String>,
    },
    /// Run every command that takes long, one after the other. Continue after a failure, and list all failures at the
    /// end.
    Long(long::Sizes),
    /// Deploy the template with the real functions to an emulated cloud, and test it there.
    Cloud,
    /// Check that the core depends on no HTTP, SQL, AWS or SMTP, and on tokio only by choice; that no files use each
    /// other in circles; that log lines show whole errors; and that the edits that plant bugs fit.
    Purity,
    /// Print fifty sentences of docs, doc comments, errors and pages, to judge how plain they are.
    Sentences {
        /// The seed of the draw: the same seed draws the same sentences from the same tree.
        #[arg(long)]
        seed: u64,
    },
    /// Unpack real monitoring systems, and let them report to the server as docs/intake describes.
    Intake,
    /// Unpack nginx and Caddy, and put them in front of the server as docs/operations/proxies describes.
    Proxies,
    /// Check the links of the documentation, build it as a site, and check the links of the site.
    Site,
    /// Write the pages of the reference again: settings, metrics, HTTP and commands.
    Reference,
    /// List the components of the server and the functions, as CycloneDX, under `target/sbom`.
    Sbom,
    /// Test the pages and the mails in a real browser: behaviour, accessibility and looks.
    Browser {
        /// Copy the pictures that the docs show into docs/pictures.
        #[arg(long)]
        pictures: bool,
    },
    /// Build the functions for AWS Lambda, and pack them where the template looks for them.
    Lambda,
    /// Measure start, reports and processor time of the function, next to a small one in Python.
    LambdaBench,
    /// Kill two servers on one database again and again under load, and account for every number and every mail.
    Crash {
        /// The number of kills.
        #[arg(long, default_value_t = 50)]
        kills: u32,
        /// The seed, which decides when and at which system call each server is killed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Kill servers for a longer time, with the release build of the server.
    Soak {
        /// The number of kills.
        #[arg(long)]
        kills: u32,
        /// The seed, which decides when and at which system call each server is killed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Let the primary of PostgreSQL die under load, promote its synchronous standby, and account for every number.
    Failover {
        /// The number of times.
        #[arg(long, default_value_t = 10)]
        failovers: u32,
    },
    /// Replace two servers of an older revision on one database under load, and account for every number and every mail.
    Rolling {
        /// The older revision (default: the newest tag, or twenty commits ago if there is no tag).
        #[arg(long, value_name = "REVISION")]
        old: Option<String>,
    },
    /// Compare schedules, minute by minute, with an independent program in Python: a whole year of a realistic roster,
    /// and many random rosters.
    Oracle(oracle::Oracle),
    /// Fuzz all readers of untrusted input, each target for some time.
    Fuzz {
        /// The number of seconds for each target.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Fuzz only these targets.
        targets: Vec<String>,
    },
    /// Let Schemathesis generate requests from the API document, and check every answer against it.
    Schema {
        /// The number of requests for each operation.
        #[arg(long, default_value_t = 300)]
        examples: u32,
    },
    /// Test the server with slow clients, with a storm of one key, and with a full queue.
    Load {
        /// The number of seconds of each storm.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// Measure: load on whole servers, instructions of the hot paths, stores.
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
    /// Cut the power under the store on SQLite, on a simulated disk; `cargo xtask powercuts --help` lists the options.
    #[command(disable_help_flag = true)]
    Powercuts {
        /// Options for the power cuts.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Simulate servers, people, carriers and faults; `cargo xtask sim --help` lists the options.
    #[command(disable_help_flag = true)]
    Sim {
        /// Options for the simulation.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Plant bugs, one after the other, and check that simulation or model check finds each. With `--source`, change
    /// the planner's source, one place after the other, and check that a test notices.
    #[command(disable_help_flag = true)]
    Mutants {
        /// Options for the simulation.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Check every state that the planner can reach within limits.
    #[command(disable_help_flag = true)]
    Model {
        /// Options for the model check.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Test { parts, only } => test::test(&parts, only.as_deref()),
        Command::Long(sizes) => long::long(&sizes),
        Command::Cloud => cloud::test(),
        Command::Purity => purity::purity(),
        Command::Sentences { seed } => sentences::sentences(seed),
        Command::Intake => nextest::install().and_then(|()| test::intake(None)),
        Command::Proxies => nextest::install().and_then(|()| test::proxies(None)),
        Command::Site => site::check(),
        Command::Reference => reference::write(),
        Command::Sbom => sbom::sbom(),
        Command::Browser { pictures } => {
            let pictures = if pictures { test::Pictures::Kept } else { test::Pictures::Looked };
            nextest::install().and_then(|()| test::pages(pictures, None))
        }
        Command::Lambda => lambda::build().map(drop),
        Command::LambdaBench => lambda::bench(),
        Command::Oracle(what) => oracle::compare(&what),
        Command::Fuzz { seconds, targets } => fuzz::fuzz(seconds, &targets),
        Command::Schema { examples } => schema::schema(examples),
        Command::Load { seconds } => test::load(seconds),
        Command::Bench { what } => bench::bench(&what),
        Command::Crash { kills, seed } => test::crash(test::Kills { kills, seed }),
        Command::Soak { kills, seed } => test::soak(test::Kills { kills, seed }),
        Command::Failover { failovers } => test::failover(failovers),
        Command::Rolling { old } => test::rolling(old.as_deref()),
        Command::Powercuts { arguments } => sim::powercuts(&arguments),
        Command::Sim { arguments } => sim::run_sim("sim", &arguments),
        Command::Model { arguments } => sim::run_sim("model", &arguments),
        Command::Mutants { arguments } => sim::mutants(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
