//! Developer commands: `cargo xtask test` is what CI runs.

mod bench;
mod bugs;
mod circles;
mod cloud;
mod copy;
mod emulators;
mod fuzz;
mod lambda;
mod log_lines;
mod long;
mod nextest;
mod pictures;
mod prose;
mod purity;
mod sbom;
mod schema;
mod sentences;
mod sim;
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
    /// Install what the tests need, and run everything that CI runs; goes on after a failure, and lists all at the end.
    Test {
        /// Only these parts; they use what the last run has built.
        parts: Vec<test::Part>,
        /// Of the tests in these parts, only those that this filter of nextest selects.
        #[arg(long, requires = "parts")]
        only: Option<String>,
    },
    /// Run every command that takes long, one after the other; goes on after a failure, and lists all at the end.
    Long(long::Sizes),
    /// Deploy the template with the real functions to an emulated cloud, and test it there.
    Cloud,
    /// Check that the core depends on no adapter's world: no HTTP, SQL, AWS, SMTP, and no tokio by choice; that no files
    /// use each other in circles; that log lines show whole errors; and that the edits that plant bugs fit.
    Purity,
    /// Print fifty sentences of docs, doc comments, errors and pages, to judge how plain they are.
    Sentences {
        /// Decides which: the same seed draws the same sentences from the same tree.
        #[arg(long)]
        seed: u64,
    },
    /// Unpack real monitoring systems, and let them report to the server as the pages in docs/intake say.
    Intake,
    /// Unpack nginx and Caddy, and put them in front of the server as docs/operations/proxies says.
    Proxies,
    /// Write what the server and the functions are built of, as CycloneDX, under `target/sbom`.
    Sbom,
    /// Look at the pages and the mails with a real browser: what they do, who could not use them, what they look like.
    Browser {
        /// Put the pictures that the docs show into docs/pictures.
        #[arg(long)]
        pictures: bool,
    },
    /// Build the functions for AWS Lambda, and pack them where the template looks for them.
    Lambda,
    /// Measure start, reports and processor time of the function, next to a small one in Python.
    LambdaBench,
    /// Kill two servers on one database again and again under load, and account for every number and every mail.
    Crash {
        /// How many times to kill one.
        #[arg(long, default_value_t = 50)]
        kills: u32,
        /// Decides which one is killed when, and at which system call.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// The same for long, with the server as it is released.
    Soak {
        /// How many times to kill one.
        #[arg(long)]
        kills: u32,
        /// Decides which one is killed when, and at which system call.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Fuzz everything that reads what strangers send, each target for some time.
    Fuzz {
        /// How long each target is run.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Only these targets.
        targets: Vec<String>,
    },
    /// Let Schemathesis make up requests after the API document, and check every answer by it.
    Schema {
        /// How many requests for each operation.
        #[arg(long, default_value_t = 300)]
        examples: u32,
    },
    /// Measure the server under slow clients, under a storm of one key, and with a full queue.
    Load {
        /// How long each storm lasts.
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
        /// Passed on.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Simulate servers, people, carriers and faults; `cargo xtask sim --help` lists the options.
    #[command(disable_help_flag = true)]
    Sim {
        /// Passed on to the simulation.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Plant bugs, one after the other, and see that simulation or model check catches each; with `--source`, change
    /// the planner's source, one place after the other, and see that a test notices.
    #[command(disable_help_flag = true)]
    Mutants {
        /// Passed on to the simulation.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Check every state that the planner can reach within bounds.
    #[command(disable_help_flag = true)]
    Model {
        /// Passed on to the model check.
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
        Command::Sbom => sbom::sbom(),
        Command::Browser { pictures } => {
            let pictures = if pictures { test::Pictures::Kept } else { test::Pictures::Looked };
            nextest::install().and_then(|()| test::pages(pictures, None))
        }
        Command::Lambda => lambda::build().map(drop),
        Command::LambdaBench => lambda::bench(),
        Command::Fuzz { seconds, targets } => fuzz::fuzz(seconds, &targets),
        Command::Schema { examples } => schema::schema(examples),
        Command::Load { seconds } => test::load(seconds),
        Command::Bench { what } => bench::bench(&what),
        Command::Crash { kills, seed } => test::crash(test::Kills { kills, seed }),
        Command::Soak { kills, seed } => test::soak(test::Kills { kills, seed }),
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
