//! The flags of the server.

use std::path::PathBuf;

use clap::Args;
use inresponse_channels::SecretText;

/// Each flag is also an environment variable and an entry of the config file with the same name. A flag overrides
/// the environment, and the environment overrides the file. The file cannot allow weak secrets.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on (default: 127.0.0.1:8080)
    #[arg(long, env = "INRESPONSE_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,

    /// The database file, created if absent (default: inresponse.db)
    #[arg(long, env = "INRESPONSE_DB", value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,

    /// Keep everything in this PostgreSQL database instead, which several servers can share
    #[arg(
        long,
        env = "INRESPONSE_POSTGRES_URL",
        value_name = "postgres://USER:PASSWORD@HOST/DATABASE",
        hide_env_values = true
    )]
    pub(crate) postgres_url: Option<SecretText>,

    /// Keep everything in DynamoDB instead, in tables with this prefix, shared by several servers. Region,
    /// credentials and endpoint come from the usual AWS environment
    #[arg(long, env = "INRESPONSE_DYNAMO_PREFIX", value_name = "PREFIX", hide = cfg!(not(feature = "aws")))]
    pub(crate) dynamo_prefix: Option<String>,

    /// A TOML file with the same settings, plus keys, roster and catch-all team
    #[arg(long, env = "INRESPONSE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The URL at which people reach this server; links in mails begin with it (default: http://LISTEN)
    #[arg(long, env = "INRESPONSE_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// An API key with all scopes
    #[arg(long, env = "INRESPONSE_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) api_key: Option<SecretText>,

    /// The mail server: smtp://user:password@host:587?tls=required, or smtps://…
    #[arg(long, env = "INRESPONSE_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) smtp_url: Option<SecretText>,

    /// Send mails with Amazon SES; credentials and region come from the usual AWS environment
    #[arg(long, env = "INRESPONSE_SES", hide = cfg!(not(feature = "aws")))]
    pub(crate) ses: bool,

    /// The sender address of emails (default: inresponse@localhost)
    #[arg(long, env = "INRESPONSE_MAIL_FROM", value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,

    /// Write mails as .eml files to this folder (default if there is no SMTP server: ./outbox)
    #[arg(long, env = "INRESPONSE_OUTBOX", value_name = "DIR")]
    pub(crate) outbox: Option<PathBuf>,

    /// The secret that signs webhooks: whsec_ and the base64 of 24 to 64 random bytes
    #[arg(long, env = "INRESPONSE_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub(crate) webhook_secret: Option<SecretText>,

    /// The time in seconds after which an unfinished send is taken over and repeated (default: 30)
    #[arg(long, env = "INRESPONSE_LEASE_SECONDS", value_name = "SECONDS")]
    pub(crate) lease_seconds: Option<u64>,

    /// How many single alerts a contact gets in a minute before the others go out together; 0 never bundles (default: 5)
    #[arg(long, env = "INRESPONSE_SINGLES_PER_MINUTE", value_name = "ALERTS")]
    pub(crate) singles_per_minute: Option<u32>,

    /// When an incident is claimed or resolved, notify the people who were alerted, in the thread of their alert
    #[arg(long, env = "INRESPONSE_TELL_CLAIMS")]
    pub(crate) tell_claims: bool,

    /// How many days to keep resolved incidents (default: forever)
    #[arg(long, env = "INRESPONSE_KEEP_RESOLVED_DAYS", value_name = "DAYS")]
    pub(crate) keep_resolved_days: Option<u32>,

    /// Send a synthetic incident to this contact every five minutes, and measure the time until its mail is accepted
    #[arg(long, env = "INRESPONSE_CANARY", value_name = "CONTACT")]
    pub(crate) canary: Option<String>,

    /// The proxies in front of this server, as addresses or networks: their X-Forwarded-For or Forwarded gives the
    /// client's address
    #[arg(long, env = "INRESPONSE_TRUSTED_PROXIES", value_name = "NETWORK,…", value_delimiter = ',')]
    pub(crate) trusted_proxies: Vec<String>,

    /// For tests only: accept API keys of fewer than 16 characters
    #[arg(long, env = "INRESPONSE_ALLOW_WEAK_SECRETS")]
    pub(crate) allow_weak_secrets: bool,

    /// The secret that signs the links in mails (default: made once and kept in the database)
    #[arg(long, env = "INRESPONSE_TOKEN_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub(crate) token_secret: Option<SecretText>,
}
