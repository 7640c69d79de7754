//! The chosen storage and the chosen way to send mail.

use std::fmt;
use std::path::PathBuf;

use inresponse_postgres::PostgresConfig;
use inresponse_smtp::SmtpConfig;

/// The storage of incidents and the roster.
#[derive(Debug)]
pub(crate) enum StorageConfig {
    Sqlite(PathBuf),
    Postgres(Box<PostgresConfig>),
    #[cfg(feature = "aws")]
    Dynamo {
        prefix: String,
    },
}

impl fmt::Display for StorageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "{}", file.display()),
            Self::Postgres(config) => write!(f, "{config}"),
            #[cfg(feature = "aws")]
            Self::Dynamo { prefix } => write!(f, "DynamoDB, tables {prefix}…"),
        }
    }
}

/// The way to send mail.
#[derive(Debug)]
pub(crate) enum MailConfig {
    Smtp(Box<SmtpConfig>),
    Outbox {
        dir: PathBuf,
        from: String,
    },
    #[cfg(feature = "aws")]
    Ses(inresponse_ses::SesConfig),
}
