//! The flags of the server.

use std::path::PathBuf;

use clap::Args;

use super::SecretText;

/// Each flag is also an environment variable and, by the same name, an entry of the config file; a flag goes
/// before the environment, and the environment before the file. No file allows weak secrets.
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
    pub(crate) api_key: Option<SecretText>,

    /// The mail server: smtp://user:password@host:587?tls=required, or smtps://…
    #[arg(long, env = "INRESPONSE_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) smtp_url: Option<SecretText>,

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
    pub(crate) webhook_secret: Option<SecretText>,

    /// How long a process may take to send before the alert is sent again (default: 30)
    #[arg(long, env = "INRESPONSE_LEASE_SECONDS", value_name = "SECONDS")]
    pub(crate) lease_seconds: Option<u64>,

    /// Tell those who were alerted who has claimed or resolved an incident, in the thread of their alert
    #[arg(long, env = "INRESPONSE_TELL_CLAIMS")]
    pub(crate) tell_claims: bool,

    /// For how many days resolved incidents are kept (default: for ever)
    #[arg(long, env = "INRESPONSE_KEEP_RESOLVED_DAYS", value_name = "DAYS")]
    pub(crate) keep_resolved_days: Option<u32>,

    /// Report a synthetic incident to this contact every five minutes, and measure until its mail is accepted
    #[arg(long, env = "INRESPONSE_CANARY", value_name = "CONTACT")]
    pub(crate) canary: Option<String>,

    /// The proxies in front of this server, by address or network: the address of a client is what their X-Forwarded-For
    /// or Forwarded says
    #[arg(long, env = "INRESPONSE_TRUSTED_PROXIES", value_name = "NETWORK,…", value_delimiter = ',')]
    pub(crate) trusted_proxies: Vec<String>,

    /// For tests only: take API keys of fewer than 16 characters
    #[arg(long, env = "INRESPONSE_ALLOW_WEAK_SECRETS")]
    pub(crate) allow_weak_secrets: bool,

    /// What links in mails are signed with (default: made once and kept in the database)
    #[arg(long, env = "INRESPONSE_TOKEN_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub(crate) token_secret: Option<SecretText>,
}
