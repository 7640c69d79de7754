//! The command line.

use clap::{Parser, Subcommand};

use crate::config::ServeArgs;
use crate::ops::backup::{BackupArgs, RestoreArgs};
use crate::ops::doctor::DoctorArgs;
use crate::ops::test_alert::TestAlertArgs;

use crate::commands::ClientCommand;

/// Alerts whoever is on call when an incident is reported, and escalates until somebody claims it.
///
/// With nothing given at all it serves: a local database, a sample team `devops` with the service `athens`,
/// mail as files in ./outbox, and an API key that is made on the first start and printed once.
#[derive(Debug, Parser)]
#[command(name = "inresponse", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP API and send the alerts (the default).
    Serve(Box<ServeArgs>),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    Doctor(Box<DoctorArgs>),
    TestAlert(Box<TestAlertArgs>),
    /// Work with API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    #[command(flatten)]
    Client(Box<ClientCommand>),
    /// Print completions for a shell.
    ///
    /// Example: inresponse completions bash > ~/.local/share/bash-completion/completions/inresponse
    #[command(verbatim_doc_comment)]
    Completions {
        /// Which
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a random key, and print it with its hash for the config.
    New,
}
