//! `inresponse migrate`.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use inresponse_channels::SecretText;
use inresponse_core::Outage;
use inresponse_core::transfer::{Part, Progress, Target, transfer};
use inresponse_postgres::PostgresConfig;
use inresponse_sqlite::SqliteConfig;

use crate::config::StorageConfig;

/// Copy everything from one database to another: a file of SQLite, or the URL of a PostgreSQL database.
///
/// Numbers are kept, and numbering continues above them. Incidents are copied with their deliveries and timelines, the
/// roster with its audit records, and all settings, so that links in mails, sessions and keys stay valid. The target must
/// be empty. If the command is interrupted, run it again: it continues. At the end both databases are read and compared.
///
/// Stop the servers first: a source that is in use is refused, and it is locked meanwhile. Afterwards, start the servers on
/// the target only. The source is left as it is.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  inresponse migrate --from inresponse.db --to postgres://inresponse@db.example.org/inresponse"
)]
pub(crate) struct MigrateArgs {
    /// The database to copy
    #[arg(long, env = "INRESPONSE_MIGRATE_FROM", value_name = "FILE|URL", hide_env_values = true)]
    from: SecretText,

    /// The empty database to fill
    #[arg(long, env = "INRESPONSE_MIGRATE_TO", value_name = "FILE|URL", hide_env_values = true)]
    to: SecretText,
}

/// The database that a value of `flag` names.
fn database(flag: &str, named: &SecretText) -> Result<StorageConfig, Box<dyn Error>> {
    let text = &named.0;
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        let config = PostgresConfig::from_url(text).map_err(|e| format!("{flag}: {e}"))?;
        return Ok(StorageConfig::Postgres(Box::new(config)));
    }
    if text.contains("://") {
        return Err(format!("{flag}: must be a file of SQLite, or a URL that begins with postgres://").into());
    }
    Ok(StorageConfig::Sqlite(PathBuf::from(text)))
}

/// Opens a database so that nobody else writes to it.
async fn open(config: &StorageConfig, end: End) -> Result<Box<dyn Target>, Outage> {
    Ok(match (config, end) {
        (StorageConfig::Sqlite(file), End::From) => {
            Box::new(inresponse_sqlite::Moving::source(SqliteConfig::new(file)).await?)
        }
        (StorageConfig::Sqlite(file), End::To) => {
            Box::new(inresponse_sqlite::Moving::target(SqliteConfig::new(file)).await?)
        }
        (StorageConfig::Postgres(config), End::From) => {
            Box::new(inresponse_postgres::Moving::source(config).await?)
        }
        (StorageConfig::Postgres(config), End::To) => {
            Box::new(inresponse_postgres::Moving::target(config).await?)
        }
        #[cfg(feature = "aws")]
        (StorageConfig::Dynamo { .. }, _) => {
            return Err(Outage::permanent("a database of DynamoDB cannot be copied by this command"));
        }
    })
}

#[derive(Debug, Clone, Copy)]
enum End {
    From,
    To,
}

pub(crate) async fn migrate(args: MigrateArgs) -> Result<(), Box<dyn Error>> {
    let (from, to) = (database("from", &args.from)?, database("to", &args.to)?);
    let opened = |config: &StorageConfig, e: Outage| {
        Outage::new(e.kind(), format!("{config} cannot be used for this")).because(e)
    };
    let source = open(&from, End::From).await.map_err(|e| opened(&from, e))?;
    let target = open(&to, End::To).await.map_err(|e| opened(&to, e))?;
    let last = source.last_number().await?.value();
    let mut shown = Shown { last, is_terminal: std::io::stderr().is_terminal() };
    let done = transfer(&*source, &*target, &from.to_string(), &mut |progress| shown.show(progress)).await?;
    println!("{to} has everything of {from}. In both databases:");
    for sum in done.sums {
        let mut hash = String::new();
        for byte in sum.hash {
            write!(hash, "{byte:02x}")?;
        }
        println!("  {} {}, SHA-256 {hash}", sum.count, sum.part);
    }
    println!("the next incident gets a number above {}", done.last_number);
    println!("start the servers on {to} only: {from} is left as it is, and must not be served again");
    Ok(())
}

/// The number of items between two lines of progress, if they do not replace each other.
const BETWEEN: u64 = 256 * 40;

/// Shows the progress: on one line of a terminal, and otherwise on a line now and then.
struct Shown {
    last: u64,
    is_terminal: bool,
}

impl Shown {
    fn show(&mut self, progress: Progress) {
        let (line, count) = match progress {
            Progress::Continued(number) => (format!("continuing after incident {number}"), 0),
            Progress::Copied(Part::Incidents, count) => {
                (format!("{count} incidents copied; the last number is {}", self.last), count)
            }
            Progress::Copied(part, count) => (format!("{count} {part} copied"), count),
            Progress::Verified(part, count) => (format!("{count} {part} verified"), count),
            _ => return,
        };
        let mut stderr = std::io::stderr();
        // A terminal that went away must not end the copying.
        let _ = match (self.is_terminal, progress) {
            (true, Progress::Continued(_)) => writeln!(stderr, "{line}"),
            (true, _) => write!(stderr, "\r\x1b[K{line}"),
            (false, _) if count % BETWEEN == 0 || count % 256 != 0 => writeln!(stderr, "{line}"),
            (false, _) => Ok(()),
        };
    }
}
