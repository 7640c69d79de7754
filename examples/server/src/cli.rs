//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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

/// Each flag is also an environment variable and, by the same name, an entry of the config file; a flag goes
/// before the environment, and the environment before the file.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on (default: 127.0.0.1:8080)
    #[arg(long, env = "INRESPONSE_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,

    /// The database file, created if absent (default: inresponse.db)
    #[arg(long, env = "INRESPONSE_DB", value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,

    /// Keep everything in DynamoDB instead, shared by several servers, in the tables with that prefix; region,
    /// credentials and endpoint are those of the usual AWS environment
    #[arg(long, env = "INRESPONSE_DYNAMO_PREFIX", value_name = "PREFIX", hide = cfg!(not(feature = "aws")))]
    pub(crate) dynamo_prefix: Option<String>,

    /// A TOML file with the same names, and keys, roster and catch-all team
    #[arg(long, env = "INRESPONSE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where people reach this server; links in mails begin with it (default: http://LISTEN)
    #[arg(long, env = "INRESPONSE_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// One API key with all scopes
    #[arg(long, env = "INRESPONSE_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,

    /// The mail server: smtp://user:password@host:587?tls=required, or smtps://…
    #[arg(long, env = "INRESPONSE_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) smtp_url: Option<String>,

    /// Send mails by Amazon SES, reached by the usual AWS environment
    #[arg(long, env = "INRESPONSE_SES", hide = cfg!(not(feature = "aws")))]
    pub(crate) ses: bool,

    /// The sender of mails (default: inresponse@localhost)
    #[arg(long, env = "INRESPONSE_MAIL_FROM", value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,

    /// Write mails as .eml files here; the default, in ./outbox, when no SMTP is given
    #[arg(long, env = "INRESPONSE_OUTBOX", value_name = "DIR")]
    pub(crate) outbox: Option<PathBuf>,

    /// What webhooks are signed with: whsec_ and the base64 of 24 to 64 random bytes
    #[arg(long, env = "INRESPONSE_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub(crate) webhook_secret: Option<String>,

    /// How long a process may take to send before the alert is sent again (default: 30)
    #[arg(long, env = "INRESPONSE_LEASE_SECONDS", value_name = "SECONDS")]
    pub(crate) lease_seconds: Option<u64>,

    /// What links in mails are signed with (default: made once and kept in the database)
    #[arg(long, env = "INRESPONSE_TOKEN_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub(crate) token_secret: Option<String>,
}
