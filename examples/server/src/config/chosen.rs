//! Where incidents are kept and where mails go, as it was chosen.

use std::fmt;
use std::path::PathBuf;

use inresponse_smtp::SmtpConfig;

/// Where incidents and the roster are kept.
#[derive(Debug)]
pub(crate) enum StorageConfig {
    Sqlite(PathBuf),
    #[cfg(feature = "aws")]
    Dynamo {
        prefix: String,
    },
}

impl fmt::Display for StorageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "{}", file.display()),
            #[cfg(feature = "aws")]
            Self::Dynamo { prefix } => write!(f, "DynamoDB, tables {prefix}…"),
        }
    }
}

/// Where mails go.
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
