//! `inresponse backup` and `inresponse restore`.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use inresponse_sqlite::backup::{self, Existing, Progress};

use crate::keys::FIRST_KEY;

const DEFAULT_DB: &str = "inresponse.db";

/// Copies the database, even while a server is using it.
///
/// A database that contains anything that this program did not make (a trigger, a view, another table) is refused,
/// because its backup could not be restored.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  inresponse backup --db /var/lib/inresponse/inresponse.db /backup/inresponse-$(date +%F).db"
)]
pub(crate) struct BackupArgs {
    /// The file to write; it must not exist yet
    to: PathBuf,

    /// The database to copy
    #[arg(long, env = "INRESPONSE_DB", value_name = "FILE", default_value = DEFAULT_DB)]
    db: PathBuf,
}

/// Replaces the database with a backup. Stop the servers first.
///
/// No incident number is used twice: numbering continues above the old database, or a million above the backup.
/// Incidents that were open and due when the backup was made are alerted again, the on-call engineer first. A backup
/// that contains anything that this program did not make (a trigger, a view, another table) is refused.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  inresponse restore /backup/inresponse-2026-11-24.db --put-aside")]
pub(crate) struct RestoreArgs {
    /// The backup to restore
    from: PathBuf,

    /// The database to replace
    #[arg(long, env = "INRESPONSE_DB", value_name = "FILE", default_value = DEFAULT_DB)]
    db: PathBuf,

    /// Keep an existing database under another name
    #[arg(long)]
    put_aside: bool,
}

pub(crate) fn back_up(args: &BackupArgs) -> Result<(), Box<dyn Error>> {
    backup::backup(&args.db, &args.to, shown)?;
    println!("{} is a backup of {}", args.to.display(), args.db.display());
    Ok(())
}

pub(crate) fn restore(args: &RestoreArgs) -> Result<(), Box<dyn Error>> {
    let existing = if args.put_aside { Existing::PutAside } else { Existing::Refuse };
    if args.db.exists() && existing == Existing::Refuse {
        let hint = "give --put-aside to keep it under another name";
        return Err(format!("{} already exists: {hint}", args.db.display()).into());
    }
    let restored = backup::restore(&args.from, &args.db, existing, shown)?;
    let incidents = restored.incidents;
    println!("{} has {incidents} incidents of {}", args.db.display(), args.from.display());
    println!("the next incident gets a number above {}", restored.last_number);
    if restored.settings.iter().any(|name| name == FIRST_KEY) {
        println!(
            "the backup contains the key that was made on the first start; `inresponse key replace` revokes this key"
        );
    }
    if let Some(aside) = restored.put_aside {
        println!("the previous database is now {}", aside.display());
    }
    Ok(())
}

/// Shows the progress on one line of a terminal.
fn shown(progress: Progress) {
    let mut terminal = std::io::stderr();
    if !terminal.is_terminal() || progress.total == 0 {
        return;
    }
    let percent = progress.done * 100 / progress.total;
    let bar = "█".repeat(usize::try_from(percent / 4).unwrap_or_default());
    let end = if progress.done == progress.total { "\n" } else { "" };
    // A terminal that went away must not end a backup.
    let _ = write!(terminal, "\r{bar:<25} {percent:>3} % of {} pages{end}", progress.total);
}
