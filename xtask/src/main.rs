//! Developer commands: `cargo xtask test` is what CI runs.

mod emulators;
mod lambda;
mod test;
mod tools;

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
    /// Install what the tests need, and run everything that CI runs.
    Test,
    /// Check that the core depends on no adapter's world: no HTTP, SQL, AWS, SMTP, and no tokio by choice.
    Purity,
    /// Build the functions for AWS Lambda, and pack them where the template looks for them.
    Lambda,
    /// Measure start, reports and processor time of the function, next to a small one in Python.
    LambdaBench,
    /// Kill the server again and again under load, and account for every number and every mail.
    Crash {
        /// How many times to kill it.
        #[arg(long, default_value_t = 50)]
        kills: u32,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Test => test::everything(),
        Command::Purity => test::purity(),
        Command::Lambda => lambda::build().map(drop),
        Command::LambdaBench => lambda::bench(),
        Command::Crash { kills } => test::crash(kills),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
