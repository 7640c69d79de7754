//! The InResponse server: SQLite or PostgreSQL, and SMTP, around the library; with the feature `aws`, DynamoDB and SES
//! too.
//!
//! This crate only wires parts together: `cli` (flags), `config` (checked settings), `serve` (starts all parts),
//! `listen` (connections), `log` (writes the log), `storage` (SQLite, PostgreSQL or DynamoDB), `aws` (connects to AWS), `fetch` (fetches
//! certificates from Amazon), `commands` (client commands), `notifiers` (chooses notifiers by the settings), `ops`
//! (commands and periodic checks for operators), `exposure` (finds files that others can read), `seed` (creates the
//! configured roster), `order` (finds the order in which entries are put), `keys` and `secret` (make keys and secrets
//! once), `reload` (reads the keys again while the server runs).

#[cfg(feature = "aws")]
mod aws;
mod cli;
mod commands;
mod config;
mod descriptors;
mod exposure;
mod fetch;
#[doc(hidden)]
pub mod fuzzing;
mod keys;
mod listen;
mod log;
mod notifiers;
mod ops;
mod order;
mod reload;
mod secret;
mod seed;
mod serve;
mod storage;

use std::error::Error;
use std::future::Future;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command, KeyCommand};
use config::ServeArgs;
use inresponse_core::text::visible;

/// Runs the command that the command line names.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return commands::misused(&error),
    };
    let done = match cli.command {
        Some(Command::Client(command)) => return commands::run(*command),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Cli::command(), "inresponse", &mut std::io::stdout());
            Ok(())
        }
        Some(Command::Key(KeyCommand::New)) => new_key(),
        Some(Command::Key(KeyCommand::Replace(args))) => waiting(keys::replace(*args)),
        Some(Command::Serve(args)) => serve(*args),
        Some(Command::Backup(args)) => ops::backup::back_up(&args),
        Some(Command::Restore(args)) => ops::backup::restore(&args),
        Some(Command::Migrate(args)) => waiting(ops::migrate::migrate(args)),
        Some(Command::Doctor(args)) => waiting(ops::doctor::doctor(*args)),
        Some(Command::TestAlert(args)) => waiting(ops::test_alert::test_alert(*args)),
        None => serve(cli.serve),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("inresponse: {}", visible(&error.to_string()));
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {}", visible(&cause.to_string()));
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn new_key() -> Result<(), Box<dyn Error>> {
    let key = keys::random_key()?;
    println!("key:  {key}\nhash: {}", inresponse_http::hash_of(&key));
    Ok(())
}

/// Runs an asynchronous command to its end, on a runtime with one thread.
fn waiting(work: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn serve(args: ServeArgs) -> Result<(), Box<dyn Error>> {
    let config = config::Config::load(args.clone())?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = std::io::stderr().is_terminal();
    // The last lines are written when this function ends.
    let (log, _flush) = log::start(std::io::stderr())?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(log).with_ansi(ansi).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve::serve(args, config))
}
